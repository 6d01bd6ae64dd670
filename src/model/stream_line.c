/* SPDX-License-Identifier: GPL-2.0 */
/* The line of bytes that were written and not read yet, in the order of the stream. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

static struct seg *new_seg(struct pairing *p)
{
	struct link *l = p->spare_segs.next;

	if (l == &p->spare_segs)
		return xalloc(sizeof(struct seg));
	list__unlink(l);
	return list__entry(l, struct seg, link);
}

struct seg *line__insert(struct pipe *pi, struct wr *w, uint64_t from, uint64_t to, uint64_t bytes)
{
	struct seg *sg = new_seg(pi->p);
	struct link *before = &pi->segs;

	while (before->prev != &pi->segs && list__entry(before->prev, struct seg, link)->from >= to)
		before = before->prev;
	*sg = (struct seg){ .w = w, .from = from, .to = to, .bytes = bytes };
	sg->packet = w->flags & OP_F_PACKET;
	sg->opaque = w->flags & OP_F_PAGES;
	list__insert(before, &sg->link);
	w->ref_cnt++;
	return sg;
}

void wr__put(struct pairing *p, struct wr *w)
{
	if (!--w->ref_cnt)
		list__append(&p->spare_writes, &w->link);
}

void line__remove(struct pipe *pi, struct seg *sg)
{
	struct wr *w = sg->w;

	list__unlink(&sg->link);
	list__insert(pi->p->spare_segs.next, &sg->link);
	wr__put(pi->p, w);
}

bool line__is_free(const struct pipe *pi, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < RANGES_MAX; i++)
		if (pi->range[i].from < to && pi->range[i].to > from)
			return false;
	for (struct link *l = pi->segs.prev; l != &pi->segs; l = l->prev) {
		const struct seg *sg = list__entry(l, struct seg, link);

		if (sg->to <= from)
			break;
		if (sg->from < to)
			return false;
	}
	return true;
}

bool line__is_taken(const struct pipe *pi, uint64_t pos)
{
	if (pos % SLOT_BYTES || pos == SLOT_FIRST * SLOT_BYTES || pos <= pi->known_from || pi->is_odd)
		return false;
	for (unsigned i = 0; i < RANGES_MAX; i++)
		if (pi->range[i].to == pos)
			return false;
	return true;
}

static void add_span(struct span *sum, const struct seg *sg, uint64_t s, uint64_t e, bool pages)
{
	uint64_t from = sg->from > s ? sg->from : s;
	uint64_t to = sg->to < e ? sg->to : e;
	uint64_t sure = pages && slot_down(e) < to ? slot_down(e) : to;

	if (sg->opaque) {
		sum->hi += sg->bytes;
		if (s <= sg->from && sg->to <= e)
			sum->lo += sg->bytes;
		return;
	}
	sum->hi += to - from;
	if (sure > from)
		sum->lo += sure - from;
}

struct span line__span(const struct pipe *pi, const struct rd *r, uint64_t s, uint64_t e)
{
	bool pages = r->flags & OP_F_PAGES;
	struct span sum = { 0, 0 };

	for (struct link *l = pi->segs.next; l != &pi->segs; l = l->next) {
		const struct seg *sg = list__entry(l, struct seg, link);

		if (sg->from >= (pages ? slot_up(e) : e))
			break;
		if (sg->to > s)
			add_span(&sum, sg, s, pages ? slot_up(e) : e, pages);
	}
	return sum;
}

bool wr__layout(const struct wr *w, uint64_t cur, bool merge, struct layout *out)
{
	uint64_t off = cur % SLOT_BYTES;
	uint64_t chars = w->bytes % SLOT_BYTES;
	uint64_t up = slot_up(cur);

	if (w->flags & OP_F_PAGES) {
		*out = (struct layout){ .at = { up }, .cnt = 1, .end = slot_up(w->e) };
		out->len[0] = out->end - up;
		return !merge && out->end > up;
	}
	if (!merge) {
		*out = (struct layout){ .at = { up }, .len = { w->bytes }, .cnt = 1, .end = up + w->bytes };
		return true;
	}
	/* pipe_write(): only what is left of whole pages goes to the last used slot, and only as a whole. */
	if (!off || !chars || off + chars > SLOT_BYTES || w->flags & OP_F_PACKET || w->is_tail)
		return false;
	*out = (struct layout){ .at = { cur, up }, .len = { chars, w->bytes - chars }, .cnt = 1 };
	out->end = cur + chars;
	if (out->len[1]) {
		out->cnt = 2;
		out->end = up + out->len[1];
	}
	return true;
}

void line__note(struct pipe *pi, uint64_t from, uint64_t to, uint32_t chars)
{
	struct range *last = &pi->range[(pi->range_next + RANGES_MAX - 1) % RANGES_MAX];

	if (last->to == from && from % SLOT_BYTES) {
		last->to = to;
		return;
	}
	pi->range[pi->range_next] = (struct range){ from, to, chars };
	pi->range_next = (pi->range_next + 1) % RANGES_MAX;
}

void wr__place_piece(struct pipe *pi, struct wr *w, const struct piece *pc)
{
	struct seg *sg = line__insert(pi, w, pc->from, pc->to, w->flags & OP_F_PAGES ? w->bytes : pc->to - pc->from);

	sg->first = pc->first && !w->is_tail;
	sg->last = pc->last;
	if (pc->to > pi->w_end)
		pi->w_end = pc->to;
}

void wr__place(struct pipe *pi, struct wr *w, const struct layout *lay)
{
	for (unsigned i = 0; i < lay->cnt; i++) {
		struct piece pc = { lay->at[i], lay->at[i] + lay->len[i], 0, i == 0, i + 1 == lay->cnt };

		wr__place_piece(pi, w, &pc);
		line__note(pi, pc.from, pc.to, w->flags & OP_F_PACKET ? 0 : (uint32_t)(w->bytes % SLOT_BYTES));
	}
}

/* is_taken: by reads that were not reported; else nobody took them. */
void pipe__drop_unread(struct pipe *pi, uint64_t before, bool is_taken)
{
	struct channel *ch = model__channel(pi->p->m, pi->mech, pi->key);

	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);

		if (sg->to > before)
			break;
		if (ch && !is_taken)
			ch->unread_bytes += sg->bytes;
		if (sg->last && !is_taken)
			model__stats_mut(pi->p->m)->unmatched_sends++;
		line__remove(pi, sg);
	}
}
