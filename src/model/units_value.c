/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading an eventfd takes whatever there is, and tells how much that was. So the value says which posts it was: those
 * that were done before the read began, and of those that overlapped with it the ones that add up. Reads that overlap
 * with each other are looked at together: a search goes through all orders that intervals and values allow. A read that gets the
 * same of everybody in all of them is exact.
 */
#include "model/units_search.h"

#define FIT_MAX 4096 /* things looked at without a search, once there is no work left */

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

static void give_core(struct search *s, struct unit_item *it, enum attr attr,
		      const struct unit_owners *owners)
{
	uint64_t left = s->core;

	while (left) {
		struct unit_batch *b = list__entry(s->c->batches.next, struct unit_batch, link);

		left -= b->cnt;
		give_batch(s->c, it, b, attr, owners);
	}
}

static void finish_read(struct search *s, unsigned int r, enum attr attr, const struct unit_owners *owners)
{
	struct unit_item *it = s->reads[r].item;

	if (r == s->best_first)
		give_core(s, it, attr, owners);
	for (size_t i = 0; i < s->posts.cnt; i++) {
		struct choice *post = &s->posts.v[i];

		if (!search__took(s, r, i))
			continue;
		if (post->batch) {
			give_batch(s->c, it, post->batch, attr, owners);
			continue;
		}
		give(it, &post->item->from, post->item->op.bytes, attr, owners);
		counter__free_item(s->c, post->item);
	}
	receipt__done(it->receipt);
	counter__free_item(s->c, it);
}

/*
 * Whose units may be in play: of these posts, and of those that an earlier guess may have left behind. Where not all were
 * looked at, anybody's.
 */
static void add_owners(const struct search *s, struct unit_owners *owners)
{
	if (s->c->guessed)
		owners__add_all(owners, &s->c->choices);
	if (!s->collected) {
		owners__add_all(owners, &s->c->ever);
		owners->unknown = true;
		return;
	}
	for (size_t i = 0; i < s->posts.cnt; i++)
		owners__add(owners, s->posts.v[i].from->party.proc);
	list__for_each(&s->c->batches, cur)
		owners__add(owners, list__entry(cur, struct unit_batch, link)->from.party.proc);
}

/*
 * No guess matters any more when nothing is left and the values add up, as then nothing is left in truth, too; or
 * when it was alone with its read, which leaves nothing.
 */
static void settle_guess(const struct search *s, uint64_t hi_ns)
{
	struct unit_counter *c = s->c;
	struct unit_scan scan;

	if (c->held || !s->collected)
		return;
	scan = scan__begin(c, hi_ns);
	if (scan__next(&scan))
		return;
	if (c->balance && (s->read_cnt != 1 || s->posts.cnt))
		return;
	c->guessed = false;
	c->balance = 0;
}

static void finish(struct search *s, uint64_t hi_ns)
{
	struct unit_counter *c = s->c;
	struct unit_owners owners = { .cnt = 0 };
	bool aborted = !s->c->work;

	add_owners(s, &owners);
	for (unsigned int r = 0; r < s->read_cnt; r++) {
		bool open = s->reads[r].several || c->guessed || aborted;

		finish_read(s, r, open && !owners__are_one(&owners) ? ATTR_CANDIDATES : ATTR_EXACT, &owners);
	}
	if (s->several_ends || aborted || c->guessed) {
		c->guessed = true;
		c->choices = owners;
	}
	settle_guess(s, hi_ns);
}

static void add_pending_owners(const struct unit_counter *c, uint64_t before_ns, size_t max,
			       struct unit_owners *owners)
{
	struct unit_scan scan = scan__begin(c, before_ns);
	const struct unit_item *post;

	scan.left = max;
	while ((post = scan__next(&scan))) {
		if (post->op.units.act == UNITS_POST)
			owners__add(owners, post->from.party.proc);
	}
}

/*
 * No order explains the value, or there are too many to try. Less than there should be: somebody took from it unseen.
 * More: the kernel added (asynchronous I/O, KVM), or events were lost.
 */
static void best_fit(struct search *s, struct unit_item *it, uint64_t hi_ns, struct model_stats *stats)
{
	struct unit_owners owners = { .cnt = 0 };
	struct unit_counter *c = s->c;
	uint64_t left = it->op.units.amount;
	size_t max = s->collected ? SIZE_MAX : FIT_MAX, looked_at = 0;
	struct unit_scan scan;
	struct unit_item *post;
	enum attr attr;

	add_owners(s, &owners);
	add_pending_owners(c, s->collected ? hi_ns : it->hi_ns, max, &owners);
	attr = owners__are_one(&owners) ? ATTR_INFERRED : ATTR_CANDIDATES;
	c->guessed = true;
	c->choices = owners;

	while (c->held > left) {
		struct unit_batch *b = list__entry(c->batches.next, struct unit_batch, link);

		if (b->hi_ns > it->lo_ns)
			break;
		c->balance += (int64_t)b->cnt;
		counter__drop_batch(c, b);
		stats->resyncs++;
	}
	list__for_each(&c->batches, cur) {
		struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (looked_at++ == max || !left)
			break;
		if (b->cnt > left || b->lo_ns >= it->hi_ns)
			continue;
		left -= b->cnt;
		give_batch(c, it, b, attr, &owners);
	}
	scan = scan__begin(c, it->hi_ns);
	scan.left = max;
	while ((post = scan__next(&scan))) {
		if (post->op.units.act != UNITS_POST || post->op.units.amount > left)
			continue;
		left -= post->op.units.amount;
		give(it, &post->from, post->op.bytes, attr, &owners);
		counter__free_item(c, post);
	}
	c->balance -= (int64_t)left;
	if (left)
		receipt__add_unknown(it->receipt, 0, 1);
	receipt__done(it->receipt);
	counter__free_item(c, it);
	settle_guess(s, hi_ns);
}

bool counter__take_all(struct unit_counter *c, struct unit_item *it, bool by_force, uint64_t due_ns,
		       struct search *s, struct model_stats *stats)
{
	uint64_t hi_ns;
	bool few;

	if (due_ns < c->search_ns && !by_force)
		return false;
	few = search__collect(s, c, it, &hi_ns);
	c->search_ns = hi_ns;
	if (s->collected && hi_ns > due_ns && !by_force)
		return false; /* reads that overlap wait for each other */
	c->search_ns = 0;
	if (few)
		search__run(s);
	if (s->found)
		finish(s, hi_ns);
	else if (by_force || !few || !c->work)
		best_fit(s, it, hi_ns, stats);
	else
		c->search_ns = UINT64_MAX;
	return !c->search_ns;
}
