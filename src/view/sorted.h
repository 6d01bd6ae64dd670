/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A graph as a view shows it: without what was not asked for (hide.c, top below), with workers of one kind as one
 * (fold.c), in an order that depends on its content alone, and with the processes that belong into its picture.
 */
#ifndef VIEW_SORTED_H
#define VIEW_SORTED_H

#include "base/vec.h"
#include "view/fold.h"
#include "view/view.h"

struct left_out { /* by --hide and --top */
	uint64_t procs, channels, flows, messages, bytes;
};

/* Arrays of pointers into the graph, or into the folded one; read only. */
struct sorted {
	const struct graph_opts *opts; /* never NULL */
	VEC(struct proc *) procs; /* by pid, start: who takes part, and their parents */
	VEC(struct channel *) channels; /* by name: those with an end, flow, share or remark */
	VEC(struct end *) ends; /* by channel, process, role */
	VEC(struct flow *) flows; /* by source (not a process first), destination, channel */
	VEC(struct share *) shares; /* by channel, processes */
	bool *takes_part; /* by proc.id: in an end, flow or share; false: a parent only */
	bool *shown; /* by proc.id: in procs */
	size_t proc_cnt, channel_cnt; /* ids of processes and channels are below */
	uint32_t *channel_nr; /* by channel.id: its place in channels */
	const char **channel_id; /* by channel.id: as a node; its name, made unique */
	struct strtab ids;
	struct fold fold;
	struct left_out left_out;
	bool kernel, unknown; /* a flow has a side that is the kernel; that is nobody known */
};

/* opts NULL: everything. g, procs, opts must outlive s. */
void sorted__init(struct sorted *s, const struct graph *g, const struct proc_table *procs,
		  const struct view_names *names, const struct graph_opts *opts);
void sorted__free(struct sorted *s);
/* Something about the channel beyond its flows that a reader must know. */
bool sorted__has_remark(const struct channel *ch);
/* The flows whose source is p (NULL: no process): a range of s->flows, begin included, end not. */
void sorted__flows_from(const struct sorted *s, const struct proc *p, size_t *begin, size_t *end);
/* The order of flows. */
int sorted__compare_flows(const struct flow *a, const struct flow *b);
/* The node of p's parent; NULL when there is none in the picture. */
const struct proc *sorted__parent(const struct sorted *s, const struct proc *p);
/* "left out 3 processes, ...", "12 processes are shown as 2"; nothing when all is shown. No newline. */
void sorted__put_left_out(struct buf *out, const struct sorted *s);

#endif
