/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What went over each flow in slices of time, for as long as it may take: when the fine slices are used up, they become
 * twice as long. Memory is bounded by the number of flows.
 */
#ifndef MODEL_SLICES_H
#define MODEL_SLICES_H

#include "base/map.h"
#include "base/vec.h"
#include "model/message.h"

#define SLICES_FINE 1024

struct slice_part {
	uint32_t fine; /* which fine slice */
	uint64_t messages, bytes;
};

struct slice_row { /* as a flow of the graph */
	struct proc *src, *dst; /* src NULL: the kernel */
	struct channel *channel; /* to be resolved (model/graph.h) */
	const char *origin;
	VEC(struct slice_part) parts; /* in order of time */
	struct slice_row *next; /* of another origin */
};

struct slices {
	struct map by_flow;
	VEC(struct slice_row *) rows;
	uint64_t begin_ns, fine_ns;
	uint32_t fine_cnt; /* fine slices in use */
};

void slices__add(struct slices *s, const struct message *m); /* those without a known sender are no flow */
/* Into how many slices of equal length, cnt at most, the time is divided; *fine receives their length in fine slices. */
uint32_t slices__divide(const struct slices *s, uint32_t cnt, uint32_t *fine);
void slices__follow(struct slices *s); /* model_sink.moved */
void slices__free(struct slices *s);

#endif
