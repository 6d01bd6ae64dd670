/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The inside of pair_units.c and its parts.
 *
 * A counter is a queue of batches, oldest first: units that one operation posted and nobody took yet. Operations wait
 * in order of the time by which they were done (hi_ns) until every operation that may have been done before
 * has been reported; then they are applied one by one.
 */
#ifndef MODEL_UNITS_IMPL_H
#define MODEL_UNITS_IMPL_H

#include "model/list.h"
#include "model/pair.h"

/* How late an operation may be reported: a task can be kept off the CPU between what it did and its system call's end. */
#define UNITS_DELAY_NS (30ull * 1000 * 1000)
#define UNITS_PAST_MAX 64

struct unit_item { /* an operation that waits */
	struct link link; /* in counter.items */
	struct op op;
	uint64_t lo_ns, hi_ns;
	struct sender from; /* who did it */
	struct receipt *receipt; /* takes */
};

struct unit_batch {
	struct link link; /* in counter.batches */
	struct sender from; /* proc and origin NULL: from before the trace */
	uint64_t lo_ns, hi_ns;
	uint64_t cnt; /* units left */
	uint64_t bytes; /* of the message, where the whole batch is one */
	bool doubt; /* events were lost since */
};

struct unit_past { /* what somebody took a short while ago */
	const struct proc *owner, *taker;
	uint64_t cnt, hi_ns;
};

struct unit_object;

struct unit_counter {
	struct link active; /* in pairing.active while it has items */
	struct unit_object *object;
	struct link items, batches;
	size_t item_cnt;
	uint64_t held; /* sum of the batches */
	struct unit_past past[UNITS_PAST_MAX]; /* ring; past_cnt counts on */
	size_t past_cnt;
	bool used; /* an operation came, or what it held at first is known */
	bool doubt; /* events were lost: wait for a certain point */
};

#define UNITS_OWNERS_MAX 16

/* Processes that may own something; too many: cnt stays at the limit. */
struct unit_owners {
	struct proc *v[UNITS_OWNERS_MAX];
	size_t cnt;
	bool unknown; /* or nobody that is known */
};
void owners__add(struct unit_owners *o, struct proc *proc);
bool owners__are_one(const struct unit_owners *o);

/* pair_units.c */
void counter__append(struct unit_counter *c, const struct unit_item *post, uint64_t cnt);
void counter__drop_batch(struct unit_counter *c, struct unit_batch *b);
void counter__free_item(struct unit_counter *c, struct unit_item *it);

/* units_take.c: the oldest `cnt` units (there are so many; more are unknown) go to `it`, whose receipt is completed. */
void counter__take(struct unit_counter *c, struct unit_item *it);
/* Units of `it`'s own process go first, the newest first; then any, the newest first. */
void counter__withdraw(struct unit_counter *c, const struct unit_item *it);

struct search; /* what a search works with */

/*
 * units_value.c: which posts make up the value that `it` read. False: no choice of them fits (yet). by_force: what fits
 * best, and the rest unknown.
 */
bool counter__take_all(struct unit_counter *c, struct unit_item *it, bool by_force, struct search *s,
		       struct model_stats *stats);
struct search *search__new(void);
void search__free(struct search *s);

#endif
