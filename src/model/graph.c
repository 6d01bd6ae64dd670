/* SPDX-License-Identifier: GPL-2.0 */
#include "model/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Roles and origins are static strings; equal ones may have several addresses. */
static uint64_t number_of(struct graph *g, bool role, const char *s)
{
	const char **v = role ? g->roles.v : g->origins.v;
	size_t i, cnt = role ? g->roles.cnt : g->origins.cnt;

	if (!s)
		return 0;
	for (i = 0; i < cnt; i++)
		if (v[i] == s || !strcmp(v[i], s))
			return i + 1;
	if (role)
		vec__push(&g->roles, s);
	else
		vec__push(&g->origins, s);
	return cnt + 1;
}

struct key {
	uint64_t lo, hi;
};

static struct key end_key(struct graph *g, const struct proc *proc, const struct channel *ch,
			  const char *role)
{
	return (struct key){ proc__number(proc) << 32 | ch->serial, number_of(g, true, role) };
}

static struct key flow_key(struct graph *g, const struct proc *src, const struct proc *dst,
			   const struct channel *ch, const char *origin)
{
	return (struct key){ proc__pair(src, dst), (uint64_t)ch->serial << 32 | number_of(g, false, origin) };
}

struct channel *graph__channel(struct graph *g, uint8_t mech, const char *name, size_t name_len)
{
	const char *interned = strtab__intern(&g->names, name, name_len);
	struct channel *ch = map__get(&g->channel_by_name, (uintptr_t)interned, mech);

	if (ch)
		return ch;
	ch = xalloc(sizeof(*ch));
	ch->id = (uint32_t)g->channels.cnt;
	ch->serial = ++g->serial;
	ch->mech = mech;
	ch->name = interned;
	vec__push(&g->channels, ch);
	map__set(&g->channel_by_name, (uintptr_t)interned, mech, ch);
	return ch;
}

static struct end *new_end(struct graph *g, struct key key, struct proc *proc, struct channel *ch,
			   const char *role, bool to_channel)
{
	struct end *end = xalloc(sizeof(*end));

	end->proc = proc;
	end->channel = ch;
	end->role = role;
	end->to_channel = to_channel;
	vec__push(&g->ends, end);
	map__set(&g->end_by_key, key.lo, key.hi, end);
	return end;
}

struct end *graph__end(struct graph *g, struct proc *proc, struct channel *ch, const char *role,
		       bool to_channel)
{
	struct end *end = ch->last_end[to_channel];
	struct key key;

	if (g->channels_only)
		return &g->nowhere;
	if (end && end->proc == proc && end->role == role)
		return end;
	key = end_key(g, proc, ch, role);
	end = map__get(&g->end_by_key, key.lo, key.hi);
	if (!end)
		end = new_end(g, key, proc, ch, role, to_channel);
	ch->last_end[to_channel] = end;
	return end;
}

static struct flow *new_flow(struct graph *g, struct key key, struct proc *src, struct proc *dst,
			     struct channel *ch, const char *origin)
{
	struct flow *flow = xalloc(sizeof(*flow));

	flow->src = src;
	flow->dst = dst;
	flow->channel = ch;
	flow->origin = origin;
	vec__push(&g->flows, flow);
	map__set(&g->flow_by_key, key.lo, key.hi, flow);
	return flow;
}

struct flow *graph__flow(struct graph *g, struct proc *src, struct proc *dst, struct channel *ch,
			 const char *origin)
{
	struct flow *flow = ch->last_flow;
	struct key key;

	if (flow && flow->src == src && flow->dst == dst && flow->origin == origin)
		return flow;
	key = flow_key(g, src, dst, ch, origin);
	flow = map__get(&g->flow_by_key, key.lo, key.hi);
	if (!flow)
		flow = new_flow(g, key, src, dst, ch, origin);
	ch->last_flow = flow;
	return flow;
}

static void span(uint64_t *first, uint64_t *last, uint64_t from, uint64_t to)
{
	if (!*first || from < *first)
		*first = from;
	if (to > *last)
		*last = to;
}

static void add_candidate(struct flow *flow, struct proc *proc)
{
	size_t i;

	for (i = 0; i < flow->candidates.cnt; i++)
		if (flow->candidates.v[i] == proc)
			return;
	vec__push(&flow->candidates, proc);
}

void graph__add_message(struct graph *g, const struct message *m)
{
	struct channel *ch = channel__resolve(m->channel);
	struct flow *flow;
	size_t i;

	if (!ch)
		return;
	span(&ch->first_ns, &ch->last_ns, m->ts_ns, m->ts_ns);
	if (!m->dst.proc || (!m->src.proc && !m->origin)) {
		ch->unattributed_bytes += m->bytes;
		ch->unattributed_messages += m->messages;
		return;
	}
	ch->messages += m->messages;
	ch->bytes += m->bytes;
	if (g->channels_only)
		return;
	flow = graph__flow(g, m->src.proc, m->dst.proc, ch, m->src.proc ? NULL : m->origin);
	span(&flow->first_ns, &flow->last_ns, m->ts_ns, m->ts_ns);
	flow->messages += m->messages;
	flow->bytes += m->bytes;
	flow->wait_ns += m->wait_ns;
	if (m->attr > flow->attr)
		flow->attr = m->attr;
	if (m->latency_ns)
		hist__add(&flow->latency, m->latency_ns);
	for (i = 0; i < m->candidate_cnt; i++)
		add_candidate(flow, m->candidates[i]);
}

static void free_end(struct end *end)
{
	free(end->summed);
	free(end);
}

static void free_flow(struct flow *flow)
{
	hist__free(&flow->latency);
	vec__free(&flow->candidates);
	free(flow);
}

void flow__add(struct flow *to, const struct flow *from)
{
	size_t i;

	if (from->first_ns)
		span(&to->first_ns, &to->last_ns, from->first_ns, from->last_ns);
	to->messages += from->messages;
	to->bytes += from->bytes;
	to->wait_ns += from->wait_ns;
	hist__merge(&to->latency, &from->latency);
	if (from->attr > to->attr)
		to->attr = from->attr;
	for (i = 0; i < from->candidates.cnt; i++)
		add_candidate(to, from->candidates.v[i]);
}

void end__add(struct end *to, const struct end *from)
{
	if (from->first_ns)
		span(&to->first_ns, &to->last_ns, from->first_ns, from->last_ns);
	to->messages += from->messages;
	to->bytes += from->bytes;
	to->errors += from->errors;
	to->wait_ns += from->wait_ns;
	if (from->summed)
		end__add_sums(to, from->summed);
}

void end__add_sums(struct end *end, const struct end_sums *sums)
{
	if (!end->summed)
		end->summed = xalloc(sizeof(*end->summed));
	if (sums->ts_ns > end->summed->ts_ns)
		end->summed->ts_ns = sums->ts_ns;
	end->summed->messages += sums->messages;
	end->summed->bytes += sums->bytes;
	end->summed->errors += sums->errors;
	end->summed->wait_ns += sums->wait_ns;
}

void share__add(struct share *to, const struct share *from)
{
	if (from->from_ns < to->from_ns)
		to->from_ns = from->from_ns;
	if (!from->until_ns || (to->until_ns && from->until_ns > to->until_ns))
		to->until_ns = from->until_ns;
}

static void forget_last_of(struct channel **v, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		v[i]->last_end[0] = v[i]->last_end[1] = NULL;
		v[i]->last_flow = NULL;
	}
}

/* Before ends and flows are freed. */
static void forget_last(struct graph *g)
{
	forget_last_of(g->channels.v, g->channels.cnt);
	forget_last_of(g->merged.v, g->merged.cnt);
}

/* Keys hold serials: after a merge both tables are made anew, and what met its twin is added to it. */
static void rekey_ends(struct graph *g)
{
	size_t i, kept = 0;

	map__free(&g->end_by_key);
	for (i = 0; i < g->ends.cnt; i++) {
		struct end *end = g->ends.v[i], *twin;
		struct key key;

		end->proc = proc__resolve(end->proc);
		end->channel = channel__resolve(end->channel);
		key = end_key(g, end->proc, end->channel, end->role);
		twin = map__get(&g->end_by_key, key.lo, key.hi);
		if (twin) {
			end__add(twin, end);
			free_end(end);
			continue;
		}
		map__set(&g->end_by_key, key.lo, key.hi, end);
		g->ends.v[kept++] = end;
	}
	g->ends.cnt = kept;
}

void graph__drop_empty_ends(struct graph *g)
{
	size_t kept = 0;

	forget_last(g);
	for (size_t i = 0; i < g->ends.cnt; i++) {
		struct end *end = g->ends.v[i];
		struct key key = end_key(g, end->proc, end->channel, end->role);

		if (end->first_ns || !end->summed) {
			g->ends.v[kept++] = end;
			continue;
		}
		map__del(&g->end_by_key, key.lo, key.hi);
		free_end(end);
	}
	g->ends.cnt = kept;
}

static void resolve_candidates(struct flow *flow)
{
	size_t cnt = flow->candidates.cnt;

	flow->candidates.cnt = 0;
	for (size_t i = 0; i < cnt; i++)
		add_candidate(flow, proc__resolve(flow->candidates.v[i]));
}

static void rekey_flows(struct graph *g)
{
	size_t i, kept = 0;

	map__free(&g->flow_by_key);
	for (i = 0; i < g->flows.cnt; i++) {
		struct flow *flow = g->flows.v[i], *twin;
		struct key key;

		flow->src = proc__resolve(flow->src);
		flow->dst = proc__resolve(flow->dst);
		flow->channel = channel__resolve(flow->channel);
		resolve_candidates(flow);
		key = flow_key(g, flow->src, flow->dst, flow->channel, flow->origin);
		twin = map__get(&g->flow_by_key, key.lo, key.hi);
		if (twin) {
			flow__add(twin, flow);
			free_flow(flow);
			continue;
		}
		map__set(&g->flow_by_key, key.lo, key.hi, flow);
		g->flows.v[kept++] = flow;
	}
	g->flows.cnt = kept;
}

void channel__add_sums(struct channel *to, const struct channel *from)
{
	if (from->first_ns)
		span(&to->first_ns, &to->last_ns, from->first_ns, from->last_ns);
	to->unattributed_bytes += from->unattributed_bytes;
	to->unattributed_messages += from->unattributed_messages;
	to->unread_bytes += from->unread_bytes;
	to->discarded_bytes += from->discarded_bytes;
	to->messages += from->messages;
	to->bytes += from->bytes;
	to->object_cnt += from->object_cnt;
	if (from->lost > to->lost)
		to->lost = from->lost;
}

static void take_out(struct graph *g, struct channel *ch)
{
	struct channel *last = g->channels.v[g->channels.cnt - 1];

	last->id = ch->id;
	g->channels.v[ch->id] = last;
	g->channels.cnt--;
	vec__push(&g->merged, ch);
}

void graph__merge(struct graph *g, struct channel *to, struct channel *from)
{
	map__del(&g->channel_by_name, (uintptr_t)from->name, from->mech);
	channel__add_sums(to, from);
	if (from->depth_messages_max > to->depth_messages_max)
		to->depth_messages_max = from->depth_messages_max;
	from->merged = to;
	take_out(g, from);
}

struct channel *graph__rename(struct graph *g, struct channel *ch, const char *name, size_t name_len)
{
	const char *interned = strtab__intern(&g->names, name, name_len);
	struct channel *there = map__get(&g->channel_by_name, (uintptr_t)interned, ch->mech);

	if (there == ch)
		return ch;
	if (there) {
		if (ch->memory.known)
			there->memory = ch->memory;
		graph__merge(g, there, ch);
		graph__follow_merged(g);
		return there;
	}
	map__del(&g->channel_by_name, (uintptr_t)ch->name, ch->mech);
	ch->name = interned;
	map__set(&g->channel_by_name, (uintptr_t)interned, ch->mech, ch);
	return ch;
}

/* "pipe:[66574]" becomes one of "pipe:(ended)". */
void graph__fold(struct graph *g, struct channel *ch)
{
	static const char ended[] = "(ended)";
	char name[64];
	size_t len = strcspn(ch->name, ":");
	struct channel *to;

	if (len > sizeof(name) - sizeof(ended) - 1)
		len = sizeof(name) - sizeof(ended) - 1;
	memcpy(name, ch->name, len);
	name[len++] = ':';
	memcpy(name + len, ended, sizeof(ended));
	to = graph__channel(g, ch->mech, name, len + sizeof(ended) - 1);
	to->folded_cnt++;
	graph__merge(g, to, ch);
}

void graph__keep_names(const struct graph *g)
{
	for (size_t i = 0; i < g->channels.cnt; i++)
		strtab__keep(g->channels.v[i]->name);
	for (size_t i = 0; i < g->merged.cnt; i++)
		strtab__keep(g->merged.v[i]->name);
}

/* One per pair and channel, as before; within what is one by now there is nothing to tell. */
static void follow_shares(struct graph *g)
{
	struct map seen = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < g->shares.cnt; i++) {
		struct share *s = g->shares.v[i], *twin;
		bool folded = s->a->merged || s->b->merged;

		s->a = proc__resolve(s->a);
		s->b = proc__resolve(s->b);
		s->channel = channel__resolve(s->channel);
		if (!folded && !s->channel->folded_cnt && !s->a->folded_cnt && !s->b->folded_cnt) {
			g->shares.v[kept++] = s;
			continue;
		}
		if (s->a->id > s->b->id)
			*s = (struct share){ s->b,	s->a,	    s->channel, s->b_mode,
					     s->a_mode, s->from_ns, s->until_ns };
		twin = s->a == s->b ? s : map__get(&seen, proc__pair(s->a, s->b), s->channel->serial);
		if (!twin) {
			map__set(&seen, proc__pair(s->a, s->b), s->channel->serial, s);
			g->shares.v[kept++] = s;
			continue;
		}
		share__add(twin, s);
		free(s);
	}
	g->shares.cnt = kept;
	map__free(&seen);
}

void graph__follow_merged(struct graph *g)
{
	forget_last(g);
	follow_shares(g);
	rekey_ends(g);
	rekey_flows(g);
}

static void free_channel(struct channel *ch)
{
	vec__free(&ch->holders);
	vec__free(&ch->waiters);
	free(ch);
}

void graph__drop_merged(struct graph *g)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->merged.cnt; i++) {
		if (g->merged.v[i]->kept)
			g->merged.v[kept++] = g->merged.v[i];
		else
			free_channel(g->merged.v[i]);
	}
	g->merged.cnt = kept;
}

void graph__free(struct graph *g)
{
	size_t i;

	for (i = 0; i < g->channels.cnt; i++)
		free_channel(g->channels.v[i]);
	for (i = 0; i < g->merged.cnt; i++)
		free_channel(g->merged.v[i]);
	for (i = 0; i < g->ends.cnt; i++)
		free_end(g->ends.v[i]);
	for (i = 0; i < g->flows.cnt; i++)
		free_flow(g->flows.v[i]);
	for (i = 0; i < g->shares.cnt; i++)
		free(g->shares.v[i]);
	vec__free(&g->channels);
	vec__free(&g->merged);
	vec__free(&g->ends);
	vec__free(&g->flows);
	vec__free(&g->shares);
	vec__free(&g->roles);
	vec__free(&g->origins);
	map__free(&g->channel_by_name);
	map__free(&g->end_by_key);
	map__free(&g->flow_by_key);
	strtab__free(&g->names);
}
