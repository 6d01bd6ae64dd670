/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Since Linux 7.0 (a46023d5616e "tracing: Guard __DECLARE_TRACE() use of __DO_TRACE_CALL() with SRCU-fast") a program at a
 * tracepoint can be preempted, at fentry and fexit wherever the kernel can, and the kernel does not run it for the thread that
 * comes next, until the first one goes on: whatever that thread does goes unseen. So behind a program stands another, attached to
 * the same place, which does what the first one was not run for. The first one leaves a note to tell it.
 */
#ifndef BPF_AGAIN_H
#define BPF_AGAIN_H

#include "jumps.bpf.h"
#include "running.bpf.h"

/* How often another one stood in: the collector sets that off against what the kernel left out. */
volatile __u64 again_cnt[IPCT_AGAIN_CNT] = {};

/* ---- at the ends of system calls ---- */

/*
 * Here, where it happens most, sched_switch keeps the note with the thread (running.bpf.h): none gets lost between the first
 * program and the other.
 */
enum again {
	AGAIN_NOTHING = 0,
	AGAIN_ENTERED, /* the first one was run where a call begins */
	AGAIN_EXITED, /* where it ends */
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
	__sync_fetch_and_add(&again_cnt[end == AGAIN_ENTERED ? IPCT_AGAIN_ENTER : IPCT_AGAIN_EXIT], 1);
	return true;
}

/* Such a program. A jump is no new run: it works although the kernel did not run what it jumps to. */
#define STANDS_BEHIND(section, name, end, jumps)       \
	SEC(section)                                   \
	int name(void *ctx)                            \
	{                                              \
		if (again__is_due(end))                \
			bpf_tail_call(ctx, &jumps, 0); \
		return 0;                              \
	}

/* ---- at other tracepoints ---- */

struct again_notes {
	__u64 subject
		[IPCT_AGAIN_CNT]; /* what the first program was run for; 0: nothing, or the other one knows */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct again_notes);
} again_notes SEC(".maps");

static __always_inline struct again_notes *again__notes(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&again_notes, &zero);
}

/* At the first one's end. subject: an address that is an argument of the tracepoint. */
static __always_inline void again__ran(enum ipct_again which, __u64 subject)
{
	struct again_notes *n = cfg.preempted ? again__notes() : NULL;

	if (n)
		n->subject[which] = subject;
}

/* Whether it was not run for the subject: then that is to be done now. */
static __always_inline bool again__was_left_out(enum ipct_again which, __u64 subject)
{
	struct again_notes *n = again__notes();

	if (!n)
		return false;
	if (n->subject[which] == subject) {
		n->subject[which] = 0;
		return false;
	}
	__sync_fetch_and_add(&again_cnt[which], 1);
	return true;
}

#endif
