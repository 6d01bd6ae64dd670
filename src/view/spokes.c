/* SPDX-License-Identifier: GPL-2.0 */
#include "view/spokes.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "event/wire.h"
#include "model/hist.h"

/* A channel's two partners, as far as seen. */
struct pair {
	const struct proc *a, *b;
	bool seen; /* a flow */
};

/* No medium that processes share: a node would join flows that have nothing to do with each other. */
static bool is_always_edge(const struct channel *ch)
{
	return ch->mech == IPCT_MECH_SIGNAL || ch->mech == IPCT_MECH_PTRACE;
}

static bool has_traffic(const struct end *e)
{
	return e->messages || e->bytes || e->errors;
}

static bool is_of(const struct pair *p, const struct proc *proc)
{
	return p->seen && (p->a == proc || p->b == proc);
}

static void choose_nodes(struct spokes *sp, const struct sorted *s)
{
	struct pair *pairs = xalloc((s->channel_cnt + 1) * sizeof(*pairs));

	for (size_t i = 0; i < s->flows.cnt; i++) {
		const struct flow *f = s->flows.v[i];
		struct pair *p = &pairs[f->channel->id];

		if (!p->seen)
			*p = (struct pair){ f->src, f->dst, true };
		else if (!is_of(p, f->src) || !is_of(p, f->dst))
			sp->is_node[f->channel->id] = true;
	}
	for (size_t i = 0; i < s->ends.cnt; i++) {
		const struct end *e = s->ends.v[i];
		const struct pair *p = &pairs[e->channel->id];

		/* Without any flow there is nothing to draw: a datagram sender's own socket, for example. */
		if (p->seen && has_traffic(e) && !is_of(p, e->proc))
			sp->is_node[e->channel->id] = true;
	}
	for (size_t i = 0; i < s->shares.cnt; i++)
		sp->is_node[s->shares.v[i]->channel->id] = true;
	for (size_t i = 0; i < s->channels.cnt; i++) {
		const struct channel *ch = s->channels.v[i];

		if (is_always_edge(ch))
			sp->is_node[ch->id] = false;
		else if (sorted__has_remark(ch))
			sp->is_node[ch->id] = true; /* the remark needs a place */
	}
	free(pairs);
}

static uint64_t channel_key(const struct channel *ch, bool to_channel)
{
	return (uint64_t)ch->id << 1 | to_channel;
}

static uint64_t side_key(const struct proc *proc, const char *origin)
{
	return proc ? proc->id + 2ull : !!origin;
}

bool spokes__has(const struct spokes *sp, const struct channel *ch, const struct proc *proc)
{
	return map__get(&sp->by_key, channel_key(ch, false), side_key(proc, NULL)) ||
	       map__get(&sp->by_key, channel_key(ch, true), side_key(proc, NULL));
}

static struct spoke *get(struct spokes *sp, const struct channel *ch, const struct proc *proc,
			 const char *origin, bool to_channel)
{
	uint64_t lo = channel_key(ch, to_channel), side = side_key(proc, origin);
	struct spoke *k = map__get(&sp->by_key, lo, side);

	if (k)
		return k;
	k = xalloc(sizeof(*k));
	k->channel = ch;
	k->proc = proc;
	k->origin = origin;
	k->to_channel = to_channel;
	map__set(&sp->by_key, lo, side, k);
	vec__push(&sp->all, k);
	return k;
}

static void add_end(struct spokes *sp, const struct end *e)
{
	struct spoke *k = get(sp, e->channel, e->proc, NULL, e->to_channel);

	k->from_end = true;
	k->role = e->role;
	k->messages += e->messages;
	k->bytes += e->bytes;
	k->errors += e->errors;
	k->wait_ns += e->wait_ns;
}

static void add_flow_side(struct spokes *sp, const struct flow *f, bool to_channel)
{
	struct spoke *k = get(sp, f->channel, to_channel ? f->src : f->dst, f->origin, to_channel);
	uint64_t p99_ns = f->latency.cnt ? hist__percentile(&f->latency, 99) : 0;

	k->doubt |= f->attr != ATTR_EXACT;
	k->attr_known = true;
	if (f->attr > k->attr)
		k->attr = f->attr;
	if (!to_channel && p99_ns > k->p99_ns)
		k->p99_ns = p99_ns;
	if (k->from_end)
		return;
	k->messages += f->messages;
	k->bytes += f->bytes;
	if (!to_channel)
		k->wait_ns += f->wait_ns;
}

/* Every channel about which there is something to draw. */
static void choose_all(struct spokes *sp, const struct sorted *s)
{
	for (size_t i = 0; i < s->channels.cnt; i++)
		sp->is_node[s->channels.v[i]->id] = sorted__has_remark(s->channels.v[i]);
	for (size_t i = 0; i < s->flows.cnt; i++)
		sp->is_node[s->flows.v[i]->channel->id] = true;
	for (size_t i = 0; i < s->shares.cnt; i++)
		sp->is_node[s->shares.v[i]->channel->id] = true;
	for (size_t i = 0; i < s->ends.cnt; i++)
		sp->is_node[s->ends.v[i]->channel->id] |= has_traffic(s->ends.v[i]);
}

void spokes__init(struct spokes *sp, const struct sorted *s, enum picture_shape shape)
{
	memset(sp, 0, sizeof(*sp));
	sp->is_node = xalloc(s->channel_cnt + 1);
	if (shape == PICTURE_READABLE)
		choose_nodes(sp, s);
	else if (shape == PICTURE_BIPARTITE)
		choose_all(sp, s);
	for (size_t i = 0; i < s->ends.cnt; i++) {
		const struct end *e = s->ends.v[i];

		/* memory is attached, not written: such an end is worth a line without traffic */
		if (sp->is_node[e->channel->id] && (has_traffic(e) || !strncmp(e->role, "attach", 6)))
			add_end(sp, e);
	}
	for (size_t i = 0; i < s->flows.cnt; i++) {
		if (!sp->is_node[s->flows.v[i]->channel->id])
			continue;
		add_flow_side(sp, s->flows.v[i], true);
		add_flow_side(sp, s->flows.v[i], false);
	}
}

void spokes__free(struct spokes *sp)
{
	for (size_t i = 0; i < sp->all.cnt; i++)
		free(sp->all.v[i]);
	vec__free(&sp->all);
	map__free(&sp->by_key);
	free(sp->is_node);
}
