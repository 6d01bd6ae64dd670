/* SPDX-License-Identifier: GPL-2.0 */
/* Where in the stream each write lies. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

static void mark(struct pipe *pi, uint64_t pos)
{
	marks__add(&pi->w_marks, pos);
	if (!list__empty(&pi->guesses))
		guess__mark(pi, pos);
}

static struct wr *new_wr(struct pipe *pi, const struct op *op)
{
	struct pairing *p = pi->p;
	struct link *l = p->spare_writes.next;
	struct wr *w;

	if (l == &p->spare_writes) {
		w = xalloc(sizeof(*w));
	} else {
		list__unlink(l);
		w = list__entry(l, struct wr, link);
	}
	list__init(&w->link);
	w->sender = model__sender(p->m, op);
	w->e = pipe__pos(pi, op->stream.addr_e);
	w->s = op->flags & OP_F_NOENTRY ? w->e - op->bytes : pipe__pos(pi, op->stream.addr_s);
	if (w->s > w->e)
		w->s = w->e > op->bytes ? w->e - op->bytes : 0;
	w->bytes = op->bytes;
	w->enter_ns = op->enter_ns;
	w->ts_ns = op->ts_ns;
	w->pid = op->pid;
	w->tid = op->tid;
	w->flags = op->flags;
	w->ref_cnt = 1;
	memcpy(w->fp, op->fp, sizeof(w->fp));
	w->blocked = op->flags & OP_F_BLOCKED;
	w->inferred = false;
	w->cand_cnt = 0;
	w->parts.cnt = 0;
	w->merged_at = 0;
	w->placed_bytes = 0;
	w->has_parts = w->is_tail = false;
	if (!(op->flags & (OP_F_NOENTRY | OP_F_PAGES)))
		mark(pi, w->s);
	if (!(op->flags & OP_F_PAGES))
		mark(pi, w->e);
	if (pi->writer && pi->writer != op->tid)
		pi->many_writers = true;
	pi->writer = op->tid;
	if (op->flags & (OP_F_PAGES | OP_F_PACKET))
		pi->is_odd = true;
	return w;
}

static bool fits(const struct pipe *pi, const struct layout *lay)
{
	for (unsigned i = 0; i < lay->cnt; i++)
		if (!line__is_free(pi, lay->at[i], lay->at[i] + lay->len[i]))
			return false;
	return true;
}

static bool cuts(const struct pipe *pi, const struct wr *w, const struct layout *lay)
{
	for (unsigned i = 0; i < lay->cnt; i++)
		if (!(w->flags & OP_F_PAGES) && marks__cut(&pi->w_marks, lay->at[i], lay->at[i] + lay->len[i]))
			return true;
	return false;
}

/* A write that was alone between its samples fills the range from the one to the other. */
static bool place_alone(struct pipe *pi, struct wr *w)
{
	uint64_t e = w->flags & OP_F_PAGES ? slot_up(w->e) : w->e;
	struct layout lay;

	if (!(w->s % SLOT_BYTES) && line__is_taken(pi, w->s))
		return false;
	for (int merge = 1; merge >= 0; merge--) {
		if (!wr__layout(w, w->s, merge, &lay) || lay.end != e)
			continue;
		if (pi->w_end > w->s && (!fits(pi, &lay) || cuts(pi, w, &lay)))
			continue;
		wr__place(pi, w, &lay);
		wr__put(pi->p, w);
		return true;
	}
	return false;
}

static struct wr *blocked_of(struct pipe *pi, const struct op *op)
{
	list__for_each(&pi->writes, cur) {
		struct wr *w = list__entry(cur, struct wr, link);

		if (w->blocked && w->pid == op->pid && w->tid == op->tid && w->enter_ns == op->enter_ns)
			return w;
	}
	return NULL;
}

static void unpend(struct pipe *pi, struct wr *w)
{
	list__unlink(&w->link);
	pi->write_cnt--;
}

static void pend(struct pipe *pi, struct wr *w)
{
	list__append(&pi->writes, &w->link);
	pi->write_cnt++;
	pipe__activate(pi);
}

static void place_at(struct pipe *pi, struct wr *w, uint64_t from, uint64_t to, bool first, bool last)
{
	struct piece pc = { from, to, 0, first, last };

	wr__place_piece(pi, w, &pc);
	line__note(pi, from, to, 0);
}

/*
 * A long write that sleeps must not keep its readers waiting: where nobody else writes, whole slots since its last sleep
 * are its own. Only what it merged into the slot before remains unknown until its end. Done when its next report comes:
 * another writer would have reported by then that it sleeps, too.
 */
void pipe__place_part(struct pipe *pi, struct wr *w)
{
	uint64_t at = slot_up(w->s), to;

	if (pi->many_writers || w->parts.cnt != 1)
		return;
	to = w->parts.v[0];
	if (to % SLOT_BYTES || to < at || line__is_taken(pi, w->s) || !line__is_free(pi, at, to))
		return;
	if (!w->has_parts) {
		w->has_parts = true;
		w->merged_at = w->s % SLOT_BYTES && !(w->flags & OP_F_PACKET) ? w->s : 0;
	}
	if (to > at)
		place_at(pi, w, at, to, !w->placed_bytes && !w->merged_at, false);
	w->placed_bytes += to - at;
	w->s = to;
	w->parts.cnt = 0;
}

/*
 * The end of a write of which parts have their place already. What remains is what it merged at its begin, if it did,
 * and what follows the last sleep: that is whole slots when it did, for the rest of them was merged.
 */
static void end_parts(struct pipe *pi, struct wr *w)
{
	uint64_t rest = w->bytes > w->placed_bytes ? w->bytes - w->placed_bytes : 0;
	uint64_t chars = w->bytes % SLOT_BYTES;
	bool merged = w->merged_at && chars && chars <= rest && w->merged_at % SLOT_BYTES + chars <= SLOT_BYTES &&
		      w->e % SLOT_BYTES != chars && line__is_free(pi, w->merged_at, w->merged_at + chars);

	if (merged) {
		rest -= chars;
		place_at(pi, w, w->merged_at, w->merged_at + chars, true, !rest);
	}
	w->bytes = rest;
	w->placed_bytes = w->merged_at = 0;
	w->is_tail = true;
	if (!rest)
		wr__put(pi->p, w);
	else if (!place_alone(pi, w))
		pend(pi, w);
}

static void go_on(struct pipe *pi, struct wr *w, const struct op *op)
{
	pipe__place_part(pi, w);
	w->e = pipe__pos(pi, op->stream.addr_e);
	mark(pi, w->e);
	w->flags = op->flags;
	w->ts_ns = op->ts_ns;
	memcpy(w->fp, op->fp, sizeof(w->fp));
	w->blocked = op->flags & OP_F_BLOCKED;
	w->sender = model__sender(pi->p->m, op);
	if (w->blocked) {
		vec__push(&w->parts, w->e);
		return;
	}
	w->bytes = op->bytes;
	unpend(pi, w);
	if (w->has_parts)
		end_parts(pi, w);
	else if (!w->bytes)
		wr__put(pi->p, w);
	else if (!place_alone(pi, w))
		pend(pi, w);
}

void pipe__add_write(struct pipe *pi, const struct op *op)
{
	struct wr *w = pi->write_cnt ? blocked_of(pi, op) : NULL;

	if (w) {
		go_on(pi, w, op);
		return;
	}
	w = new_wr(pi, op);
	if (w->blocked) {
		pend(pi, w);
		vec__push(&w->parts, w->e);
	} else if (!place_alone(pi, w)) {
		pend(pi, w);
	}
}

static void place_plan(struct pipe *pi, struct wr *const *ops, unsigned cnt, const struct plan *pl)
{
	for (unsigned i = 0; i < pl->cnt; i++) {
		const struct piece *pc = &pl->piece[i];

		wr__place_piece(pi, ops[pc->op], pc);
		line__note(pi, pc->from, pc->to, (uint32_t)(ops[pc->op]->bytes % SLOT_BYTES));
	}
	for (unsigned i = 0; i < cnt; i++)
		wr__put(pi->p, ops[i]);
}

/* All that wait and lie within [lo, hi). */
static unsigned within(const struct pipe *pi, uint64_t lo, uint64_t hi, struct wr **ops)
{
	unsigned cnt = 0;

	for (struct link *l = pi->writes.next; l != &pi->writes; l = l->next) {
		struct wr *w = list__entry(l, struct wr, link);

		if (w->blocked || w->s < lo || w->e > hi)
			continue;
		if (cnt == GROUP_MAX)
			return 0;
		ops[cnt++] = w;
	}
	return cnt;
}

static bool place_window(struct pipe *pi, uint64_t lo, uint64_t hi, unsigned want, bool is_late)
{
	struct wr *ops[GROUP_MAX];
	unsigned cnt = within(pi, lo, hi, ops);
	bool complete;

	if (cnt != want)
		return false;
	complete = plan__find(pi, ops, cnt, lo, hi, is_late);
	if (!pi->p->found.cnt)
		return false;
	for (unsigned i = 0; i < cnt; i++) {
		unpend(pi, ops[i]);
		ops[i]->inferred = is_late;
	}
	if (complete && pi->p->found.cnt == 1)
		place_plan(pi, ops, cnt, &pi->p->found.v[0]);
	else
		guess__new(pi, ops, cnt, lo, hi, !complete);
	return true;
}

#define LOOK_MAX 8

static bool place_some(struct pipe *pi, unsigned want)
{
	uint64_t lo[LOOK_MAX], hi[LOOK_MAX];
	unsigned cnt = 0;

	for (struct link *l = pi->writes.next; l != &pi->writes && cnt < LOOK_MAX; l = l->next) {
		const struct wr *w = list__entry(l, struct wr, link);

		if (w->blocked)
			continue;
		lo[cnt] = w->s;
		hi[cnt++] = w->flags & OP_F_PAGES ? slot_up(w->e) : w->e;
	}
	for (unsigned i = 0; i < cnt; i++)
		for (unsigned k = 0; k < cnt; k++)
			if (lo[i] < hi[k] && place_window(pi, lo[i], hi[k], want, false))
				return true;
	return false;
}

bool pipe__place_writes(struct pipe *pi)
{
	for (unsigned want = 1; want <= GROUP_MAX && want <= pi->write_cnt; want++)
		if (place_some(pi, want))
			return true;
	return false;
}

/* The first room between its samples. */
void pipe__force_write(struct pipe *pi, struct wr *w)
{
	struct layout lay;
	uint64_t at = w->s;

	if (!w->blocked && place_window(pi, w->s, w->e, 1, true))
		return;
	unpend(pi, w);
	w->inferred = true;
	if (w->blocked || !w->bytes)
		goto out;
	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);

		if (sg->to <= at)
			continue;
		if (sg->from >= at + w->bytes)
			break;
		at = sg->to;
	}
	if (at >= w->e)
		at = w->s;
	for (int merge = 1; merge >= 0; merge--) {
		if (!wr__layout(w, at, merge, &lay) || lay.end > slot_up(w->e) || !fits(pi, &lay))
			continue;
		wr__place(pi, w, &lay);
		break;
	}
out:
	wr__put(pi->p, w);
}
