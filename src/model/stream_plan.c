/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Overlapping writes: in which orders can they lie, so that each is within its samples, no sample is in the
 * middle of another's bytes, all of the range is used, and what ended before another began comes before it?
 *
 * pipe_write(): what is more than whole pages goes to the last used slot if that has room for all of it
 * (and the pipe is not empty), the rest to new slots. A write that sleeps goes on with whole pages.
 */
#include <stdlib.h>
#include <string.h>

#include "model/stream_impl.h"

#define BUDGET 48000 /* steps times parts */

struct search {
	struct pairing *p;
	struct part *const *part;
	unsigned cnt;
	uint64_t used;
	uint64_t hi;
	unsigned budget;
	bool is_full;
	struct plan cur;
};

struct place {
	uint64_t at; /* the end of what is there already */
	bool sealed;
};

/* An address is where a report's bytes end: nobody's bytes reach over it. Slots' ends are met in the middle of a write. */
static bool is_cut(const struct search *s, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < s->cnt; i++) {
		const struct part *pt = s->part[i];

		if (pt->w->flags & OP_F_PAGES)
			continue;
		if (pt->e % SLOT_BYTES && pt->e > from && pt->e < to)
			return true;
		if (pt->s % SLOT_BYTES && pt->s > from && pt->s < to && !(pt->w->flags & OP_F_NOENTRY))
			return true;
	}
	return false;
}

static bool may_be_next(const struct search *s, unsigned i)
{
	const struct part *pt = s->part[i];

	for (unsigned k = 0; k < s->cnt; k++) {
		const struct part *o = s->part[k];

		if (k == i || s->used & 1ull << k)
			continue;
		if (o->ts_ns < pt->lo_ns || (o->w == pt->w && o->ts_ns < pt->ts_ns))
			return false;
	}
	return true;
}

static bool others_have_room(const struct search *s, uint64_t at)
{
	for (unsigned k = 0; k < s->cnt; k++)
		if (!(s->used & 1ull << k) && s->part[k]->last && slot_up(s->part[k]->e) <= at)
			return false;
	return true;
}

static void save(struct search *s, struct place pl)
{
	s->cur.sealed = pl.sealed;
	if (s->p->found.cnt >= PLANS_MAX)
		s->is_full = true;
	else
		vec__push(&s->p->found, s->cur);
}

static void step(struct search *s, struct place pl);

/* Part i takes the chunks that were added since cnt; its bytes end at pl.at. */
static void go_on(struct search *s, unsigned i, uint64_t bytes, struct place pl)
{
	struct part *pt = s->part[i];
	bool pages = pt->w->flags & OP_F_PAGES;

	if (pl.at > (pages ? slot_up(pt->e) : pt->e))
		return;
	s->used |= 1ull << i;
	pt->w->laid += bytes;
	if (others_have_room(s, pl.at))
		step(s, pl);
	pt->w->laid -= bytes;
	s->used &= ~(1ull << i);
}

static bool add(struct search *s, const struct part *pt, uint64_t from, uint64_t bytes, bool last)
{
	bool packet = pt->w->flags & OP_F_PACKET;

	if (s->cur.cnt == CHUNKS_MAX || is_cut(s, from, from + bytes))
		return false;
	s->cur.chunk[s->cur.cnt++] =
		(struct chunk){ pt->w, from, from + bytes, bytes, !pt->w->laid, last, packet, false };
	return true;
}

/* What is behind a merged piece of that many bytes, in whole slots. */
static void lay_body(struct search *s, unsigned i, uint64_t merged, struct place pl)
{
	struct part *pt = s->part[i];
	struct wr *w = pt->w;
	uint64_t rest = w->bytes - w->laid;
	uint64_t at = slot_up(pl.at), n, limit;
	unsigned cnt = s->cur.cnt;
	bool packet = w->flags & OP_F_PACKET;

	if (pt->last) {
		w->laid += merged;
		if (add(s, pt, at, rest - merged, true)) {
			w->laid -= merged;
			go_on(s, i, rest, (struct place){ at + rest - merged, packet });
		} else {
			w->laid -= merged;
		}
		s->cur.cnt = cnt;
		return;
	}
	limit = rest - merged;
	for (n = merged ? 0 : SLOT_BYTES; n < limit && (!n || at + n <= pt->e); n += SLOT_BYTES) {
		if (n) {
			w->laid += merged;
			if (!add(s, pt, at, n, false)) {
				w->laid -= merged;
				break;
			}
			w->laid -= merged;
			go_on(s, i, merged + n, (struct place){ at + n, packet });
		} else {
			go_on(s, i, merged, pl);
		}
		s->cur.cnt = cnt;
		if (!s->budget || !--s->budget)
			break;
	}
}

static void lay_pages(struct search *s, unsigned i, struct place pl)
{
	struct part *pt = s->part[i];
	uint64_t at = slot_up(pl.at), to = slot_up(pt->e), n;
	unsigned cnt = s->cur.cnt;

	for (n = slot_up(pt->w->bytes); at + n <= to && s->budget && s->cur.cnt < CHUNKS_MAX;
	     n += SLOT_BYTES) {
		s->cur.chunk[s->cur.cnt++] =
			(struct chunk){ pt->w, at, at + n, pt->w->bytes, true, true, false, true };
		go_on(s, i, pt->w->bytes, (struct place){ at + n, true });
		s->cur.cnt = cnt;
		s->budget -= s->budget > 0;
	}
}

static void try_part(struct search *s, unsigned i, struct place pl)
{
	struct part *pt = s->part[i];
	struct wr *w = pt->w;
	uint64_t chars = w->bytes % SLOT_BYTES;
	uint64_t off = pl.at % SLOT_BYTES;
	unsigned cnt = s->cur.cnt;

	if (w->bytes <= w->laid)
		return;
	if (w->flags & OP_F_PAGES) {
		lay_pages(s, i, pl);
		return;
	}
	if (!w->laid && off && chars && off + chars <= SLOT_BYTES && !pl.sealed &&
	    !(w->flags & OP_F_PACKET) && add(s, pt, pl.at, chars, w->bytes == chars)) {
		struct place behind = { pl.at + chars, false };

		w->merged = true;
		if (w->bytes == chars) {
			if (pt->last)
				go_on(s, i, chars, behind);
		} else {
			lay_body(s, i, chars, behind);
		}
		w->merged = false;
		s->cur.cnt = cnt;
	}
	lay_body(s, i, 0, pl);
}

static void step(struct search *s, struct place pl)
{
	if (!s->budget || s->is_full)
		return;
	s->budget--;
	if (s->used == (1ull << s->cnt) - 1) {
		if (pl.at == s->hi || (pl.sealed && slot_up(pl.at) == slot_up(s->hi)))
			save(s, pl);
		return;
	}
	for (unsigned i = 0; i < s->cnt; i++)
		if (!(s->used & 1ull << i) && s->part[i]->s <= wr__end(s->part[i]->w->flags, pl.at) &&
		    may_be_next(s, i))
			try_part(s, i, pl);
}

/* A report before a write's end may be about no bytes at all: then it says nothing. All choices of such, from i on. */
static void choose_empty(struct search *s, unsigned i, struct place pl)
{
	while (i < s->cnt && s->part[i]->last)
		i++;
	if (i == s->cnt) {
		step(s, pl);
		return;
	}
	s->used |= 1ull << i;
	choose_empty(s, i + 1, pl);
	s->used &= ~(1ull << i);
	if (s->budget && !s->is_full)
		choose_empty(s, i + 1, pl);
}

bool plan__find(struct pipe *pi, struct part *const *part, unsigned cnt, uint64_t hi)
{
	struct search s = { .p = pi->p, .part = part, .cnt = cnt, .hi = hi, .budget = BUDGET / (cnt + 1) };

	pi->p->found.cnt = 0;
	if (cnt > GROUP_MAX)
		return false;
	for (unsigned i = 0; i < cnt; i++)
		if (part[i]->w->bytes == BYTES_UNKNOWN)
			return false;
	choose_empty(&s, 0, (struct place){ pi->w_end, pi->sealed });
	return s.budget && !s.is_full;
}

uint64_t plan__bytes_of(const struct plan *pl, const struct wr *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < pl->cnt; i++)
		sum += pl->chunk[i].w == w ? pl->chunk[i].bytes : 0;
	return sum;
}

bool plan__is_open(const struct pairing *p, const struct wr *w)
{
	for (size_t i = 1; i < p->found.cnt; i++)
		if (plan__bytes_of(&p->found.v[i], w) != plan__bytes_of(&p->found.v[0], w))
			return true;
	return false;
}

static uint64_t bytes_in_all(const struct plan *pl)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < pl->cnt; i++)
		sum += pl->chunk[i].bytes;
	return sum;
}

bool plan__differ_in_bytes(const struct pairing *p)
{
	for (size_t i = 0; i < p->found.cnt; i++)
		for (size_t k = 0; k < i; k++)
			if (bytes_in_all(&p->found.v[i]) == bytes_in_all(&p->found.v[k]))
				return false;
	return true;
}

/* How many of them there must be so that they end each write that the first cnt have begun, and overlap none behind. */
static unsigned close_over(const struct pipe *pi, struct part *const *part, unsigned cnt, unsigned all)
{
	unsigned needed = cnt;
	uint64_t hi = 0;

	for (unsigned i = 0; i < needed; i++)
		hi = part[i]->e > hi ? part[i]->e : hi;
	for (unsigned i = cnt; i < all; i++) {
		bool wanted = part[i]->s < hi;

		for (unsigned k = 0; k < needed && !wanted; k++)
			wanted = part[k]->w == part[i]->w && (k >= cnt || plan__is_open(pi->p, part[i]->w));
		for (; wanted && needed <= i; needed++)
			hi = part[needed]->e > hi ? part[needed]->e : hi;
	}
	return needed;
}

unsigned plan__extend(const struct pipe *pi, struct part **part, unsigned cnt, uint64_t *hi)
{
	const struct link *l = part[cnt - 1]->link.next;
	unsigned all = cnt, needed;

	for (; l != &pi->parts && all < GROUP_MAX; l = l->next)
		part[all++] = list__entry(l, struct part, link);
	needed = close_over(pi, part, cnt, all);
	for (unsigned i = cnt; i < needed; i++) {
		if (!is_ripe(pi, &pi->writers, part[i]->ts_ns, GRACE_NS))
			return 0;
		if (part[i]->e > *hi)
			*hi = part[i]->e;
	}
	return needed;
}

/* How many bytes of w lie in its parts from l on. false: others' may lie there, too */
static bool count_later(const struct pipe *pi, const struct wr *w, const struct link *l, uint64_t before,
			uint64_t *bytes)
{
	*bytes = 0;
	for (; l != &pi->parts; l = l->next) {
		const struct part *pt = list__entry(l, struct part, link);
		const struct link *next = l->next;

		if (pt->w == w) {
			if (pt->s < before || w->flags & OP_F_PACKET || (!pt->last && pt->e % SLOT_BYTES))
				return false;
			if (next != &pi->parts && list__entry(next, struct part, link)->s < pt->e)
				return false;
			if (pt->e > slot_up(pt->s))
				*bytes += pt->e - slot_up(pt->s);
		}
		if (pt->e > before)
			before = pt->e;
	}
	return true;
}

static void keep_plans_with(struct pairing *p, const struct wr *w, uint64_t bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->found.cnt; i++)
		if (plan__bytes_of(&p->found.v[i], w) == bytes)
			p->found.v[kept++] = p->found.v[i];
	if (kept)
		p->found.cnt = kept;
}

void plan__decide(struct pipe *pi, struct part *const *part, unsigned cnt, uint64_t hi)
{
	uint64_t later;

	for (unsigned i = 0; i < cnt && pi->p->found.cnt > 1; i++) {
		const struct wr *w = part[i]->w;

		if (!plan__is_open(pi->p, w) || w->flags & OP_F_PAGES)
			continue;
		if (count_later(pi, w, part[cnt - 1]->link.next, hi, &later) && w->laid + later <= w->bytes)
			keep_plans_with(pi->p, w, w->bytes - w->laid - later);
	}
}
