/* SPDX-License-Identifier: GPL-2.0 */
/* One counter: its operations in the order in which they were done, and what each of them does to it when it is due. */
#include <stdlib.h>

#include "base/log.h"
#include "model/units_impl.h"

#define PENDING_FACTOR 16 /* a tenth of a second of busy threads is many operations */

struct unit_counter *counter__of(struct unit_object *o, uint32_t num)
{
	struct unit_counter *c = map__get(&o->counters, num, 0);

	if (c)
		return c;
	c = xalloc(sizeof(*c));
	c->object = o;
	list__init(&c->active);
	list__init(&c->items);
	list__init(&c->longs);
	list__init(&c->batches);
	list__init(&c->spent);
	c->work = UNITS_WORK_MAX;
	map__set(&o->counters, num, 0, c);
	return c;
}

void counter__free_item(struct unit_counter *c, struct unit_item *it)
{
	list__unlink(&it->link);
	list__unlink(&it->of_longs);
	list__unlink(&it->of_exits);
	c->item_cnt--;
	free(it);
}

/* At one time, a post comes before the wait that it ended. */
static bool before(const struct unit_item *a, const struct unit_item *b)
{
	return a->hi_ns != b->hi_ns ? a->hi_ns < b->hi_ns : !item__is_take(a) && item__is_take(b);
}

static void put_in_order(struct unit_counter *c, struct unit_item *it)
{
	struct link *at = c->items.prev;

	c->search_ns = 0;
	while (at != &c->items && before(it, list__entry(at, struct unit_item, link)))
		at = at->prev;
	list__insert(at->next, &it->link);
	list__init(&it->of_longs);
	if (it->hi_ns <= it->lo_ns + UNITS_SHORT_NS)
		return;
	at = c->longs.prev;
	while (at != &c->longs && list__entry(at, struct unit_item, of_longs)->hi_ns > it->hi_ns)
		at = at->prev;
	list__insert(at->next, &it->of_longs);
}

void counter__enqueue(struct pairing *p, struct unit_counter *c, struct unit_item *it)
{
	put_in_order(c, it);
	c->work += UNITS_WORK_EACH;
	if (c->work > UNITS_WORK_MAX)
		c->work = UNITS_WORK_MAX;
	if (!c->item_cnt++)
		list__append(&p->active, &c->active);
}

void counter__move_up(struct unit_counter *c, struct unit_item *it, uint64_t hi_ns)
{
	list__unlink(&it->link);
	list__unlink(&it->of_longs);
	it->hi_ns = hi_ns;
	put_in_order(c, it);
}

struct unit_scan scan__begin(const struct unit_counter *c, uint64_t before_ns)
{
	return (struct unit_scan){ .c = c, .next = c->items.next, .before_ns = before_ns, .left = SIZE_MAX };
}

struct unit_item *scan__next(struct unit_scan *s)
{
	while (!s->in_longs && s->left && s->next != &s->c->items) {
		struct unit_item *it = list__entry(s->next, struct unit_item, link);

		s->left--;
		if (it->hi_ns >= s->before_ns + UNITS_SHORT_NS)
			break;
		s->next = s->next->next;
		if (it->lo_ns < s->before_ns)
			return it;
	}
	if (!s->in_longs)
		s->next = s->c->longs.next;
	s->in_longs = true;
	while (s->left && s->next != &s->c->longs) {
		struct unit_item *it = list__entry(s->next, struct unit_item, of_longs);

		s->left--;
		s->next = s->next->next;
		if (it->lo_ns < s->before_ns && it->hi_ns >= s->before_ns + UNITS_SHORT_NS)
			return it;
	}
	return NULL;
}

/* ---- what operations do ---- */

/* ---- application ---- */

/* The next post that may have come before `it`, although it was reported as done later. */
static struct unit_item *post_for(struct unit_counter *c, const struct unit_item *it)
{
	struct unit_scan scan = scan__begin(c, it->hi_ns);
	struct unit_item *post;

	while ((post = scan__next(&scan)))
		if (post->op.units.act == UNITS_POST)
			return post;
	return NULL;
}

static bool apply_take(struct unit_counter *c, struct unit_item *it, bool by_force)
{
	struct unit_item *post;

	while (c->held < it->op.units.amount && (post = post_for(c, it))) {
		counter__append(c, post, post->op.units.amount);
		counter__free_item(c, post);
	}
	if (c->held < it->op.units.amount && !by_force && !c->doubt)
		return false;
	counter__take(c, it);
	return true;
}

/* After a loss: an operation that was alone tells what the counter really held. */
static void resync(struct pairing *p, struct unit_counter *c, const struct unit_item *it)
{
	uint64_t value = it->op.units.value;
	const struct unit_item *next = list__entry(it->link.next, struct unit_item, link);

	if (!c->doubt || value == UINT64_MAX || (it->link.next != &c->items && next->lo_ns < it->op.ts_ns))
		return;
	c->doubt = false;
	if (c->held == value)
		return;
	model__stats_mut(p->m)->resyncs++;
	if (c->held < value)
		counter__prepend_unknown(c, value - c->held);
	while (c->held > value) {
		struct unit_batch *oldest = list__entry(c->batches.next, struct unit_batch, link);
		uint64_t cnt = oldest->cnt < c->held - value ? oldest->cnt : c->held - value;

		c->taken += cnt;
		counter__use(c, oldest, cnt);
	}
}

/* Whatever overlapped with it may have come before or after. */
static void set(struct unit_counter *c, const struct unit_item *it)
{
	bool alone = c->past_cnt == 0 || c->past[(c->past_cnt - 1) % UNITS_PAST_MAX].hi_ns <= it->lo_ns;
	struct unit_scan scan = scan__begin(c, it->hi_ns);
	const struct unit_item *other;

	while ((other = scan__next(&scan)))
		alone &= other == it;
	list__for_each(&c->batches, cur)
		alone &= list__entry(cur, struct unit_batch, link)->hi_ns <= it->lo_ns;
	counter__clear(c);
	counter__append(c, it, it->op.units.amount);
	if (!alone && !list__empty(&c->batches))
		list__entry(c->batches.next, struct unit_batch, link)->doubt = true;
	c->doubt = false;
}

/* False: it must wait for a post that has not been reported. */
static bool apply(struct pairing *p, struct unit_counter *c, struct unit_item *it, bool by_force,
		  uint64_t due_ns)
{
	switch (it->op.units.act) {
	case UNITS_TAKE:
		if (!apply_take(c, it, by_force))
			return false;
		break;
	case UNITS_TAKE_ALL:
		if (!counter__take_all(c, it, by_force || c->doubt, due_ns, p->search,
				       model__stats_mut(p->m)))
			return false;
		c->doubt = false; /* it left nothing */
		return true;
	case UNITS_POST:
		counter__append(c, it, it->op.units.amount);
		break;
	case UNITS_SET:
		set(c, it);
		break;
	case UNITS_WITHDRAW:
		counter__withdraw(c, it);
		break;
	}
	resync(p, c, it);
	counter__free_item(c, it);
	return true;
}

static uint64_t barrier(struct unit_object *o, uint64_t until_ns, uint64_t settle_ns)
{
	uint64_t min_ns = UINT64_MAX;
	size_t kept = 0;

	for (size_t i = 0; i < o->woken.cnt; i++) {
		struct woken w = o->woken.v[i];

		if (until_ns - settle_ns > w.wake_ns && until_ns > settle_ns)
			continue; /* never reported: killed, or lost */
		o->woken.v[kept++] = w;
		if (w.wake_ns < min_ns)
			min_ns = w.wake_ns;
	}
	o->woken.cnt = kept;
	return min_ns;
}

void counter__settle(struct pairing *p, struct unit_counter *c, uint64_t until_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;
	uint64_t barrier_ns = barrier(c->object, until_ns, settle_ns);
	size_t max = model__opts(p->m)->pending_max * PENDING_FACTOR;

	while (!list__empty(&c->items)) {
		struct unit_item *it = list__entry(c->items.next, struct unit_item, link);
		bool full = c->item_cnt > max || until_ns == UINT64_MAX;

		if (!full && (it->hi_ns + UNITS_DELAY_NS > until_ns || it->hi_ns > barrier_ns))
			break;
		if (!apply(p, c, it, full || it->hi_ns + settle_ns < until_ns,
			   full ? UINT64_MAX : until_ns - UNITS_DELAY_NS))
			break;
	}
	if (list__empty(&c->items))
		list__unlink(&c->active);
}

void counter__free(struct unit_counter *c)
{
	list__for_each(&c->items, cur)
		counter__free_item(c, list__entry(cur, struct unit_item, link));
	counter__clear(c);
	list__unlink(&c->active);
	free(c);
}
