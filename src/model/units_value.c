/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading an eventfd takes whatever there is, and tells how much that was. So the value says which posts it was: those
 * that were done before the read began, and of those that overlapped with it the ones that add up. A search goes through
 * all orders that the intervals and the values allow; if all give this reader the same, the answer is exact.
 */
#include <string.h>

#include "model/units_impl.h"

#define POSTS_MAX 48 /* that may or may not be in it */
#define READS_MAX 4 /* that overlap, this one included */
#define STEPS_MAX 20000

struct choice { /* a post that one of the reads took, but which? */
	const struct sender *from;
	uint64_t lo_ns, hi_ns, cnt;
	struct unit_batch *batch; /* or */
	struct unit_item *item;
};

struct search {
	struct unit_counter *c;
	struct unit_item *reads[READS_MAX]; /* the first is the one that is asked about */
	size_t read_cnt;
	struct choice posts[POSTS_MAX];
	size_t post_cnt;
	uint64_t core; /* units that were there before any of the reads began: the first read has them */
	unsigned int steps;
	bool found, several; /* solutions that give the reader different things */
	bool best_core;
	uint64_t best; /* posts of the first solution */
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdull;
	return x ^ x >> 29;
}

/* What the reader gets of whom, as a number. */
static uint64_t signature(const struct search *s, uint64_t set, bool core)
{
	uint64_t sum = core ? 1 : 0;

	for (size_t i = 0; i < s->post_cnt; i++)
		if (set >> i & 1)
			sum += mix((uintptr_t)s->posts[i].from->party.proc);
	return sum;
}

static void solution(struct search *s, uint64_t set, bool core)
{
	if (!s->found) {
		s->found = true;
		s->best = set;
		s->best_core = core;
		return;
	}
	s->several |= signature(s, set, core && s->core) != signature(s, s->best, s->best_core && s->core);
}

static void next_read(struct search *s, uint64_t used, unsigned int done);

/* Posts i and later: which of them does read r take? Those before are in `set` or out of it. */
static void choose(struct search *s, unsigned int r, size_t i, uint64_t used, uint64_t set, uint64_t sum,
		   unsigned int done)
{
	const struct unit_item *read = s->reads[r];
	const struct choice *post = &s->posts[i];

	if (sum > read->op.units.amount || ++s->steps > STEPS_MAX || s->several)
		return;
	if (i == s->post_cnt) {
		if (sum != read->op.units.amount)
			return;
		if (r == 0)
			solution(s, set, !done);
		else
			next_read(s, used | set, done | 1u << r);
		return;
	}
	if (used >> i & 1 || post->lo_ns >= read->hi_ns) {
		choose(s, r, i + 1, used, set, sum, done);
		return;
	}
	/* In, unless one that was over before it began is out. */
	for (size_t k = 0; k < i; k++)
		if (!((used | set) >> k & 1) && s->posts[k].hi_ns <= post->lo_ns) {
			choose(s, r, i + 1, used, set, sum, done);
			return;
		}
	choose(s, r, i + 1, used, set | 1ull << i, sum + post->cnt, done);
	if (post->hi_ns > read->lo_ns) /* else it was there */
		choose(s, r, i + 1, used, set, sum, done);
}

/* Any of the reads that are left may be the next; nothing matters behind the one that is asked about. */
static void next_read(struct search *s, uint64_t used, unsigned int done)
{
	for (unsigned int r = 0; r < s->read_cnt; r++)
		if (!(done >> r & 1))
			choose(s, r, 0, used, 0, done ? 0 : s->core, done);
}

static bool add_post(struct search *s, struct choice post)
{
	if (s->post_cnt == POSTS_MAX)
		return false;
	s->posts[s->post_cnt++] = post;
	return true;
}

/* False: too many to search. */
static bool collect(struct search *s, struct unit_counter *c, struct unit_item *it)
{
	uint64_t lo_ns = it->lo_ns, hi_ns = it->hi_ns;
	bool ok = true;

	s->c = c;
	s->reads[s->read_cnt++] = it;
	list__for_each(&c->items, cur)
	{
		struct unit_item *other = list__entry(cur, struct unit_item, link);

		if (other == it || other->op.units.act != UNITS_TAKE_ALL || other->lo_ns >= it->hi_ns)
			continue;
		if (s->read_cnt == READS_MAX)
			return false;
		s->reads[s->read_cnt++] = other;
		lo_ns = other->lo_ns < lo_ns ? other->lo_ns : lo_ns;
		hi_ns = other->hi_ns > hi_ns ? other->hi_ns : hi_ns;
	}
	list__for_each(&c->batches, cur)
	{
		struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (b->hi_ns <= lo_ns)
			s->core += b->cnt;
		else
			ok &= add_post(s, (struct choice){ &b->from, b->lo_ns, b->hi_ns, b->cnt, b, NULL });
	}
	list__for_each(&c->items, cur)
	{
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

	for (size_t i = 0; i < s->post_cnt; i++)
		owners__add(&owners, s->posts[i].from->party.proc);
	while (core) {
		struct unit_batch *b = list__entry(c->batches.next, struct unit_batch, link);

		core -= b->cnt;
		give_batch(c, it, b, attr, &owners);
	}
	for (size_t i = 0; i < s->post_cnt; i++) {
		struct choice *post = &s->posts[i];

		if (!(s->best >> i & 1))
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
	list__for_each(&c->batches, cur)
	{
		struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (b->cnt > left || b->lo_ns >= it->hi_ns)
			continue;
		left -= b->cnt;
		give_batch(c, it, b, ATTR_INFERRED, &nobody);
	}
	if (left)
		receipt__add_unknown(it->receipt, 0, 1);
}

bool counter__take_all(struct unit_counter *c, struct unit_item *it, bool by_force, struct model_stats *stats)
{
	struct search s = { .read_cnt = 0 };
	bool few = collect(&s, c, it);

	if (few)
		next_read(&s, 0, 0);
	if (!s.found && few && s.steps <= STEPS_MAX && !by_force)
		return false;
	if (s.found)
		finish(&s, it);
	else
		best_fit(&s, it, stats);
	receipt__done(it->receipt);
	it->receipt = NULL;
	return true;
}
