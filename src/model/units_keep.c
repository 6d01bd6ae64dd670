/* SPDX-License-Identifier: GPL-2.0 */
/* How much is kept of counters, and what must stay for them. */
#include <stdlib.h>

#include "model/keep.h"
#include "model/units_impl.h"

/*
 * Not all say when they are gone. With OBJECTS_MAX of them those that hold nothing are forgotten after IDLE_NS without use; with twice
 * as many also others, after ABANDONED_NS; with four times as many after ABANDONED_SHORT_NS.
 */
#define OBJECTS_MAX 1024
#define SECOND_NS (1000ull * 1000 * 1000)
#define IDLE_NS (10 * SECOND_NS)
#define ABANDONED_NS (60 * SECOND_NS)
#define ABANDONED_SHORT_NS (10 * SECOND_NS)

static bool holds_something(const struct unit_object *o)
{
	map__for_each(&o->counters, slot) {
		const struct unit_counter *c = slot->val;

		if (c->held || c->item_cnt || c->balance)
			return true;
	}
	return o->woken.cnt || o->gone_ns;
}

static void drop_idle(struct pairing *p, uint64_t idle_ns, bool even_holding)
{
	VEC(struct unit_object *) idle = { 0 };

	map__for_each(&p->objects, slot) {
		struct unit_object *o = slot->val;

		if (o->last_ns + idle_ns < p->now_ns && !o->gone_ns && (even_holding || !holds_something(o)))
			vec__push(&idle, o);
	}
	for (size_t i = 0; i < idle.cnt; i++)
		units__retire(p, idle.v[i]);
	vec__free(&idle);
}

static void keep_owners(const struct unit_owners *o)
{
	keep__procs(o->v, o->cnt);
}

static void keep_counter(const struct unit_counter *c)
{
	list__for_each(&c->items, cur)
		keep__sender(&list__entry(cur, struct unit_item, link)->from);
	list__for_each(&c->batches, cur)
		keep__sender(&list__entry(cur, struct unit_batch, link)->from);
	list__for_each(&c->spent, cur)
		keep__sender(&list__entry(cur, struct unit_batch, link)->from);
	keep_owners(&c->ever);
	keep_owners(&c->choices);
}

void units__keep(struct pairing *p)
{
	if (p->objects.cnt > OBJECTS_MAX)
		drop_idle(p, IDLE_NS, false);
	if (p->objects.cnt > OBJECTS_MAX * 2)
		drop_idle(p, ABANDONED_NS, true);
	if (p->objects.cnt > OBJECTS_MAX * 4)
		drop_idle(p, ABANDONED_SHORT_NS, true);
	map__for_each(&p->objects, slot) {
		const struct unit_object *o = slot->val;

		keep__object(p->m, o->key);
		map__for_each(&o->counters, inner)
			keep_counter(inner->val);
	}
}
