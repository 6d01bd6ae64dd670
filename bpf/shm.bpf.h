/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared memory: what a process maps, and no longer maps. The object is taken from the mapping itself, after the
 * call, so that all ways to make one are the same: files, memfds, anonymous memory, System V segments.
 */
#ifndef BPF_SHM_H
#define BPF_SHM_H

#include "idr.bpf.h"
#include "named.bpf.h"
#include "vma.bpf.h"

#define S_IFREG 0100000
#define TMPFS_MAGIC 0x01021994
#define SB_KERNMOUNT (1ul << 22)

#define MAP_TYPE 0xf
#define MAP_SHARED 0x1
#define MAP_SHARED_VALIDATE 0x3
#define MAP_FIXED 0x10
#define MREMAP_DONTUNMAP 0x4
#define PROT_WRITE 0x2
#define IPC_CREAT 01000
#define IPC_RMID 0
#define IPC_64 0x100

#define MOUNTS_MAX 4
#define RANGES_MAX 8 /* mappings in the range of one call that are looked at */

/* The first eight bytes of a directory entry's name, behind a short one zeros. */
static __always_inline __u64 name__head(__u64 dentry)
{
	__u32 len = READ(dentry, struct dentry, d_name.len);
	__u64 head = 0;

	bpf_probe_read_kernel(&head, sizeof(head), READ(dentry, struct dentry, d_name.name));
	return len < sizeof(head) ? head & ((1ULL << len * 8) - 1) : head;
}

/* word: a literal of at most seven bytes, len of them. (Both architectures are little-endian.) */
static __always_inline bool name__begins(__u64 head, const char *word, const __u32 len)
{
	__u64 want = 0;

	for (__u32 i = 0; i < len; i++)
		want |= (__u64)(__u8)word[i] << i * 8;
	return (head & ((1ULL << len * 8) - 1)) == want;
}

/* Objects without a path: the kernel's own tmpfs and hugetlbfs, which hold device memory of drivers, too. */
static __always_inline bool shm__from_kernmount(struct object *o, __u64 file, __u64 dentry)
{
	__u64 head = name__head(dentry);
	struct shm_file_data *sfd;
	struct ipc_namespace *ns;

	if (name__begins(head, "memfd:", 6) || name__begins(head, "dev/zer", 7) ||
	    name__begins(head, "anon_hu", 7)) {
		o->mech = IPCT_MECH_POSIX_SHM;
		return true;
	}
	if (!name__begins(head, "SYSV", 4))
		return false;
	/* A System V segment's inode number is its id, the same in all namespaces. */
	sfd = READ(file, struct file, private_data);
	ns = READ(sfd, struct shm_file_data, ns);
	o->mech = IPCT_MECH_SYSV_SHM;
	o->key = (__u32)READ(sfd, struct shm_file_data, id);
	o->dev = READ(ns, struct ipc_namespace, ns.inum);
	return true;
}

/*
 * tmpfs mounted at a directory named shm: shm_open() makes its objects there, and sem_open() semaphores. It may be
 * mounted over another one.
 */
static __always_inline bool file__is_in_shm(__u64 file, struct super_block *sb)
{
	__u64 mnt = mount__of(WORD(file, struct file, f_path.mnt));

	if (READ(sb, struct super_block, s_magic) != TMPFS_MAGIC)
		return false;
	for (int i = 0; i < MOUNTS_MAX; i++) {
		__u64 point = WORD(mnt, struct mount, mnt_mountpoint);

		mnt = WORD(mnt, struct mount, mnt_parent);
		if (point != WORD(mnt, struct mount, mnt.mnt_root))
			return name__begins(name__head(point), "shm", 3);
	}
	return false;
}

/* Fills o from a mapped file; o->f_flags are IPCT_MAP_*, o->addr is the object's size. */
static __noinline bool shm__from_file(struct object *o, __u64 file)
{
	struct inode *inode;
	struct super_block *sb;
	__u64 dentry;

	o->mech = 0;
	if (!file)
		return false;
	inode = READ(file, struct file, f_inode);
	if ((READ(inode, struct inode, i_mode) & S_IFMT) != S_IFREG)
		return false;
	sb = READ(inode, struct inode, i_sb);
	dentry = WORD(file, struct file, f_path.dentry);
	o->file = file;
	o->key = o->ino = READ(inode, struct inode, i_ino);
	o->dev = READ(sb, struct super_block, s_dev);
	o->addr = READ(inode, struct inode, i_size);
	o->f_flags = 0;
	o->is_sock = 0;
	if (READ(sb, struct super_block, s_flags) & SB_KERNMOUNT) {
		if (!shm__from_kernmount(o, file, dentry))
			return false;
	} else {
		o->mech = IPCT_MECH_POSIX_SHM;
		if (!file__is_in_shm(file, sb))
			o->f_flags = IPCT_MAP_FILE;
		else if (name__begins(name__head(dentry), "sem.", 4))
			o->mech = 0;
	}
	if (!o->mech || !wanted(o->mech)) {
		o->mech = 0;
		return false;
	}
	return true;
}

/* What is mapped there, if it is ours. */
static __noinline bool shm__from_range(struct object *o, const struct range *r)
{
	__u64 flags;

	o->mech = 0;
	if (!r->vma)
		return false;
	flags = READ(r->vma, struct vm_area_struct, vm_flags);
	if (!(flags & VM_MAYSHARE) || !shm__from_file(o, WORD(r->vma, struct vm_area_struct, vm_file)))
		return false;
	if (flags & VM_WRITE)
		o->f_flags |= IPCT_MAP_WRITE;
	return true;
}

/* The first object of ours in [addr, addr + len). */
static __noinline bool shm__in_range(struct object *o, __u64 addr, __u64 len)
{
	__u64 end = addr + len;
	struct range r;

	o->mech = 0;
	for (int i = 0; i < RANGES_MAX && addr < end; i++) {
		if (!range__at(&r, addr))
			return false;
		if (shm__from_range(o, &r))
			return true;
		addr = r.end;
	}
	return false;
}

static __always_inline __u64 whole_pages(__u64 bytes)
{
	__u64 mask = (__u64)cfg.page_bytes - 1;

	return (bytes + mask) & ~mask;
}

/* What System V knows of a segment beyond its size. */
static __always_inline void shm__fill_segment(struct ipct_map *ev, __u64 shp)
{
	ev->size = READ(shp, struct shmid_kernel, shm_segsz);
	ev->attached = READ(shp, struct shmid_kernel, shm_nattch);
	ev->creator = pid__number((__u64)READ(shp, struct shmid_kernel, shm_cprid));
	ev->detached_s = READ(shp, struct shmid_kernel, shm_dtim);
}

/* About op->in. */
static __noinline void shm__emit(const struct task_op *op, __u8 kind, __u64 addr, __u64 len, __s64 ret)
{
	const struct object *o = &op->in;
	struct ipct_map *ev = emit__reserve(IPCT_KIND_MAP, sizeof(*ev), o->mech, kind);

	if (!ev)
		return;
	ev->enter_ns = op->enter_ns;
	ev->key = o->key;
	ev->addr = addr;
	ev->len = len;
	ev->size = o->addr;
	ev->ret = ret;
	ev->detached_s = 0;
	ev->dev = o->dev;
	ev->flags = o->f_flags;
	ev->creator = 0;
	ev->attached = 0;
	ev->fd = op->fd_in;
	ev->pad0 = 0;
	if (o->mech == IPCT_MECH_SYSV_SHM && o->ptr)
		shm__fill_segment(ev, o->ptr);
	emit__submit(ev);
}

/* ---- entry: is it about something of ours? ---- */

static __always_inline bool shm__enter_mmap(struct task_op *op, const struct sysargs *args)
{
	__u32 type = args->a[3] & MAP_TYPE;
	bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;

	op->buf = args->a[0];
	op->cnt = whole_pages(args->a[1]);
	op->arg = shared;
	op->fd_in = shared ? (__s32)args->a[4] : -1;
	if (args->a[3] & MAP_FIXED)
		shm__in_range(&op->in, op->buf, op->cnt);
	return shared || op->in.mech;
}

static __always_inline bool shm__enter_segment(struct task_op *op, const struct sysargs *args)
{
	struct object *o = &op->in;
	__u64 ns = ipc__namespace();

	if (!wanted(IPCT_MECH_SYSV_SHM) || !ns)
		return false;
	op->arg = args->a[2];
	if (op->class == IPCT_SC_SHMCTL && (args->a[1] & ~(__u64)IPC_64) != IPC_RMID)
		return false;
	o->mech = IPCT_MECH_SYSV_SHM;
	o->key = (__u32)args->a[0]; /* shmget: not yet */
	o->dev = READ(ns, struct ipc_namespace, ns.inum);
	o->ptr = 0;
	o->addr = 0;
	o->f_flags = 0;
	o->is_sock = 0;
	return true;
}

static __always_inline bool shm__enter(struct task_op *op, const struct sysargs *args)
{
	op->fd_in = -1;
	op->buf = args->a[0];
	op->cnt = args->a[1];
	op->in.ptr = 0;
	switch (op->class) {
	case IPCT_SC_MMAP:
		return shm__enter_mmap(op, args);
	case IPCT_SC_MREMAP:
		op->part_bytes = whole_pages(args->a[2]);
		op->arg = args->a[3];
		op->cnt = whole_pages(op->cnt);
		return shm__in_range(&op->in, op->buf, op->cnt ?: 1);
	case IPCT_SC_MUNMAP:
	case IPCT_SC_MPROTECT:
		op->arg = args->a[2];
		op->cnt = whole_pages(op->cnt);
		return shm__in_range(&op->in, op->buf, op->cnt);
	case IPCT_SC_SHMDT:
		return shm__in_range(&op->in, op->buf, 1) && op->in.mech == IPCT_MECH_SYSV_SHM;
	}
	return shm__enter_segment(op, args);
}

/* ---- exit ---- */

static __noinline void shm__exit_attach(struct task_op *op, __u64 addr, __u64 len)
{
	struct object *o = &op->in;
	struct range r;

	o->ptr = 0;
	if (!range__at(&r, addr) || !shm__from_range(o, &r))
		return;
	if (o->mech == IPCT_MECH_POSIX_SHM)
		named__tell(o->file, o->mech, o->key, o->dev);
	else
		o->ptr = ipc__find(ipc__namespace(), IPC_IDS_SHM, o->key);
	shm__emit(op, IPCT_OP_ATTACH, addr, len ?: whole_pages(o->addr), addr);
}

static __always_inline void shm__exit_get(struct task_op *op, __s64 ret)
{
	struct object *o = &op->in;
	bool made;

	if (ret < 0)
		return;
	o->key = (__u32)ret;
	o->ptr = ipc__find(ipc__namespace(), IPC_IDS_SHM, o->key);
	made = o->ptr && op->arg & IPC_CREAT && !READ(o->ptr, struct shmid_kernel, shm_nattch) &&
	       pid__number((__u64)READ(o->ptr, struct shmid_kernel, shm_cprid)) ==
		       bpf_get_current_pid_tgid() >> 32;
	shm__emit(op, made ? IPCT_OP_CREATE : IPCT_OP_OPEN, 0, 0, ret);
}

static __always_inline void shm__exit(struct task_op *op, __s64 ret)
{
	switch (op->class) {
	case IPCT_SC_MMAP:
		if (ret < 0)
			return;
		if (op->in.mech)
			shm__emit(op, IPCT_OP_DETACH, op->buf, op->cnt, 0);
		if (op->arg)
			shm__exit_attach(op, ret, op->cnt);
		return;
	case IPCT_SC_MREMAP:
		if (ret < 0)
			return;
		if (op->cnt && !(op->arg & MREMAP_DONTUNMAP))
			shm__emit(op, IPCT_OP_DETACH, op->buf, op->cnt, 0);
		shm__exit_attach(op, ret, op->part_bytes);
		return;
	case IPCT_SC_MUNMAP:
		if (!ret)
			shm__emit(op, IPCT_OP_DETACH, op->buf, op->cnt, ret);
		return;
	case IPCT_SC_MPROTECT:
		op->in.f_flags &= ~IPCT_MAP_WRITE;
		if (op->arg & PROT_WRITE)
			op->in.f_flags |= IPCT_MAP_WRITE;
		if (!ret)
			shm__emit(op, IPCT_OP_CONTROL, op->buf, op->cnt, ret);
		return;
	case IPCT_SC_SHMDT:
		op->in.f_flags |= IPCT_MAP_ONE_OBJECT;
		if (!ret)
			shm__emit(op, IPCT_OP_DETACH, op->buf, whole_pages(op->in.addr), ret);
		return;
	case IPCT_SC_SHMAT:
		if (ret < 0)
			shm__emit(op, IPCT_OP_ATTACH, 0, 0, ret);
		else
			shm__exit_attach(op, ret, 0);
		return;
	case IPCT_SC_SHMGET:
		shm__exit_get(op, ret);
		return;
	case IPCT_SC_SHMCTL:
		shm__emit(op, IPCT_OP_UNLINK, 0, 0, ret);
		return;
	}
}

#endif
