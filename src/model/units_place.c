/* SPDX-License-Identifier: GPL-2.0 */
/* Places in the order of posting: which a batch may have, and who may own a range of them. */
#include <stdlib.h>

#include "base/log.h"
#include "model/units_impl.h"

#define SPENT_MAX 64
#define STRAGGLERS 8 /* batches lie in order of hi_ns, but for a few that a take wanted early */

static struct unit_batch *new_batch(struct unit_counter *c, uint64_t cnt)
{
	struct unit_batch *b = xalloc(sizeof(*b));

	b->cnt = b->size = cnt;
	c->held += cnt;
	return b;
}

static void drop_spent(struct unit_counter *c)
{
	struct unit_batch *oldest = list__entry(c->spent.next, struct unit_batch, link);

	list__unlink(&oldest->link);
	c->spent_cnt--;
	free(oldest);
}

void counter__drop_batch(struct unit_counter *c, struct unit_batch *b)
{
	c->held -= b->cnt;
	list__unlink(&b->link);
	free(b);
}

void counter__clear(struct unit_counter *c)
{
	list__for_each(&c->batches, cur)
		counter__drop_batch(c, list__entry(cur, struct unit_batch, link));
	while (c->spent_cnt)
		drop_spent(c);
	c->taken = c->posted;
	c->past_cnt = 0;
	c->near = 0;
	c->ever = (struct unit_owners){ .cnt = 0 };
}

/*
 * Walks back from the newest batch over those that were not over when a post of [lo, hi) units began. Returns the units
 * of those; more: they may come behind that many units.
 */
static uint64_t overlapped(struct unit_counter *c, const struct unit_item *post, uint64_t more, bool *all)
{
	struct link *const lists[] = { &c->batches, &c->spent };
	size_t stragglers = 0, near = 0;
	uint64_t sum = 0;

	*all = true;
	for (size_t l = 0; l < 2; l++)
		for (struct link *cur = lists[l]->prev; cur != lists[l]; cur = cur->prev) {
			struct unit_batch *b = list__entry(cur, struct unit_batch, link);

			if (b->hi_ns <= post->lo_ns) {
				if (++stragglers > STRAGGLERS + c->near)
					return sum;
				continue;
			}
			sum += b->size;
			near++;
			if (more && b->lo_ns < post->hi_ns)
				b->end += more;
			if (more && near > c->near)
				c->near = near;
		}
	*all = c->spent_cnt < SPENT_MAX;
	return sum;
}

/* The first place that a post can have which has none yet. */
static uint64_t first_place(struct unit_counter *c, const struct unit_item *post, uint64_t more)
{
	bool all;
	uint64_t sum = overlapped(c, post, more, &all);

	return all && sum <= c->posted ? c->posted - sum : 0;
}

void counter__append(struct unit_counter *c, const struct unit_item *post, uint64_t cnt)
{
	struct unit_batch *b;
	uint64_t first;

	if (!cnt)
		return;
	owners__add(&c->ever, post->from.party.proc);
	first = first_place(c, post, cnt);
	b = new_batch(c, cnt);
	b->from = post->from;
	b->lo_ns = post->lo_ns;
	b->hi_ns = post->hi_ns;
	b->bytes = post->op.bytes;
	b->first = first;
	if (post->hi_ns > c->newest_hi_ns)
		c->newest_hi_ns = post->hi_ns;
	c->posted += cnt;
	b->end = c->posted;
	list__append(&c->batches, &b->link);
}

void counter__prepend_unknown(struct unit_counter *c, uint64_t cnt)
{
	struct unit_batch *b;

	list__for_each(&c->batches, cur) {
		struct unit_batch *other = list__entry(cur, struct unit_batch, link);

		other->first += cnt;
		other->end += cnt;
	}
	c->ever.unknown = true;
	b = new_batch(c, cnt);
	b->first = c->taken;
	b->end = c->taken + cnt;
	c->posted += cnt;
	list__insert(c->batches.next, &b->link);
}

void counter__use(struct unit_counter *c, struct unit_batch *b, uint64_t cnt)
{
	b->cnt -= cnt;
	c->held -= cnt;
	if (b->cnt)
		return;
	list__unlink(&b->link);
	list__append(&c->spent, &b->link);
	if (++c->spent_cnt > SPENT_MAX)
		drop_spent(c);
}

void counter__unpost(struct unit_counter *c, struct unit_batch *b, uint64_t cnt)
{
	for (struct link *cur = b->link.next; cur != &c->batches; cur = cur->next) {
		struct unit_batch *other = list__entry(cur, struct unit_batch, link);

		other->first -= other->first < cnt ? other->first : cnt;
		other->end -= cnt;
	}
	c->posted -= cnt;
	b->size -= cnt;
	b->end -= cnt;
	b->cnt -= cnt;
	c->held -= cnt;
	if (!b->cnt)
		counter__drop_batch(c, b);
}

#define PENDING_MAX 128

struct look { /* who may own places [from, until) */
	const struct unit_counter *c;
	const struct unit_item *take;
	uint64_t from, until;
	struct unit_owners *owners;
	bool certain;
	const struct unit_item *pending[PENDING_MAX]; /* posts that have no place yet */
	size_t pending_cnt;
};

static void look_at(struct look *look, const struct unit_batch *b)
{
	uint64_t end = b->end;

	for (size_t i = 0; i < look->pending_cnt; i++)
		if (look->pending[i]->lo_ns < b->hi_ns)
			end += look->pending[i]->op.units.amount;
	if (b->first >= look->until || end <= look->from)
		return;
	owners__add(look->owners, b->from.party.proc);
	if (end - b->first != b->size && (b->first < look->from || end > look->until))
		look->certain = false; /* more or less of it may be in there */
}

/* All that began before some batch was over. Of more than are looked at, anybody may be the owner. */
static void find_pending(struct look *look)
{
	uint64_t before_ns =
		look->take->hi_ns > look->c->newest_hi_ns ? look->take->hi_ns : look->c->newest_hi_ns;
	struct unit_scan scan = scan__begin(look->c, before_ns);
	const struct unit_item *post;

	while ((post = scan__next(&scan))) {
		if (post->op.units.act != UNITS_POST)
			continue;
		if (look->pending_cnt < PENDING_MAX) {
			look->pending[look->pending_cnt++] = post;
			continue;
		}
		owners__add(look->owners, post->from.party.proc);
		owners__add_all(look->owners, &look->c->ever);
		look->certain = false;
	}
}

static void look_at_pending(struct look *look)
{
	for (size_t i = 0; i < look->pending_cnt; i++) {
		const struct unit_item *post = look->pending[i];

		if (post->lo_ns >= look->take->hi_ns ||
		    first_place((struct unit_counter *)look->c, post, 0) >= look->until)
			continue;
		owners__add(look->owners, post->from.party.proc);
		look->certain = false;
	}
}

bool counter__find_owners(const struct unit_counter *c, const struct unit_item *take, uint64_t from,
			  uint64_t until, struct unit_owners *owners)
{
	struct look look = {
		.c = c, .take = take, .from = from, .until = until, .owners = owners, .certain = true
	};
	uint64_t place = c->taken;
	size_t beyond = 0;

	find_pending(&look);
	list__for_each(&c->spent, cur)
		look_at(&look, list__entry(cur, struct unit_batch, link));
	list__for_each(&c->batches, cur) {
		const struct unit_batch *b = list__entry(cur, struct unit_batch, link);

		if (place >= until && ++beyond > c->near + STRAGGLERS)
			break;
		place += b->cnt;
		look_at(&look, b);
	}
	look_at_pending(&look);
	if (c->spent_cnt == SPENT_MAX && list__entry(c->spent.next, struct unit_batch, link)->first > from) {
		look.certain = false; /* who was before that is forgotten */
		owners__add_all(owners, &c->ever);
	}
	return look.certain;
}
