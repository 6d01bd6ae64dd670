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

static struct pairing *units__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	list__init(&p->active);
	list__init(&p->exits);
	p->search = search__new();
	return p;
}

/* ---- objects ---- */

static void free_object(struct unit_object *o)
{
	map__for_each(&o->counters, slot)
		counter__free(slot->val);
	map__free(&o->counters);
	vec__free(&o->woken);
	free(o);
}

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
		counter__settle(p, slot->val, UINT64_MAX);
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
	c = counter__of(o, info->num);
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
	struct unit_counter *c = counter__of(o, op->units.num);

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
	if (item__is_take(it))
		it->receipt = receipt__new(p->m, &it->op, NULL);
	it->counter = c;
	list__init(&it->of_exits);
	if (op->units.at_exit)
		list__append(&p->exits, &it->of_exits);
	counter__enqueue(p, c, it);
}

static void ended(struct pairing *p, const struct op *op)
{
	list__for_each(&p->exits, cur) {
		struct unit_item *it = list__entry(cur, struct unit_item, of_exits);

		if (it->op.tid != op->tid || it->hi_ns <= op->ts_ns)
			continue;
		list__unlink(&it->of_exits);
		counter__move_up(it->counter, it, op->ts_ns);
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
		counter__settle(p, list__entry(cur, struct unit_counter, active), now_ns);
	for (size_t i = p->dying.cnt; i--;)
		if (p->dying.v[i]->gone_ns + UNITS_DELAY_NS < now_ns)
			units__retire(p, p->dying.v[i]);
}

static void units__finish(struct pairing *p, uint64_t now_ns)
{
	while (!list__empty(&p->active))
		counter__settle(p, list__entry(p->active.next, struct unit_counter, active), UINT64_MAX);
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
