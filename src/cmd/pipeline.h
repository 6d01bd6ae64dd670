/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The straight line from events to messages, the same for a running kernel and for a file:
 * source -> order by time -> mech (event to operation) -> model -> select -> sink.
 */
#ifndef CMD_PIPELINE_H
#define CMD_PIPELINE_H

#include "event/source.h"
#include "model/model.h"
#include "model/select.h"

struct pipeline_sink {
	void *ctx;
	/* Only what the filter selects; arguments are valid during the call. Each may be NULL. */
	void (*message)(void *ctx, const struct message *m);
	void (*op)(void *ctx, const struct op *op, struct channel *ch, const struct party *task);
	/* What is not told of operation by operation, as model_sink.sum. */
	void (*sum)(void *ctx, const struct sum_info *info, struct channel *ch, struct proc *proc);
	/* Time has come to now_ns: called before what happens then, and when nothing happens. */
	void (*clock)(void *ctx, uint64_t now_ns);
	/* What became known of an object; never filtered. */
	void (*object)(void *ctx, const struct object_info *info);
	/* Events of a mechanism were lost; never filtered. */
	void (*lost)(void *ctx, uint8_t mech, uint64_t cnt, int cpu);
	/* As in struct model_sink, for who keeps pointers to processes and channels. */
	void (*keep)(void *ctx);
	void (*moved)(void *ctx);
};

struct pipeline_opts {
	uint32_t mechs; /* IPCT_MECH_BITs; others are dropped before the model */
	const struct select_opts *select; /* NULL: everything; copied, its strings must stay valid */
	bool graph; /* pipeline__graph() will be asked for */
	size_t history; /* as in struct model_opts */
	uint64_t history_ns;
	uint64_t messages_max; /* those after are neither in the graph nor in the sink; 0: all */
	struct pipeline_sink sink;
};

struct pipeline;

struct pipeline *pipeline__new(struct event_source *source,
			       const struct pipeline_opts *opts); /* opts are copied */
/*
 * One round: waits at most timeout_ms, or goes on with what has been read and not been looked at. Returns the number of
 * events, or as event_source.poll.
 */
int pipeline__poll(struct pipeline *p, int timeout_ms);
bool pipeline__full(const struct pipeline *p); /* messages_max were seen */
/* From now on only what opts selects, too, goes to the sink, not counting the graph; NULL: no more. Strings must stay. */
void pipeline__refine(struct pipeline *p, const struct select_opts *opts);
/* Whether the filters take what this thread does by that mechanism. */
bool pipeline__selects(struct pipeline *p, uint8_t mech, struct proc *proc, uint32_t tid);
/* The channel of that name, if anything was seen of it; NULL: not yet. */
struct channel *pipeline__channel(struct pipeline *p, uint8_t mech, const char *name);
/* Nothing more will come: everything held back goes to the sink. Afterwards only the accessors. */
void pipeline__finish(struct pipeline *p);
/* The graph of the selected traffic; owned by the pipeline. After pipeline__finish(). */
struct graph *pipeline__graph(struct pipeline *p);
/* The same, so far: before pipeline__finish(), valid until the next pipeline__poll() or pipeline__graph_now(). */
struct graph *pipeline__graph_now(struct pipeline *p);
uint64_t pipeline__messages(const struct pipeline *p); /* selected so far */
struct proc_table *pipeline__procs(struct pipeline *p);
const struct model_stats *pipeline__stats(struct pipeline *p);
void pipeline__free(struct pipeline *p); /* not the source */

#endif
