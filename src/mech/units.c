/* SPDX-License-Identifier: GPL-2.0 */
/* Counters: what semaphores of both kinds, futexes and eventfds have in common. */
#include <errno.h>

#include "mech/tables.h"

#define UNDO_WITHIN_NS 1000000000 /* of do_exit()'s tracepoint; the record of its end narrows that */

struct obj_key units__key(uint8_t mech, const struct ipct_counter *c)
{
	return (struct obj_key){ .id = c->key ^ (c->off << 32 | c->off >> 32),
				 .space = (uint64_t)mech << 56 | c->dev };
}

static bool is_restarted(int64_t ret)
{
	return ret <= -512 &&
	       ret >= -516; /* ERESTARTSYS ... ERESTART_RESTARTBLOCK in include/linux/errno.h */
}

/* Blocked until it was woken, interrupted, out of time, or the object was gone. */
static bool has_waited(const struct ipct_waker *waker, int64_t ret, bool nowait)
{
	if (waker->wake_ns || ret == -EINTR || ret == -EIDRM || ret == -ETIMEDOUT || is_restarted(ret))
		return true;
	return ret == -EAGAIN && !nowait;
}

struct op *units__decode(struct decoded *out, const struct ipct_hdr *ev, uint64_t enter_ns,
			 const struct ipct_waker *waker, int64_t ret)
{
	struct op *op = decoded__op(out, ev, enter_ns, ret);

	op->rule = PAIR_UNITS;
	op->units.lo_ns = enter_ns;
	op->units.hi_ns = ev->ts_ns;
	op->units.wake_ns = waker->wake_ns;
	op->units.waker_pid = waker->pid;
	op->units.waker_tid = waker->tid;
	op->units.value = UINT64_MAX;
	return op;
}

void units__decode_wake(const struct ipct_hdr *ev, struct decoded *out)
{
	static const struct ipct_waker nobody;
	const struct ipct_wake *wake = (const struct ipct_wake *)ev;
	struct op *op = units__decode(out, ev, wake->enter_ns, &nobody, 0);

	/* Only System V hands the units over; others are woken and try again. */
	op->units.act = ev->mech == IPCT_MECH_SYSV_SEM ? UNITS_WOKE : UNITS_NOTHING;
	op->obj = units__key(ev->mech, &wake->c);
	op->units.woken_pid = wake->pid;
	op->units.woken_tid = wake->tid;
}

static void decode_base(const struct ipct_sem_op *sem, struct decoded *out)
{
	out->what = DECODED_OBJECT;
	out->object = (struct object_info){
		.ts_ns = sem->h.ts_ns,
		.key = units__key(sem->h.mech, &sem->c),
		.mech = sem->h.mech,
		.base = true,
		.num = sem->c.num,
		.fill_bytes = sem->value > 0 ? (uint64_t)sem->value : 0,
		.pid = sem->h.tid,
	};
}

static uint8_t act_of(const struct ipct_sem_op *sem)
{
	if (sem->ret < 0)
		return UNITS_NOTHING;
	switch (sem->h.op) {
	case IPCT_OP_CREATE:
		return UNITS_NEW;
	case IPCT_OP_UNLINK:
		return UNITS_GONE;
	case IPCT_OP_CONTROL:
		return sem->flags & IPCT_UNIT_SET	? UNITS_SET
		       : sem->flags & IPCT_UNIT_AT_EXIT ? UNITS_ENDED
							: UNITS_NOTHING;
	}
	if (sem->op > 0)
		return UNITS_POST;
	if (sem->op == 0)
		return UNITS_NOTHING; /* waited for zero */
	return sem->flags & IPCT_UNIT_AT_EXIT ? UNITS_WITHDRAW : UNITS_TAKE;
}

/* When the operation took effect, as narrow as is known. */
static void set_interval(struct op *op, const struct ipct_sem_op *sem)
{
	bool served = sem->waker.wake_ns && sem->h.mech == IPCT_MECH_SYSV_SEM;

	if (sem->flags & IPCT_UNIT_AT_EXIT)
		op->units.hi_ns += UNDO_WITHIN_NS;
	if (served && !sem->ret) { /* in the waker's call, before it was woken */
		op->units.lo_ns = sem->waker.enter_ns;
		op->units.hi_ns = sem->waker.wake_ns;
	} else if (sem->waker.wake_ns) {
		op->units.lo_ns = sem->waker.wake_ns; /* it tried again */
	}
	if (sem->commit_ns && sem->commit_ns < op->units.hi_ns)
		op->units.hi_ns = sem->commit_ns;
}

void units__decode_sem_op(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_sem_op *sem = (const struct ipct_sem_op *)ev;
	struct op *op;

	if (sem->flags & IPCT_UNIT_BASE) {
		decode_base(sem, out);
		return;
	}
	op = units__decode(out, ev, sem->enter_ns, &sem->waker, sem->ret);
	op->obj = units__key(ev->mech, &sem->c);
	op->units.num = sem->c.num;
	op->units.in_libc = ev->mech == IPCT_MECH_POSIX_SEM;
	op->units.is_sem = ev->op == IPCT_OP_POST || ev->op == IPCT_OP_WAIT || sem->flags & IPCT_UNIT_SET;
	op->units.sem_op = sem->op;
	op->units.amount = sem->op < 0 ? -(int64_t)sem->op : sem->op;
	op->units.act = act_of(sem);
	if (sem->value >= 0)
		op->units.value = sem->value;
	op->units.at_exit = sem->flags & IPCT_UNIT_AT_EXIT;
	set_interval(op, sem);
	if (op->units.act == UNITS_WITHDRAW)
		op->kind = OP_CONTROL; /* nobody waits for anything */
	if (sem->flags & IPCT_UNIT_MORE)
		op->flags |= OP_F_MORE;
	if (sem->flags & IPCT_UNIT_NOENTRY)
		op->flags |= OP_F_NOENTRY;
	if (sem->h.op == IPCT_OP_WAIT && has_waited(&sem->waker, sem->ret, sem->flags & IPCT_UNIT_NOWAIT))
		op->flags |= OP_F_WAITED;
}
