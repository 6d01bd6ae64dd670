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

#include "base/map.h"
#include "base/vec.h"
#include "model/list.h"
#include "model/pair.h"

/* How late an operation may be reported: a task can be kept off the CPU between what it did and its system call's end. */
#define UNITS_DELAY_NS (100ull * 1000 * 1000)
#define UNITS_PAST_MAX 64
#define UNITS_OWNERS_MAX 16

/*
 * What searches of an eventfd's posts may cost, in things looked at: each operation on it adds some, so that no recording
 * takes longer than its length allows; a hard moment uses what easy ones left.
 */
#define UNITS_WORK_MAX (1u << 20)
#define UNITS_WORK_EACH (1u << 14)

/* Processes that may own something; too many: cnt stays at the limit. */
struct unit_owners {
	struct proc *v[UNITS_OWNERS_MAX];
	size_t cnt;
	bool unknown; /* or nobody that is known */
};
void owners__add(struct unit_owners *o, struct proc *proc);
void owners__add_all(struct unit_owners *o, const struct unit_owners *more);
bool owners__are_one(const struct unit_owners *o);

#define UNITS_SHORT_NS (50ull * 1000) /* operations that took longer are in counter.longs, too */

struct unit_counter;

struct unit_item { /* an operation that waits */
	struct unit_counter *counter;
	struct link link; /* in counter.items, in order of hi_ns */
	struct link of_longs;
	struct link of_exits; /* in pairing.exits, until it is known when it was done */
	struct op op;
	uint64_t lo_ns, hi_ns;
	struct sender from; /* who did it */
	struct receipt *receipt; /* takes */
};

static inline bool item__is_take(const struct unit_item *it)
{
	return it->op.units.act == UNITS_TAKE || it->op.units.act == UNITS_TAKE_ALL;
}

/*
 * All units that were ever posted have a place in the order of posting, and takes take places from the front. By the reports a
 * batch has a certain place; as posts overlap, it can be anywhere in [first, end).
 */
struct unit_batch {
	struct link link; /* in counter.batches, or .spent */
	struct sender from; /* proc and origin NULL: from before the trace */
	uint64_t lo_ns, hi_ns;
	uint64_t cnt; /* units left */
	uint64_t size; /* units that it began with */
	uint64_t first, end;
	uint64_t bytes; /* of the message, where the whole batch is one */
	bool doubt; /* events were lost since */
};

struct unit_past { /* what somebody took a short while ago */
	uint64_t cnt, hi_ns;
};

struct unit_object;

struct unit_counter {
	struct link active; /* in pairing.active while it has items */
	struct unit_object *object;
	struct link items, batches;
	struct link longs; /* items of which hi_ns says little about lo_ns; in order of hi_ns, too */
	struct link spent; /* batches of which nothing is left, the last of them */
	size_t item_cnt, spent_cnt;
	uint64_t held; /* sum of the batches */
	uint64_t newest_hi_ns; /* of all batches there were */
	uint64_t posted, taken; /* places given to posts, places taken */
	size_t near; /* how many batches one has overlapped with at most */
	struct unit_past past[UNITS_PAST_MAX]; /* ring; past_cnt counts on */
	size_t past_cnt;
	struct unit_owners ever; /* of all units since it was made or set */
	bool used; /* an operation came, or what it held at first is known */
	bool doubt; /* events were lost: wait for a certain point */
	bool guessed; /* eventfd: what a read took was one of several choices, so what is left is one, too */
	struct unit_owners choices; /* of whom, since then */
	int64_t balance; /* eventfd: units dropped unseen, less units of unknown origin */
	size_t work; /* that searches may still do */
	uint64_t
		search_ns; /* eventfd: before this is due, or another operation comes, a search finds nothing new */
};

/*
 * Items that began before a time, in order of hi_ns: thousands may wait, few of them are that old. The one that was
 * returned last may be freed.
 */
struct unit_scan {
	const struct unit_counter *c;
	const struct link *next;
	uint64_t before_ns;
	bool in_longs;
	size_t left; /* how many more items it looks at; 0: it ended early. SIZE_MAX at first */
};
struct unit_scan scan__begin(const struct unit_counter *c, uint64_t before_ns);
struct unit_item *scan__next(struct unit_scan *s); /* NULL: no more */

struct woken { /* a sleeper that was served, and has not reported yet */
	uint32_t tid;
	uint64_t wake_ns;
};

struct unit_object {
	struct obj_key key;
	uint8_t mech;
	uint32_t teller; /* the thread that told first what it held; 0: nobody */
	uint64_t gone_ns; /* removed then; 0: not */
	uint64_t last_ns; /* of the latest operation */
	bool handed_by_libc; /* semaphores of libc whose posts and waits are all seen: futexes say nothing new */
	struct map counters; /* num -> struct unit_counter * */
	VEC(struct woken) woken;
};

struct pairing {
	struct model *m;
	struct map objects; /* key -> struct unit_object * */
	VEC(struct unit_object *) dying;
	struct link active; /* counters with items */
	struct link exits;
	struct search *search;
	uint64_t now_ns;
};

/* units_keep.c */
void units__keep(struct pairing *p);

/* pair_units.c */
/* The object is gone: what waits is settled, what is left is counted as unmatched. Frees it. */
void units__retire(struct pairing *p, struct unit_object *o);

/* units_counter.c */
struct unit_counter *counter__of(struct unit_object *o, uint32_t num); /* makes it when there is none */
void counter__enqueue(struct pairing *p, struct unit_counter *c, struct unit_item *it);
/* It turned out to have been done earlier. */
void counter__move_up(struct unit_counter *c, struct unit_item *it, uint64_t hi_ns);
/* Applies what is due. until_ns UINT64_MAX: everything. */
void counter__settle(struct pairing *p, struct unit_counter *c, uint64_t until_ns);
void counter__free_item(struct unit_counter *c, struct unit_item *it);
void counter__free(struct unit_counter *c);

/* units_place.c */
void counter__drop_batch(struct unit_counter *c, struct unit_batch *b);
void counter__append(struct unit_counter *c, const struct unit_item *post, uint64_t cnt);
/* Units of unknown origin, older than all others. */
void counter__prepend_unknown(struct unit_counter *c, uint64_t cnt);
/* Takes cnt units out of a batch; of one that is used up the place stays known for a while. */
void counter__use(struct unit_counter *c, struct unit_batch *b, uint64_t cnt);
/* The batch loses its last cnt units as if they had never been posted. */
void counter__unpost(struct unit_counter *c, struct unit_batch *b, uint64_t cnt);
void counter__clear(struct unit_counter *c);
/*
 * Adds all who may own what a take, which may have places in [from, until), got. False: whose its units are is not certain.
 */
bool counter__find_owners(const struct unit_counter *c, const struct unit_item *take, uint64_t from,
			  uint64_t until, struct unit_owners *owners);

/* units_take.c: the oldest `cnt` units (there are so many; more are unknown) go to `it`, whose receipt is completed. */
void counter__take(struct unit_counter *c, struct unit_item *it);
/* Units of `it`'s own process go first, the newest first; then any, the newest first. */
void counter__withdraw(struct unit_counter *c, const struct unit_item *it);

struct search; /* what a search works with */
struct search *search__new(void);
void search__free(struct search *s);

/*
 * units_value.c: which posts make up the value that `it` read, and the values of the reads that overlap with it: all those are
 * completed and freed. False: not yet, as no choice of posts fits, or one of the reads is not due at due_ns. by_force: what
 * fits best, and the rest unknown.
 */
bool counter__take_all(struct unit_counter *c, struct unit_item *it, bool by_force, uint64_t due_ns,
		       struct search *s, struct model_stats *stats);

#endif
