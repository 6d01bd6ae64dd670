/* SPDX-License-Identifier: GPL-2.0 */
/* Operations on counters in one line, for the tests of that rule. */
#ifndef TESTS_UNITS_KIT_H
#define TESTS_UNITS_KIT_H

#include <check.h>

#include "model_kit.h"

#define UNITS_MECH 5

static inline struct op units__make(enum units_act act, uint32_t pid, uint64_t enter_ns, uint64_t ts_ns,
				    uint64_t amount)
{
	struct op op = { .rule = PAIR_UNITS,
			 .mech = UNITS_MECH,
			 .enter_ns = enter_ns,
			 .ts_ns = ts_ns,
			 .pid = pid,
			 .tid = pid,
			 .obj = kit__key(1),
			 .fd = -1 };

	op.kind = act == UNITS_POST			      ? OP_POST
		  : act == UNITS_SET || act == UNITS_WITHDRAW ? OP_CONTROL
		  : act == UNITS_GONE			      ? OP_UNLINK
		  : act == UNITS_NEW			      ? OP_CREATE
							      : OP_WAIT;
	op.units.act = act;
	op.units.amount = amount;
	op.units.lo_ns = enter_ns;
	op.units.hi_ns = ts_ns;
	op.units.value = UINT64_MAX;
	return op;
}

static inline void units__op(struct kit *k, enum units_act act, uint32_t pid, uint64_t enter_ns,
			     uint64_t ts_ns, uint64_t amount)
{
	struct op op = units__make(act, pid, enter_ns, ts_ns, amount);

	model__op(k->m, &op);
}

static inline struct op units__make_io(enum units_act act, uint32_t pid, uint64_t enter_ns, uint64_t ts_ns,
				       uint64_t value)
{
	struct op op = units__make(act, pid, enter_ns, ts_ns, value);

	op.kind = act == UNITS_POST ? OP_SEND : OP_RECV;
	op.ret = op.bytes = 8;
	op.units.whole = true;
	return op;
}

static inline void units__write(struct kit *k, uint32_t pid, uint64_t enter_ns, uint64_t ts_ns,
				uint64_t value)
{
	struct op op = units__make_io(UNITS_POST, pid, enter_ns, ts_ns, value);

	model__op(k->m, &op);
}

static inline void units__read(struct kit *k, uint32_t pid, uint64_t enter_ns, uint64_t ts_ns, uint64_t value)
{
	struct op op = units__make_io(UNITS_TAKE_ALL, pid, enter_ns, ts_ns, value);

	model__op(k->m, &op);
}

/* waker, inside its operation, wakes a sleeper whose operation is done. */
static inline void units__woke(struct kit *k, uint64_t ts_ns, uint32_t waker, uint32_t sleeper)
{
	struct op op = units__make(UNITS_WOKE, waker, ts_ns, ts_ns, 0);

	op.kind = OP_WAKE;
	op.units.woken_pid = op.units.woken_tid = sleeper;
	model__op(k->m, &op);
}

static inline void units__base(struct kit *k, uint64_t ts_ns, uint32_t teller, uint32_t num, uint64_t value)
{
	struct object_info info = { .ts_ns = ts_ns,
				    .key = kit__key(1),
				    .mech = UNITS_MECH,
				    .base = true,
				    .num = num,
				    .fill_bytes = value,
				    .pid = teller };

	model__object(k->m, &info);
}

/* src 0: nobody that is known */
static inline void units__expect(struct kit *k, size_t i, uint32_t src, uint32_t dst, uint64_t messages,
				 enum attr attr)
{
	const struct message *m = &k->got[i].m;

	ck_assert_uint_lt(i, k->cnt);
	ck_assert_uint_eq(m->src.proc ? m->src.proc->pid : 0, src);
	ck_assert_uint_eq(m->dst.proc->pid, dst);
	ck_assert_uint_eq(m->messages, messages);
	ck_assert_int_eq(m->attr, attr);
}

#endif
