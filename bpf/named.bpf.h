/* SPDX-License-Identifier: GPL-2.0 */
/* Names of files that are told when they are first met under that name, not with each event. */
#ifndef BPF_NAMED_H
#define BPF_NAMED_H

#include "object.bpf.h"

/* Inode numbers are reused, on some filesystems at once; their generation is not. */
struct named_key {
	__u64 ino;
	__u32 dev;
	__u32 generation;
	__u64 mech;
};

/* Value: where its name is and a hash of it, so that a renamed file is told again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct named_key);
	__type(value, __u64);
} named_files SEC(".maps");

static __always_inline bool named__is_known(__u64 file, __u8 mech, __u64 dentry)
{
	struct inode *inode = READ(file, struct file, f_inode);
	struct super_block *sb = READ(inode, struct inode, i_sb);
	__u64 name = WORD(dentry, struct dentry, d_parent) ^
		     (__u64)READ(dentry, struct dentry, d_name.hash) << 32 ^
		     READ(dentry, struct dentry, d_name.len);
	struct named_key key = { .mech = mech };
	__u64 *known;

	key.ino = READ(inode, struct inode, i_ino);
	key.dev = READ(sb, struct super_block, s_dev);
	key.generation = READ(inode, struct inode, i_generation);
	known = bpf_map_lookup_elem(&named_files, &key);
	if (known && *known == name)
		return true;
	bpf_map_update_elem(&named_files, &key, &name, BPF_ANY);
	return false;
}

/* The path of a file, or the bare name of one that has none (memfd:x): then it does not begin with a slash. */
static __always_inline __u32 named__write(char *name, __u64 file, __u32 *start)
{
	__u64 dentry = WORD(file, struct file, f_path.dentry);
	__u32 len;

	*start = 0;
	if (WORD(dentry, struct dentry, d_parent) != dentry)
		return path__write(name, file, start);
	len = READ(dentry, struct dentry, d_name.len);
	if (len >= IPCT_PATH_LEN)
		return 0;
	bpf_probe_read_kernel(name, len & (IPCT_PATH_LEN - 1), READ(dentry, struct dentry, d_name.name));
	return len;
}

/*
 * Tells the name of the object (mech, key, dev), which file is. Not static: so the verifier looks at it once, not at
 * each call.
 */
__noinline int named__tell(__u64 file, __u32 mech, __u64 key, __u32 dev)
{
	__u32 which = 0, start = 0, size = sizeof(struct ipct_object), len;
	struct object_scratch *sc = file ? SCRATCH_TAKE(object_scratch, &which) : NULL;
	struct ipct_object *ev;

	if (!sc) {
		if (file)
			emit__count_lost(mech);
		return 0;
	}
	if (named__is_known(file, mech, WORD(file, struct file, f_path.dentry)))
		goto out;
	ev = &sc->ev;
	__builtin_memset(ev, 0, sizeof(*ev));
	ev->key = key;
	ev->dev = dev;
	ev->ino = key;
	ev->fd = -1;
	ev->what = IPCT_OBJECT_NEW;
	len = named__write(sc->name, file, &start);
	if (len > IPCT_PATH_LEN)
		len = 0;
	ev->name_len = len;
	ev->name_start = start;
	size += start ? IPCT_PATH_LEN : len;
	UNKNOWN(size);
	if (size > sizeof(*sc))
		goto out;
	emit__header(&ev->h, IPCT_KIND_OBJECT, size, mech, 0);
	emit__output(ev, size, mech);
out:
	sc->busy = 0;
	return 0;
}

#endif
