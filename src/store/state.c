/* SPDX-License-Identifier: GPL-2.0 */
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "event/check.h"

#define KIND_ENTRIES_MAX 65536 /* of each class below */
#define DEAD_MAX 4096 /* processes that ended: a living one may descend from them */

enum class { FRAMES, TASKS, OBJECTS, STACKS, CLASS_CNT }; /* in the order in which they are given */

struct entry {
	struct entry *older, *newer;
	uint64_t lo, hi; /* its key */
	bool dead, needed; /* TASKS */
	struct ipct_hdr *ev; /* behind the struct */
};

struct shelf {
	struct map by_key;
	struct entry *oldest, *newest;
};

struct state {
	struct shelf shelves[CLASS_CNT];
	size_t dead_cnt;
	_Alignas(8) char scratch[EVENT_SCRATCH_BYTES];
};

struct state *state__new(void)
{
	return xalloc(sizeof(struct state));
}

/* ---- shelves ---- */

static void unlink_entry(struct shelf *sh, struct entry *e)
{
	*(e->older ? &e->older->newer : &sh->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &sh->newest) = e->older;
}

static void append(struct shelf *sh, struct entry *e)
{
	e->older = sh->newest;
	e->newer = NULL;
	*(e->older ? &e->older->newer : &sh->oldest) = e;
	sh->newest = e;
}

static void forget(struct state *s, enum class c, struct entry *e)
{
	struct shelf *sh = &s->shelves[c];

	unlink_entry(sh, e);
	map__del(&sh->by_key, e->lo, e->hi);
	s->dead_cnt -= e->dead;
	free(e);
}

static struct entry *make(const struct ipct_hdr *ev, size_t bytes)
{
	struct entry *e = xalloc(sizeof(*e) + bytes);

	e->ev = memcpy(e + 1, ev, ev->size < bytes ? ev->size : bytes);
	return e;
}

/* Takes e in the place of what has this key. Where that is known already it keeps its place in the order. */
static void put(struct state *s, enum class c, uint64_t lo, uint64_t hi, struct entry *e)
{
	struct shelf *sh = &s->shelves[c];
	struct entry *old = map__get(&sh->by_key, lo, hi);

	e->lo = lo;
	e->hi = hi;
	map__set(&sh->by_key, lo, hi, e);
	append(sh, e);
	if (old) {
		unlink_entry(sh, old);
		s->dead_cnt -= old->dead;
		free(old);
	} else if (sh->by_key.cnt > KIND_ENTRIES_MAX) {
		forget(s, c, sh->oldest);
	}
}

static struct entry *task_entry(const struct state *s, uint32_t tid)
{
	return map__get(&s->shelves[TASKS].by_key, tid, 0);
}

/* ---- tasks: each is kept as it began, with what it became ---- */

static const char *strings(const struct ipct_task *t)
{
	return (const char *)(t + 1);
}

/* The task `as`, with the executable and arguments of `of`. */
static struct entry *make_task(const struct ipct_task *as, const struct ipct_task *of)
{
	size_t len = of ? (size_t)of->exe_len + of->args_len : 0;
	struct entry *e = xalloc(sizeof(*e) + sizeof(*as) + len);
	struct ipct_task *t = memcpy(e + 1, as, sizeof(*as));

	e->ev = &t->h;
	t->exe_len = of ? of->exe_len : 0;
	t->args_len = of ? of->args_len : 0;
	t->h.size = (uint16_t)(sizeof(*t) + len);
	if (len)
		memcpy(t + 1, strings(of), len);
	return e;
}

static void begin_task(struct state *s, const struct ipct_task *ev)
{
	const struct entry *parent = ev->what == IPCT_TASK_FORK ? task_entry(s, ev->ppid) : NULL;
	const struct ipct_task *of = ev->exe_len || !parent ? ev : (const struct ipct_task *)parent->ev;

	put(s, TASKS, ev->h.tid, 0, make_task(ev, ev->h.tid == ev->h.pid ? of : NULL));
}

static void exec_task(struct state *s, const struct ipct_task *ev)
{
	struct entry *was = task_entry(s, ev->h.tid), *e;
	struct ipct_task as = *ev;

	if (ev->old_tid && ev->old_tid != ev->h.tid && task_entry(s, ev->old_tid))
		forget(s, TASKS, task_entry(s, ev->old_tid));
	as.what = IPCT_TASK_SCAN;
	if (was) { /* whose child it is, and whether it was forked in the trace, stays */
		as.what = ((const struct ipct_task *)was->ev)->what;
		as.ppid = ((const struct ipct_task *)was->ev)->ppid;
		as.ptid = ((const struct ipct_task *)was->ev)->ptid;
	}
	e = make_task(&as, ev);
	if (was) { /* in its place, before its children */
		memcpy(&e->lo, &was->lo, sizeof(e->lo) + sizeof(e->hi));
		e->older = was;
		e->newer = was->newer;
		*(was->newer ? &was->newer->older : &s->shelves[TASKS].newest) = e;
		was->newer = e;
		map__set(&s->shelves[TASKS].by_key, e->lo, e->hi, e);
		unlink_entry(&s->shelves[TASKS], was);
		s->dead_cnt -= was->dead;
		free(was);
		return;
	}
	put(s, TASKS, ev->h.tid, 0, e);
}

static void forget_oldest_dead(struct state *s)
{
	for (struct entry *e = s->shelves[TASKS].oldest; e; e = e->newer) {
		if (e->dead) {
			forget(s, TASKS, e);
			return;
		}
	}
}

static void end_task(struct state *s, const struct ipct_task *ev)
{
	struct entry *thread = task_entry(s, ev->h.tid), *leader;

	if (thread && ev->h.tid != ev->h.pid)
		forget(s, TASKS, thread);
	leader = task_entry(s, ev->h.pid);
	if (!ev->group_dead || !leader || leader->dead)
		return;
	leader->dead = true;
	((struct ipct_task *)leader->ev)->exit_code = ev->exit_code;
	if (++s->dead_cnt > DEAD_MAX)
		forget_oldest_dead(s);
}

static void take_task(struct state *s, const struct ipct_task *ev)
{
	struct entry *e = task_entry(s, ev->h.tid);

	switch (ev->what) {
	case IPCT_TASK_FORK:
	case IPCT_TASK_SCAN:
		begin_task(s, ev);
		break;
	case IPCT_TASK_EXEC:
		exec_task(s, ev);
		break;
	case IPCT_TASK_RENAME:
		if (e)
			memcpy(((struct ipct_task *)e->ev)->comm, ev->comm, sizeof(ev->comm));
		break;
	case IPCT_TASK_EXIT:
		end_task(s, ev);
		break;
	}
}

/* ---- objects and stacks ---- */

/* What it is called stays; where it stood then is no news: its first operation tells. */
static void take_object(struct state *s, const struct ipct_object *ev)
{
	bool pipe = ev->h.mech == IPCT_MECH_PIPE || ev->h.mech == IPCT_MECH_FIFO;
	struct ipct_object *o;
	struct entry *e;

	if (ev->what != IPCT_OBJECT_NEW && ev->what != IPCT_OBJECT_SCAN)
		return;
	e = make(&ev->h, ev->h.size > sizeof(*ev) ? ev->h.size : sizeof(*ev));
	o = (struct ipct_object *)e->ev;
	o->what = pipe ? IPCT_OBJECT_NEW : IPCT_OBJECT_SCAN;
	o->fill_bytes = IPCT_OBJECT_FILL_UNKNOWN;
	o->fill_msgs = 0;
	o->rd_addr = o->wr_addr = 1; /* for pipes: it was used already */
	if (o->h.size < sizeof(*o))
		o->h.size = sizeof(*o);
	put(s, OBJECTS, ev->key, (uint64_t)ev->h.mech << 32 | ev->dev, e);
}

static void take_stack(struct state *s, const struct ipct_stack *ev)
{
	struct entry *e;

	if (!ev->len)
		return;
	e = make(&ev->h, ev->h.size);
	e->ev->pid = e->ev->tid = 0; /* of no call that is still to come */
	put(s, STACKS, ev->id, 0, e);
}

void state__event(struct state *s, const struct ipct_hdr *ev)
{
	const struct ipct_hdr *wide = event__widen(ev, s->scratch);

	switch (ev->kind) {
	case IPCT_KIND_TASK:
		take_task(s, (const struct ipct_task *)wide);
		break;
	case IPCT_KIND_OBJECT:
		take_object(s, (const struct ipct_object *)wide);
		break;
	case IPCT_KIND_FRAME:
		put(s, FRAMES, ((const struct ipct_frame *)wide)->number, 0, make(ev, ev->size));
		break;
	case IPCT_KIND_STACK:
		take_stack(s, (const struct ipct_stack *)wide);
		break;
	}
}

/* ---- give ---- */

static void need_ancestors(struct state *s, const struct entry *e)
{
	while (e) {
		struct entry *parent = task_entry(s, ((const struct ipct_task *)e->ev)->ppid);

		if (!parent || parent->needed || parent == e)
			return;
		parent->needed = true;
		e = parent;
	}
}

static void choose_tasks(struct state *s)
{
	for (struct entry *e = s->shelves[TASKS].oldest; e; e = e->newer)
		e->needed = false;
	for (struct entry *e = s->shelves[TASKS].oldest; e; e = e->newer) {
		if (e->dead)
			continue;
		e->needed = true;
		need_ancestors(s, e);
	}
}

static void give_end(const struct entry *e, event_fn fn, void *ctx)
{
	struct ipct_task end = *(const struct ipct_task *)e->ev;

	end.h.size = sizeof(end);
	end.exe_len = end.args_len = 0;
	end.what = IPCT_TASK_EXIT;
	end.group_dead = 1;
	fn(ctx, &end.h);
}

void state__give(struct state *s, uint64_t ts_ns, event_fn fn, void *ctx)
{
	choose_tasks(s);
	for (size_t c = 0; c < CLASS_CNT; c++) {
		for (struct entry *e = s->shelves[c].oldest; e; e = e->newer) {
			if (c == TASKS && !e->needed)
				continue;
			e->ev->ts_ns = ts_ns;
			fn(ctx, e->ev);
		}
	}
	for (struct entry *e = s->shelves[TASKS].oldest; e; e = e->newer)
		if (e->needed && e->dead)
			give_end(e, fn, ctx);
}

void state__free(struct state *s)
{
	if (!s)
		return;
	for (size_t c = 0; c < CLASS_CNT; c++) {
		struct shelf *sh = &s->shelves[c];

		for (struct entry *e = sh->oldest, *next; e; e = next) {
			next = e->newer;
			free(e);
		}
		map__free(&sh->by_key);
	}
	free(s);
}
