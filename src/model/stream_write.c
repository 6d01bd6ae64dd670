/* SPDX-License-Identifier: GPL-2.0 */
/* Where in the stream each write lies. */
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

/* A whole write fills all from there to the end of the line. */
static void note_lone(struct pipe *pi, uint64_t from)
{
	if (pi->lone_to != from)
		pi->lone_from = from;
	pi->lone_to = pi->w_end;
}

/* Nobody else was met for a while: it is placed where it says. */
static bool place_lone(struct pipe *pi, const struct part *pt)
{
	uint64_t at = pi->w_end;

	if (!place_whole(pi, pt))
		return false;
	note_lone(pi, at);
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

static struct part *front(const struct pipe *pi)
{
	return list__entry(pi->parts.next, struct part, link);
}

/* The first ones that overlap. */
static unsigned component(const struct pipe *pi, struct part **part, uint64_t *hi, uint64_t *last_ns)
{
	unsigned cnt = 0;

	*hi = 0;
	*last_ns = 0;
	for (struct link *l = pi->parts.next; l != &pi->parts && cnt < COMP_MAX; l = l->next) {
		struct part *pt = list__entry(l, struct part, link);
		uint64_t s = pt->s > pi->w_end ? pt->s : pi->w_end;

		if (cnt && s >= *hi)
			break;
		part[cnt++] = pt;
		if (pt->e > *hi)
			*hi = pt->e;
		if (pt->ts_ns > *last_ns)
			*last_ns = pt->ts_ns;
	}
	return cnt;
}

static void drop(struct pipe *pi, struct part *const *part, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++)
		part__drop(pi, part[i]);
	pi->part_cnt -= cnt;
}

static void place_plan(struct pipe *pi, const struct plan *pl)
{
	for (unsigned i = 0; i < pl->cnt; i++) {
		if (pl->chunk[i].first) {
			pl->chunk[i].w->at = pi->w_end;
			pl->chunk[i].w->at_sealed = pi->sealed;
		}
		line__append(pi, &pl->chunk[i]);
		pl->chunk[i].w->laid += pl->chunk[i].bytes;
	}
	pi->sealed = pl->sealed;
}

/* There is but one way. */
static void place_only(struct pipe *pi, struct part *const *part, unsigned cnt)
{
	uint64_t at = pi->w_end;

	place_plan(pi, &pi->p->found.v[0]);
	if (cnt == 1 && part[0]->w->is_whole)
		note_lone(pi, at);
}

static void spread_doubt(struct part *const *part, unsigned cnt)
{
	bool doubtful = false;

	for (unsigned i = 0; i < cnt; i++)
		doubtful |= part[i]->w->inferred;
	for (unsigned i = 0; doubtful && i < cnt; i++)
		part[i]->w->inferred = true;
}

static void place_group(struct pipe *pi, struct part *const *part, unsigned cnt, uint64_t hi, bool complete)
{
	const struct plan *pl = &pi->p->found.v[0];
	struct chunk c = { .from = pi->w_end, .to = hi, .opaque = true };
	struct group *g = xalloc(sizeof(*g));
	struct seg *sg;

	memset(g, 0, sizeof(*g));
	g->incomplete = !complete;
	g->at = pi->w_end;
	g->at_sealed = pi->sealed;
	for (size_t i = 0; i < pi->p->found.cnt; i++)
		vec__push(&g->plans, pi->p->found.v[i]);
	for (unsigned i = 0; i < pl->cnt; i++) {
		c.bytes += pl->chunk[i].bytes;
		pl->chunk[i].w->laid += pl->chunk[i].bytes;
	}
	for (unsigned i = 0; i < cnt; i++) {
		if (plan__is_open(pi->p, part[i]->w))
			g->is_open = true;
		g->w[g->w_cnt++] = part[i]->w;
		part[i]->w->ref_cnt++;
	}
	sg = line__append(pi, &c);
	sg->g = g;
	if (g->is_open)
		pi->open = g;
	pi->sealed = pl->sealed;
	pi->w_end = pl->sealed ? slot_up(hi) : hi;
}

/* Reads did not tell which of its plans is right: what follows is placed as if it were the first. */
static void give_up_open(struct pipe *pi)
{
	struct group *g = pi->open;

	group__settle(g, 0, UINT32_MAX);
	g->is_open = false;
	pi->open = NULL;
}

/* What was written up to there was taken by reads that took nothing behind it, nor can more come there: they can count it. */
static bool reads_will_tell(const struct pipe *pi, uint64_t pos)
{
	if (pos % SLOT_BYTES || !plan__differ_in_bytes(pi->p))
		return false;
	for (const struct link *l = pi->reads.next; l != &pi->reads; l = l->next)
		if (list__entry(l, struct rd, link)->e == pos)
			return true;
	return false;
}

/* A write that sleeps, alone: whole slots are its own, what it merged before will be known at its end. */
static bool place_sleeper(struct pipe *pi, struct part *pt)
{
	uint64_t at = slot_up(pi->w_end);
	struct chunk c = { .w = pt->w,
			   .from = at,
			   .to = pt->e,
			   .bytes = pt->e - at,
			   .first = at == pi->w_end && !pt->w->laid };

	if (pt->last || pt->w->bytes != BYTES_UNKNOWN || pt->e <= pi->w_end || pt->s > pi->w_end)
		return false;
	c.packet = pt->w->flags & OP_F_PACKET;
	if (pt->e < at && !pt->w->laid && !pi->sealed && !c.packet) { /* no more than what it merged */
		c = (struct chunk){
			.w = pt->w, .from = pi->w_end, .to = pt->e, .bytes = pt->e - pi->w_end, .first = true
		};
		line__append(pi, &c);
		pt->w->laid += c.bytes;
		return true;
	}
	if (pt->e % SLOT_BYTES)
		return false;
	if (at > pi->w_end && !pt->w->laid && !pi->sealed && !c.packet) {
		struct chunk soft = {
			.w = pt->w, .from = pi->w_end, .to = at, .first = true, .opaque = true
		};

		pt->w->elastic = line__append(pi, &soft);
		pt->w->elastic->room = at - soft.from;
	}
	if (c.to > c.from)
		line__append(pi, &c);
	pt->w->laid += c.bytes;
	return true;
}

/* The end of a write whose pages were placed before: it may have less left than it seems. */
static bool place_rest(struct pipe *pi, struct part *pt)
{
	struct wr *w = pt->w;
	uint64_t at = slot_up(pi->w_end);
	struct chunk c = { w, at, pt->e, pt->e - at, false, true, w->flags & OP_F_PACKET, false };

	if (c.packet && slot_up(at + w->bytes - w->laid) == pt->e) {
		c.bytes = w->bytes - w->laid;
		c.to = at + c.bytes;
	}
	if (!pt->last || !w->laid || pt->e <= at || pt->s > pi->w_end || c.bytes > w->bytes - w->laid ||
	    w->flags & OP_F_PAGES)
		return false;
	if (w->laid + c.bytes != w->bytes && w->laid + c.bytes + w->bytes % SLOT_BYTES != w->bytes)
		return false;
	line__append(pi, &c);
	w->laid = w->bytes;
	return true;
}

/* Somewhere in there, in any order. */
static void place_anyhow(struct pipe *pi, struct part *const *part, unsigned cnt, uint64_t hi)
{
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
	uint64_t from = pi->w_end, known = 0;
	uint8_t cand_cnt = 0;

	for (unsigned i = 0; i < cnt; i++)
		cand__add(cand, &cand_cnt, part[i]->w->sender.party.proc);
	for (unsigned i = 0; i < cnt; i++) {
		struct wr *w = part[i]->w;
		struct chunk c = {
			.w = w, .from = from, .to = hi, .first = false, .last = true, .opaque = true
		};

		w->inferred = true;
		if (cand_cnt > 1) {
			memcpy(w->cand, cand, sizeof(cand));
			w->cand_cnt = cand_cnt;
		}
		if (!part[i]->last || w->bytes == BYTES_UNKNOWN || w->bytes <= w->laid)
			continue;
		c.bytes = w->bytes - w->laid;
		w->laid = w->bytes;
		known += c.bytes;
		line__append(pi, &c);
	}
	if (known < hi - from)
		line__add_unknown(pi, from, hi);
	pi->w_end = hi;
	pi->sealed = false;
	pipe__doubt(pi, slot_up(hi));
}

/* It was reported when what is behind it had its place already. */
static bool place_late(struct pipe *pi, struct part *pt)
{
	struct wr *w = pt->w;

	if (!pt->last && pt->s >= pi->lone_from && pt->e <= pi->lone_to)
		return true; /* it went to sleep before it wrote anything */
	w->inferred = true;
	pipe__doubt(pi, slot_up(pi->w_end));
	if (!pt->last || w->bytes == BYTES_UNKNOWN || w->bytes <= w->laid)
		return true;
	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link), *mine;
		struct chunk c = { w, sg->c.from, sg->c.to, w->bytes - w->laid, false, true, false, true };

		if (sg->c.w || sg->g || !sg->room || sg->c.from >= pt->e || sg->c.to <= pt->s)
			continue;
		mine = line__insert(pi, &sg->link, &c);
		w->laid = w->bytes;
		if (sg->room > mine->c.bytes)
			sg->room -= mine->c.bytes;
		else
			line__remove(pi, sg);
		return true;
	}
	model__stats_mut(pi->p->m)->unmatched_sends++;
	return true;
}

static uint64_t tried(const struct pipe *pi, unsigned cnt, uint64_t hi)
{
	return (hi * 0x9e3779b97f4a7c15ull) ^ (pi->w_end * 31) ^ (uint64_t)cnt << 58 ^ pi->part_cnt ^
	       (uint64_t)pi->read_cnt << 24;
}

static bool place_some(struct pipe *pi, struct part **part, unsigned cnt, uint64_t hi, bool late)
{
	bool complete = false;
	unsigned more;

	if (pi->open && !late)
		return false;
	if (pi->open)
		give_up_open(pi);
	if (hi <= pi->w_end) {
		if (line__undo(pi, front(pi)->s))
			return true;
		for (unsigned i = 0; i < cnt; i++)
			place_late(pi, part[i]);
		drop(pi, part, cnt);
		return true;
	}
	if (cnt == 1 && (part[0]->last || is_overdue(pi, part[0]->ts_ns, GRACE_NS)) &&
	    (place_sleeper(pi, part[0]) || place_rest(pi, part[0]))) {
		drop(pi, part, cnt);
		return true;
	}
	if (front(pi)->s >
	    wr__end(front(pi)->w->flags, pi->w_end)) { /* a hole: someone has not reported yet */
		if (late)
			line__add_unknown(pi, pi->w_end, front(pi)->s);
		return late;
	}
	if (!late && tried(pi, cnt, hi) == pi->tried_w)
		return false;
	complete = plan__find(pi, part, cnt, hi);
	pi->tried_w = tried(pi, cnt, hi);
	if (complete)
		plan__decide(pi, part, cnt, hi);
	more = pi->p->found.cnt > 1 && !reads_will_tell(pi, hi) ? plan__extend(pi, part, cnt, &hi) : cnt;
	if (!more && !late)
		return false;
	if (more > cnt) {
		cnt = more;
		complete = plan__find(pi, part, cnt, hi);
	}
	if (!pi->p->found.cnt && line__undo(pi, front(pi)->s))
		return true;
	if (!pi->p->found.cnt && !late && cnt <= GROUP_MAX)
		return false;
	spread_doubt(part, cnt);
	if (complete && pi->p->found.cnt == 1)
		place_only(pi, part, cnt);
	else if (pi->p->found.cnt)
		place_group(pi, part, cnt, hi, complete);
	else
		place_anyhow(pi, part, cnt, hi);
	drop(pi, part, cnt);
	return true;
}

bool pipe__place_writes(struct pipe *pi, bool force)
{
	uint64_t settle_ns = model__opts(pi->p->m)->settle_ns, wait_ns = pi->is_lossy ? GRACE_NS : settle_ns;
	struct part *part[COMP_MAX];
	uint64_t hi, last_ns;
	bool some = false;
	unsigned cnt;

	while (pi->part_cnt) {
		cnt = component(pi, part, &hi, &last_ns);
		if (!force && !is_ripe(pi, &pi->writers, last_ns, GRACE_NS))
			break;
		if (!place_some(pi, part, cnt, hi, force || is_overdue(pi, last_ns, wait_ns)))
			break;
		some = true;
		force = false;
	}
	return some;
}
