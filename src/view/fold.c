/* SPDX-License-Identifier: GPL-2.0 */
#include "view/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "view/sorted.h"

/* ---- processes ---- */

static bool is_before(const struct proc *a, const struct proc *b)
{
	return a->pid != b->pid ? a->pid < b->pid : a->start_ns < b->start_ns;
}

/* What a process is, for folding: those of one class are one pool. */
struct classes {
	const bool *candidate; /* by proc.id: it may be folded */
	const char **of; /* by proc.id; interned, so equal pointers are equal classes; NULL: not known yet */
	struct strtab keys;
};

/*
 * The parent's class is part of it, not the parent: so the children of one pool are one pool, too. Bytes, not text: comm
 * and exe may be any. Recursion ends where the tree of processes does, or at one that is not folded.
 */
static const char *class_of(struct classes *c, const struct proc *p)
{
	struct buf key = { 0 };
	const char *parent;

	if (c->of[p->id])
		return c->of[p->id];
	if (!c->candidate[p->id] || !p->parent) {
		buf__putc(&key, '=');
		buf__put(&key, &p->id, sizeof(p->id));
	} else {
		parent = class_of(c, p->parent);
		buf__putc(&key, '<');
		buf__put(&key, &parent, sizeof(parent));
		buf__put(&key, &p->uid, sizeof(p->uid));
		buf__put(&key, &p->cgroup, sizeof(p->cgroup));
		buf__put(&key, p->comm, sizeof(p->comm));
		buf__puts(&key, p->exe);
	}
	c->of[p->id] = strtab__intern(&c->keys, key.data, key.len);
	buf__free(&key);
	return c->of[p->id];
}

/* Who is in the picture: those that take part, and their parents. */
static bool *candidates(const bool *takes_part, const struct proc_table *procs)
{
	bool *candidate = xalloc(procs->all.cnt + 1);

	for (size_t i = 0; i < procs->all.cnt; i++) {
		const struct proc *p = procs->all.v[i];

		candidate[p->id] |= takes_part[p->id];
		if (takes_part[p->id] && p->parent)
			candidate[p->parent->id] = true;
	}
	return candidate;
}

static void choose_pools(struct fold *f, const bool *takes_part, const struct proc_table *procs)
{
	bool *candidate = candidates(takes_part, procs);
	struct classes c = { .candidate = candidate,
			     .of = xalloc((procs->all.cnt + 1) * sizeof(const char *)) };
	struct map first = { 0 };

	for (size_t i = 0; i < procs->all.cnt; i++) {
		struct proc *p = procs->all.v[i], *rep;
		const char *class = class_of(&c, p);

		rep = map__get(&first, (uintptr_t) class, 0);
		if (!rep || is_before(p, rep))
			map__set(&first, (uintptr_t) class, 0, p);
	}
	for (size_t i = 0; i < procs->all.cnt; i++) {
		struct proc *p = procs->all.v[i];

		f->pool[p->id] = map__get(&first, (uintptr_t)c.of[p->id], 0);
		f->members[f->pool[p->id]->id] += candidate[p->id];
	}
	for (size_t i = 0; i < procs->all.cnt; i++) {
		if (f->members[i] < 2)
			continue;
		f->folded += f->members[i];
		f->pools++;
	}
	map__free(&first);
	strtab__free(&c.keys);
	free(c.of);
	free(candidate);
}

static struct proc *pool_of(const struct fold *f, struct proc *p)
{
	return p ? f->pool[p->id] : NULL;
}

/* ---- channels ---- */

/* Who is at a channel, which way; one per end and per side of a flow. */
struct partner {
	uint32_t channel, proc; /* proc.id + 1; 0: no process */
	bool to_channel;
};

typedef VEC(struct partner) partners;

static int by_partner(const void *x, const void *y)
{
	const struct partner *a = x, *b = y;

	if (a->channel != b->channel)
		return a->channel < b->channel ? -1 : 1;
	if (a->proc != b->proc)
		return a->proc < b->proc ? -1 : 1;
	return a->to_channel - b->to_channel;
}

static void add_partner(partners *v, const struct channel *ch, const struct proc *p, bool to_channel)
{
	vec__push(v, ((struct partner){ ch->id, p ? p->id + 1 : 0, to_channel }));
}

static void gather_partners(partners *v, const struct sorted *s, const struct fold *f)
{
	for (size_t i = 0; i < s->ends.cnt; i++) {
		const struct end *e = s->ends.v[i];

		add_partner(v, e->channel, pool_of(f, e->proc), e->to_channel);
	}
	for (size_t i = 0; i < s->flows.cnt; i++) {
		const struct flow *w = s->flows.v[i];

		add_partner(v, w->channel, pool_of(f, w->src), true);
		add_partner(v, w->channel, pool_of(f, w->dst), false);
	}
	if (v->cnt)
		qsort(v->v, v->cnt, sizeof(*v->v), by_partner);
}

/* The key of the channel whose partners begin at v: its mechanism, and each partner once. False: no pool among them. */
static bool put_channel_key(struct buf *key, const struct fold *f, const struct channel *ch,
			    const struct partner *v, size_t cnt)
{
	bool has_pool = false;

	buf__put(key, &ch->mech, sizeof(ch->mech));
	for (size_t i = 0; i < cnt; i++) {
		if (i && v[i].proc == v[i - 1].proc && v[i].to_channel == v[i - 1].to_channel)
			continue;
		buf__put(key, &v[i].proc, sizeof(v[i].proc));
		buf__putc(key, v[i].to_channel);
		has_pool |= v[i].proc && f->members[v[i].proc - 1] > 1;
	}
	return has_pool;
}

static void add_state(struct channel *to, const struct channel *from)
{
	channel__add_sums(to, from);
	to->capacity_bytes += from->capacity_bytes;
	to->capacity_messages += from->capacity_messages;
	to->depth_messages += from->depth_messages;
	to->depth_bytes += from->depth_bytes;
	to->depth_messages_max += from->depth_messages_max;
	to->folded_cnt += from->folded_cnt;
	if (!to->memory.known)
		to->memory = from->memory;
	for (size_t i = 0; i < from->holders.cnt; i++)
		vec__push(&to->holders, from->holders.v[i]);
	for (size_t i = 0; i < from->waiters.cnt; i++)
		vec__push(&to->waiters, from->waiters.v[i]);
}

/* By the id of the channel that was: the one it is shown as. */
static struct channel **fold_channels(struct sorted *s, struct fold *f)
{
	struct channel **now = xalloc((s->channel_cnt + 1) * sizeof(struct channel *));
	size_t *begin = xalloc((s->channel_cnt + 2) * sizeof(*begin));
	struct strtab keys = { 0 };
	struct map by_key = { 0 };
	struct buf key = { 0 };
	partners v = { 0 };

	gather_partners(&v, s, f);
	for (size_t i = 0; i < v.cnt; i++)
		begin[v.v[i].channel + 1] = i + 1;
	for (size_t i = 1; i < s->channel_cnt + 2; i++)
		if (begin[i] < begin[i - 1])
			begin[i] = begin[i - 1];
	for (size_t i = 0; i < s->channels.cnt; i++) {
		struct channel *ch = s->channels.v[i], *to = NULL;
		const char *interned = NULL;
		size_t at = begin[ch->id];

		buf__reset(&key);
		if (put_channel_key(&key, f, ch, v.v + at, begin[ch->id + 1] - at)) {
			interned = strtab__intern(&keys, key.data, key.len);
			to = map__get(&by_key, (uintptr_t)interned, 0);
		}
		if (!to) {
			to = graph__channel(&f->graph, ch->mech, ch->name, strlen(ch->name));
			vec__push(&f->channels, 0);
		}
		if (interned)
			map__set(&by_key, (uintptr_t)interned, 0, to);
		f->channels.v[to->id]++;
		add_state(to, ch);
		now[ch->id] = to;
		map__set(&f->shown_as, (uintptr_t)ch, 0, to);
	}
	vec__free(&v);
	buf__free(&key);
	map__free(&by_key);
	strtab__free(&keys);
	free(begin);
	return now;
}

/* ---- the whole ---- */

static void move_flows(struct sorted *s, struct fold *f, struct channel **now)
{
	for (size_t i = 0; i < s->flows.cnt; i++) {
		const struct flow *from = s->flows.v[i];

		flow__add(graph__flow(&f->graph, pool_of(f, from->src), pool_of(f, from->dst),
				      now[from->channel->id], from->origin),
			  from);
	}
	for (size_t i = 0; i < s->ends.cnt; i++) {
		const struct end *from = s->ends.v[i];

		end__add(graph__end(&f->graph, pool_of(f, from->proc), now[from->channel->id], from->role,
				    from->to_channel),
			 from);
	}
}

/* One per pair and channel; what a pool shares within itself its ends tell. */
static void move_shares(struct sorted *s, struct fold *f, struct channel **now)
{
	struct map seen = { 0 };

	for (size_t i = 0; i < s->shares.cnt; i++) {
		const struct share *from = s->shares.v[i];
		struct proc *a = pool_of(f, from->a), *b = pool_of(f, from->b);
		struct share *share;
		uint64_t pair = (uint64_t)a->id << 32 | b->id;

		if (a == b)
			continue;
		share = map__get(&seen, pair, now[from->channel->id]->id);
		if (share) {
			share__add(share, from);
			continue;
		}
		share = xalloc(sizeof(*share));
		*share = *from;
		share->a = a;
		share->b = b;
		share->channel = now[from->channel->id];
		map__set(&seen, pair, share->channel->id, share);
		vec__push(&f->graph.shares, share);
	}
	map__free(&seen);
}

#define replace(to, from)                                                     \
	do {                                                                  \
		(to)->cnt = 0;                                                \
		for (size_t replaced = 0; replaced < (from)->cnt; replaced++) \
			vec__push(to, (from)->v[replaced]);                   \
	} while (0)

void fold__apply(struct sorted *s, const struct proc_table *procs)
{
	struct fold *f = &s->fold;
	struct channel **now;

	f->pool = xalloc((procs->all.cnt + 1) * sizeof(*f->pool));
	f->members = xalloc((procs->all.cnt + 1) * sizeof(*f->members));
	choose_pools(f, s->takes_part, procs);
	now = fold_channels(s, f);
	move_flows(s, f, now);
	move_shares(s, f, now);
	free(now);
	replace(&s->channels, &f->graph.channels);
	replace(&s->ends, &f->graph.ends);
	replace(&s->flows, &f->graph.flows);
	replace(&s->shares, &f->graph.shares);
	s->channel_cnt = f->graph.channels.cnt;
	f->done = true;
}

void fold__free(struct fold *f)
{
	graph__free(&f->graph);
	vec__free(&f->channels);
	map__free(&f->shown_as);
	free(f->pool);
	free(f->members);
	memset(f, 0, sizeof(*f));
}
