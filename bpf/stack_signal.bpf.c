// SPDX-License-Identifier: GPL-2.0
/* Where signals are generated; before signal.bpf.c, so that a stack comes before its signal. */
#include "stack.bpf.h"

SEC("?tp_btf/signal_generate")
int BPF_PROG(stack_signal__tracepoint, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	__u64 sp = 0, link = 0;

	if (!active || task__is_tracer() || READ(task, struct task_struct, tgid) == cfg.self_pid)
		return 0;
	if (!task__is_chosen(current_task()) && !task__is_chosen(task))
		return 0;
	if (cfg.user_stacks) {
		struct pt_regs *regs = user_regs();

		if (regs) {
			sp = STACK_POINTER(regs);
			link = LINK_REGISTER(regs);
		}
		stack__take(ctx, IPCT_STACK_USER, sp, link, 0, IPCT_MECH_SIGNAL);
	}
	if (cfg.kernel_stacks)
		stack__take(ctx, IPCT_STACK_KERNEL, 0, 0, 0, IPCT_MECH_SIGNAL);
	return 0;
}
