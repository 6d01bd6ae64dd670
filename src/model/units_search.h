/* SPDX-License-Identifier: GPL-2.0 */
/* Which posts on an eventfd each of some reads took that overlap with each other: for units_search.c and units_value.c only. */
#ifndef MODEL_UNITS_SEARCH_H
#define MODEL_UNITS_SEARCH_H

#include "model/units_impl.h"

#define SEARCH_READS_MAX 24 /* that overlap, each with the next */
#define SEARCH_NEAR 16 /* posts lie in order of hi_ns, so what overlaps is near; */
#define SEARCH_LONG_MAX 64 /* except long ones: kept off the CPU inside the call */

struct choice { /* a post that one of the reads took, but which? */
	const struct sender *from;
	uint64_t lo_ns, hi_ns, cnt;
	struct unit_batch *batch; /* or */
	struct unit_item *item;
};

struct search_read {
	struct unit_item *item;
	uint64_t signature; /* in the order that is tried now */
	uint64_t best; /* in the first solution */
	bool several; /* another solution gives it other things */
};

/* Kept from one search to the next for its memory. */
struct search {
	VEC(struct choice) posts; /* in order of hi_ns */
	VEC(uint64_t) bits; /* of all sets */
	size_t words; /* of one set */
	struct unit_counter *c;
	struct search_read reads[SEARCH_READS_MAX]; /* in order of hi_ns */
	unsigned int read_cnt, depth;
	size_t longs
		[SEARCH_LONG_MAX]; /* posts that began before the SEARCH_NEAR one in front of them ended */
	size_t long_cnt;
	uint64_t core; /* units that were there before any of the reads began: the first read has them */
	uint64_t core_signature;
	unsigned int first, best_first; /* which read that is */
	bool collected; /* all that the search needs was looked at */
	bool found;
	bool several_ends; /* solutions that leave different posts behind */
};

/*
 * First this: the read and all that overlap with it, and the posts that they may have taken; *hi_ns: when the last of the reads was
 * done. False: too many to search.
 */
bool search__collect(struct search *s, struct unit_counter *c, struct unit_item *it, uint64_t *hi_ns);
/* Then this, which sets what is below `collected`. It costs c->work: none left means that it was not all looked at. */
void search__run(struct search *s);
/* Whether, in the first solution, reads[r] took posts[post]. */
bool search__took(const struct search *s, unsigned int r, size_t post);

#endif
