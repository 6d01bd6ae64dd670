/* SPDX-License-Identifier: GPL-2.0 */
/*
 * First in, first out: who owns the units that a wait takes, and how sure that is.
 *
 * By the order of reports it takes the front of the queue. Waits that overlap with this one may have been faster or slower,
 * so it may also have got what they took, or what they will take; and of posts that overlap with each other, either may
 * have been first. Only if all that belongs to one process, the answer is exact.
 */
#include "model/units_impl.h"

#define TWINS_NEAR 512

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

bool owners__are_one(const struct unit_owners *o)
{
	return o->cnt + o->unknown <= 1;
}

/* What other processes' waits may take before `it`. */
static uint64_t rivals(const struct unit_counter *c, const struct unit_item *it)
{
	uint64_t sum = 0;

	list__for_each(&c->items, cur) {
		const struct unit_item *other = list__entry(cur, struct unit_item, link);

		if (other != it && other->op.units.act == UNITS_TAKE && other->lo_ns < it->hi_ns &&
		    other->op.pid != it->op.pid)
			sum += other->op.units.amount;
	}
	return sum;
}

static bool overlap(uint64_t a_lo, uint64_t a_hi, uint64_t b_lo, uint64_t b_hi)
{
	return a_lo < b_hi && b_lo < a_hi;
}

/*
 * Owners of posts that may have come in place of b, which ends at position end; true: a swap with one of another owner
 * would change what the first `taken` units are. Batches lie in order of hi_ns, so what overlaps is near.
 */
static bool add_twins(struct unit_owners *o, const struct unit_counter *c, const struct unit_batch *b,
		      uint64_t end, uint64_t taken)
{
	uint64_t pos = end;
	bool swap = false;
	int near = TWINS_NEAR;

	for (const struct link *cur = b->link.next; near-- && cur != &c->batches; cur = cur->next) {
		const struct unit_batch *other = list__entry(cur, struct unit_batch, link);

		pos += other->cnt;
		if (!overlap(b->lo_ns, b->hi_ns, other->lo_ns, other->hi_ns))
			continue;
		owners__add(o, other->from.party.proc);
		swap |= pos > taken && other->from.party.proc != b->from.party.proc;
	}
	for (const struct link *cur = c->items.next; near-- > 0 && cur != &c->items; cur = cur->next) {
		const struct unit_item *post = list__entry(cur, struct unit_item, link);

		if (post->op.units.act != UNITS_POST ||
		    !overlap(b->lo_ns, b->hi_ns, post->lo_ns, post->hi_ns))
			continue;
		owners__add(o, post->from.party.proc);
		swap |= post->from.party.proc != b->from.party.proc;
	}
	return swap;
}

/* Owners of the first cnt units, in any order that may be; true: the order matters for the first `taken`. */
static bool add_ahead(struct unit_owners *o, const struct unit_counter *c, uint64_t cnt, uint64_t taken)
{
	bool swap = false;
	uint64_t end = 0;

	list__for_each(&c->batches, cur) {
		const struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (end >= cnt)
			break;
		end += b->cnt;
		owners__add(o, b->from.party.proc);
		if (b->from.party.proc)
			swap |= add_twins(o, c, b, end, taken);
	}
	return swap;
}

/* What waits that overlapped with `it` took already. */
static bool add_behind(struct unit_owners *o, const struct unit_counter *c, const struct unit_item *it)
{
	size_t first = c->past_cnt > UNITS_PAST_MAX ? c->past_cnt - UNITS_PAST_MAX : 0;
	uint64_t by_others = 0, seen = 0;

	for (size_t i = first; i < c->past_cnt; i++) {
		const struct unit_past *past = &c->past[i % UNITS_PAST_MAX];

		if (past->hi_ns > it->lo_ns && past->taker != it->from.party.proc)
			by_others += past->cnt;
	}
	for (size_t i = c->past_cnt; i-- > first && seen < by_others;) {
		const struct unit_past *past = &c->past[i % UNITS_PAST_MAX];

		seen += past->cnt;
		owners__add(o, (struct proc *)past->owner);
	}
	return by_others > 0;
}

static void remember(struct unit_counter *c, const struct unit_item *it, const struct proc *owner,
		     uint64_t cnt)
{
	c->past[c->past_cnt++ % UNITS_PAST_MAX] = (struct unit_past){
		.owner = owner, .taker = it->from.party.proc, .cnt = cnt, .hi_ns = it->hi_ns
	};
}

static void take_from(struct unit_counter *c, struct unit_item *it, struct unit_batch *b, uint64_t cnt,
		      enum attr attr, const struct unit_owners *owners)
{
	uint64_t bytes = it->op.bytes * cnt;

	if (b->doubt && attr == ATTR_EXACT)
		attr = ATTR_INFERRED;
	if (b->from.party.proc || b->from.origin)
		receipt__add(it->receipt, &b->from, bytes, cnt, attr, owners->v,
			     attr == ATTR_CANDIDATES ? owners->cnt : 0);
	else
		receipt__add_unknown(it->receipt, 0, cnt);
	remember(c, it, b->from.party.proc, cnt);
	b->cnt -= cnt;
	c->held -= cnt;
	if (!b->cnt)
		counter__drop_batch(c, b);
}

void counter__take(struct unit_counter *c, struct unit_item *it)
{
	uint64_t left = it->op.units.amount, ahead = rivals(c, it);
	struct unit_owners owners = { .cnt = 0 };
	bool open = ahead > 0;
	enum attr attr;

	open |= add_ahead(&owners, c, left + ahead, left);
	open |= add_behind(&owners, c, it);
	attr = open && !owners__are_one(&owners) ? ATTR_CANDIDATES : ATTR_EXACT;
	while (left && !list__empty(&c->batches)) {
		struct unit_batch *b = list__entry(c->batches.next, struct unit_batch, link);
		uint64_t cnt = b->cnt < left ? b->cnt : left;

		take_from(c, it, b, cnt, attr, &owners);
		left -= cnt;
	}
	if (left)
		receipt__add_unknown(it->receipt, 0, left);
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
			b->cnt -= cnt;
			c->held -= cnt;
			left -= cnt;
			if (!b->cnt)
				counter__drop_batch(c, b);
		}
	}
}
