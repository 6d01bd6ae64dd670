/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors that go from process to process: SCM_RIGHTS, pidfd_getfd. */
#ifndef BPF_PASS_H
#define BPF_PASS_H

#include "idr.bpf.h"
#include "shm.bpf.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define PIDFS_MAGIC 0x50494446
#define PASS_CMSGS_MAX 4
#define PASS_FDS_MAX 253 /* of one control message: SCM_MAX_FD in include/net/scm.h */

struct pass_scratch {
	struct ipct_pass ev;
	char name[IPCT_PATH_LEN + 2 * PATH_COMPONENT_BYTES];
	struct object o; /* too large for the stack of four functions, before kernel 6.13 */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pass_scratch);
} pass_scratch SEC(".maps");

static __always_inline void pass__fill_object(struct pass_scratch *sc, __u64 file)
{
	struct ipct_pass *ev = &sc->ev;
	__u32 start = 0, len, mode = READ(file, struct file, f_mode);
	struct inode *inode = READ(file, struct file, f_inode);
	struct object *o = &sc->o;

	__builtin_memset(o, 0, sizeof(*o));
	ev->ino = READ(inode, struct inode, i_ino);
	ev->mode = READ(inode, struct inode, i_mode);
	ev->side = (mode & FMODE_READ ? 1 : 0) | (mode & FMODE_WRITE ? 2 : 0);
	if (object__from_file(o, file) || (shm__from_file(o, file) && !(o->f_flags & IPCT_MAP_FILE))) {
		ev->obj_mech = o->mech;
		ev->key = o->key;
		ev->dev = o->dev;
		/* Read back: to the verifier a key that went through memory is a number, whatever object it may be. */
		if (o->mech == IPCT_MECH_POSIX_SHM)
			named__tell(file, o->mech, *(volatile __u64 *)&ev->key, o->dev);
		return;
	}
	len = named__write(sc->name, file, &start);
	if (len > IPCT_PATH_LEN)
		len = 0;
	ev->name_len = len;
	ev->name_start = start;
}

/*
 * Descriptor fd of the running task. from: pid << 32 | descriptor there, for pidfd_getfd. Not static: so the verifier
 * looks at it once, not at each call.
 */
__noinline int pass__one(__u32 what, __u32 fd, __u64 from)
{
	__u32 zero = 0, size = sizeof(struct ipct_pass);
	struct pass_scratch *sc = bpf_map_lookup_elem(&pass_scratch, &zero);
	const struct task_op *op = task_op__current(false);
	const struct object *o;
	struct ipct_pass *ev;
	__u64 file;
	__u8 mech;

	if (!sc || !op)
		return 0;
	o = what == IPCT_PASS_RECEIVED ? &op->in : &op->out;
	mech = what == IPCT_PASS_TAKEN ? IPCT_MECH_PTRACE : o->mech;
	ev = &sc->ev;
	__builtin_memset(ev, 0, sizeof(*ev));
	file = file__by_fd(fd);
	if (file)
		pass__fill_object(sc, file);
	ev->enter_ns = op->enter_ns;
	ev->file = file;
	ev->fd = fd;
	ev->what = what;
	ev->from_pid = from >> 32;
	ev->from_fd = what == IPCT_PASS_TAKEN ? (__s32)from : -1;
	if (what != IPCT_PASS_TAKEN) {
		ev->sk = o->ptr;
		ev->peer_sk = what == IPCT_PASS_RECEIVED ? op->part.peer : 0;
		ev->peek = what == IPCT_PASS_RECEIVED && op->msg_flags & MSG_PEEK;
	}
	size += ev->name_start ? IPCT_PATH_LEN : ev->name_len;
	UNKNOWN(size);
	if (size > offsetof(struct pass_scratch, o))
		return 0;
	emit__header(&ev->h, IPCT_KIND_PASS, size, mech, IPCT_OP_PASS);
	emit__output(ev, size, mech);
	return 0;
}

static __always_inline void pass__each(__u8 what, __u64 fds, __u32 cnt)
{
	for (__u32 i = 0; i < PASS_FDS_MAX; i++) {
		__s32 fd = -1;

		if (i >= cnt || bpf_probe_read_user(&fd, sizeof(fd), (void *)(fds + i * 4)))
			return;
		pass__one(what, fd, 0);
	}
}

/* The control messages of a struct msghdr in user memory; how many of them carry descriptors. */
__noinline int pass__scan(__u32 what, __u64 msghdr, __u32 compat)
{
	__u64 at, end, word = compat ? 4 : 8, header = word + 8, ctl[2] = {};
	int found = 0;

	if (compat) {
		__u32 raw[2] = {};

		bpf_probe_read_user(raw, sizeof(raw), (void *)(msghdr + 16));
		ctl[0] = raw[0];
		ctl[1] = raw[1];
	} else {
		bpf_probe_read_user(ctl, sizeof(ctl), (void *)(msghdr + 32));
	}
	at = ctl[0];
	end = ctl[0] + ctl[1];
	for (int i = 0; i < PASS_CMSGS_MAX; i++) {
		struct {
			__s32 level, type;
		} id = {};
		__u64 len = 0;

		if (!at || at + header > end)
			break;
		bpf_probe_read_user(&len, compat ? 4 : 8, (void *)at);
		bpf_probe_read_user(&id, sizeof(id), (void *)(at + word));
		if (len < header || len > end - at)
			break;
		if (id.level == SOL_SOCKET && id.type == SCM_RIGHTS) {
			pass__each(what, at + header, (len - header) / 4);
			found++;
		}
		at += (len + word - 1) & ~(word - 1);
	}
	return found;
}

static __always_inline void pass__sent(struct task_op *op, __u64 msghdr)
{
	op->enter_ns = clock__now();
	op->passed_cnt = pass__scan(IPCT_PASS_SENT, msghdr, op->compat);
}

static __always_inline void pass__received(const struct task_op *op)
{
	pass__scan(IPCT_PASS_RECEIVED, op->buf, op->compat);
}

static __always_inline void pass__failed(void)
{
	pass__one(IPCT_PASS_FAILED, -1, 0);
}

/* The process behind a pidfd: since 6.9 in its inode (cb12fd8e0dab), before in the file. */
static __always_inline __u32 pidfd__pid(__s32 fd)
{
	__u64 file = file__by_fd(fd);
	struct inode *inode;
	struct super_block *sb;

	if (!file)
		return 0;
	inode = READ(file, struct file, f_inode);
	sb = READ(inode, struct inode, i_sb);
	if (READ(sb, struct super_block, s_magic) == PIDFS_MAGIC)
		return pid__number((__u64)READ(inode, struct inode, i_private));
	if (!name__begins((__u64)READ(file, struct file, f_path.dentry), "[pidfd]", 7))
		return 0;
	return pid__number((__u64)READ(file, struct file, private_data));
}

static __always_inline bool pass__enter_getfd(struct task_op *op, const struct sysargs *args)
{
	if (!wanted(IPCT_MECH_PTRACE))
		return false;
	op->in.key = (__u64)pidfd__pid((__s32)args->a[0]) << 32 | (__u32)args->a[1];
	return true;
}

static __always_inline void pass__exit_getfd(const struct task_op *op, __s64 ret)
{
	if (ret >= 0)
		pass__one(IPCT_PASS_TAKEN, ret, op->in.key);
}

#endif
