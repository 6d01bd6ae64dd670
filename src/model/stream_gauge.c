/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where reads lie by counting bytes. A read between whose samples lie just as many bytes as it took, took those. One that
 * was delayed between its samples while others went on took what they left.
 */
#include "model/stream_impl.h"

#define NARROW_MAX 512

/* A read as a range of bytes from the line's start. */
struct span {
	struct rd *r;
	uint64_t from, to;
};

bool gauge__move(const struct pipe *pi, struct gauge *g, uint64_t pos, uint64_t *bytes)
{
	const struct seg *sg;

	for (; g->at != &pi->segs; g->at = g->at->next) {
		sg = list__entry(g->at, struct seg, link);
		if (sg->room || sg->g || sg->c.opaque || sg->c.packet)
			return false;
		if (sg->c.to > pos)
			break;
		g->bytes += sg->c.bytes;
	}
	*bytes = g->bytes;
	if (g->at != &pi->segs && sg->c.from < pos)
		*bytes += pos - sg->c.from;
	return pipe__reaches(pi, pos);
}

static bool is_tight(const struct span *sp)
{
	return sp->to - sp->from == sp->r->bytes;
}

static unsigned measure(const struct pipe *pi, struct span *span, uint64_t hi)
{
	struct gauge gauge = { pi->segs.next, 0 };
	unsigned cnt = 0;

	for (const struct link *l = pi->reads.next; l != &pi->reads && cnt < NARROW_MAX; l = l->next) {
		struct rd *r = list__entry(l, struct rd, link);
		struct span *sp = &span[cnt];
		struct gauge end;

		if (r->s >= hi || r->flags & (OP_F_PAGES | OP_F_NOENTRY) ||
		    !gauge__move(pi, &gauge, r->s, &sp->from))
			break;
		end = gauge;
		if (!gauge__move(pi, &end, r->e, &sp->to))
			break;
		sp->r = r;
		cnt++;
	}
	return cnt;
}

/* Tight ones are in order; so each is met after all that push sp further. */
static bool push(struct span *sp, const struct span *span, unsigned cnt)
{
	uint64_t from = sp->from, to = sp->to;

	for (unsigned i = 0; i < cnt && !is_tight(sp); i++) {
		if (!is_tight(&span[i]) || span[i].from > sp->from || span[i].to <= sp->from)
			continue;
		sp->from = span[i].to;
		sp->r->s = span[i].r->e;
	}
	for (unsigned i = cnt; i-- > 0 && !is_tight(sp);) {
		if (!is_tight(&span[i]) || span[i].to < sp->to || span[i].from >= sp->to)
			continue;
		sp->to = span[i].from;
		sp->r->e = span[i].r->s;
	}
	return sp->from != from || sp->to != to;
}

bool pipe__narrow_reads(struct pipe *pi, uint64_t hi)
{
	struct span span[NARROW_MAX];
	unsigned cnt = measure(pi, span, hi);
	bool some = false;

	for (unsigned i = 0; i < cnt; i++) {
		if (is_tight(&span[i]) || !push(&span[i], span, cnt))
			continue;
		list__unlink(&span[i].r->link);
		rd__pend(pi, span[i].r);
		some = true;
	}
	return some;
}
