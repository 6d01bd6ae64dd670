/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Worker pools: processes of one parent, program, name, user and cgroup become one, the first of them, and so do the
 * children of such a pool; channels that then have the same partners become one. Nothing is lost: what they counted is added up.
 */
#ifndef VIEW_FOLD_H
#define VIEW_FOLD_H

#include "model/graph.h"
#include "model/proc.h"

struct sorted;

struct fold {
	bool done; /* the rest holds */
	struct graph graph; /* what became of the flows, ends, shares and channels */
	struct proc **pool; /* by proc.id: whom it is shown as */
	uint32_t *members; /* by proc.id: how many are shown as it; 0 or 1: only itself */
	struct map shown_as; /* channel -> the one of graph */
	VEC(uint32_t) channels; /* by channel.id in graph: how many it was */
	uint64_t folded, pools; /* processes, and what they are shown as */
};

/* Replaces the arrays of s, which are in no order yet. */
void fold__apply(struct sorted *s, const struct proc_table *procs);
void fold__free(struct fold *f);

static inline uint32_t fold__members(const struct fold *f, const struct proc *p)
{
	return f->done && f->members[p->id] ? f->members[p->id] : 1;
}

static inline const struct channel *fold__channel(const struct fold *f, const struct channel *ch)
{
	return map__get(&f->shown_as, (uintptr_t)ch, 0); /* NULL: it is hidden */
}

static inline uint32_t fold__channels(const struct fold *f, const struct channel *ch)
{
	return f->done ? f->channels.v[ch->id] : 1;
}

#endif
