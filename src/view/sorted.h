/* SPDX-License-Identifier: GPL-2.0 */
/* A graph in an order that depends on its content alone, and the processes that belong into its picture. */
#ifndef VIEW_SORTED_H
#define VIEW_SORTED_H

#include "base/vec.h"
#include "model/graph.h"
#include "model/proc.h"

/* Arrays of pointers into the graph; read only. */
struct sorted {
	VEC(struct proc *) procs; /* by pid, start: who takes part, and their parents */
	VEC(struct channel *) channels; /* by name: those with an end, flow, share or remark */
	VEC(struct end *) ends; /* by channel, process, role */
	VEC(struct flow *) flows; /* by source (not a process first), destination, channel */
	VEC(struct share *) shares; /* by channel, processes */
	bool *takes_part; /* by proc.id: in an end, flow or share; false: a parent only */
	bool *shown; /* by proc.id: in procs */
	uint32_t *channel_nr; /* by channel.id: its place in channels */
	bool *is_twin; /* by channel.id: an earlier channel of another mechanism has the same name */
	bool kernel, unknown; /* a flow has a side that is the kernel; that is nobody known */
};

void sorted__init(struct sorted *s, const struct graph *g, const struct proc_table *procs);
void sorted__free(struct sorted *s);
/* Something about the channel beyond its flows that a reader must know. */
bool sorted__has_remark(const struct channel *ch);
/* The flows whose source is p (NULL: no process): a range of s->flows, begin included, end not. */
void sorted__flows_from(const struct sorted *s, const struct proc *p, size_t *begin, size_t *end);

#endif
