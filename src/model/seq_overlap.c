/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sends of several tasks on one socket at the same time, on kernels that do not say which bytes are whose. Each of them
 * knows where the stream stood when it began and when it ended. Together they fill what the certain ones left free; an
 * order of them that does not fit these bounds, or the first bytes of what was taken, is out of the question.
 */
#include <stdlib.h>
#include <string.h>

#include "model/seq_impl.h"

#define ORDERED_MAX 5 /* 120 orders */

struct piece {
	uint64_t s, e;
};

struct layout {
	VEC(struct piece) holes; /* what is free, by position */
	uint64_t bytes; /* of all holes */
};

void lane__add_overlap(struct lane *l, const struct overlap *o)
{
	o->call->ref_cnt++;
	vec__push(&l->overlaps, *o);
}

void lane__note_claim(struct lane *l, uint64_t s, uint64_t e)
{
	size_t cnt = l->claim_cnt < LANE_CLAIMS ? l->claim_cnt : LANE_CLAIMS;

	for (size_t i = 0; i < cnt; i++) {
		if (l->claims[i].e == s)
			l->claims[i].e = e;
		else if (l->claims[i].s == e)
			l->claims[i].s = s;
		else
			continue;
		return;
	}
	l->claims[l->claim_cnt % LANE_CLAIMS].s = s;
	l->claims[l->claim_cnt++ % LANE_CLAIMS].e = e;
}

/* Takes s..e out of the holes. */
static void cover(struct layout *lay, uint64_t s, uint64_t e)
{
	size_t cnt = lay->holes.cnt;

	for (size_t i = 0; i < cnt; i++) {
		struct piece h = lay->holes.v[i];

		if (h.e <= s || h.s >= e)
			continue;
		lay->holes.v[i].e = h.s < s ? s : h.s;
		if (h.e > e)
			vec__push(&lay->holes, ((struct piece){ e, h.e }));
	}
}

static int by_position(const void *a, const void *b)
{
	const struct piece *pa = a, *pb = b;

	return pa->s < pb->s ? -1 : pa->s > pb->s;
}

static void find_holes(const struct lane *l, struct layout *lay)
{
	uint64_t lo = UINT64_MAX, hi = 0;
	size_t cnt = l->claim_cnt < LANE_CLAIMS ? l->claim_cnt : LANE_CLAIMS;

	for (size_t i = 0; i < l->overlaps.cnt; i++) {
		lo = l->overlaps.v[i].s < lo ? l->overlaps.v[i].s : lo;
		hi = l->overlaps.v[i].e > hi ? l->overlaps.v[i].e : hi;
	}
	vec__push(&lay->holes, ((struct piece){ lo, hi }));
	for (size_t i = 0; i < cnt; i++)
		cover(lay, l->claims[i].s, l->claims[i].e);
	qsort(lay->holes.v, lay->holes.cnt, sizeof(*lay->holes.v), by_position);
	for (size_t i = 0; i < lay->holes.cnt; i++)
		lay->bytes += lay->holes.v[i].e - lay->holes.v[i].s;
}

/* The position of the at-th free byte. */
static uint64_t position_of(const struct layout *lay, uint64_t at)
{
	size_t i;

	for (i = 0; i + 1 < lay->holes.cnt; i++) {
		uint64_t len = lay->holes.v[i].e - lay->holes.v[i].s;

		if (at < len)
			break;
		at -= len;
	}
	return lay->holes.v[i].s + at;
}

/* Hashes of the same number of bytes that differ are of different bytes. */
static bool contradicts(const uint16_t a[4], const uint16_t b[4])
{
	for (int i = 0; i < 4; i++) {
		if (a[i] && b[i] && a[i] != b[i])
			return true;
	}
	return false;
}

static bool refuted_by_reader(const struct lane *l, const struct overlap *o, uint64_t s)
{
	list__for_each(&l->wants, cur) {
		const struct want *w = list__entry(cur, struct want, of_lane);
		const struct op *op = receipt__op(w->taken->receipt);

		if (w->s == s && (uint32_t)op->stream.addr_s == (uint32_t)s && contradicts(op->fp, o->fp))
			return true;
	}
	return false;
}

static bool fits(const struct lane *l, const struct layout *lay, const size_t *order)
{
	uint64_t at = 0;

	for (size_t i = 0; i < l->overlaps.cnt; i++) {
		const struct overlap *o = &l->overlaps.v[order[i]];
		uint64_t s = position_of(lay, at), e = position_of(lay, at + o->n - 1) + 1;

		if (s < o->s || e > o->e || refuted_by_reader(l, o, s))
			return false;
		at += o->n;
	}
	return true;
}

/* The next order of cnt numbers in the order of dictionaries; false: that was the last. */
static bool next_order(size_t *order, size_t cnt)
{
	size_t i = cnt - 1, k = cnt - 1;

	while (i && order[i - 1] >= order[i])
		i--;
	if (!i)
		return false;
	while (order[k] <= order[i - 1])
		k--;
	for (size_t swap = order[k];; swap = order[k]) {
		order[k] = order[i - 1];
		order[i - 1] = swap;
		break;
	}
	for (k = cnt - 1; i < k; i++, k--) {
		size_t swap = order[i];

		order[i] = order[k];
		order[k] = swap;
	}
	return true;
}

/* The first order that fits goes to best; returns how many there are (2: two or more). */
static unsigned int choose_order(const struct lane *l, const struct layout *lay, size_t *best)
{
	size_t order[ORDERED_MAX], cnt = l->overlaps.cnt;
	unsigned int found = 0;

	for (size_t i = 0; i < cnt; i++)
		order[i] = i;
	do {
		if (fits(l, lay, order) && ++found == 1)
			memcpy(best, order, cnt * sizeof(*order));
	} while (found < 2 && next_order(order, cnt));
	return found;
}

static bool same_process(const struct lane *l)
{
	for (size_t i = 1; i < l->overlaps.cnt; i++) {
		if (l->overlaps.v[i].call->sender.party.proc != l->overlaps.v[0].call->sender.party.proc)
			return false;
	}
	return true;
}

static void place(struct lane *l, const struct layout *lay, const size_t *order, enum attr attr)
{
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
	size_t cand_cnt = 0, hole = 0;
	uint64_t at = lay->holes.v[0].s;

	for (size_t i = 0;
	     attr == ATTR_CANDIDATES && i < l->overlaps.cnt && cand_cnt < MESSAGE_CANDIDATES_MAX; i++)
		cand[cand_cnt++] = l->overlaps.v[i].call->sender.party.proc;
	for (size_t i = 0; i < l->overlaps.cnt; i++) {
		struct overlap *o = &l->overlaps.v[order[i]];
		struct piece put[8];
		uint64_t left = o->n;
		size_t put_cnt = 0;

		while (left && hole < lay->holes.cnt && put_cnt < 8) {
			uint64_t room = lay->holes.v[hole].e - at, len = left < room ? left : room;

			if (len)
				put[put_cnt++] = (struct piece){ at, at + len };
			at += len;
			left -= len;
			if (at == lay->holes.v[hole].e && ++hole < lay->holes.cnt)
				at = lay->holes.v[hole].s;
		}
		/* Its end first: whoever takes an earlier piece must not think it the last. */
		for (size_t k = put_cnt; k; k--) {
			lane__note_claim(l, put[k - 1].s, put[k - 1].e);
			lane__claim(l, o->call, put[k - 1].s, put[k - 1].e, attr, cand, cand_cnt);
		}
	}
}

void lane__settle_overlaps(struct lane *l, bool force)
{
	size_t best[l->overlaps.cnt ? l->overlaps.cnt : 1];
	struct layout lay = { 0 };
	enum attr attr = ATTR_CANDIDATES;
	uint64_t need = 0;
	unsigned int found = 0;

	if (!l->overlaps.cnt)
		return;
	for (size_t i = 0; i < l->overlaps.cnt; i++) {
		need += l->overlaps.v[i].n;
		best[i] = i;
	}
	find_holes(l, &lay);
	if (need != lay.bytes && !force)
		goto out;
	if (need == lay.bytes && l->overlaps.cnt <= ORDERED_MAX)
		found = choose_order(l, &lay, best);
	if (found == 1 || (need == lay.bytes && same_process(l)))
		attr = l->overlaps.v[0].guessed ? ATTR_INFERRED : ATTR_EXACT;
	place(l, &lay, best, attr);
	for (size_t i = 0; i < l->overlaps.cnt; i++)
		sent__put(l->overlaps.v[i].call);
	l->overlaps.cnt = 0;
out:
	vec__free(&lay.holes);
}
