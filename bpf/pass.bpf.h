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
	struct object o; /* not on the stack: this is deep in calls, and all their frames share 512 bytes */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pass_scratch);
} pass_scratch SEC(".maps");

/*
 * What descriptor fd of the running task is, to scratch memory. This and the two behind it are not static, so that the
 * verifier looks at each once and not at each call; and three, for their frames and their callers' share 512 bytes.
 */
__noinline int pass__look(__u32 fd)
{
	__u32 zero = 0, start = 0, len, mode;
	struct pass_scratch *sc = bpf_map_lookup_elem(&pass_scratch, &zero);
	struct inode *inode;
	struct ipct_pass *ev;
	struct object *o;
	__u64 file;

	if (!sc)
		return 0;
	ev = &sc->ev;
	o = &sc->o;
	__builtin_memset(ev, 0, sizeof(*ev));
	__builtin_memset(o, 0, sizeof(*o));
	file = file__by_fd(fd);
	ev->file = file;
	if (!file)
		return 0;
	inode = READ(file, struct file, f_inode);
	mode = READ(file, struct file, f_mode);
	ev->ino = READ(inode, struct inode, i_ino);
	ev->mode = READ(inode, struct inode, i_mode);
	ev->side = (mode & FMODE_READ ? 1 : 0) | (mode & FMODE_WRITE ? 2 : 0);
	if (object__from_file(o, file) || (shm__from_file(o, file) && !(o->f_flags & IPCT_MAP_FILE))) {
		ev->obj_mech = o->mech;
		ev->key = o->key;
		ev->dev = o->dev;
		return 0;
	}
	len = named__write(sc->name, file, &start);
	if (len > IPCT_PATH_LEN)
		len = 0;
	ev->name_len = len;
	ev->name_start = start;
	return 0;
}

/* Memory that nobody used by name so far gets it now. */
__noinline int pass__name(__u32 zero)
{
	const struct pass_scratch *sc = bpf_map_lookup_elem(&pass_scratch, &zero);

	if (sc && sc->ev.obj_mech == IPCT_MECH_POSIX_SHM)
		named__tell(sc->ev.file, sc->ev.obj_mech, sc->ev.key, sc->ev.dev);
	return 0;
}

/* from: pid << 32 | descriptor there, for pidfd_getfd. */
__noinline int pass__emit(__u32 what, __u32 fd, __u64 from)
{
	__u32 zero = 0, size = sizeof(struct ipct_pass);
	struct pass_scratch *sc = bpf_map_lookup_elem(&pass_scratch, &zero);
	const struct task_op *op = task_op__current(false);
	const struct object *o;
	struct ipct_pass *ev;
	__u8 mech;

	if (!sc || !op)
		return 0;
	o = what == IPCT_PASS_RECEIVED ? &op->in : &op->out;
	mech = what == IPCT_PASS_TAKEN ? IPCT_MECH_PTRACE : o->mech;
	ev = &sc->ev;
	ev->enter_ns = op->enter_ns;
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

static __always_inline void pass__one(__u32 what, __u32 fd, __u64 from)
{
	pass__look(fd);
	pass__name(0);
	pass__emit(what, fd, from);
}

/* Not static: verified once, and not once for each control message. */
__noinline int pass__each(__u32 what, __u64 fds, __u32 cnt)
{
	for (__u32 i = 0; i < PASS_FDS_MAX; i++) {
		__s32 fd = -1;

		if (i >= cnt || bpf_probe_read_user(&fd, sizeof(fd), (void *)(fds + i * 4)))
			break;
		pass__one(what, fd, 0);
	}
	return 0;
}

/* The control messages of a struct msghdr in user memory; how many of them carry descriptors. */
__noinline int pass__scan(__u32 what, __u64 msghdr, __u32 compat)
{
	__u64 ctl
		[2] = {}; /* where the next message is, and where they end: kept here, since the stack is scarce */
	__u64 word = compat ? 4 : 8, header = word + 8;
	int found = 0;

	if (compat) {
		bpf_probe_read_user(&ctl[0], 4, (void *)(msghdr + 16));
		bpf_probe_read_user(&ctl[1], 4, (void *)(msghdr + 20));
	} else {
		bpf_probe_read_user(ctl, sizeof(ctl), (void *)(msghdr + 32));
	}
	ctl[1] += ctl[0];
	for (int i = 0; i < PASS_CMSGS_MAX; i++) {
		struct {
			__s32 level, type;
		} id = {};
		__u64 len = 0;

		if (!ctl[0] || ctl[0] + header > ctl[1])
			break;
		bpf_probe_read_user(&len, compat ? 4 : 8, (void *)ctl[0]);
		bpf_probe_read_user(&id, sizeof(id), (void *)(ctl[0] + word));
		if (len < header || len > ctl[1] - ctl[0])
			break;
		if (id.level == SOL_SOCKET && id.type == SCM_RIGHTS) {
			pass__each(what, ctl[0] + header, (len - header) / 4);
			found++;
		}
		ctl[0] += (len + word - 1) & ~(word - 1);
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
	if (!name__begins(name__head((__u64)READ(file, struct file, f_path.dentry)), "[pidfd]", 7))
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
