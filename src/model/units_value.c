/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading an eventfd takes whatever there is, and tells how much that was. So the value says which posts it was: those
 * that were done before the read began, and of those that overlapped with it the ones that add up. A search goes through
 * all orders that the intervals and the values allow; if all give this reader the same, the answer is exact.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/units_impl.h"

#define POSTS_MAX 65536 /* that may or may not be in it */
#define READS_MAX 4 /* that overlap, this one included */
#define OPTIONAL_MAX 10 /* posts that overlap at one moment: one a thread */
#define NEAR 16 /* posts lie in order of hi_ns, so what overlaps is near; */
#define LONG_MAX 64 /* except long ones: kept off the CPU inside the call */
#define STEPS_MAX 100000

/* Posts, by their place in search.posts; one set for each depth of the search, one for the solution. */
typedef uint64_t *set;
#define SET_BEST READS_MAX
#define SET_NONE (READS_MAX + 1)
#define SET_CNT (READS_MAX + 2)

struct choice { /* a post that one of the reads took, but which? */
	const struct sender *from;
	uint64_t lo_ns, hi_ns, cnt;
	struct unit_batch *batch; /* or */
	struct unit_item *item;
};

/* Kept from one search to the next for its memory. */
struct search {
	VEC(struct choice) posts; /* in order of hi_ns */
	VEC(uint64_t) bits; /* of all sets */
	size_t words; /* of one set */
	struct unit_counter *c;
	struct unit_item *reads[READS_MAX]; /* the first is the one that is asked about */
	size_t read_cnt;
	size_t longs[LONG_MAX]; /* posts that began before the NEAR one in front of them ended */
	size_t long_cnt;
	uint64_t core; /* units that were there before any of the reads began: the first read has them */
	unsigned int steps;
	bool found, several; /* solutions that give the reader different things */
	bool best_core;
	uint64_t best_signature;
};

static set set_at(const struct search *s, size_t depth)
{
	return s->bits.v + depth * s->words;
}

static bool set__has(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void set__add(set bits, size_t i)
{
	bits[i / 64] |= 1ull << i % 64;
}

/* What somebody gets of whom, as a sum over posts. */
static uint64_t signature(const struct choice *post)
{
	uint64_t x = (uintptr_t)post->from->party.proc;

	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	return x ^ x >> 29;
}

static void solution(struct search *s, const uint64_t *posts, uint64_t sig, bool core)
{
	sig += core && s->core;
	if (s->found) {
		s->several |= sig != s->best_signature;
		return;
	}
	s->found = true;
	memcpy(set_at(s, SET_BEST), posts, s->words * sizeof(*posts));
	s->best_core = core;
	s->best_signature = sig;
}

static void next_read(struct search *s, const uint64_t *used, unsigned int done);

struct cut { /* what read r takes: all posts before `end` that are left, and some of those that overlap there */
	unsigned int r, done;
	const uint64_t *used;
	size_t end;
	uint64_t sum, sig;
	size_t optional[OPTIONAL_MAX];
	size_t optional_cnt;
};

static bool is_left(const struct search *s, const struct cut *cut, size_t i)
{
	return !set__has(cut->used, i) && s->posts.v[i].lo_ns < s->reads[cut->r]->hi_ns;
}

static void take_cut(struct search *s, const struct cut *cut, unsigned int subset, uint64_t sig)
{
	set posts = set_at(s, (size_t)__builtin_popcount(cut->done));

	memset(posts, 0, s->words * sizeof(*posts));
	for (size_t i = 0; i < cut->end; i++)
		if (is_left(s, cut, i))
			set__add(posts, i);
	for (size_t i = 0; i < cut->optional_cnt; i++)
		if (subset >> i & 1)
			set__add(posts, cut->optional[i]);
	if (cut->r == 0) {
		solution(s, posts, sig, !cut->done);
		return;
	}
	for (size_t i = 0; i < s->words; i++)
		posts[i] |= cut->used[i];
	next_read(s, posts, cut->done | 1u << cut->r);
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
	uint64_t want = s->reads[cut->r]->op.units.amount;
	size_t near = cut->end + NEAR < s->posts.cnt ? cut->end + NEAR : s->posts.cnt;

	cut->optional_cnt = 0;
	for (size_t i = cut->end + 1; i < near; i++)
		add_optional(s, cut, i);
	for (size_t i = 0; i < s->long_cnt; i++)
		if (s->longs[i] >= near)
			add_optional(s, cut, s->longs[i]);
	for (unsigned int subset = 0; subset < 1u << cut->optional_cnt && !s->several; subset++) {
		uint64_t sum = cut->sum, sig = cut->sig;

		if (++s->steps > STEPS_MAX)
			return;
		for (size_t i = 0; i < cut->optional_cnt; i++)
			if (subset >> i & 1) {
				sum += s->posts.v[cut->optional[i]].cnt;
				sig += signature(&s->posts.v[cut->optional[i]]);
			}
		if (sum == want)
			take_cut(s, cut, subset, sig);
	}
}

static void try_read(struct search *s, unsigned int r, const uint64_t *used, unsigned int done)
{
	const struct unit_item *read = s->reads[r];
	struct cut cut = { .r = r, .done = done, .used = used, .sum = done ? 0 : s->core };

	for (cut.end = 0; cut.sum <= read->op.units.amount && s->steps <= STEPS_MAX; cut.end++) {
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
		cut.sig += signature(post);
	}
}

/* Any of the reads that are left may be the next; nothing matters behind the one that is asked about. */
static void next_read(struct search *s, const uint64_t *used, unsigned int done)
{
	for (unsigned int r = 0; r < s->read_cnt; r++)
		if (!(done >> r & 1))
			try_read(s, r, used, done);
}

static bool add_post(struct search *s, struct choice post)
{
	if (s->posts.cnt == POSTS_MAX)
		return false;
	if (s->posts.cnt >= NEAR && s->long_cnt < LONG_MAX &&
	    post.lo_ns < s->posts.v[s->posts.cnt - NEAR].hi_ns)
		s->longs[s->long_cnt++] = s->posts.cnt;
	vec__push(&s->posts, post);
	return true;
}

/* False: too many to search. */
static bool collect(struct search *s, struct unit_counter *c, struct unit_item *it)
{
	uint64_t lo_ns = it->lo_ns, hi_ns = it->hi_ns;
	bool ok = true;

	s->c = c;
	s->reads[s->read_cnt++] = it;
	list__for_each(&c->items, cur) {
		struct unit_item *other = list__entry(cur, struct unit_item, link);

		if (other == it || other->op.units.act != UNITS_TAKE_ALL || other->lo_ns >= it->hi_ns)
			continue;
		if (s->read_cnt == READS_MAX)
			return false;
		s->reads[s->read_cnt++] = other;
		lo_ns = other->lo_ns < lo_ns ? other->lo_ns : lo_ns;
		hi_ns = other->hi_ns > hi_ns ? other->hi_ns : hi_ns;
	}
	list__for_each(&c->batches, cur) {
		struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (b->hi_ns <= lo_ns)
			s->core += b->cnt;
		else
			ok &= add_post(s, (struct choice){ &b->from, b->lo_ns, b->hi_ns, b->cnt, b, NULL });
	}
	list__for_each(&c->items, cur) {
		struct unit_item *p = list__entry(cur, struct unit_item, link);

		if (p->op.units.act == UNITS_POST && p->op.units.amount && p->lo_ns < hi_ns)
			ok &= add_post(s, (struct choice){ &p->from, p->lo_ns, p->hi_ns, p->op.units.amount,
							   NULL, p });
	}
	return ok;
}

static void give(struct unit_item *it, const struct sender *from, uint64_t bytes, enum attr attr,
		 const struct unit_owners *owners)
{
	if (from->party.proc || from->origin)
		receipt__add(it->receipt, from, bytes, 1, attr, owners->v,
			     attr == ATTR_CANDIDATES ? owners->cnt : 0);
	else
		receipt__add_unknown(it->receipt, bytes, 1);
}

static void give_batch(struct unit_counter *c, struct unit_item *it, struct unit_batch *b, enum attr attr,
		       const struct unit_owners *owners)
{
	if (b->doubt && attr == ATTR_EXACT)
		attr = ATTR_INFERRED;
	give(it, &b->from, b->bytes, attr, owners);
	counter__drop_batch(c, b);
}

static void finish(struct search *s, struct unit_item *it)
{
	struct unit_owners owners = { .cnt = 0 };
	enum attr attr = s->several || s->steps > STEPS_MAX ? ATTR_CANDIDATES : ATTR_EXACT;
	struct unit_counter *c = s->c;
	uint64_t core = s->best_core ? s->core : 0;

	for (size_t i = 0; i < s->posts.cnt; i++)
		owners__add(&owners, s->posts.v[i].from->party.proc);
	while (core) {
		struct unit_batch *b = list__entry(c->batches.next, struct unit_batch, link);

		core -= b->cnt;
		give_batch(c, it, b, attr, &owners);
	}
	for (size_t i = 0; i < s->posts.cnt; i++) {
		struct choice *post = &s->posts.v[i];

		if (!set__has(set_at(s, SET_BEST), i))
			continue;
		if (post->batch) {
			give_batch(c, it, post->batch, attr, &owners);
			continue;
		}
		give(it, &post->item->from, post->item->op.bytes, attr, &owners);
		counter__free_item(c, post->item);
	}
}

/*
 * No order explains the value. Less than there should be: somebody took from it unseen. More: the kernel added
 * (asynchronous I/O, KVM), or events were lost.
 */
static void best_fit(struct search *s, struct unit_item *it, struct model_stats *stats)
{
	static const struct unit_owners nobody;
	struct unit_counter *c = s->c;
	uint64_t left = it->op.units.amount;

	while (c->held > left && s->core > left) {
		struct unit_batch *b = list__entry(c->batches.next, struct unit_batch, link);

		s->core -= b->cnt;
		counter__drop_batch(c, b);
		stats->resyncs++;
	}
	list__for_each(&c->batches, cur) {
		struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (b->cnt > left || b->lo_ns >= it->hi_ns)
			continue;
		left -= b->cnt;
		give_batch(c, it, b, ATTR_INFERRED, &nobody);
	}
	if (left)
		receipt__add_unknown(it->receipt, 0, 1);
}

static void begin(struct search *s)
{
	s->posts.cnt = 0;
	s->read_cnt = 0;
	s->long_cnt = 0;
	s->core = 0;
	s->steps = 0;
	s->found = s->several = s->best_core = false;
}

/* All sets empty, once it is known how many posts there are. */
static void make_sets(struct search *s)
{
	s->words = s->posts.cnt / 64 + 1;
	if (s->bits.cap < s->words * SET_CNT)
		s->bits.v = vec__grow(s->bits.v, &s->bits.cap, s->words * SET_CNT, sizeof(*s->bits.v));
	memset(set_at(s, SET_NONE), 0, s->words * sizeof(*s->bits.v));
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

bool counter__take_all(struct unit_counter *c, struct unit_item *it, bool by_force, struct search *s,
		       struct model_stats *stats)
{
	bool few;

	begin(s);
	few = collect(s, c, it);
	make_sets(s);
	if (few)
		next_read(s, set_at(s, SET_NONE), 0);
	if (!s->found && few && s->steps <= STEPS_MAX && !by_force)
		return false;
	if (s->found)
		finish(s, it);
	else
		best_fit(s, it, stats);
	receipt__done(it->receipt);
	it->receipt = NULL;
	return true;
}
