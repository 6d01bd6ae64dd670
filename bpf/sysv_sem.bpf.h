/* SPDX-License-Identifier: GPL-2.0 */
/* System V semaphores: every operation of every call, and what SEM_UNDO gives back at exit. */
#ifndef BPF_SYSV_SEM_H
#define BPF_SYSV_SEM_H

#include "sysv.bpf.h"
#include "unit.bpf.h"

#define SEM_OPS_MAX 512 /* of one call; the kernel's own default limit is 500 */
#define SEM_MEMBERS_MAX 512 /* of a set, whose values are told */
#define SEM_UNDO_SETS_MAX 16
#define SEM_UNDO_MEMBERS_MAX 64

#define IPC_NOWAIT 04000
#define IPC_CREAT 01000
#define IPC_EXCL 02000
#define SEM_UNDO_FLAG 0x1000
#define IPC_RMID 0
#define IPC_64 0x100
#define SETVAL 16
#define SETALL 17
#define SEM_CMD_MAX 20

struct sembuf {
	__u16 num;
	__s16 op;
	__s16 flg;
};

/* The set as a plain number: functions that are not static take no pointers that the verifier may know. */
static __always_inline __u64 sem__find(__s32 id)
{
	__u64 set = sysv__find(SYSV_SEM, id);

	return read_word(&set);
}

/* Value of a member; -1: the set is gone, or has no such member. */
static __noinline __s32 sem__value(__u64 set, __u32 num)
{
	if (!set || num >= (__u32)READ(set, struct sem_array, sem_nsems))
		return -1;
	return READ(ELEMENT(set + bpf_core_field_offset(struct sem_array, sems), struct sem, num), struct sem,
		    semval);
}

/*
 * Loops call functions that are not static: those are verified once, not once for each time round.
 */
__noinline int sem__emit_base(__u64 set, __u32 num)
{
	struct task_op *op = task_op__current(false);
	__s32 value = sem__value(set, num);
	struct ipct_sem_op *ev;

	if (!op || (num && value <= 0))
		return 0;
	ev = emit__reserve(IPCT_KIND_SEM_OP, sizeof(*ev), IPCT_MECH_SYSV_SEM, IPCT_OP_CONTROL);
	if (!ev)
		return 0;
	sem_op__clear(ev);
	ev->c = op->unit.c;
	ev->c.num = num;
	ev->value = value;
	ev->flags = IPCT_UNIT_BASE;
	emit__submit(ev);
	return 0;
}

/* Before the first operation that the trace shows. The first notice names who tells; other tellers are too late. */
static __noinline int sem__tell_base(const struct ipct_counter *c)
{
	__u64 set = sem__find(c->key);
	__u32 cnt;

	if (!set || unit__is_met(c, IPCT_MECH_SYSV_SEM))
		return 0;
	cnt = READ(set, struct sem_array, sem_nsems);
	for (__u32 i = 0; i < SEM_MEMBERS_MAX && i < cnt; i++)
		sem__emit_base(set, i);
	unit__meet(c, IPCT_MECH_SYSV_SEM);
	return 0;
}

static __noinline void sem__take_id(struct task_op *op, __s32 id)
{
	struct ipc_namespace *ns = sysv__namespace();

	unit__begin(&op->unit);
	op->unit.c.key = (__u32)id;
	op->unit.c.dev = ns ? READ(ns, struct ipc_namespace, ns.inum) : 0;
}

static __always_inline bool sem__enter(struct task_op *op, struct sysargs *args)
{
	if (!wanted(IPCT_MECH_SYSV_SEM))
		return false;
	if (op->class == IPCT_SC_SEMGET) {
		op->cnt = (__s32)args->a[0]; /* key; a[1] is how many members */
		op->arg = args->a[2];
		return true;
	}
	sem__take_id(op, (__s32)args->a[0]);
	if (op->class == IPCT_SC_SEMOP) {
		op->buf = args->a[1];
		op->cnt = (__u32)args->a[2];
		op->unit.waits = 1;
	} else {
		op->unit.c.num = (__u32)args->a[1];
		op->unit.cmd = (__u32)args->a[2] & ~IPC_64;
		op->buf = args->a[3];
		if (op->unit.cmd != SETVAL && op->unit.cmd != SETALL && op->unit.cmd != IPC_RMID)
			return false;
	}
	if ((__s32)op->unit.c.key < 0)
		return true; /* fails; shown as such */
	sem__tell_base(&op->unit.c);
	return true;
}

static __always_inline struct ipct_sem_op *sem__reserve(const struct task_op *op, __u8 kind, __s64 ret)
{
	struct ipct_sem_op *ev = emit__reserve(IPCT_KIND_SEM_OP, sizeof(*ev), IPCT_MECH_SYSV_SEM, kind);

	if (!ev)
		return NULL;
	sem_op__clear(ev);
	ev->enter_ns = op->enter_ns;
	ev->c = op->unit.c;
	ev->waker = op->unit.waker;
	ev->commit_ns = op->unit.woke_ns;
	ev->ret = ret;
	ev->value = -1;
	ev->flags = op->unit.flags | (op->compat ? IPCT_UNIT_COMPAT : 0);
	return ev;
}

/* Member i of the call's operations. */
__noinline int sem__emit_one(__u64 set, __u32 i, __s64 ret)
{
	struct task_op *op = task_op__current(false);
	struct sembuf b = {};
	struct ipct_sem_op *ev;
	__u32 flags;

	if (!op)
		return 1;
	flags = i + 1 < op->cnt && i + 1 < SEM_OPS_MAX ? IPCT_UNIT_MORE : 0;

	if (bpf_probe_read_user(&b, sizeof(b), (void *)(op->buf + (__u64)i * sizeof(b))))
		return 1;
	ev = sem__reserve(op, b.op > 0 ? IPCT_OP_POST : IPCT_OP_WAIT, ret);
	if (!ev)
		return 0;
	ev->c.num = b.num;
	ev->op = b.op;
	ev->value = sem__value(set, b.num);
	ev->flags |= flags | (b.flg & IPC_NOWAIT ? IPCT_UNIT_NOWAIT : 0) |
		     (b.flg & SEM_UNDO_FLAG ? IPCT_UNIT_UNDO : 0);
	emit__submit(ev);
	return 0;
}

static __always_inline void sem__exit_semop(struct task_op *op, __s64 ret)
{
	__u64 set = sem__find(op->unit.c.key);

	for (__u32 i = 0; i < SEM_OPS_MAX && i < op->cnt; i++) {
		if (sem__emit_one(set, i, ret))
			break;
	}
}

/* A call that began before the trace: on these architectures its arguments are still in the registers. */
static __noinline int sem__exit_late(struct pt_regs *regs, __s64 ret)
{
	struct sysargs args;
	struct task_op *op;

	if (ret || syscall_is_compat(current_task()) || task__is_tracer())
		return 0;
	op = task_op__current(true);
	if (!op)
		return 0;
	syscall_args(regs, false, &args);
	sem__take_id(op, (__s32)args.a[0]);
	op->enter_ns = 0;
	op->compat = 0;
	op->buf = args.a[1];
	op->cnt = (__u32)args.a[2];
	op->unit.flags = IPCT_UNIT_NOENTRY;
	sem__exit_semop(op, ret);
	return 0;
}

static __always_inline int sem__emit_set(const struct task_op *op, __u32 num, __s32 value, __u32 flags,
					 __s64 ret)
{
	struct ipct_sem_op *ev = sem__reserve(op, IPCT_OP_CONTROL, ret);

	if (!ev)
		return 0;
	ev->c.num = num;
	ev->op = value;
	ev->flags |= IPCT_UNIT_SET | flags;
	emit__submit(ev);
	return 0;
}

__noinline int sem__emit_member(__u32 i, __u32 cnt)
{
	struct task_op *op = task_op__current(false);
	__u16 value;

	if (!op || bpf_probe_read_user(&value, sizeof(value), (void *)(op->buf + 2 * (__u64)i)))
		return 1;
	return sem__emit_set(op, i, value, i + 1 < cnt && i + 1 < SEM_MEMBERS_MAX ? IPCT_UNIT_MORE : 0, 0);
}

static __always_inline void sem__exit_setall(struct task_op *op, __s64 ret)
{
	__u64 set = sem__find(op->unit.c.key);
	__u32 cnt = set ? READ(set, struct sem_array, sem_nsems) : 0;

	if (ret) {
		sem__emit_set(op, 0, 0, 0, ret);
		return;
	}
	for (__u32 i = 0; i < SEM_MEMBERS_MAX && i < cnt; i++) {
		if (sem__emit_member(i, cnt))
			break;
	}
}

static __noinline int sem__emit_whole(const struct task_op *op, __u8 kind, __s64 ret)
{
	struct ipct_sem_op *ev = sem__reserve(op, kind, ret);

	if (ev)
		emit__submit(ev);
	return 0;
}

/* A set that is new for certain begins with zeros; of one that may have been there the first user tells. */
static __always_inline void sem__exit_semget(struct task_op *op, __s64 ret)
{
	bool fresh = !op->cnt || (op->arg & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL);

	if (ret < 0)
		return;
	sem__take_id(op, (__s32)ret);
	if (fresh)
		unit__meet(&op->unit.c, IPCT_MECH_SYSV_SEM);
	sem__emit_whole(op, fresh ? IPCT_OP_CREATE : IPCT_OP_OPEN, ret);
}

static __always_inline void sem__exit(struct task_op *op, __s64 ret)
{
	switch (op->class) {
	case IPCT_SC_SEMOP:
		sem__exit_semop(op, ret);
		return;
	case IPCT_SC_SEMGET:
		sem__exit_semget(op, ret);
		return;
	}
	switch (op->unit.cmd) {
	case SETVAL:
		sem__emit_set(op, op->unit.c.num, (__s32)op->buf, 0, ret);
		return;
	case SETALL:
		sem__exit_setall(op, ret);
		return;
	case IPC_RMID:
		if (!ret)
			unit__forget(&op->unit.c, IPCT_MECH_SYSV_SEM);
		sem__emit_whole(op, IPCT_OP_UNLINK, ret);
	}
}

/* ---- exit with SEM_UNDO ---- */

/* Since 6.7 (ff4a9f5a8a80) an array behind the struct; before, a pointer to it. */
struct sem_undo___array {
	__s16 semadj[0];
} __attribute__((preserve_access_index));

struct sem_undo___pointer {
	__s16 *semadj;
} __attribute__((preserve_access_index));

static __always_inline __u64 sem_undo__adjustments(__u64 undo)
{
	if (bpf_core_field_exists(((struct sem_undo___pointer *)0)->semadj))
		return (__u64)READ(undo, struct sem_undo___pointer, semadj);
	return undo + bpf_core_field_offset(struct sem_undo___array, semadj);
}

__noinline int sem_undo__emit(__u64 adjustments, __u32 num)
{
	struct task_op *op = task_op__current(false);
	struct ipct_sem_op *ev;
	__s16 by = 0;

	if (!op)
		return 0;
	bpf_probe_read_kernel(&by, sizeof(by), (void *)(adjustments + 2 * (__u64)num));
	if (!by)
		return 0;
	ev = sem__reserve(op, by > 0 ? IPCT_OP_POST : IPCT_OP_WAIT, 0);
	if (!ev)
		return 0;
	ev->c.num = num;
	ev->op = by;
	ev->flags |= IPCT_UNIT_AT_EXIT | IPCT_UNIT_NOWAIT;
	emit__submit(ev);
	return 0;
}

__noinline int sem_undo__emit_set(__u64 undo)
{
	struct task_op *op = task_op__current(false);
	__s32 id = READ(undo, struct sem_undo, semid);
	__u64 set = sem__find(id);
	__u64 adjustments = sem_undo__adjustments(undo);
	__u32 cnt = set ? READ(set, struct sem_array, sem_nsems) : 0;

	if (!op || id < 0 || !cnt)
		return 0; /* the set was removed */
	sem__take_id(op, id);
	for (__u32 i = 0; i < SEM_UNDO_MEMBERS_MAX && i < cnt; i++)
		sem_undo__emit(adjustments, i);
	return 0;
}

/* The whole process ends, whose threads share the list. (Processes that share it by CLONE_SYSVSEM are not known here.) */
static __always_inline void sem_undo__walk(struct task_struct *task)
{
	struct sem_undo_list *list = READ(task, struct task_struct, sysvsem.undo_list);
	__u64 head, at;

	if (!list)
		return;
	head = (__u64)list + bpf_core_field_offset(struct sem_undo_list, list_proc);
	at = read_word((void *)head); /* as a plain number, which functions that are not static want */
	for (int i = 0; i < SEM_UNDO_SETS_MAX && at && at != head; i++) {
		__u64 undo = at - bpf_core_field_offset(struct sem_undo, list_proc);

		sem_undo__emit_set(undo);
		at = read_word((void *)at);
	}
}

#endif
