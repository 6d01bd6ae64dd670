// SPDX-License-Identifier: GPL-2.0
/* Where programs make their calls, and where these sleep. Loaded only with --stacks or --kernel-stacks. */
#include "stack.bpf.h"

SEC("?tp_btf/sys_enter")
int BPF_PROG(stack_call__tracepoint, struct pt_regs *regs, long nr)
{
	struct task_op *op;
	__u8 mech;

	if (!active || (__u64)nr >= IPCT_SYSCALL_MAX || (!sysclass[nr] && !sysclass32[nr]))
		return 0;
	op = task_op__current(false);
	mech = stack__mech_of(op);
	if (mech)
		stack__take(ctx, IPCT_STACK_USER, STACK_POINTER(regs), LINK_REGISTER(regs), op->enter_ns,
			    mech);
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(stack_sleep__tracepoint, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_op *op;
	__u8 mech;

	if (!active || preempt || !task__state(prev))
		return 0;
	op = task_op__stored(false);
	mech = stack__mech_of(op);
	if (!mech || op->told_sleep)
		return 0;
	op->told_sleep = 1;
	stack__take(ctx, IPCT_STACK_KERNEL, 0, 0, op->enter_ns, mech);
	return 0;
}
