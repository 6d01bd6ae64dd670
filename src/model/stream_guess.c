/* SPDX-License-Identifier: GPL-2.0 */
/* Overlapping writes whose order is not proven by their addresses alone. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

void guess__new(struct pipe *pi, struct wr *const *ops, unsigned cnt, uint64_t lo, uint64_t hi, bool incomplete)
{
	struct guess *g = xalloc(sizeof(*g));
	const struct plan *first = &pi->p->found.v[0];

	g->lo = lo;
	g->hi = hi;
	g->op_cnt = cnt;
	g->incomplete = incomplete;
	for (unsigned i = 0; i < cnt; i++) {
		g->op[i] = ops[i]; /* with its reference: stays while segments come and go */
		if (ops[i]->ts_ns > g->ts_ns)
			g->ts_ns = ops[i]->ts_ns;
	}
	for (size_t i = 0; i < pi->p->found.cnt; i++)
		vec__push(&g->plans, pi->p->found.v[i]);
	for (unsigned i = 0; i < first->cnt; i++)
		line__note(pi, first->piece[i].from, first->piece[i].to, 0);
	if (hi > pi->w_end)
		pi->w_end = hi;
	list__append(&pi->guesses, &g->link);
	pipe__activate(pi);
}

void guess__lay(struct pipe *pi, struct guess *g, unsigned plan)
{
	const struct plan *pl = &g->plans.v[plan];

	for (unsigned i = 0; i < pl->cnt; i++) {
		struct piece pc = pl->piece[i];

		if (pc.to <= g->eaten)
			continue;
		if (pc.from < g->eaten) {
			pc.from = g->eaten;
			pc.first = false;
		}
		wr__place_piece(pi, g->op[pc.op], &pc);
	}
}

static bool is_of(const struct guess *g, const struct seg *sg)
{
	for (unsigned i = 0; i < g->op_cnt; i++)
		if (g->op[i] == sg->w)
			return true;
	return false;
}

void guess__lift(struct pipe *pi, struct guess *g)
{
	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);

		if (sg->from >= g->hi)
			break;
		if (is_of(g, sg))
			line__remove(pi, sg);
	}
}

static void add_candidates(struct wr *w, const struct guess *g)
{
	for (unsigned i = 0; i < g->op_cnt && w->cand_cnt < MESSAGE_CANDIDATES_MAX; i++)
		w->cand[w->cand_cnt++] = g->op[i]->sender.party.proc;
}

/* All of one process: whatever their order, it was that process. */
static bool is_doubtful(const struct guess *g)
{
	for (unsigned i = 1; i < g->op_cnt; i++)
		if (g->op[i]->sender.party.proc != g->op[0]->sender.party.proc)
			return true;
	return false;
}

void guess__decide(struct pipe *pi, struct guess *g, unsigned plan, bool is_sure)
{
	if (!is_sure && is_doubtful(g))
		for (unsigned i = 0; i < g->op_cnt; i++)
			add_candidates(g->op[i], g);
	guess__lay(pi, g, plan);
	for (unsigned i = 0; i < g->op_cnt; i++)
		wr__put(pi->p, g->op[i]);
	list__unlink(&g->link);
	vec__free(&g->plans);
	free(g);
}

static bool is_cut(const struct plan *pl, uint64_t pos)
{
	for (unsigned i = 0; i < pl->cnt; i++)
		if (pl->piece[i].from < pos && pos < pl->piece[i].to)
			return true;
	return false;
}

void guess__mark(struct pipe *pi, uint64_t pos)
{
	list__for_each(&pi->guesses, cur) {
		struct guess *g = list__entry(cur, struct guess, link);
		size_t kept = 0;

		if (!(pos % SLOT_BYTES) || pos <= g->lo || pos >= g->hi)
			continue;
		for (size_t i = 0; i < g->plans.cnt; i++)
			if (!is_cut(&g->plans.v[i], pos))
				g->plans.v[kept++] = g->plans.v[i];
		if (kept)
			g->plans.cnt = kept;
		if (kept == 1)
			guess__decide(pi, g, 0, !g->incomplete);
	}
}

void guess__settle(struct pipe *pi, uint64_t until_ns)
{
	list__for_each(&pi->guesses, cur) {
		struct guess *g = list__entry(cur, struct guess, link);

		if (g->ts_ns <= until_ns)
			guess__decide(pi, g, 0, g->plans.cnt == 1 && !g->incomplete);
	}
}

void guess__free_all(struct pipe *pi)
{
	list__for_each(&pi->guesses, cur) {
		struct guess *g = list__entry(cur, struct guess, link);

		for (unsigned i = 0; i < g->op_cnt; i++)
			wr__put(pi->p, g->op[i]);
		list__unlink(&g->link);
		vec__free(&g->plans);
		free(g);
	}
}
