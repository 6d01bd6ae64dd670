/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What runs on this CPU, and what it is in the middle of. Kept by sched_switch (sleep.bpf.c), so that a call that does not
 * sleep needs no look-up of its thread's record at either end: finding that costs more than all else that happens here.
 *
 * It is like a register of the CPU: sched_switch puts the operation of the thread that leaves into its record
 * (task.bpf.h), in whatever state it is. So programs may be preempted in the middle, as long as they stay on their CPU.
 */
#ifndef BPF_RUNNING_H
#define BPF_RUNNING_H

#include "compat.bpf.h"
#include "op.bpf.h"

#include "ipctrace/event.h"

/* How the call that the thread is in began. */
enum entered {
	ENTERED_UNSEEN = 0, /* before the trace; or in no call, and never in one of ours */
	ENTERED_NONE, /* nothing of ours */
	ENTERED_HERE, /* `op` is its operation */
	ENTERED_STORED, /* the thread's record has it */
};

struct running {
	__u64 task; /* struct task_struct *; 0: nothing was switched to yet */
	__u64 regs; /* where its calls leave the registers: on its own stack, so they tell it; 0: not known yet */
	__u32 emitted; /* records of this CPU */
	__u8 entered; /* enum entered */
	__u8 is_settled; /* is_self is right for the task */
	__u8 is_self; /* the tracer */
	__u8 again; /* enum again: bpf/again.bpf.h */
	__u8 in_lane; /* where programs can be preempted: one of them is writing to the lane (lane.bpf.h) */
	__u8 filling; /* where they can be: one of them has not filled `op` yet, although entered does not say so */
	__u8 pad0[6];
	struct task_op op;
	struct ipct_sock_io sock_io; /* being filled */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct running);
} running_here SEC(".maps");

/* Never NULL in fact. Of use only with cfg.has_running. */
static __always_inline struct running *running__here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&running_here, &zero);
}

/* Whether what is noted is about the running task: sched_switch's program may have missed a switch. */
static __always_inline bool running__is_current(const struct running *r)
{
	return r->task == bpf_get_current_task();
}

/* The same in a call, which has its registers at hand: most often without asking the kernel. */
static __always_inline bool running__is_in_call(const struct running *r, const struct pt_regs *regs)
{
	return r->regs == (__u64)regs || running__is_current(r);
}

/*
 * For a flag of this note: where programs can be preempted, one that stands in for another (again.bpf.c) may come by while that is
 * in the middle of what the flag is about. False: it has to go the other way.
 */
static __always_inline bool running__claim(__u8 *in_use)
{
	if (!cfg.preempted)
		return true;
	if (*in_use)
		return false;
	*in_use = 1;
	barrier();
	return true;
}

static __always_inline void running__give_back(__u8 *in_use)
{
	barrier();
	if (cfg.preempted)
		*in_use = 0;
}

/* The running task is in a call of one of the lanes, which end it themselves. */
static __always_inline bool running__in_lane(void)
{
	const struct running *r = cfg.has_running ? running__here() : NULL;

	return r && r->entered == ENTERED_HERE && running__is_current(r);
}

/* The running task; noted where sched_switch will keep the note. */
static __always_inline struct task_struct *running__task(struct running *r, const struct pt_regs *regs)
{
	__u64 task;

	if (!cfg.has_running)
		return current_task();
	if (LIKELY(r->regs == (__u64)regs))
		return (struct task_struct *)r->task;
	task = bpf_get_current_task();
	if (r->task != task) { /* the first one, or sched_switch's program missed a switch */
		r->task = task;
		r->is_settled = 0;
	}
	r->regs = (__u64)regs;
	return (struct task_struct *)task;
}

#endif
