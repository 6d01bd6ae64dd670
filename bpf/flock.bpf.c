// SPDX-License-Identifier: GPL-2.0
/*
 * Locks on files: flock(2), fcntl(2) record locks and those of open files. Each attempt shows at its end, by
 * whichever task makes it: who waited tries again itself. Also locks that close and exit give up.
 */
#include "again.bpf.h"
#include "named.bpf.h"

#define FL_POSIX 1
#define FL_FLOCK 2
#define FL_ACCESS 8
#define FL_OFDLCK 1024

/* What is read of a lock, whichever way the kernel keeps it: since 6.9 the first part is struct file_lock_core. */
struct lock {
	__u64 owner, file, blocker;
	__u32 flags;
	__u8 type;
};

static __always_inline void lock__read(struct lock *l, __u64 fl)
{
	if (bpf_core_type_exists(struct file_lock_core)) {
		l->owner = WORD(fl, struct file_lock, c.flc_owner);
		l->file = WORD(fl, struct file_lock, c.flc_file);
		l->blocker = WORD(fl, struct file_lock, c.flc_blocker);
		l->flags = READ(fl, struct file_lock, c.flc_flags);
		l->type = READ(fl, struct file_lock, c.flc_type);
	} else {
		l->owner = WORD(fl, struct file_lock___v6_8, fl_owner);
		l->file = WORD(fl, struct file_lock___v6_8, fl_file);
		l->blocker = WORD(fl, struct file_lock___v6_8, fl_blocker);
		l->flags = READ(fl, struct file_lock___v6_8, fl_flags);
		l->type = READ(fl, struct file_lock___v6_8, fl_type);
	}
}

/* The blocker's lock may be gone by now; then this is some number, and never used to attribute anything. */
static __always_inline __u32 lock__blocker_pid(const struct lock *l)
{
	__s32 pid;

	if (!l->blocker)
		return 0;
	if (bpf_core_type_exists(struct file_lock_core))
		pid = READ(l->blocker, struct file_lock_core, flc_pid);
	else
		pid = READ(l->blocker, struct file_lock___v6_8, fl_pid);
	return pid > 0 ? pid : 0;
}

static __always_inline __u8 lock__kind(__u32 flags)
{
	if (flags & FL_FLOCK)
		return IPCT_LOCK_FLOCK;
	return flags & FL_OFDLCK ? IPCT_LOCK_OFD : IPCT_LOCK_POSIX;
}

static __noinline void lock__emit(__u64 inode, __u64 fl, int ret)
{
	struct super_block *sb = READ(inode, struct inode, i_sb);
	struct ipct_lock *ev;
	struct task_op *op;
	struct lock l;
	__u64 ino;
	__u32 dev;
	__u8 kind;

	lock__read(&l, fl);
	if (!(l.flags & (FL_POSIX | FL_FLOCK)) || l.flags & FL_ACCESS)
		return;
	ino = READ(inode, struct inode, i_ino);
	dev = READ(sb, struct super_block, s_dev);
	named__tell(l.file, IPCT_MECH_FLOCK, ino, dev);
	kind = l.type == IPCT_LOCK_NONE ? IPCT_OP_UNLOCK : ret == 1 ? IPCT_OP_WAIT : IPCT_OP_LOCK;
	ev = emit__reserve(IPCT_KIND_LOCK, sizeof(*ev), IPCT_MECH_FLOCK, kind);
	if (!ev)
		return;
	op = task_op__current(false);
	ev->enter_ns = op && (op->class == IPCT_SC_FLOCK || op->class == IPCT_SC_FCNTL) ? op->enter_ns : 0;
	ev->key = ino;
	ev->owner = l.owner;
	ev->start = READ(fl, struct file_lock, fl_start);
	ev->end = READ(fl, struct file_lock, fl_end);
	ev->ret = ret;
	ev->dev = dev;
	ev->blocker_pid = lock__blocker_pid(&l);
	ev->type = l.type;
	ev->kind = lock__kind(l.flags);
	ev->scanned = 0;
	ev->pad0 = 0;
	emit__submit(ev);
}

/* The verifier of new kernels holds that fl may be NULL. */
static __always_inline void lock__attempt(struct inode *inode, struct file_lock *fl, int ret)
{
	if (active && inode && fl && !task__is_tracer())
		lock__emit((__u64)inode, (__u64)fl, ret);
}

SEC("?tp_btf/flock_lock_inode")
int BPF_PROG(flock_lock_inode__tracepoint, struct inode *inode, struct file_lock *fl, int ret)
{
	lock__attempt(inode, fl, ret);
	again__ran(IPCT_AGAIN_FLOCK, (__u64)fl);
	return 0;
}

SEC("?tp_btf/flock_lock_inode")
int BPF_PROG(flock_lock_inode_again__tracepoint, struct inode *inode, struct file_lock *fl, int ret)
{
	if (again__was_left_out(IPCT_AGAIN_FLOCK, (__u64)fl))
		lock__attempt(inode, fl, ret);
	return 0;
}

/* Runs under a spinlock, as does what tells of locks that end with their file: none of them is preempted. */
SEC("?tp_btf/posix_lock_inode")
int BPF_PROG(posix_lock_inode__tracepoint, struct inode *inode, struct file_lock *fl, int ret)
{
	lock__attempt(inode, fl, ret);
	return 0;
}
