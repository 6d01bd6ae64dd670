/* SPDX-License-Identifier: GPL-2.0 */
/* What is placed and unread. */
#include <stdlib.h>

#include "base/log.h"
#include "model/stream_impl.h"

void cand__add(struct proc **cand, uint8_t *cnt, struct proc *proc)
{
	for (unsigned i = 0; i < *cnt; i++)
		if (cand[i] == proc)
			return;
	if (proc && *cnt < MESSAGE_CANDIDATES_MAX)
		cand[(*cnt)++] = proc;
}

void wr__put(struct pairing *p, struct wr *w)
{
	if (--w->ref_cnt)
		return;
	list__unlink(&w->link);
	if (!spares__give(&p->spare_writes, &w->link))
		free(w);
}

struct seg *line__insert(struct pipe *pi, struct link *before, const struct chunk *c)
{
	struct link *l = spares__take(&pi->p->spare_segs);
	struct seg *sg = l ? list__entry(l, struct seg, link) : xalloc(sizeof(*sg));

	sg->c = *c;
	sg->room = 0;
	sg->g = NULL;
	if (c->w)
		c->w->ref_cnt++;
	list__insert(before, &sg->link);
	pi->seg_cnt++;
	pi->p->seg_cnt++;
	return sg;
}

struct seg *line__append(struct pipe *pi, const struct chunk *c)
{
	uint64_t end = c->packet ? slot_up(c->to) : c->to;

	if (end > pi->w_end)
		pi->w_end = end;
	pi->sealed = c->packet || c->opaque;
	return line__insert(pi, &pi->segs, c);
}

void line__add_unknown(struct pipe *pi, uint64_t from, uint64_t to)
{
	struct chunk c = { .from = from, .to = to, .opaque = true };

	line__append(pi, &c)->room = to - from;
	pi->sealed = false;
}

static void free_group(struct pairing *p, struct group *g)
{
	for (unsigned i = 0; i < g->w_cnt; i++)
		wr__put(p, g->w[i]);
	vec__free(&g->plans);
	free(g);
}

void line__remove(struct pipe *pi, struct seg *sg)
{
	if (sg->g && sg->g == pi->open)
		pi->open = NULL;
	if (sg->g)
		free_group(pi->p, sg->g);
	if (sg->c.w) {
		if (sg->c.w->elastic == sg)
			sg->c.w->elastic = NULL;
		wr__put(pi->p, sg->c.w);
	}
	list__unlink(&sg->link);
	pi->seg_cnt--;
	pi->p->seg_cnt--;
	if (!spares__give(&pi->p->spare_segs, &sg->link))
		free(sg);
}

void group__lay(struct pipe *pi, struct seg *sg, unsigned plan)
{
	const struct plan *pl = &sg->g->plans.v[plan];
	struct link *before = sg->link.next;

	for (unsigned i = 0; i < pl->cnt; i++)
		line__insert(pi, before, &pl->chunk[i]);
	line__remove(pi, sg);
}

static bool comes_before(const struct group *g, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (g->w[k] == g->w[i])
			return true;
	return false;
}

void group__settle(struct group *g, unsigned plan, uint32_t fitting)
{
	for (unsigned i = 0; i < g->w_cnt; i++) {
		struct wr *w = g->w[i];
		uint64_t bytes = plan__bytes_of(&g->plans.v[plan], w);

		if (comes_before(g, i))
			continue;
		if (g->is_open)
			w->laid = w->laid + bytes - plan__bytes_of(&g->plans.v[0], w);
		for (unsigned k = 0; k < g->plans.cnt; k++)
			if (fitting & 1u << k && plan__bytes_of(&g->plans.v[k], w) != bytes)
				w->inferred = true;
	}
}

void line__drop_before(struct pipe *pi, uint64_t pos)
{
	bool some = false;

	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);

		if (sg->c.from >= pos)
			break;
		some |= sg->c.bytes > 0;
		if (sg->c.to <= pos) {
			line__remove(pi, sg);
			continue;
		}
		if (sg->g) {
			for (unsigned i = 0; i < sg->g->w_cnt; i++)
				sg->g->w[i]->inferred = true;
			group__lay(pi, sg, 0);
			line__drop_before(pi, pos);
			return;
		}
		if (!sg->c.opaque)
			sg->c.bytes -= pos - sg->c.from;
		if (sg->room)
			sg->room = sg->c.to - pos;
		sg->c.from = pos;
		sg->c.first = false;
		break;
	}
	if (some)
		model__stats_mut(pi->p->m)->resyncs++;
}

void line__drop_taken(struct pipe *pi, uint64_t end)
{
	uint64_t size = (pi->slots_max ? pi->slots_max : SLOTS_MAX) * SLOT_BYTES;

	if (!list__empty(&pi->segs) && end > size)
		line__drop_before(pi, slot_up(end) - size);
}

void line__drop_unread(struct pipe *pi)
{
	struct channel *ch = list__empty(&pi->segs) ? NULL : model__channel(pi->p->m, pi->mech, pi->key);

	line__drop_taken(pi, pi->w_end);
	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);
		struct model_stats *st = model__stats_mut(pi->p->m);

		if (ch && (sg->c.w || sg->g))
			ch->unread_bytes += sg->c.bytes;
		st->unmatched_sends += sg->g ? sg->g->w_cnt : sg->c.w && sg->c.last;
		line__remove(pi, sg);
	}
}

/* Only what is before hi was taken: the rest of it remains. */
static void split_elastic(struct pipe *pi, struct seg *soft, uint64_t hi)
{
	struct chunk rest = soft->c;
	struct seg *sg;

	rest.from = hi;
	rest.first = false;
	sg = line__insert(pi, soft->link.next, &rest);
	sg->room = rest.to - rest.from;
	if (rest.w)
		rest.w->elastic = sg;
	soft->c.to = hi;
	soft->c.last = false;
}

bool line__stretch(struct pipe *pi, uint64_t hi, uint64_t total)
{
	struct seg *soft = NULL;
	uint64_t known = 0;

	if (!pipe__reaches(pi, hi))
		return false;
	for (struct link *l = pi->segs.next; l != &pi->segs; l = l->next) {
		struct seg *sg = list__entry(l, struct seg, link);

		if (sg->c.from >= hi)
			break;
		if (sg->room ? soft != NULL : (sg->c.opaque || sg->g) && sg->c.to > hi)
			return false;
		if (sg->room)
			soft = sg;
		else if (sg->c.opaque || sg->g || sg->c.to <= hi)
			known += sg->c.bytes;
		else
			known += hi - sg->c.from;
	}
	if (!soft || total < known || total - known > soft->room)
		return false;
	if (hi < soft->c.to && total - known > hi - soft->c.from)
		return false;
	total -= known;
	if (soft->c.w && soft->c.w->bytes != BYTES_UNKNOWN && total &&
	    total != soft->c.w->bytes % SLOT_BYTES && hi >= soft->c.to && soft->c.first)
		return false;
	if (soft->c.w && soft->c.w->elastic == soft) {
		soft->c.w->elastic = NULL;
		soft->c.w->laid += total;
	}
	if (hi < soft->c.to)
		split_elastic(pi, soft, hi);
	soft->room = 0;
	soft->c.bytes = total;
	if (!soft->c.bytes)
		line__remove(pi, soft);
	return true;
}
