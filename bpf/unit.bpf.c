// SPDX-License-Identifier: GPL-2.0
/* Who wakes whom inside calls on counters, and what the end of a process does to them. */
#include "unit.bpf.h"
#include "posix_sem.bpf.h"
#include "sysv_sem.bpf.h"

#define SIGCHLD 17

static __always_inline bool class__is_sem(__u8 class)
{
	return class == IPCT_SC_SEMOP || class == IPCT_SC_SEMCTL || class == IPCT_SC_SEM_EXIT;
}

static __always_inline bool same_counter(const struct unit_op *a, const struct unit_op *b)
{
	return a->c.key == b->c.key && a->c.dev == b->c.dev && a->c.off == b->c.off;
}

/* May a task in call `waker` have woken one that is blocked in call `sleeper`? */
static __always_inline bool unit__wakes(const struct task_op *waker, const struct task_op *sleeper)
{
	if (!sleeper->class || !sleeper->unit.waits)
		return false;
	if (waker->class == IPCT_SC_SEM_EXIT)
		return sleeper->class == IPCT_SC_SEMOP;
	return same_counter(&waker->unit, &sleeper->unit);
}

static __always_inline __u8 unit__mech(const struct task_op *op)
{
	if (class__is_sem(op->class))
		return IPCT_MECH_SYSV_SEM;
	if (op->class >= IPCT_SC_FUTEX && op->class <= IPCT_SC_FUTEX_WAIT)
		return op->unit.waits ? 0 : IPCT_MECH_POSIX_SEM;
	return op->class <= IPCT_SC_WRITEV && op->unit.waits ? IPCT_MECH_EVENTFD : 0;
}

/* The sleeper is inside sem_wait: that has its own record. */
static __always_inline void usem__woken(__u32 tid, const struct ipct_waker *waker)
{
	struct usem_op *op = usem__of(tid);

	if (op)
		op->waker = *waker;
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(unit_waking__tracepoint, struct task_struct *task)
{
	struct task_op *waker, *sleeper;
	struct ipct_wake *ev;
	__u64 id;
	__u8 mech;

	if (!active)
		return 0;
	waker = task_op__current(false);
	if (!waker || !waker->class)
		return 0;
	mech = unit__mech(waker);
	if (!mech)
		return 0;
	sleeper = task_op__of(task);
	if (!sleeper || sleeper == waker || !unit__wakes(waker, sleeper))
		return 0;
	ev = emit__reserve(IPCT_KIND_WAKE, sizeof(*ev), mech, IPCT_OP_WAKE);
	if (!ev)
		return 0;
	id = bpf_get_current_pid_tgid();
	sleeper->unit.waker.wake_ns = ev->h.ts_ns;
	sleeper->unit.waker.enter_ns = waker->enter_ns;
	sleeper->unit.waker.pid = id >> 32;
	sleeper->unit.waker.tid = (__u32)id;
	if (!waker->unit.woke_ns)
		waker->unit.woke_ns = ev->h.ts_ns;
	if (mech == IPCT_MECH_POSIX_SEM)
		usem__woken(READ(task, struct task_struct, pid), &sleeper->unit.waker);
	ev->enter_ns = waker->enter_ns;
	ev->c = sleeper->unit.c;
	ev->pid = READ(task, struct task_struct, tgid);
	ev->tid = READ(task, struct task_struct, pid);
	emit__submit(ev);
	return 0;
}

/* Before exit_sem() in do_exit(), on all kernels; what it wakes counts as woken by this task. */
SEC("?tp_btf/sched_process_exit")
int BPF_PROG(unit_exit__tracepoint, struct task_struct *task)
{
	struct signal_struct *signal;
	struct task_op *op;

	if (!active || !READ(task, struct task_struct, sysvsem.undo_list))
		return 0;
	signal = READ(task, struct task_struct, signal);
	if (READ(signal, struct signal_struct, live.counter) != 0)
		return 0; /* its other threads share the list */
	op = task_op__current(true);
	if (!op)
		return 0;
	op->compat = 0;
	op->enter_ns = clock__now();
	unit__begin(&op->unit); /* not who woke its last wait, nor whom that woke */
	sem_undo__walk(task);
	op->class = IPCT_SC_SEM_EXIT;
	return 0;
}

/* By now exit_sem() has given back what there was to give; said once. */
static __noinline int unit__ended(void)
{
	struct task_op *op = task_op__current(false);
	struct ipct_sem_op *ev;

	if (!op || op->class != IPCT_SC_SEM_EXIT)
		return 0;
	op->class = IPCT_SC_NONE;
	ev = sem__reserve(op, IPCT_OP_CONTROL, 0);
	if (!ev)
		return 0;
	ev->flags |= IPCT_UNIT_AT_EXIT;
	emit__submit(ev);
	return 0;
}

/* exit_notify() tells the parent: before that can do anything about it. */
SEC("?tp_btf/signal_generate")
int BPF_PROG(unit_notify__tracepoint, int sig)
{
	if (active && sig == SIGCHLD)
		unit__ended();
	return 0;
}

/* Where nobody wants to know. */
SEC("?tp_btf/sched_switch")
int BPF_PROG(unit_dead__tracepoint, bool preempt, struct task_struct *prev)
{
	if (active && task__state(prev) & TASK_DEAD)
		unit__ended();
	return 0;
}
