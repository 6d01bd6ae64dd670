/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model: feed it what happened, in order of time; it tells who talked to whom.
 * Pure: no I/O, no clock, no kernel, no output.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/graph.h"
#include "model/message.h"
#include "model/op.h"
#include "model/proc.h"

struct model;

struct model_sink {
	void *ctx;
	/* One per receipt and sender, when it is settled; m is valid during the call. May be NULL. */
	void (*message)(void *ctx, const struct message *m);
	/* Each operation as it was fed, its channel and task resolved. May be NULL. */
	void (*op)(void *ctx, const struct op *op, struct channel *ch, const struct party *task);
	/* The same of sums that stand for operations; ch and proc NULL: from now on there are only sums. May be NULL. */
	void (*sum)(void *ctx, const struct sum_info *info, struct channel *ch, struct proc *proc);
	/*
	 * With model_opts.history, for who keeps pointers to processes and channels. keep: calls keep__...() of model/keep.h for those that
	 * must stay what they are. moved: some that it did not keep are about to be freed; resolve the others (proc__resolve(),
	 * channel__resolve()) now, and forget ids. Each may be NULL.
	 */
	void (*keep)(void *ctx);
	void (*moved)(void *ctx);
};

struct model_opts {
	uint64_t settle_ns; /* how long a receive may wait for its send to be reported; default 2 s */
	/*
	 * How many processes that ended stay what they are, and twice as many channels; of those beyond, the oldest that are not in use
	 * are folded into one for each name of a process, or sort of channel. 0: all stay.
	 */
	size_t history;
	uint64_t history_ns; /* but what ended, or was used, so long ago at most always stays; default 4 s */
	bool channels_only; /* model__graph() is to have no ends and flows: the sink's messages are all that is wanted */
	size_t pending_max; /* operations that may wait to be placed, per object; default 4,096 */
	/* The contract's name of an object for which model__object() was never called ("pipe:[66574]"). NULL: "?". */
	void (*object_name)(uint8_t mech, struct obj_key key, char *buf, size_t size);
};

struct model_stats {
	uint64_t ops;
	uint64_t messages; /* given out: one per receipt and sender */
	uint64_t sum_messages,
		sum_bytes; /* theirs added up: a read can take several writes, or part of one */
	uint64_t unmatched_sends; /* operations whose bytes nobody took (yet) */
	uint64_t unmatched_receives; /* operations with bytes of unknown origin */
	uint64_t ambiguous; /* operations whose order could not be proven */
	uint64_t resyncs; /* certain points at which the model had to correct itself */
	uint64_t lost; /* events, all mechanisms */
	uint64_t sums_since_ns; /* as in struct graph */
	uint64_t ledger_full; /* sums of one operation each (sum_info.no_row) */
	uint64_t folded_procs, folded_channels; /* model_opts.history */
	uint64_t skipped; /* of these: the kernel did not run a program that was busy */
	uint64_t table_full; /* of these: a table of the kernel half had no room */
	uint64_t steps; /* that the rules took along their lists: work, for tests */
};

struct model *model__new(const struct model_opts *opts,
			 const struct model_sink *sink); /* opts, sink are copied; NULL: defaults */
void model__free(struct model *m);

void model__task(struct model *m, const struct task_info *info);
void model__object(struct model *m, const struct object_info *info);
void model__op(struct model *m, const struct op *op);
/* Sums of what operations do that are not told of one by one, or not all of them. */
void model__sum(struct model *m, const struct sum_info *info);
void model__pass(struct model *m, const struct pass_info *info);
/* Events of this mechanism were lost at about ts_ns: what was open then becomes doubtful until its next certain point. */
void model__lost(struct model *m, uint64_t ts_ns, uint8_t mech, uint64_t cnt);
/* So many of those that model__lost() is told of were lost because the kernel did not run a program that was busy. */
void model__skipped(struct model *m, uint64_t cnt);
void model__table_full(struct model *m,
		       uint64_t cnt); /* the same, because a table of the kernel half had no room */
/* Nothing earlier than now_ns will come any more: settle what has waited too long. */
void model__advance(struct model *m, uint64_t now_ns);
/* The end: settle everything. Afterwards only the accessors below may be called. */
void model__finish(struct model *m, uint64_t now_ns);

/* After model__finish(): all that ended and is beyond model_opts.history is folded, however lately it ended. */
void model__fold_rest(struct model *m);

struct graph *model__graph(struct model *m);
struct proc_table *model__procs(struct model *m);
const struct model_stats *model__stats(struct model *m);

#endif
