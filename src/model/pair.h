/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between model.c and the pairing rules: one row per rule, one file per rule.
 *
 * A receive becomes a receipt: what it took, from whom, as far as is known. Rules add shares to it in any
 * order and at any time; when all its bytes have an owner (or none will come), receipt__done() gives
 * one message per sender to the sink and to the graph.
 */
#ifndef MODEL_PAIR_H
#define MODEL_PAIR_H

#include "model/model.h"

struct pairing; /* what a rule keeps per model; its own business */

struct pair_ops {
	const char *name;
	struct pairing *(*new)(struct model *m);
	void (*free)(struct pairing *p);
	void (*op)(struct pairing *p, const struct op *op); /* op->rule is this rule */
	/* True: it is kept until it is known whether it is to be seen at all; then model__op() gets it again. NULL: never. */
	bool (*defer)(struct pairing *p, const struct op *op);
	void (*object)(struct pairing *p, const struct object_info *info); /* NULL: not interested */
	void (*task)(struct pairing *p,
		     const struct task_info *info); /* any record about a task; NULL: not interested */
	void (*task_exit)(struct pairing *p, uint32_t pid,
			  uint64_t ts_ns); /* the whole process; NULL: not interested */
	void (*lost)(struct pairing *p, uint64_t ts_ns, uint8_t mech); /* NULL: not interested */
	void (*advance)(struct pairing *p, uint64_t now_ns); /* NULL: nothing waits */
	void (*finish)(struct pairing *p, uint64_t now_ns);
	/* Calls keep__...() (model/keep.h) for all that it points to, or will ask for by its key. NULL: that is nothing. */
	void (*keep)(struct pairing *p);
	/* What it did not keep may have been merged: it forgets pointers to that now. NULL: it has none. */
	void (*follow)(struct pairing *p);
};

extern const struct pair_ops pair_seq, pair_dgram;
extern const struct pair_ops pair_stream, pair_message, pair_signal;
extern const struct pair_ops pair_queue;
extern const struct pair_ops pair_share, pair_lock, pair_direct;
extern const struct pair_ops pair_units;

/* Who sent: remembered from the send until its last byte is taken. */
struct sender {
	struct party party;
	uint64_t sent_ns; /* the send's return */
	uint64_t began_ns; /* when it was called; 0: not known */
	bool under_way; /* it has not returned yet: sent_ns is when it was heard of the last time */
	const char *origin; /* static, see message.h */
};

struct receipt; /* opaque: made by receipt__new, freed by receipt__done */

/* Begins a receipt for a receiving operation (copied). The channel is the receiver's, by op->obj unless given. */
struct receipt *receipt__new(struct model *m, const struct op *op, struct channel *ch);
/* bytes/messages of it came from s. attr: how sure. cand/cand_cnt: for ATTR_CANDIDATES. */
void receipt__add(struct receipt *r, const struct sender *s, uint64_t bytes, uint64_t messages,
		  enum attr attr, struct proc *const *cand, size_t cand_cnt);
/* bytes/messages of it have no known sender (from before the trace, or lost). */
void receipt__add_unknown(struct receipt *r, uint64_t bytes, uint64_t messages);
const struct op *receipt__op(const struct receipt *r);
/* Replaces the operation that it was made with, where a call's last part tells more than its first (copied). */
void receipt__set_op(struct receipt *r, const struct op *op);
/* Signals: dst is not the task of op, and delivered_ns is when dst had it (0: not yet). */
void receipt__set_target(struct receipt *r, const struct party *dst, uint64_t delivered_ns);
/*
 * Everything is known that ever will be: emits (receipts in the order of their making, as far as possible) and frees.
 * Counts messages, unmatched_receives and ambiguous of model_stats; the rest of them are the rule's.
 */
void receipt__done(struct receipt *r);

/* The sending side of an operation, taken now (comm and process as they are at this moment). */
struct sender model__sender(struct model *m, const struct op *op);
/* A task, its process and comm as they are at this moment. proc is NULL for pid 0. */
struct party model__party(struct model *m, uint32_t pid, uint32_t tid);
/* The channel of an object: by the name that model__object gave it, else by model_opts.object_name. */
struct channel *model__channel(struct model *m, uint8_t mech, struct obj_key key);
#define PAIR_STATE_BYTES 320
/*
 * Where the rule keeps what it has of the object of the operation under way, PAIR_STATE_BYTES at most, and its place in the rule's
 * table: fetched early the next time, never read.
 */
void model__note_state(struct model *m, const void *state, const void *slot);
const struct model_opts *model__opts(const struct model *m);
struct model_stats *model__stats_mut(struct model *m);

#endif
