/* SPDX-License-Identifier: GPL-2.0 */
/* Which bytes of the stream each read took. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

static struct rd *new_rd(struct pipe *pi, const struct op *op)
{
	struct pairing *p = pi->p;
	struct link *l = p->spare_reads.next;
	struct rd *r;

	if (l == &p->spare_reads) {
		r = xalloc(sizeof(*r));
	} else {
		list__unlink(l);
		r = list__entry(l, struct rd, link);
	}
	list__init(&r->link);
	r->receipt = receipt__new(p->m, op, NULL);
	r->e = pipe__pos(pi, op->stream.addr_e);
	r->s = op->flags & OP_F_NOENTRY ? pi->r_end : pipe__pos(pi, op->stream.addr_s);
	if (r->s > r->e)
		r->s = pi->r_end <= r->e ? pi->r_end : slot_down(r->e);
	if (op->flags & OP_F_PAGES) {
		r->s = slot_down(r->s);
	} else {
		marks__add(&pi->r_marks, r->e);
		if (!(op->flags & OP_F_NOENTRY))
			marks__add(&pi->r_marks, r->s);
	}
	r->bytes = op->bytes;
	r->ts_ns = op->ts_ns;
	r->flags = op->flags;
	r->pid = op->pid;
	memcpy(r->fp, op->fp, sizeof(r->fp));
	r->inferred = false;
	r->cand_cnt = 0;
	if (r->e > pi->r_seen)
		pi->r_seen = r->e;
	return r;
}

static void give_part(struct rd *r, const struct seg *sg, uint64_t bytes, bool ends)
{
	const struct wr *w = sg->w;
	bool is_doubtful = w->cand_cnt || r->cand_cnt;
	enum attr attr = is_doubtful ? ATTR_CANDIDATES : w->inferred || r->inferred ? ATTR_INFERRED : ATTR_EXACT;

	receipt__add(r->receipt, &w->sender, bytes, ends && sg->last, attr, w->cand, w->cand_cnt);
	if (r->cand_cnt)
		receipt__add(r->receipt, &w->sender, 0, 0, attr, r->cand, r->cand_cnt);
}

/* Takes up to `want` bytes of sg from position `from` on; what lies before stays as a segment of its own. */
static uint64_t take_seg(struct pipe *pi, struct rd *r, struct seg *sg, uint64_t from, uint64_t want)
{
	uint64_t room = sg->opaque ? sg->bytes : sg->to - from;
	uint64_t limit = sg->packet ? slot_down(from) + SLOT_BYTES - from : room;
	uint64_t n = want < room ? want : room;
	uint64_t skip;

	if (n > limit)
		n = limit;
	skip = sg->packet && limit < room ? limit : sg->packet ? room : n;
	give_part(r, sg, n, skip == room);
	if (skip > n) {
		struct channel *ch = model__channel(pi->p->m, pi->mech, pi->key);

		if (ch)
			ch->discarded_bytes += skip - n;
	}
	if (!sg->opaque && from > sg->from) {
		uint64_t at = sg->from;

		sg->from = from;
		line__insert(pi, sg->w, at, from, from - at)->first = sg->first;
	}
	sg->bytes -= skip;
	if (!sg->opaque)
		sg->from += skip;
	sg->first = false;
	if (!sg->bytes)
		line__remove(pi, sg);
	return n;
}

static void finish(struct pipe *pi, struct rd *r, uint64_t missing)
{
	if (missing)
		receipt__add_unknown(r->receipt, missing, 0);
	receipt__done(r->receipt);
	if (r->e > pi->r_end)
		pi->r_end = r->e;
	if (!list__empty(&pi->segs) && list__entry(pi->segs.next, struct seg, link)->to <= r->s)
		pipe__activate(pi);
	list__unlink(&r->link);
	list__append(&pi->p->spare_reads, &r->link);
}

/* Takes r's bytes from r->s on. */
void rd__take(struct pipe *pi, struct rd *r)
{
	uint64_t end = r->flags & OP_F_PAGES ? slot_up(r->e) : r->e;
	uint64_t left = r->bytes, from, want;

	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);
		bool is_packet = sg->packet;

		if (!left || sg->from >= end)
			break;
		if (sg->to <= r->s)
			continue;
		from = sg->from > r->s ? sg->from : r->s;
		want = sg->opaque || left < end - from ? left : end - from;
		left -= take_seg(pi, r, sg, from, want);
		if (is_packet)
			break;
	}
	finish(pi, r, left);
}

/* Exactly one packet lies in its range, or what is left of one. */
static bool is_packet(const struct pipe *pi, const struct rd *r)
{
	for (struct link *l = pi->segs.next; l != &pi->segs; l = l->next) {
		const struct seg *sg = list__entry(l, struct seg, link);

		if (sg->to <= r->s)
			continue;
		return sg->packet && sg->from < r->e && slot_up(sg->from + 1) >= r->e;
	}
	return false;
}

bool rd__write_waits(const struct pipe *pi, uint64_t s, uint64_t e)
{
	for (struct link *l = pi->writes.next; l != &pi->writes; l = l->next) {
		const struct wr *w = list__entry(l, struct wr, link);

		if (w->s < e && w->e > s)
			return true;
		if (w->merged_at && w->merged_at < e && slot_up(w->merged_at) > s)
			return true;
	}
	return false;
}

static bool guess_waits(const struct pipe *pi, const struct rd *r)
{
	for (struct link *l = pi->guesses.next; l != &pi->guesses; l = l->next) {
		const struct guess *g = list__entry(l, struct guess, link);

		if (g->lo < r->e && g->hi > r->s)
			return true;
	}
	return false;
}

bool rd__agrees(const struct rd *r, const struct seg *sg)
{
	for (unsigned i = 0; sg->first && i < 4; i++)
		if (r->fp[i] && sg->w->fp[i] && r->fp[i] != sg->w->fp[i])
			return false;
	return true;
}

static bool content_agrees(const struct pipe *pi, const struct rd *r)
{
	for (struct link *l = pi->segs.next; l != &pi->segs; l = l->next) {
		const struct seg *sg = list__entry(l, struct seg, link);

		if (sg->to > r->s)
			return sg->from < r->s || sg->from >= r->e || r->flags & OP_F_PAGES || rd__agrees(r, sg);
	}
	return true;
}

/* All that is unread in its range is as much as it took: then it took that. */
static bool is_sure(const struct pipe *pi, const struct rd *r)
{
	struct span have;

	if (pi->write_cnt && rd__write_waits(pi, r->s, r->e))
		return false;
	if (!list__empty(&pi->guesses) && guess_waits(pi, r))
		return false;
	have = line__span(pi, r, r->s, r->e);
	if (r->s < pi->known_from)
		return have.lo <= r->bytes;
	if (have.lo <= r->bytes && r->bytes <= have.hi)
		return content_agrees(pi, r);
	return have.lo > r->bytes && is_packet(pi, r) && content_agrees(pi, r);
}

void pipe__add_read(struct pipe *pi, const struct op *op)
{
	struct rd *r = new_rd(pi, op);

	if (is_sure(pi, r)) {
		rd__take(pi, r);
		return;
	}
	list__append(&pi->reads, &r->link);
	pi->read_cnt++;
	pipe__activate(pi);
}

bool pipe__match_reads(struct pipe *pi)
{
	bool some = false;

	list__for_each(&pi->reads, cur) {
		struct rd *r = list__entry(cur, struct rd, link);

		if (!is_sure(pi, r))
			continue;
		pi->read_cnt--;
		rd__take(pi, r);
		some = true;
	}
	return some;
}

void pipe__force_read(struct pipe *pi, struct rd *r)
{
	struct span have = line__span(pi, r, r->s, r->e);

	pi->read_cnt--;
	r->inferred = have.lo > r->bytes || !content_agrees(pi, r);
	rd__take(pi, r);
}
