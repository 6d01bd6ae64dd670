// SPDX-License-Identifier: GPL-2.0
/* Signals at their tracepoints: generated and delivered, both under the target's siglock. */
#include "signal.bpf.h"

/*
 * The info argument as a number: to the verifier it is a pointer that cannot be NULL, so that it drops as dead code
 * what SEND_SIG_NOINFO needs.
 */
#define SIGNAL_INFO(ctx) read_word(&(ctx)[1])

/* complete_signal() has come and gone, and adds nothing: the last entry is still this signal's. */
SEC("?tp_btf/signal_generate")
int BPF_PROG(signal_generate__tracepoint, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	struct generated g = { .info = SIGNAL_INFO(ctx), .task = task, .sig = sig, .result = result };

	if (!signal__is_wanted(task, g.info))
		return 0;
	g.shared = !!group;
	if (result == IPCT_SIG_DELIVERED && signal__has_entry(sig, task))
		g.entry = signal__last_entry(signal__queue(task, group));
	return signal__tell_generated(&g);
}

/*
 * Where it is seen how signals are taken out of a queue, this tells of those that are not: faults, and the SIGKILL that the end of a
 * process or an exec has for each of its threads, which is the one without info (get_signal() in kernel/signal.c).
 */
SEC("?tp_btf/signal_deliver")
int BPF_PROG(signal_deliver__tracepoint, int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
{
	bool has_info = SIGNAL_INFO(ctx) > SEND_SIG_PRIV;
	__s32 code = 0;

	if (!active || task__is_tracer())
		return 0;
	signal__stops(sig);
	if (has_info)
		bpf_core_read(&code, sizeof(code), &info->si_code);
	if (cfg.sees_dequeued && has_info && !signal__is_synchronous(sig, code))
		return 0;
	signal__taken(sig, code, signal__how((__u64)READ(ka, struct k_sigaction, sa.sa_handler)), false, 0);
	return 0;
}
