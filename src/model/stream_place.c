/* SPDX-License-Identifier: GPL-2.0 */
/* Where in the stream each write lies: parts that overlap are looked at together, and find their places in the line. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

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
		pipe__note_lone(pi, at);
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
