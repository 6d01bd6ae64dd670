// SPDX-License-Identifier: GPL-2.0
/* What happens inside a call that sleeps or waits for a lock: where it goes on tells what others did meanwhile. */
#include "ledger_lane.bpf.h"
#include "object.bpf.h"

/* Only such a write can lie in several places, with other writers' bytes in between. */
static __always_inline bool is_long_write(const struct task_op *op)
{
	return op->class == IPCT_SC_WRITEV || op->cnt > PIPE_ATOMIC_BYTES;
}

/*
 * The thread goes to sleep inside a read or write. All that it moved so far (only a write longer than PIPE_BUF can have
 * moved anything) lies before the present end of the stream.
 */
static __always_inline void sleeper__leaves(struct task_op *op)
{
	struct object *o;
	bool write;

	if (op && op->class && wanted(IPCT_MECH_TCP) && op->out.mech == IPCT_MECH_TCP)
		tcp__sleep(op);
	if (op && op->class && wanted(IPCT_MECH_PTY) && op->out.mech == IPCT_MECH_PTY)
		pty__sleep(op);
	if (op && op->class >= IPCT_SC_MSGGET && op->class <= IPCT_SC_MQ_NOTIFY)
		op->msg.slept = 1;
	o = sleeper__pipe(op, &write);
	if (!o)
		return;
	op->asleep = 1;
	if (write && is_long_write(op) && !op->at_lock)
		pipe__emit(op, true, 0, IPCT_IO_BLOCKED, false);
}

/* It goes on: whatever it moves from now on lies behind the present end, however long others worked meanwhile. */
static __always_inline void sleeper__returns(struct task_op *op)
{
	struct object *o;
	__u8 was_waiting;
	bool write;

	if (!op || !op->asleep)
		return;
	op->asleep = 0;
	o = sleeper__pipe(op, &write);
	if (!o)
		return;
	was_waiting = o->was_waiting;
	pipe__enter(o, write);
	o->was_waiting |= was_waiting;
}

/*
 * The thread leaves the CPU: what it is in the middle of goes to its record. Returns that; NULL: nothing. That a call is
 * none of ours is remembered, too: without a record it would count as one that began before the trace.
 */
static __always_inline struct task_op *running__leaves(struct running *r, bool preempt)
{
	struct task_op *op;

	if (!running__is_current(r))
		return task_op__stored(false);
	if (r->entered == ENTERED_UNSEEN && !cfg.preempted)
		return NULL;
	op = task_op__stored(r->entered == ENTERED_UNSEEN ? r->again : r->entered != ENTERED_STORED);
	if (op && cfg.preempted) {
		op->again = r->again;
		op->unseen = r->entered == ENTERED_UNSEEN;
		op->here = preempt && r->entered == ENTERED_HERE;
	}
	if (!op || r->entered != ENTERED_HERE)
		return op;
	task_op__copy(op, &r->op);
	if (op->no_entry_time) {
		op->no_entry_time = 0;
		op->enter_ns = op->enter_ns ?: clock__now();
	}
	return op;
}

static __always_inline void running__arrives(struct running *r, struct task_struct *task)
{
	struct task_op *op = task_op__of(task);

	r->task = (__u64)task;
	r->regs = 0;
	r->is_self = task__is_self(task);
	r->is_settled = 1;
	if (cfg.preempted)
		r->again = op ? op->again : 0;
	r->entered = !op || op->unseen ? ENTERED_UNSEEN : op->class ? ENTERED_STORED : ENTERED_NONE;
	sleeper__returns(op);
	if (cfg.preempted && op && op->class && op->here) {
		task_op__copy(&r->op, op);
		r->entered = ENTERED_HERE;
	}
}

/*
 * sleeper__leaves() is not for threads that are preempted: they may have done their work already. preempt is not enough to
 * tell: a thread that is about to sleep can be preempted, and then it is still runnable or not by its state (which moved
 * in 5.14, 2f064a59a11f).
 */
SEC("?tp_btf/sched_switch")
int BPF_PROG(sched_switch__tracepoint, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct running *r = running__here();
	struct task_op *op;

	if (!active || !r)
		return 0;
	ledger_lane__leave();
	op = running__leaves(r, preempt);
	if (!preempt && task__state(prev))
		sleeper__leaves(op);
	running__arrives(r, next);
	return 0;
}

/*
 * A writer has to wait for the pipe's lock: perhaps not for the first time, for a full pipe may have room again before
 * the writer sleeps. So it is like going to sleep. What it begins to wait by (it spins, then it sleeps) is told twice.
 */
SEC("?tp_btf/contention_begin")
int BPF_PROG(contention_begin__tracepoint, void *lock)
{
	struct task_op *op;
	struct object *o;
	bool write;

	if (!active)
		return 0;
	op = task_op__current(false);
	o = sleeper__pipe(op, &write);
	if (!o || (__u64)lock != pipe__lock(o->ptr) || op->at_lock)
		return 0;
	op->at_lock = 1;
	if (write && is_long_write(op) && o->addr != pipe__addr_now(o->ptr, true))
		pipe__emit(op, true, 0, IPCT_IO_BLOCKED, false);
	return 0;
}

/* A reader or writer that had to wait for the pipe's lock has it now: nobody moves the stream at this moment. */
SEC("?tp_btf/contention_end")
int BPF_PROG(contention_end__tracepoint, void *lock)
{
	struct task_op *op;
	struct object *o;
	bool write;

	if (!active)
		return 0;
	op = task_op__current(false);
	o = sleeper__pipe(op, &write);
	if (!o || (__u64)lock != pipe__lock(o->ptr))
		return 0;
	op->at_lock = 0;
	o->addr = pipe__addr_now(o->ptr, write);
	return 0;
}
