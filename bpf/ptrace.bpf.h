/* SPDX-License-Identifier: GPL-2.0 */
/* One process works on another: ptrace, process_vm_readv, process_vm_writev. */
#ifndef BPF_PTRACE_H
#define BPF_PTRACE_H

#include "emit.bpf.h"
#include "idr.bpf.h"
#include "task.bpf.h"

#define PTRACE_TRACEME 0
#define PTRACE_ATTACH 16
#define PTRACE_DETACH 17
#define PTRACE_SEIZE 0x4206

/* Whom it is about is found at entry: afterwards it may be gone. op->in.key: pid << 32 | tid. */
static __always_inline bool ptrace__enter(struct task_op *op, const struct sysargs *args)
{
	bool vm = op->class != IPCT_SC_PTRACE;
	__u64 task;

	if (!wanted(IPCT_MECH_PTRACE))
		return false;
	op->arg = vm ? 0 : args->a[0];
	op->buf = vm ? 0 : args->a[2];
	op->in.key = 0;
	if (!vm && op->arg == PTRACE_TRACEME)
		task = (__u64)READ(current_task(), struct task_struct, real_parent);
	else
		task = task__by_nr(vm ? args->a[0] : args->a[1]);
	if (task)
		op->in.key = (__u64)READ(task, struct task_struct, tgid) << 32 |
			     (__u32)READ(task, struct task_struct, pid);
	return true;
}

static __always_inline __u8 ptrace__kind(const struct task_op *op)
{
	if (op->class == IPCT_SC_VM_READ)
		return IPCT_OP_RECV;
	if (op->class == IPCT_SC_VM_WRITE)
		return IPCT_OP_SEND;
	if (op->arg == PTRACE_ATTACH || op->arg == PTRACE_SEIZE || op->arg == PTRACE_TRACEME)
		return IPCT_OP_ATTACH;
	return op->arg == PTRACE_DETACH ? IPCT_OP_DETACH : IPCT_OP_CONTROL;
}

static __noinline void ptrace__exit(const struct task_op *op, __s64 ret)
{
	struct ipct_ptrace *ev =
		emit__reserve(IPCT_KIND_PTRACE, sizeof(*ev), IPCT_MECH_PTRACE, ptrace__kind(op));

	if (!ev)
		return;
	ev->enter_ns = op->enter_ns;
	ev->addr = op->buf;
	ev->ret = ret;
	ev->request = op->arg;
	ev->target_pid = op->in.key >> 32;
	ev->target_tid = (__u32)op->in.key;
	ev->pad0 = 0;
	emit__submit(ev);
}

#endif
