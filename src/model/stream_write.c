/* SPDX-License-Identifier: GPL-2.0 */
/* Writes as they are reported: parts of them, each with what is known of where it lies. One that was alone is placed at once. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

static struct wr *new_wr(struct pipe *pi, const struct op *op)
{
	struct pairing *p = pi->p;
	struct link *l = spares__take(&p->spare_writes);
	struct wr *w = l ? list__entry(l, struct wr, link) : xalloc(sizeof(*w));

	list__init(&w->link);
	w->bytes = BYTES_UNKNOWN;
	w->enter_ns = w->last_ns = op->enter_ns;
	w->laid = 0;
	w->pid = op->pid;
	w->tid = op->tid;
	w->flags = op->flags;
	w->ref_cnt = 1;
	w->dead = w->merged = w->inferred = false;
	w->cand_cnt = 0;
	w->is_whole = false;
	w->elastic = NULL;
	return w;
}

static struct part *take_part(struct pipe *pi, struct wr *w)
{
	struct link *l = spares__take(&pi->p->spare_parts);
	struct part *pt = l ? list__entry(l, struct part, link) : xalloc(sizeof(*pt));

	list__init(&pt->link);
	pt->w = w;
	w->ref_cnt++;
	return pt;
}

struct part *part__again(struct pipe *pi, struct wr *w)
{
	struct part *pt = take_part(pi, w);

	pt->s = w->s;
	pt->e = w->e;
	pt->lo_ns = w->lo_ns;
	pt->ts_ns = w->last_ns;
	pt->last = true;
	w->laid = 0;
	return pt;
}

static struct part *new_part(struct pipe *pi, struct wr *w, const struct op *op)
{
	struct part *pt = take_part(pi, w);

	pt->e = pipe__pos(pi, op->stream.addr_e);
	pt->s = op->flags & OP_F_NOENTRY ? (pi->w_end < pt->e ? pi->w_end : pt->e)
					 : pipe__pos(pi, op->stream.addr_s);
	pt->s = wr__end(op->flags, pt->s);
	pt->e = wr__end(op->flags, pt->e);
	if (pt->s > pt->e) /* that cannot be: what the one tells is nothing */
		pt->s = pi->w_end < pt->e ? pi->w_end : pt->e;
	pt->lo_ns = w->last_ns;
	pt->ts_ns = op->ts_ns;
	pt->last = !(op->flags & OP_F_BLOCKED);
	w->s = pt->s;
	w->e = pt->e;
	w->lo_ns = pt->lo_ns;
	return pt;
}

void part__drop(struct pipe *pi, struct part *pt)
{
	struct wr *w = pt->w;

	list__unlink(&pt->link);
	if (!spares__give(&pi->p->spare_parts, &pt->link))
		free(pt);
	wr__put(pi->p, w);
}

/* What a write would be alone: s..e is all its bytes. Without this the first and simplest plan. */
static bool place_whole(struct pipe *pi, const struct part *pt)
{
	struct wr *w = pt->w;
	uint64_t at = pi->w_end, chars = w->bytes % SLOT_BYTES, off = at % SLOT_BYTES;
	bool packet = w->flags & OP_F_PACKET;
	struct chunk c = { w, at, 0, w->bytes, true, true, packet, false };

	if (pt->s != wr__end(w->flags, at) || w->flags & OP_F_PAGES)
		return false;
	w->at = at;
	w->at_sealed = pi->sealed;
	if (at + w->bytes == pt->e && off && off + w->bytes <= SLOT_BYTES && !pi->sealed && !packet) {
		c.to = pt->e;
		line__append(pi, &c);
		return true;
	}
	c.from = slot_up(at);
	c.to = c.from + w->bytes;
	if (wr__end(w->flags, c.to) != pt->e)
		return false;
	if (off && chars && w->bytes > SLOT_BYTES && off + chars <= SLOT_BYTES && !pi->sealed)
		return false; /* its end is the same if it was merged */
	line__append(pi, &c);
	return true;
}

static struct wr *sleeper_of(struct pipe *pi, const struct op *op)
{
	list__for_each(&pi->sleepers, cur) {
		struct wr *w = list__entry(cur, struct wr, link);

		if (w->tid == op->tid && w->enter_ns == op->enter_ns)
			return w;
	}
	return NULL;
}

/* A sleeping write of which pages are in their place already has ended: what it merged before them is what is missing. */
static void end_elastic(struct pipe *pi, struct wr *w, const struct part *pt)
{
	struct seg *sg = w->elastic;
	uint64_t body = pt->e > slot_up(pt->s) ? pt->e - slot_up(pt->s) : 0;
	uint64_t missing = w->bytes > w->laid + body ? w->bytes - w->laid - body : 0;

	if (missing > sg->room ||
	    (missing && (sg->c.first ? missing != w->bytes % SLOT_BYTES : pt->e % SLOT_BYTES != 0)))
		return; /* reads will tell */
	w->elastic = NULL;
	if (!missing) {
		line__remove(pi, sg);
		return;
	}
	sg->room = 0;
	sg->c.opaque = false;
	sg->c.bytes = missing;
	sg->c.to = sg->c.from + missing;
	w->laid += missing;
}

static void end_write(struct pipe *pi, struct wr *w, const struct op *op, const struct part *pt)
{
	w->sender = model__sender(pi->p->m, op);
	w->flags = op->flags;
	w->bytes = op->bytes;
	memcpy(w->fp, op->fp, sizeof(w->fp));
	list__unlink(&w->link);
	if (w->elastic)
		end_elastic(pi, w, pt);
	wr__put(pi->p, w);
}

void part__pend(struct pipe *pi, struct part *pt)
{
	struct link *l = pi->parts.prev;

	while (l != &pi->parts && list__entry(l, struct part, link)->s > pt->s)
		l = l->prev;
	list__insert(l->next, &pt->link);
	pi->part_cnt++;
}

static void drop_zero_parts(struct pipe *pi, struct wr *w)
{
	list__for_each(&pi->parts, cur) {
		struct part *pt = list__entry(cur, struct part, link);

		if (pt->w != w || pt->last)
			continue;
		pi->part_cnt--;
		part__drop(pi, pt);
	}
}

void pipe__end_empty(struct pipe *pi, const struct op *op)
{
	struct wr *w = sleeper_of(pi, op);

	if (!w)
		return;
	drop_zero_parts(pi, w);
	w->bytes = 0;
	list__unlink(&w->link);
	wr__put(pi->p, w);
}

/* A write that slept was ended without one byte more: the last ones that it wrote are its end. */
static void end_before(struct pipe *pi, struct wr *w)
{
	for (struct link *l = pi->parts.prev; l != &pi->parts; l = l->prev) {
		struct part *pt = list__entry(l, struct part, link);

		if (pt->w == w) {
			pt->last = true;
			return;
		}
	}
	for (struct link *l = pi->segs.prev; l != &pi->segs; l = l->prev) {
		struct seg *sg = list__entry(l, struct seg, link);

		if (sg->c.w == w) {
			sg->c.last = true;
			return;
		}
	}
}

/* Nobody else was met for a while: it is placed where it says. */
static bool place_lone(struct pipe *pi, const struct part *pt)
{
	uint64_t at = pi->w_end;

	if (!place_whole(pi, pt))
		return false;
	pipe__note_lone(pi, at);
	return true;
}

void pipe__add_write(struct pipe *pi, const struct op *op)
{
	struct wr *w = list__empty(&pi->sleepers) ? NULL : sleeper_of(pi, op);
	bool blocked = op->flags & OP_F_BLOCKED, first = !w;
	struct part *pt;

	if (!w)
		w = new_wr(pi, op);
	crowd__meet(&pi->writers, op);
	pt = new_part(pi, w, op);
	w->last_ns = op->ts_ns;
	if (blocked) {
		w->sender = model__sender(pi->p->m, op);
		memset(w->fp, 0, sizeof(w->fp));
		if (first)
			list__append(&pi->sleepers, &w->link);
	} else {
		w->is_whole = first;
		end_write(pi, w, op, pt);
		/* So few bytes are written at once, unless they are the beginning of more that was given up. */
		if (!first && w->bytes <= SLOT_BYTES && pt->s != pt->e)
			drop_zero_parts(pi, w);
	}
	if (!pi->is_located) {
		pi->is_located = true;
		pi->w_end = pt->s;
		line__add_unknown(pi, 0, pt->s); /* older than the trace */
	}
	if (!first && pt->last && pt->s == pt->e)
		end_before(pi, w);
	if (pt->s == pt->e || (!blocked && !w->bytes) ||
	    (!blocked && first && !pi->part_cnt && op->ts_ns >= pi->writers.until_ns && place_lone(pi, pt)))
		part__drop(pi, pt);
	else
		part__pend(pi, pt);
}
