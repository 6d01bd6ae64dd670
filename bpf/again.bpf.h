/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Since Linux 7.0 a program at a tracepoint can be preempted, and the kernel does not run it for the thread that comes next,
 * until the first one goes on: whatever that thread calls would go unseen. So behind each of the programs that see all calls
 * stands another (again.bpf.c), which does what the first one was not run for.
 *
 * How it knows: the first one leaves a note where sched_switch keeps such things (running.bpf.h).
 */
#ifndef BPF_AGAIN_H
#define BPF_AGAIN_H

#include "running.bpf.h"

enum again {
	AGAIN_NOTHING = 0,
	AGAIN_ENTRY, /* the first one was run where a call begins */
	AGAIN_EXIT, /* where it ends */
	AGAIN_INSTEAD, /* the other one is at it */
};

/* The program ends that was to be run. */
static __always_inline void again__told(__u8 end)
{
	struct running *r = cfg.preempted ? running__here() : NULL;

	if (r)
		r->again = r->again == AGAIN_INSTEAD ? AGAIN_NOTHING : end;
}

/* Whether the kernel did not run it; then it is to be run now. */
static __always_inline bool again__is_due(__u8 end)
{
	struct running *r = running__here();

	if (!r)
		return false;
	if (r->again == end) {
		r->again = AGAIN_NOTHING;
		return false;
	}
	r->again = AGAIN_INSTEAD;
	return true;
}

#endif
