/* SPDX-License-Identifier: GPL-2.0 */
/* The communication graph: processes, channels, and what went over them. Accumulates; model/forget.c bounds it. */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include "base/map.h"
#include "base/vec.h"
#include "model/hist.h"
#include "model/message.h"
#include "model/proc.h"

/* A channel is what the user sees as one object: connections to one listening socket share its name. */
struct channel {
	uint32_t id; /* dense: index in graph.channels, until the next merger */
	uint32_t serial; /* of all that there ever were in this graph: for keys that last */
	uint32_t folded_cnt; /* > 0: no channel, but what so many of its sort left that are not in use */
	uint8_t mech;
	bool kept; /* scratch of model/forget.c */
	bool lasting; /* not an object that comes and goes: never folded */
	bool fallback; /* named only by model_opts.object_name so far */
	/* What each operation touches stands together. */
	struct channel
		*merged; /* not in graph.channels any more: its history went there (channel__resolve) */
	uint64_t first_ns, last_ns;
	uint64_t messages, bytes; /* sum over its flows */
	struct end *last_end[2]; /* asked for last, by end.to_channel; NULL: look it up */
	struct flow *last_flow;
	const char *name; /* interned: "pipe:[66574]"; also the node's id */
	uint64_t unattributed_bytes; /* taken by readers, from before the trace or of unknown origin */
	uint64_t unattributed_messages;
	uint64_t unread_bytes; /* sent, and not taken when the trace ended */
	uint64_t discarded_bytes; /* truncated datagrams and packets */
	uint64_t capacity_bytes; /* 0: not known */
	uint64_t capacity_messages; /* 0: no limit, or not known */
	uint64_t depth_messages, depth_bytes; /* queues: what lay in it when last seen */
	uint64_t depth_messages_max; /* ... and at most */
	uint64_t lost; /* events lost that may have touched it */
	uint32_t object_cnt; /* kernel objects that share the name now */
	struct {
		bool known; /* it is shared memory; the rest holds */
		bool creator_gone; /* creator_pid is not that process's any more */
		bool left_behind; /* nobody has it, nobody removed it, and its creator is gone */
		uint32_t creator_pid; /* 0: not known */
		uint32_t attached; /* processes, at the end */
		uint64_t size_bytes;
		uint64_t detached_ns; /* last detach that was seen; 0: none */
		uint64_t detached_s; /* System V: last detach in seconds since 1970; 0: none, or not known */
	} memory;
	VEC(struct proc *)
	holders, waiters; /* locks: who has it and who wants it at the end; ptrace: the tracer */
};

/* What the kernel half counted of an end whose operations came one by one as well: what is complete. */
struct end_sums {
	uint64_t ts_ns; /* of the latest */
	uint64_t messages, bytes, errors, wait_ns;
};

/* What one process did to one channel; one per (process, channel, role). */
struct end {
	struct proc *proc;
	struct channel *channel;
	const char *role; /* static: "read", "write", ... */
	bool to_channel; /* link runs process -> channel (write-like) */
	uint64_t messages, bytes, errors, wait_ns;
	uint64_t first_ns, last_ns;
	struct end_sums *summed; /* NULL: none came */
};

/* Process to process over one channel; src NULL: the kernel (origin) . */
struct flow {
	struct proc *src, *dst;
	struct channel *channel;
	const char *origin; /* static; NULL unless src is the kernel */
	uint64_t messages, bytes, wait_ns;
	uint64_t first_ns, last_ns;
	struct hist latency; /* ns */
	uint8_t attr; /* the worst of its messages */
	VEC(struct proc *) candidates;
};

struct share { /* a, b had channel's memory attached at the same time; a->id < b->id */
	struct proc *a, *b;
	struct channel *channel;
	const char *a_mode, *b_mode; /* "ro", "rw" */
	uint64_t from_ns, until_ns; /* until 0: still */
};

struct graph {
	VEC(struct channel *) channels;
	VEC(struct end *) ends;
	VEC(struct flow *) flows;
	VEC(struct share *) shares;
	bool channels_only; /* nobody looks at ends and flows: there are none */
	struct end nowhere; /* graph__end() then */
	struct map channel_by_name; /* interned name pointer -> channel */
	struct map end_by_key, flow_by_key;
	VEC(const char *) roles, origins; /* static strings, by small number: parts of the keys */
	VEC(struct channel *) merged; /* kept for those who still point to them */
	struct strtab names;
	uint32_t serial; /* the last one given */
	uint64_t start_ns, end_ns;
	uint64_t sums_since_ns; /* since then what moves data was summed up and not followed; 0: never */
	uint64_t lost[32]; /* by mechanism number */
	uint64_t skipped; /* of these: the kernel did not run a program that was busy */
	uint64_t table_full; /* of these: a table of the kernel half had no room */
};

/* Makes it when there is none. Mechanism and name are the identity: "unix:@x" may exist for streams and datagrams at once. */
struct channel *graph__channel(struct graph *g, uint8_t mech, const char *name, size_t name_len);
/*
 * Gives ch another name, history included; where that name has a channel already, both become one.
 * Returns the channel of that name; ch may be out of graph.channels afterwards, the last one takes its id.
 */
struct channel *graph__rename(struct graph *g, struct channel *ch, const char *name, size_t name_len);
/* Where ch's history is now. NULL gives NULL. */
static inline struct channel *channel__resolve(struct channel *ch)
{
	while (ch && ch->merged)
		ch = ch->merged;
	return ch;
}
struct end *graph__end(struct graph *g, struct proc *proc, struct channel *ch, const char *role,
		       bool to_channel);
/* Makes it when there is none, with nothing counted. src NULL: origin says what the kernel's reason was. */
struct flow *graph__flow(struct graph *g, struct proc *src, struct proc *dst, struct channel *ch,
			 const char *origin);
/*
 * ch will be told of as one with all whose names begin like its own: sets ch->merged. Before anything else is done with g, it wants
 * graph__follow_merged().
 */
void graph__fold(struct graph *g, struct channel *ch);
/* from's history goes to to, with the same want. */
void graph__merge(struct graph *g, struct channel *to, struct channel *from);
/* strtab__keep() for the names in g. */
void graph__keep_names(const struct graph *g);
/* What belonged to processes and channels that are merged by now belongs to what they became; what met its twin is added to it. */
void graph__follow_merged(struct graph *g);
/* Frees the channels that were merged and have not been kept (channel.kept): nobody may point to them any more. */
void graph__drop_merged(struct graph *g);
/* Forgets ends that nothing but sums came of. */
void graph__drop_empty_ends(struct graph *g);
/* What from counted is added; whose and where it was stays to's. */
void flow__add(struct flow *to, const struct flow *from);
void end__add(struct end *to, const struct end *from);
void end__add_sums(struct end *end, const struct end_sums *sums);
void share__add(struct share *to, const struct share *from);
void channel__add_sums(struct channel *to,
		       const struct channel *from); /* not what lies in it, nor its memory */
/* Adds it to its flow; without a known sender, to the channel's unattributed part. */
void graph__add_message(struct graph *g, const struct message *m);
void graph__free(struct graph *g);

#endif
