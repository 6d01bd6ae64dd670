/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes back where writes were placed. A write that was reported alone is placed at once; when another one comes that lies
 * in between, all ways to place them are looked for again, as long as nobody was given the bytes.
 */
#include "model/stream_impl.h"

static struct seg *seg_of(const struct link *l)
{
	return list__entry(l, struct seg, link);
}

static bool is_whole_group(const struct seg *sg)
{
	for (unsigned i = 0; i < sg->g->w_cnt; i++)
		if (!sg->g->w[i]->is_whole)
			return false;
	return true;
}

/* The first segment, from the end, of all writes that reach over pos; NULL: one of them cannot be undone. */
static struct link *find_first(const struct pipe *pi, uint64_t pos)
{
	struct link *first = NULL;

	for (struct link *l = pi->segs.prev; l != &pi->segs && seg_of(l)->c.to > pos; l = l->prev) {
		const struct seg *sg = seg_of(l);
		uint64_t bytes = sg->c.bytes;

		if (sg->room || (sg->g ? !is_whole_group(sg) : !sg->c.w || !sg->c.w->is_whole || !sg->c.last))
			return NULL;
		for (; !sg->g && !sg->c.first; bytes += sg->c.bytes) {
			l = l->prev;
			if (l == &pi->segs || seg_of(l)->c.w != sg->c.w)
				return NULL;
			sg = seg_of(l);
		}
		if (!sg->g && bytes != sg->c.w->bytes)
			return NULL;
		first = l;
	}
	return first;
}

static void undo_group(struct pipe *pi, struct seg *sg)
{
	for (unsigned i = 0; i < sg->g->w_cnt; i++) {
		sg->g->w[i]->inferred = false;
		part__pend(pi, part__again(pi, sg->g->w[i]));
	}
	pi->w_end = sg->g->at;
	pi->sealed = sg->g->at_sealed;
}

bool line__undo(struct pipe *pi, uint64_t pos)
{
	struct link *first = pos < pi->w_end ? find_first(pi, pos) : NULL, *l, *prev;
	bool is_end = false;

	if (!first)
		return false;
	for (l = pi->segs.prev; !is_end; l = prev) {
		struct seg *sg = seg_of(l);

		is_end = l == first;
		prev = l->prev;
		if (sg->g) {
			undo_group(pi, sg);
		} else if (sg->c.first) {
			part__pend(pi, part__again(pi, sg->c.w));
			pi->w_end = sg->c.w->at;
			pi->sealed = sg->c.w->at_sealed;
		}
		line__remove(pi, sg);
	}
	return true;
}
