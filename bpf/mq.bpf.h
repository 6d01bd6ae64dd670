/* SPDX-License-Identifier: GPL-2.0 */
/* POSIX message queues as files: each is an inode of its ipc namespace's mqueue file system. */
#ifndef BPF_MQ_H
#define BPF_MQ_H

#include "file.bpf.h"

#define MQUEUE_MAGIC 0x19800202
#define S_IFREG 0100000
#define MQ_NAME_MASK 255 /* NAME_MAX */

static __always_inline bool mq__from_file(struct object *o, __u64 file)
{
	struct super_block *sb;
	struct inode *inode;

	if (!wanted(IPCT_MECH_POSIX_MQ) || !file)
		return false;
	inode = READ(file, struct file, f_inode);
	if ((READ(inode, struct inode, i_mode) & S_IFMT) != S_IFREG)
		return false;
	sb = READ(inode, struct inode, i_sb);
	if (READ(sb, struct super_block, s_magic) != MQUEUE_MAGIC)
		return false;
	o->file = file;
	o->ptr = (__u64)inode - bpf_core_field_offset(struct mqueue_inode_info, vfs_inode);
	o->key = o->ino = READ(inode, struct inode, i_ino);
	o->dev = READ(sb, struct super_block, s_dev);
	o->f_flags = READ(file, struct file, f_flags);
	o->mech = IPCT_MECH_POSIX_MQ;
	o->is_sock = 0;
	o->was_waiting = 0;
	return true;
}

/* In bytes, as far as 32 bits reach. */
static __always_inline __u32 mq__capacity(__u64 mq)
{
	__u64 bytes = READ(mq, struct mqueue_inode_info, attr.mq_maxmsg) *
		      READ(mq, struct mqueue_inode_info, attr.mq_msgsize);

	return bytes > ~0u ? ~0u : bytes;
}

static __always_inline void mq__fill_object(struct ipct_object *ev, const struct object *o)
{
	struct super_block *sb = READ(o->ptr, struct mqueue_inode_info, vfs_inode.i_sb);
	struct ipc_namespace *ns = READ(sb, struct super_block, s_fs_info);

	ev->peer_ino = ns ? READ(ns, struct ipc_namespace, ns.inum) : 0;
	ev->fill_msgs = READ(o->ptr, struct mqueue_inode_info, attr.mq_curmsgs);
	ev->fill_bytes = READ(o->ptr, struct mqueue_inode_info, qsize);
	ev->capacity = mq__capacity(o->ptr);
}

static __always_inline __u32 mq__write_name(char *name, const struct object *o)
{
	struct dentry *dentry = READ(o->file, struct file, f_path.dentry);
	__u32 len = READ(dentry, struct dentry, d_name.len) & MQ_NAME_MASK;

	bpf_probe_read_kernel(name, len, READ(dentry, struct dentry, d_name.name));
	return len;
}

#endif
