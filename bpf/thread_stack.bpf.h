/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that others jump into must keep its variables on the stack of the thread. Since Linux 6.13 a program has them in
 * memory of its CPU ("private stack"), because the kernel runs none twice at a time there; but it does not see jumps: two
 * threads, one of them preempted, can be in it at once, and then one has the other's variables. A program that jumps itself
 * is left on the thread's stack (has_tail_call in check_max_stack_depth(), kernel/bpf/verifier.c), wherever the jump stands.
 */
#ifndef BPF_THREAD_STACK_H
#define BPF_THREAD_STACK_H

#include "jumps.bpf.h"
#include "maps.bpf.h"

/* Jumps by a map of JUMPS() in which nothing is ever put; and never does: there is always a tracer. */
#define ON_THREAD_STACK(ctx, name)                    \
	do {                                          \
		if (!cfg.self_pid)                    \
			bpf_tail_call(ctx, &name, 0); \
	} while (0)

#endif
