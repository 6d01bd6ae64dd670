/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters whose units have owners: semaphores and eventfds. A post appends (owner, n), a wait takes the oldest; an
 * eventfd's read takes all there is, and its value says what that was.
 *
 * Order comes from intervals: an operation took effect between lo_ns and hi_ns, and those that overlap on one
 * counter may have come in any order. Where that matters, the message says so and names the candidates. A sleeper that the
 * kernel served (System V) was done when it was woken, however late it runs: the waker's record says that, and
 * what came later is held back until the sleeper's own record tells what it took.
 */
#include <stdlib.h>

#include "base/log.h"
#include "model/units_impl.h"

#define PENDING_FACTOR 16 /* a tenth of a second of busy threads is many operations */

static struct pairing *units__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	list__init(&p->active);
	list__init(&p->exits);
	p->search = search__new();
	return p;
}

/* ---- counters ---- */

static struct unit_counter *counter_of(struct unit_object *o, uint32_t num)
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

static bool is_take(const struct unit_item *it)
{
	return it->op.units.act == UNITS_TAKE || it->op.units.act == UNITS_TAKE_ALL;
}

/* At one time, a post comes before the wait that it ended. */
static bool before(const struct unit_item *a, const struct unit_item *b)
{
	return a->hi_ns != b->hi_ns ? a->hi_ns < b->hi_ns : !is_take(a) && is_take(b);
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

static void enqueue(struct pairing *p, struct unit_counter *c, struct unit_item *it)
{
	put_in_order(c, it);
	c->work += UNITS_WORK_EACH;
	if (c->work > UNITS_WORK_MAX)
		c->work = UNITS_WORK_MAX;
	if (!c->item_cnt++)
		list__append(&p->active, &c->active);
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

/* Applies what is due. until_ns UINT64_MAX: everything. */
static void settle_counter(struct pairing *p, struct unit_counter *c, uint64_t until_ns)
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

static void free_counter(struct unit_counter *c)
{
	list__for_each(&c->items, cur)
		counter__free_item(c, list__entry(cur, struct unit_item, link));
	counter__clear(c);
	list__unlink(&c->active);
	free(c);
}

static void free_object(struct unit_object *o)
{
	map__for_each(&o->counters, slot)
		free_counter(slot->val);
	map__free(&o->counters);
	vec__free(&o->woken);
	free(o);
}

/* ---- objects ---- */

static void count_left(struct pairing *p, struct unit_object *o)
{
	map__for_each(&o->counters, slot) {
		struct unit_counter *c = slot->val;

		list__for_each(&c->batches, cur)
			model__stats_mut(p->m)->unmatched_sends +=
				list__entry(cur, struct unit_batch, link)->from.party.proc != NULL;
	}
}

void units__retire(struct pairing *p, struct unit_object *o)
{
	size_t kept = 0;

	map__for_each(&o->counters, slot)
		settle_counter(p, slot->val, UINT64_MAX);
	count_left(p, o);
	for (size_t i = 0; i < p->dying.cnt; i++)
		if (p->dying.v[i] != o)
			p->dying.v[kept++] = p->dying.v[i];
	p->dying.cnt = kept;
	map__del(&p->objects, o->key.id, o->key.space);
	free_object(o);
}

/* The object under this key at that time: what is removed lives on a little, for operations that are reported late. */
static struct unit_object *object_of(struct pairing *p, uint8_t mech, struct obj_key key, uint64_t lo_ns)
{
	struct unit_object *o = map__get(&p->objects, key.id, key.space);

	if (o && o->gone_ns && lo_ns > o->gone_ns) {
		units__retire(p, o);
		o = NULL;
	}
	if (o)
		return o;
	o = xalloc(sizeof(*o));
	o->key = key;
	o->mech = mech;
	map__set(&p->objects, key.id, key.space, o);
	return o;
}

static void forget(struct pairing *p, struct obj_key key)
{
	struct unit_object *o = map__get(&p->objects, key.id, key.space);

	if (o)
		units__retire(p, o);
}

static void units__object(struct pairing *p, const struct object_info *info)
{
	struct unit_object *o;
	struct unit_counter *c;

	if (info->fresh)
		forget(p, info->key);
	if (!info->base)
		return;
	o = object_of(p, info->mech, info->key, info->ts_ns);
	o->last_ns = info->ts_ns;
	c = counter_of(o, info->num);
	if (!o->teller)
		o->teller = info->pid;
	if (c->used || o->teller != info->pid)
		return;
	c->used = true;
	if (info->fill_bytes)
		counter__prepend_unknown(c, info->fill_bytes);
}

/* ---- operations ---- */

/* A futex: whoever woke is the sender. Without one that was seen there is no message. */
static void handed(struct pairing *p, const struct op *op)
{
	struct unit_object *o = map__get(&p->objects, op->obj.id, op->obj.space);
	struct sender s = { .sent_ns = op->units.wake_ns };
	struct receipt *r;

	if (!op->units.waker_pid || op->units.in_libc || (o && o->handed_by_libc))
		return;
	r = receipt__new(p->m, op, NULL);
	s.party = model__party(p->m, op->units.waker_pid, op->units.waker_tid);
	receipt__add(r, &s, 0, 1, ATTR_EXACT, NULL, 0);
	receipt__done(r);
}

static void reported(struct unit_object *o, const struct op *op)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->woken.cnt; i++)
		if (o->woken.v[i].tid != op->tid)
			o->woken.v[kept++] = o->woken.v[i];
	o->woken.cnt = kept;
}

static void queue_op(struct pairing *p, struct unit_object *o, const struct op *op)
{
	struct unit_item *it = xalloc(sizeof(*it));
	struct unit_counter *c = counter_of(o, op->units.num);

	c->used = true;
	it->op = *op;
	it->lo_ns = op->units.lo_ns;
	it->hi_ns = op->units.hi_ns;
	it->from = model__sender(p->m, op);
	if (!it->lo_ns &&
	    it->from.party.proc) /* its begin was not seen; not before there was such a process */
		it->lo_ns = it->from.party.proc->start_ns;
	if (op->flags & OP_F_MORE)
		it->op.flags &= ~OP_F_WAITED; /* the call waited once */
	if (is_take(it))
		it->receipt = receipt__new(p->m, &it->op, NULL);
	it->counter = c;
	list__init(&it->of_exits);
	if (op->units.at_exit)
		list__append(&p->exits, &it->of_exits);
	enqueue(p, c, it);
}

static void ended(struct pairing *p, const struct op *op)
{
	list__for_each(&p->exits, cur) {
		struct unit_item *it = list__entry(cur, struct unit_item, of_exits);

		if (it->op.tid != op->tid || it->hi_ns <= op->ts_ns)
			continue;
		list__unlink(&it->of_exits);
		list__unlink(&it->link);
		list__unlink(&it->of_longs);
		it->hi_ns = op->ts_ns;
		put_in_order(it->counter, it);
	}
}

static void units__op(struct pairing *p, const struct op *op)
{
	struct unit_object *o;

	switch (op->units.act) {
	case UNITS_HANDED:
		handed(p, op);
		return;
	case UNITS_ENDED:
		ended(p, op);
		return;
	case UNITS_NEW:
		forget(p, op->obj);
		return;
	}
	o = object_of(p, op->mech, op->obj, op->units.lo_ns);
	o->last_ns = op->ts_ns;
	if (op->units.act == UNITS_WOKE) {
		vec__push(&o->woken, ((struct woken){ .tid = op->units.woken_tid, .wake_ns = op->ts_ns }));
		return;
	}
	if (op->units.act == UNITS_GONE && !o->gone_ns) {
		o->gone_ns = op->ts_ns;
		vec__push(&p->dying, o);
		return;
	}
	if (!(op->flags & OP_F_MORE))
		reported(o, op);
	if (op->units.act != UNITS_NOTHING)
		queue_op(p, o, op);
}

static void units__advance(struct pairing *p, uint64_t now_ns)
{
	p->now_ns = now_ns;
	list__for_each(&p->active, cur)
		settle_counter(p, list__entry(cur, struct unit_counter, active), now_ns);
	for (size_t i = p->dying.cnt; i--;)
		if (p->dying.v[i]->gone_ns + UNITS_DELAY_NS < now_ns)
			units__retire(p, p->dying.v[i]);
}

static void units__finish(struct pairing *p, uint64_t now_ns)
{
	while (!list__empty(&p->active))
		settle_counter(p, list__entry(p->active.next, struct unit_counter, active), UINT64_MAX);
	map__for_each(&p->objects, slot)
		count_left(p, slot->val);
}

static void units__lost(struct pairing *p, uint64_t ts_ns, uint8_t mech)
{
	map__for_each(&p->objects, slot) {
		struct unit_object *o = slot->val;

		if (o->mech != mech)
			continue;
		o->woken.cnt = 0;
		map__for_each(&o->counters, inner) {
			struct unit_counter *c = inner->val;

			c->doubt = true;
			list__for_each(&c->batches, cur)
				list__entry(cur, struct unit_batch, link)->doubt = true;
		}
	}
}

static void units__free(struct pairing *p)
{
	map__for_each(&p->objects, slot)
		free_object(slot->val);
	map__free(&p->objects);
	vec__free(&p->dying);
	search__free(p->search);
	free(p);
}

const struct pair_ops pair_units = {
	.name = "units",
	.new = units__new,
	.free = units__free,
	.op = units__op,
	.object = units__object,
	.lost = units__lost,
	.advance = units__advance,
	.finish = units__finish,
	.keep = units__keep,
};
