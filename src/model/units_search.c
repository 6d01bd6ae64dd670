/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A search for what reads of an eventfd that overlap took: it goes through all orders of them that intervals allow, and
 * all posts that make up their values. The first solution is kept, and what others do not agree with.
 */
#include "model/units_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define POSTS_MAX 65536 /* that may or may not be in it */
#define OPTIONAL_MAX 10 /* posts that overlap at one moment: one a thread */

/* Posts, by their place in search.posts. */
typedef uint64_t *set;

enum { /* which sets there are */
       SET_NONE,
       SET_LEFT, /* what all reads together took, in the first solution */
       SET_BEST, /* ... and each of them */
       SET_PATH = SET_BEST + SEARCH_READS_MAX, /* what each takes in the order that is tried now */
       SET_USED = SET_PATH + SEARCH_READS_MAX, /* what was taken before, by depth */
       SET_CNT = SET_USED + SEARCH_READS_MAX + 1,
};

/* False: the search has to end; what it did not find is in doubt. */
static bool spend(struct search *s, size_t work)
{
	s->c->work -= work < s->c->work ? work : s->c->work;
	return s->c->work;
}

static set set_at(const struct search *s, size_t which)
{
	return s->bits.v + which * s->words;
}

static bool set__has(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void set__add(set bits, size_t i)
{
	bits[i / 64] |= 1ull << i % 64;
}

static void set__copy(const struct search *s, size_t to, size_t from)
{
	memcpy(set_at(s, to), set_at(s, from), s->words * sizeof(uint64_t));
}

/* What somebody gets of whom, as a sum over posts. */
static uint64_t signature(const struct sender *from)
{
	uint64_t x = (uintptr_t)from->party.proc;

	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	return x ^ x >> 29;
}

static void solution(struct search *s)
{
	bool first = !s->found;

	s->found = true;
	spend(s, s->words * (first ? s->read_cnt : 1));
	if (first) {
		set__copy(s, SET_LEFT, SET_USED + s->depth);
		s->best_first = s->first;
	} else if (memcmp(set_at(s, SET_LEFT), set_at(s, SET_USED + s->depth), s->words * sizeof(uint64_t))) {
		s->several_ends = true;
	}
	for (unsigned int r = 0; r < s->read_cnt; r++) {
		struct search_read *read = &s->reads[r];

		if (first) {
			read->best = read->signature;
			set__copy(s, SET_BEST + r, SET_PATH + r);
		}
		read->several |= read->signature != read->best;
	}
}

static void next_read(struct search *s, unsigned int done);

struct cut { /* what read r takes: all posts before `end` that are left, and some of those that overlap there */
	unsigned int r, done;
	size_t end;
	uint64_t sum, signature;
	size_t optional[OPTIONAL_MAX];
	size_t optional_cnt;
};

static bool is_left(const struct search *s, const struct cut *cut, size_t i)
{
	return !set__has(set_at(s, SET_USED + s->depth), i) &&
	       s->posts.v[i].lo_ns < s->reads[cut->r].item->hi_ns;
}

static void take_cut(struct search *s, const struct cut *cut, unsigned int subset, uint64_t sig)
{
	set mine = set_at(s, SET_PATH + cut->r), used = set_at(s, SET_USED + s->depth + 1);

	memset(mine, 0, s->words * sizeof(*mine));
	spend(s, cut->end);
	for (size_t i = 0; i < cut->end; i++)
		if (is_left(s, cut, i))
			set__add(mine, i);
	for (size_t i = 0; i < cut->optional_cnt; i++)
		if (subset >> i & 1)
			set__add(mine, cut->optional[i]);
	for (size_t i = 0; i < s->words; i++)
		used[i] = set_at(s, SET_USED + s->depth)[i] | mine[i];
	s->reads[cut->r].signature = sig + (cut->done ? 0 : s->core_signature);
	if (!cut->done)
		s->first = cut->r;
	s->depth++;
	next_read(s, cut->done | 1u << cut->r);
	s->depth--;
}

static void add_optional(const struct search *s, struct cut *cut, size_t i)
{
	if (cut->optional_cnt < OPTIONAL_MAX && is_left(s, cut, i) &&
	    s->posts.v[i].lo_ns < s->posts.v[cut->end].hi_ns)
		cut->optional[cut->optional_cnt++] = i;
}

/* Post `end` is the first that is left out, so all that began after its end are; those that overlapped may be in. */
static void try_cut(struct search *s, struct cut *cut)
{
	uint64_t want = s->reads[cut->r].item->op.units.amount;
	size_t near = cut->end + SEARCH_NEAR < s->posts.cnt ? cut->end + SEARCH_NEAR : s->posts.cnt;

	cut->optional_cnt = 0;
	for (size_t i = cut->end + 1; i < near; i++)
		add_optional(s, cut, i);
	for (size_t i = 0; i < s->long_cnt; i++)
		if (s->longs[i] >= near)
			add_optional(s, cut, s->longs[i]);
	for (unsigned int subset = 0; subset < 1u << cut->optional_cnt; subset++) {
		uint64_t sum = cut->sum, sig = cut->signature;

		if (!spend(s, 1 + cut->optional_cnt))
			return;
		for (size_t i = 0; i < cut->optional_cnt; i++)
			if (subset >> i & 1) {
				sum += s->posts.v[cut->optional[i]].cnt;
				sig += signature(s->posts.v[cut->optional[i]].from);
			}
		if (sum == want)
			take_cut(s, cut, subset, sig);
	}
}

static void try_read(struct search *s, unsigned int r, unsigned int done)
{
	const struct unit_item *read = s->reads[r].item;
	struct cut cut = { .r = r, .done = done, .sum = done ? 0 : s->core };

	for (cut.end = 0; cut.sum <= read->op.units.amount && spend(s, 1); cut.end++) {
		const struct choice *post = &s->posts.v[cut.end];

		if (cut.end == s->posts.cnt) {
			try_cut(s, &cut);
			return;
		}
		if (!is_left(s, &cut, cut.end))
			continue;
		if (post->hi_ns > read->lo_ns) /* else it was there, and cannot be left out */
			try_cut(s, &cut);
		cut.sum += post->cnt;
		cut.signature += signature(post->from);
	}
}

/* Any of the reads that are left may be the next, unless another of them was over before it began. */
static void next_read(struct search *s, unsigned int done)
{
	bool any = false;

	for (unsigned int r = 0; r < s->read_cnt; r++) {
		bool may = !(done >> r & 1);

		any |= may;
		for (unsigned int o = 0; o < r && may; o++)
			may = done >> o & 1 || s->reads[o].item->hi_ns > s->reads[r].item->lo_ns;
		if (may && spend(s, s->read_cnt))
			try_read(s, r, done);
	}
	if (!any)
		solution(s);
}

/* ---- what the search works on ---- */

static void begin(struct search *s, struct unit_counter *c)
{
	s->posts.cnt = 0;
	s->c = c;
	s->read_cnt = s->depth = 0;
	s->long_cnt = 0;
	s->core = s->core_signature = 0;
	s->collected = false;
	s->found = s->several_ends = false;
}

static struct unit_item *look_on(struct search *s, struct unit_scan *scan)
{
	struct unit_item *it;

	scan->left = s->c->work;
	it = scan__next(scan);
	s->c->work = scan->left;
	return it;
}

/* The read and all that overlap with it, and so on. False: too many. */
static bool collect_reads(struct search *s, struct unit_item *it, uint64_t *lo_ns, uint64_t *hi_ns)
{
	uint64_t before_ns;
	struct unit_scan scan;
	struct unit_item *other;
	bool few = true;

	*lo_ns = it->lo_ns;
	*hi_ns = it->hi_ns;
	do {
		before_ns = *hi_ns;
		scan = scan__begin(s->c, before_ns);
		while ((other = look_on(s, &scan)))
			if (other->op.units.act == UNITS_TAKE_ALL && other->hi_ns > *hi_ns)
				*hi_ns = other->hi_ns;
	} while (*hi_ns != before_ns);
	scan = scan__begin(s->c, *hi_ns);
	while ((other = look_on(s, &scan))) {
		if (other->op.units.act != UNITS_TAKE_ALL)
			continue;
		*lo_ns = other->lo_ns < *lo_ns ? other->lo_ns : *lo_ns;
		few &= s->read_cnt < SEARCH_READS_MAX;
		if (few)
			s->reads[s->read_cnt++] = (struct search_read){ .item = other };
	}
	return few;
}

static bool add_post(struct search *s, struct choice post)
{
	if (s->posts.cnt == POSTS_MAX)
		return false;
	if (s->posts.cnt >= SEARCH_NEAR && s->long_cnt < SEARCH_LONG_MAX &&
	    post.lo_ns < s->posts.v[s->posts.cnt - SEARCH_NEAR].hi_ns)
		s->longs[s->long_cnt++] = s->posts.cnt;
	vec__push(&s->posts, post);
	return true;
}

bool search__collect(struct search *s, struct unit_counter *c, struct unit_item *it, uint64_t *hi_ns)
{
	uint64_t lo_ns;
	struct unit_scan scan;
	struct unit_item *p;
	bool few;

	begin(s, c);
	few = collect_reads(s, it, &lo_ns, hi_ns);

	list__for_each(&s->c->batches, cur) {
		struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (!spend(s, 1))
			return false;
		if (b->hi_ns <= lo_ns) {
			s->core += b->cnt;
			s->core_signature += signature(&b->from);
		} else {
			few &= add_post(s, (struct choice){ &b->from, b->lo_ns, b->hi_ns, b->cnt, b, NULL });
		}
	}
	scan = scan__begin(s->c, *hi_ns);
	while ((p = look_on(s, &scan))) {
		if (p->op.units.act == UNITS_POST && p->op.units.amount)
			few &= add_post(s, (struct choice){ &p->from, p->lo_ns, p->hi_ns, p->op.units.amount,
							    NULL, p });
	}
	s->collected = s->c->work;
	return few && s->collected;
}

/* All sets empty, once it is known how many posts there are. */
static void make_sets(struct search *s)
{
	s->words = s->posts.cnt / 64 + 1;
	spend(s, s->words * SET_CNT);
	if (s->bits.cap < s->words * SET_CNT)
		s->bits.v = vec__grow(s->bits.v, &s->bits.cap, s->words * SET_CNT, sizeof(*s->bits.v));
	memset(s->bits.v, 0, s->words * SET_CNT * sizeof(*s->bits.v));
}

void search__run(struct search *s)
{
	make_sets(s);
	next_read(s, 0);
}

bool search__took(const struct search *s, unsigned int r, size_t post)
{
	return set__has(set_at(s, SET_BEST + r), post);
}

struct search *search__new(void)
{
	return xalloc(sizeof(struct search));
}

void search__free(struct search *s)
{
	vec__free(&s->posts);
	vec__free(&s->bits);
	free(s);
}
