/* SPDX-License-Identifier: GPL-2.0 */
/*
 * First in, first out: who owns the units that a wait takes, and how sure that is.
 *
 * By the order of reports it takes the front of the queue. Waits that overlap with this one may have been faster or slower,
 * so it may also have got what they took, or what they will take; and of posts that overlap with each other, either may
 * have been first. Only if that makes no difference, the answer is exact.
 */
#include "model/units_impl.h"

void owners__add(struct unit_owners *o, struct proc *proc)
{
	if (!proc) {
		o->unknown = true;
		return;
	}
	for (size_t i = 0; i < o->cnt; i++)
		if (o->v[i] == proc)
			return;
	if (o->cnt < UNITS_OWNERS_MAX)
		o->v[o->cnt++] = proc;
}

void owners__add_all(struct unit_owners *o, const struct unit_owners *more)
{
	for (size_t i = 0; i < more->cnt; i++)
		owners__add(o, more->v[i]);
	o->unknown |= more->unknown;
}

bool owners__are_one(const struct unit_owners *o)
{
	return o->cnt + o->unknown <= 1;
}

/* What waits that are not applied yet may take before `it`. */
static uint64_t ahead_of(const struct unit_counter *c, const struct unit_item *it)
{
	struct unit_scan scan = scan__begin(c, it->hi_ns);
	const struct unit_item *other;
	uint64_t sum = 0;

	while ((other = scan__next(&scan)))
		if (other != it && other->op.units.act == UNITS_TAKE)
			sum += other->op.units.amount;
	return sum;
}

/* What waits that overlapped with `it` took already; false: more than are remembered. */
static bool taken_instead(const struct unit_counter *c, const struct unit_item *it, uint64_t *sum)
{
	size_t first = c->past_cnt > UNITS_PAST_MAX ? c->past_cnt - UNITS_PAST_MAX : 0, overlaps = 0;

	*sum = 0;
	for (size_t i = first; i < c->past_cnt; i++) {
		const struct unit_past *past = &c->past[i % UNITS_PAST_MAX];

		if (past->hi_ns > it->lo_ns) {
			*sum += past->cnt;
			overlaps++;
		}
	}
	return overlaps < UNITS_PAST_MAX;
}

static enum attr find_owners(struct unit_counter *c, const struct unit_item *it, struct unit_owners *owners)
{
	uint64_t cnt = it->op.units.amount, ahead = ahead_of(c, it), instead;
	bool all = taken_instead(c, it, &instead);
	uint64_t from = all && instead < c->taken ? c->taken - instead : 0;
	bool sure = counter__find_owners(c, it, from, c->taken + cnt + ahead, owners);

	if (!all)
		owners__add_all(owners, &c->ever);
	return (all && sure && !ahead && !instead) || owners__are_one(owners) ? ATTR_EXACT : ATTR_CANDIDATES;
}

static void take_from(struct unit_counter *c, struct unit_item *it, struct unit_batch *b, uint64_t cnt,
		      enum attr attr, const struct unit_owners *owners)
{
	if (b->doubt && attr == ATTR_EXACT)
		attr = ATTR_INFERRED;
	if (b->from.party.proc || b->from.origin)
		receipt__add(it->receipt, &b->from, it->op.bytes * cnt, cnt, attr, owners->v,
			     attr == ATTR_CANDIDATES ? owners->cnt : 0);
	else
		receipt__add_unknown(it->receipt, 0, cnt);
	counter__use(c, b, cnt);
}

void counter__take(struct unit_counter *c, struct unit_item *it)
{
	uint64_t left = it->op.units.amount;
	struct unit_owners owners = { .cnt = 0 };
	enum attr attr = find_owners(c, it, &owners);

	while (left && !list__empty(&c->batches)) {
		struct unit_batch *b = list__entry(c->batches.next, struct unit_batch, link);
		uint64_t cnt = b->cnt < left ? b->cnt : left;

		take_from(c, it, b, cnt, attr, &owners);
		left -= cnt;
	}
	if (left) {
		receipt__add_unknown(it->receipt, 0, left);
		c->ever.unknown = true;
	}
	c->posted += left;
	c->taken += it->op.units.amount;
	c->past[c->past_cnt++ % UNITS_PAST_MAX] =
		(struct unit_past){ .cnt = it->op.units.amount, .hi_ns = it->hi_ns };
	receipt__done(it->receipt);
	it->receipt = NULL;
}

void counter__withdraw(struct unit_counter *c, const struct unit_item *it)
{
	uint64_t left = it->op.units.amount;

	for (int own = 1; own >= 0; own--) {
		struct link *cur = c->batches.prev;

		while (left && cur != &c->batches) {
			struct unit_batch *b = list__entry(cur, struct unit_batch, link);
			uint64_t cnt = b->cnt < left ? b->cnt : left;

			cur = cur->prev;
			if (own && b->from.party.proc != it->from.party.proc)
				continue;
			left -= cnt;
			counter__unpost(c, b, cnt);
		}
	}
}
