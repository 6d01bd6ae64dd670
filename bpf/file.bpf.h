/* SPDX-License-Identifier: GPL-2.0 */
/* From a descriptor to the object behind it. */
#ifndef BPF_FILE_H
#define BPF_FILE_H

#include "task.bpf.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFIFO 0010000

#define PIPEFS_MAGIC 0x50495045
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5

#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define O_DIRECT_FLAG (cfg_o_direct())

/* O_DIRECT: 040000 on x86 and in the generic list, 0200000 on arm64 (arch/arm64/include/uapi/asm/fcntl.h). */
static __always_inline __u32 cfg_o_direct(void)
{
#if defined(__TARGET_ARCH_arm64)
	return 0200000;
#else
	return 040000;
#endif
}

static __always_inline bool file__is_sock(__u64 file)
{
	struct inode *inode = READ(file, struct file, f_inode);

	return (READ(inode, struct inode, i_mode) & S_IFMT) == S_IFSOCK;
}

/* The struct file behind a descriptor of a task; 0: none. */
static __always_inline __u64 file__of(struct task_struct *task, __s32 fd)
{
	struct files_struct *files = READ(task, struct task_struct, files);
	struct fdtable *fdt;
	struct file **table;

	if (!files || fd < 0)
		return 0;
	fdt = READ(files, struct files_struct, fdt);
	if ((__u32)fd >= READ(fdt, struct fdtable, max_fds))
		return 0;
	table = READ(fdt, struct fdtable, fd);
	return LOAD_WORD(table + fd);
}

static __always_inline __u64 file__by_fd(__s32 fd)
{
	return file__of(current_task(), fd);
}

static __always_inline __u8 inet__mech(__u64 sk)
{
	switch (READ(sk, struct sock, sk_protocol)) {
	case IPPROTO_TCP:
		return IPCT_MECH_TCP;
	case IPPROTO_UDP:
		return IPCT_MECH_UDP;
	}
	return 0;
}

static __always_inline __u8 sock__mech(__u64 sk)
{
	__u16 family = READ(sk, struct sock, __sk_common.skc_family);

	if ((wanted(IPCT_MECH_TCP) || wanted(IPCT_MECH_UDP)) && (family == AF_INET || family == AF_INET6))
		return inet__mech(sk);
	if (family != AF_UNIX)
		return 0;
	switch (READ(sk, struct sock, sk_type)) {
	case SOCK_STREAM:
		return IPCT_MECH_UNIX_STREAM;
	case SOCK_DGRAM:
		return IPCT_MECH_UNIX_DGRAM;
	case SOCK_SEQPACKET:
		return IPCT_MECH_UNIX_SEQPACKET;
	}
	return 0;
}

/* Inode number of the file a socket belongs to; 0: not accepted yet, or closed. */
static __always_inline __u32 sock__ino(__u64 sk)
{
	struct socket *sock = sk ? READ(sk, struct sock, sk_socket) : NULL;
	struct file *file = sock ? READ(sock, struct socket, file) : NULL;
	struct inode *inode = file ? READ(file, struct file, f_inode) : NULL;

	return inode ? (__u32)READ(inode, struct inode, i_ino) : 0;
}

static __always_inline bool ino__is_ignored(__u64 ino, __u32 dev)
{
	for (int i = 0; i < IPCT_IGNORE_MAX; i++) {
		if (cfg.ignore_ino[i] && cfg.ignore_ino[i] == ino && cfg.ignore_dev[i] == dev)
			return true;
	}
	return false;
}

#define S_IFCHR 0020000
#define TTYAUX_MAJOR 5 /* /dev/tty, /dev/ptmx */
#define UNIX98_PTY_MASTER_MAJOR 128
#define UNIX98_PTY_SLAVE_MAJOR 136

/* A side of a pseudoterminal: ino is N of /dev/pts/N plus 1, f_flags its devpts (0: the tracer's own). */
static __always_inline bool object__from_tty(struct object *o, __u64 file, __u64 inode)
{
	__u32 major = READ(inode, struct inode, i_rdev) >> 20, dev;
	struct tty_file_private *private;
	__u64 tty, slave, dentry, sb;

	if (major != TTYAUX_MAJOR && (major & ~7u) != UNIX98_PTY_SLAVE_MAJOR)
		return false;
	private = READ(file, struct file, private_data);
	tty = private ? (__u64)READ(private, struct tty_file_private, tty) : 0;
	if (!tty || !READ(tty, struct tty_struct, link) || READ(tty, struct tty_struct, termios.c_line))
		return false;
	major = READ(READ(tty, struct tty_struct, driver), struct tty_driver, major);
	if (major != UNIX98_PTY_MASTER_MAJOR && major != UNIX98_PTY_SLAVE_MAJOR)
		return false;
	slave = major == UNIX98_PTY_SLAVE_MAJOR ? tty : (__u64)READ(tty, struct tty_struct, link);
	dentry = (__u64)READ(slave, struct tty_struct, driver_data);
	sb = dentry ? (__u64)READ(dentry, struct dentry, d_sb) : 0;
	dev = sb ? READ(sb, struct super_block, s_dev) : 0;
	o->ptr = o->key = tty;
	o->dev = 0;
	o->is_sock = 0;
	o->mech = IPCT_MECH_PTY;
	o->file = file;
	o->ino = READ(tty, struct tty_struct, index) + 1;
	o->f_flags = dev == cfg.devpts ? 0 : dev;
	o->was_waiting = 0;
	if (!o->f_flags && cfg.ignore_pts && o->ino == cfg.ignore_pts) {
		o->mech = 0;
		return false;
	}
	return true;
}

#define ANON_INODE_FS_MAGIC 0x09041934
#define EVENTFD_NAME "[eventfd]"

#define ANON_NAME_BYTES 16

/* Such files share one inode; the name of their directory entry tells what they are. bytes: of want, its NUL included. */
static __always_inline bool file__is_anon(__u64 file, const char want[], const __u32 bytes)
{
	struct inode *inode = READ(file, struct file, f_inode);
	struct super_block *sb = READ(inode, struct inode, i_sb);
	char name[ANON_NAME_BYTES] = {};
	struct dentry *dentry;

	if (READ(sb, struct super_block, s_magic) != ANON_INODE_FS_MAGIC)
		return false;
	dentry = READ(file, struct file, f_path.dentry);
	bpf_probe_read_kernel(name, bytes, READ(dentry, struct dentry, d_name.name));
	for (__u32 i = 0; i < bytes; i++) {
		if (name[i] != want[i])
			return false;
	}
	return true;
}

static __noinline bool object__from_anon(struct object *o, __u64 file)
{
	if (!file__is_anon(file, EVENTFD_NAME, sizeof(EVENTFD_NAME)))
		return false;
	o->ptr = o->key = (__u64)READ(file, struct file, private_data);
	o->dev = 0;
	o->mech = IPCT_MECH_EVENTFD;
	o->is_sock = 0;
	return true;
}

/* What stands for it in records; eventfds have a number of their own. */
static __always_inline __u32 object__ino(const struct object *o, struct inode *inode)
{
	if (o->mech == IPCT_MECH_EVENTFD)
		return READ(o->ptr, struct eventfd_ctx, id);
	return READ(inode, struct inode, i_ino);
}

/* Of all pipes that are not FIFOs: there is one, and it stays (fs/pipe.c, init_pipe_fs()). 0: none was seen yet. */
volatile __u64 pipefs_sb = 0;
volatile __u32 pipefs_dev = 0;

static __always_inline void object__look_at_pipefs(struct object *o, __u64 sb)
{
	if (LIKELY(sb == pipefs_sb)) {
		o->dev = pipefs_dev;
		o->mech = IPCT_MECH_PIPE;
		return;
	}
	o->dev = READ(sb, struct super_block, s_dev);
	o->mech = IPCT_MECH_FIFO;
	if (READ(sb, struct super_block, s_magic) != PIPEFS_MAGIC)
		return;
	o->mech = IPCT_MECH_PIPE;
	pipefs_dev = o->dev;
	barrier();
	pipefs_sb = sb;
}

/* What only pipes and FIFOs have. */
static __always_inline void object__from_pipe(struct object *o, struct inode *inode)
{
	o->ptr = (__u64)READ(inode, struct inode, i_pipe);
	o->key = READ(inode, struct inode, i_ino);
	o->is_sock = 0;
	object__look_at_pipefs(o, (__u64)READ(inode, struct inode, i_sb));
}

/* What only sockets have; false: it is closed. o->mech 0: none of ours. */
static __always_inline bool object__from_sock(struct object *o, __u64 file)
{
	struct socket *sock = READ(file, struct file, private_data);

	o->ptr = o->key = sock ? (__u64)READ(sock, struct socket, sk) : 0;
	if (!o->ptr)
		return false;
	o->dev = 0;
	o->mech = sock__mech(o->ptr);
	o->is_sock = 1;
	return true;
}

/* What all have, of an object that is one of mech (0: none of ours); false: not wanted, o->mech is 0. */
static __always_inline bool object__is_wanted(struct object *o, __u64 file, __u32 ino, __u8 mech)
{
	o->mech = mech;
	o->file = file;
	o->ino = ino;
	o->f_flags = READ(file, struct file, f_flags);
	o->was_waiting = 0;
	if (!mech || !wanted(mech) || (mech != IPCT_MECH_EVENTFD && ino__is_ignored(o->ino, o->dev))) {
		o->mech = 0;
		return false;
	}
	return true;
}

/* Fills o from a struct file; false: nothing of ours, or not wanted. */
static __always_inline bool object__from_file(struct object *o, __u64 file)
{
	struct inode *inode;
	umode_t mode;

	o->mech = 0;
	if (!file)
		return false;
	inode = READ(file, struct file, f_inode);
	mode = READ(inode, struct inode, i_mode) & S_IFMT;
	if (mode == S_IFIFO) {
		object__from_pipe(o, inode);
	} else if (mode == S_IFSOCK) {
		if (!object__from_sock(o, file))
			return false;
	} else if (wanted(IPCT_MECH_PTY) && mode == S_IFCHR) {
		return object__from_tty(o, file, (__u64)inode);
	} else if (!wanted(IPCT_MECH_EVENTFD) || !object__from_anon(o, file)) {
		return false;
	}
	return object__is_wanted(o, file, object__ino(o, inode), o->mech);
}

static __always_inline bool object__from_fd(struct object *o, __s32 fd)
{
	return object__from_file(o, file__by_fd(fd));
}

#endif
