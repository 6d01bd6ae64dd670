/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Traffic as counters for monitoring systems, in the OpenMetrics text format. Labels are mechanisms and command names,
 * never pids or objects, and there are at most METRICS_SERIES_MAX combinations: what comes later is counted as "other".
 */
#ifndef VIEW_METRICS_H
#define VIEW_METRICS_H

#include "base/map.h"
#include "view/view.h"

#define METRICS_SERIES_MAX 512
#define METRICS_MECHS 32

struct metrics_series;

struct metrics {
	struct strtab names;
	struct map by_labels; /* mechanism and both names -> struct metrics_series * */
	VEC(struct metrics_series *) all; /* in order of appearance */
	struct hist latency[METRICS_MECHS]; /* ns, by mechanism */
};

void metrics__add(struct metrics *m, const struct message *msg);
void metrics__put(struct buf *out, const struct metrics *m, const struct graph *g,
		  const struct proc_table *procs, const struct model_stats *stats,
		  const struct view_names *names);
void metrics__free(struct metrics *m);

#endif
