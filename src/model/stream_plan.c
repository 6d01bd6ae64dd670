/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In which ways can a few overlapping writes lie in a stretch of the stream that they fill completely?
 *
 * Positions that operations sampled were ends of writes at that time, so writes with both samples in [lo, hi) lie there,
 * and together with those already placed they fill it. Slots are filled as pipe_write() does it.
 */
#include <stdlib.h>
#include <string.h>

#include "model/stream_impl.h"

#define STEPS_MAX 4000
#define BUSY_MAX (RANGES_MAX + 64)

struct state { /* of one write, during the search */
	uint64_t left;
	unsigned hold; /* times it held the pipe's lock; a long write lets go of it when it sleeps */
	bool done;
};

struct search {
	struct pipe *pi;
	struct wr *const *ops;
	unsigned cnt, done_cnt;
	uint64_t lo, hi;
	bool is_taken; /* another write had taken the slot that begins at lo */
	struct state state[GROUP_MAX];
	struct range busy[BUSY_MAX];
	unsigned busy_cnt;
	struct plan plan;
	unsigned steps;
	bool is_late; /* do not wait for proofs any more */
	bool incomplete;
};

static int by_from(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static void add_busy(struct search *s, uint64_t lo, const struct range *r)
{
	if (r->to <= lo || r->from >= s->hi || r->to == r->from)
		return;
	if (s->busy_cnt == BUSY_MAX)
		s->incomplete = true;
	else
		s->busy[s->busy_cnt++] = *r;
}

static void collect_busy(struct search *s, uint64_t lo)
{
	for (unsigned i = 0; i < RANGES_MAX; i++)
		add_busy(s, lo, &s->pi->range[i]);
	qsort(s->busy, s->busy_cnt, sizeof(s->busy[0]), by_from);
}

static const struct range *next_busy(const struct search *s, uint64_t pos)
{
	for (unsigned i = 0; i < s->busy_cnt; i++)
		if (s->busy[i].to > pos)
			return &s->busy[i];
	return NULL;
}

/* A write that fits into the last slot leaves it alone only when readers had emptied the pipe. */
static bool may_leave_rest(const struct search *s, uint64_t cur, uint64_t chars)
{
	uint64_t off = cur % SLOT_BYTES;

	/* Somebody's write ended in that rest. */
	if (off && marks__cut(&s->pi->w_marks, cur, slot_up(cur)))
		return false;
	return !off || !chars || off + chars > SLOT_BYTES || s->is_late || s->pi->is_odd ||
	       s->pi->r_seen >= slot_up(cur);
}

static void step(struct search *s, uint64_t cur);

static bool push(struct search *s, unsigned op, uint64_t from, uint64_t to, bool first, bool last)
{
	const struct range *busy = next_busy(s, from);

	if (to == from)
		return true;
	if (s->plan.cnt == PIECES_MAX) {
		s->incomplete = true;
		return false;
	}
	if ((busy && busy->from < to) || (!(s->ops[op]->flags & OP_F_PAGES) && marks__cut(&s->pi->w_marks, from, to)))
		return false;
	s->plan.piece[s->plan.cnt++] = (struct piece){ from, to, (uint8_t)op, first, last };
	return true;
}

static void try_whole(struct search *s, unsigned i, uint64_t cur, bool merge)
{
	const struct wr *w = s->ops[i];
	uint64_t e = w->flags & OP_F_PAGES ? slot_up(w->e) : w->e;
	unsigned cnt = s->plan.cnt;
	struct layout lay;
	bool fits = true;

	if (!wr__layout(w, cur, merge, &lay) || lay.end > e)
		return;
	for (unsigned k = 0; k < lay.cnt && fits; k++)
		fits = push(s, i, lay.at[k], lay.at[k] + lay.len[k], k == 0, k + 1 == lay.cnt);
	if (fits) {
		s->state[i].done = true;
		s->done_cnt++;
		step(s, lay.end);
		s->done_cnt--;
		s->state[i].done = false;
	}
	s->plan.cnt = cnt;
}

/* One stay of a long write under the lock: `take` bytes from `at` on, behind `chars` merged ones at `cur`. */
static void try_take(struct search *s, unsigned i, uint64_t cur, uint64_t chars, uint64_t take)
{
	struct state *st = &s->state[i], before = *st;
	uint64_t at = slot_up(cur);
	unsigned cnt = s->plan.cnt;
	bool first = st->left == s->ops[i]->bytes;
	uint64_t end = take ? at + take : chars ? cur + chars : cur;

	st->left -= chars + take;
	st->hold++;
	st->done = !st->left;
	if (push(s, i, cur, cur + chars, first, st->done && !take) &&
	    push(s, i, at, at + take, first && !chars, st->done)) {
		s->done_cnt += st->done;
		step(s, end);
		s->done_cnt -= !s->state[i].left;
	}
	*st = before;
	s->plan.cnt = cnt;
}

static void try_hold(struct search *s, unsigned i, uint64_t cur, bool merge)
{
	const struct wr *w = s->ops[i];
	const struct state *st = &s->state[i];
	bool is_last = st->hold == w->parts.cnt;
	uint64_t lo = st->hold ? w->parts.v[st->hold - 1] : w->s;
	uint64_t hi = is_last ? w->e : w->parts.v[st->hold];
	uint64_t chars = merge ? w->bytes % SLOT_BYTES : 0;
	uint64_t at = slot_up(cur), pages;

	if (cur < lo || (merge && (st->hold || w->is_tail || !chars || !(cur % SLOT_BYTES) || cur % SLOT_BYTES + chars > SLOT_BYTES)))
		return;
	if (is_last) {
		if ((st->left > chars ? at + st->left - chars : cur + chars) <= hi)
			try_take(s, i, cur, chars, st->left - chars);
		return;
	}
	pages = hi > at ? (hi - at) / SLOT_BYTES : 0;
	if (pages > (st->left - chars) / SLOT_BYTES)
		pages = (st->left - chars) / SLOT_BYTES;
	for (uint64_t k = pages + 1; k-- > 0;)
		try_take(s, i, cur, chars, k * SLOT_BYTES);
}

static void found(struct search *s)
{
	struct pairing *p = s->pi->p;

	if (p->found.cnt == PLANS_MAX) {
		s->incomplete = true;
		s->steps = STEPS_MAX;
		return;
	}
	vec__push(&p->found, s->plan);
}

/* What is placed already may be several writes: the end may lie between them. */
static void pass(struct search *s, const struct range *busy)
{
	if (s->done_cnt == s->cnt && busy->to >= s->hi)
		found(s);
	else
		step(s, busy->to);
}

static void step(struct search *s, uint64_t cur)
{
	const struct range *busy = next_busy(s, cur);

	if (s->steps++ >= STEPS_MAX) {
		s->incomplete = true;
		return;
	}
	if (busy && busy->from <= cur) {
		pass(s, busy);
		return;
	}
	/* A sample at a slot's start may be of a write that had taken the slot and not filled it. */
	if (s->done_cnt == s->cnt && (cur >= s->hi || (slot_up(cur) == s->hi && !marks__cut(&s->pi->w_marks, cur, s->hi)))) {
		if (cur <= s->hi)
			found(s);
		return;
	}
	for (unsigned i = 0; i < s->cnt && cur < s->hi; i++) {
		const struct wr *w = s->ops[i];

		if (s->state[i].done || cur < w->s || (s->is_taken && cur == s->lo && w->s == cur))
			continue;
		for (int merge = 1; merge >= 0; merge--) {
			if (!merge && !may_leave_rest(s, cur, s->state[i].hold || w->flags & OP_F_PACKET ?
								      0 : w->bytes % SLOT_BYTES))
				continue;
			if (w->parts.cnt)
				try_hold(s, i, cur, merge);
			else
				try_whole(s, i, cur, merge);
		}
	}
	if (busy && cur < busy->from && busy->from == slot_up(cur) && may_leave_rest(s, cur, busy->chars))
		pass(s, busy);
}

bool plan__find(struct pipe *pi, struct wr *const *ops, unsigned cnt, uint64_t lo, uint64_t hi, bool is_late)
{
	struct search s = { .pi = pi, .ops = ops, .cnt = cnt, .lo = lo, .hi = hi, .is_late = is_late };

	pi->p->found.cnt = 0;
	for (unsigned i = 0; i < cnt; i++)
		s.state[i].left = ops[i]->bytes;
	collect_busy(&s, lo);
	s.is_taken = !is_late && line__is_taken(pi, lo);
	step(&s, lo);
	return !s.incomplete;
}
