/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/subgraph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct subgraph {
	struct graph graph;
	struct map twins; /* channel of the whole graph -> the one of this graph, under a passing name */
	struct map settled; /* the same, when names and mergers are final */
	bool by_process;
	uint64_t twin_cnt; /* that there ever were */
};

/* What the selected messages say about one process at one channel, in one direction. */
struct part {
	uint64_t messages, bytes, wait_ns, first_ns, last_ns;
};

struct subgraph *subgraph__new(bool by_process)
{
	struct subgraph *s = xalloc(sizeof(*s));

	s->by_process = by_process;
	return s;
}

/* The whole graph may rename and merge its channels at any time, so names are settled at the end. */
static struct channel *twin(struct subgraph *s, const struct channel *whole)
{
	struct channel *ch = map__get(&s->twins, (uintptr_t)whole, 0);
	char name[32];

	if (ch)
		return ch;
	snprintf(name, sizeof(name), "#%" PRIu64, s->twin_cnt++);
	ch = graph__channel(&s->graph, whole->mech, name, strlen(name));
	map__set(&s->twins, (uintptr_t)whole, 0, ch);
	return ch;
}

void subgraph__message(struct subgraph *s, const struct message *m)
{
	struct message mine = *m;

	if (!m->channel)
		return;
	mine.channel = twin(s, m->channel);
	graph__add_message(&s->graph, &mine);
}

void subgraph__follow(struct subgraph *s)
{
	struct map old = s->twins;

	s->twins = (struct map){ 0 };
	map__for_each(&old, slot) {
		struct channel *whole = (struct channel *)(uintptr_t)slot->lo, *to = channel__resolve(whole);
		struct channel *mine = channel__resolve(slot->val),
			       *twin = map__get(&s->twins, (uintptr_t)to, 0);

		if (to != whole && to->folded_cnt && !mine->folded_cnt)
			mine->folded_cnt = 1;
		if (!twin) {
			map__set(&s->twins, (uintptr_t)to, 0, mine);
		} else if (twin != mine) {
			twin->folded_cnt += mine->folded_cnt;
			graph__merge(&s->graph, twin, mine);
		}
	}
	map__free(&old);
	graph__follow_merged(&s->graph);
	graph__drop_merged(&s->graph);
	graph__keep_names(&s->graph);
	strtab__sweep(&s->graph.names);
}

static void settle_names(struct subgraph *s)
{
	map__for_each(&s->twins, slot) {
		const struct channel *whole = channel__resolve((struct channel *)(uintptr_t)slot->lo);

		graph__rename(&s->graph, channel__resolve(slot->val), whole->name, strlen(whole->name));
	}
	map__for_each(&s->twins, slot) {
		const struct channel *whole = channel__resolve((struct channel *)(uintptr_t)slot->lo);

		map__set(&s->settled, (uintptr_t)whole, 0, channel__resolve(slot->val));
	}
}

/* NULL: nothing of it was selected. */
static struct channel *settled(const struct subgraph *s, const struct channel *whole)
{
	return map__get(&s->settled, (uintptr_t)whole, 0);
}

static struct channel *settle(struct subgraph *s, const struct channel *whole)
{
	struct channel *ch = settled(s, whole);

	if (ch)
		return ch;
	ch = graph__channel(&s->graph, whole->mech, whole->name, strlen(whole->name));
	map__set(&s->settled, (uintptr_t)whole, 0, ch);
	return ch;
}

static uint64_t part_key(const struct channel *ch, bool to_channel)
{
	return (uint64_t)ch->id << 1 | to_channel;
}

static void add_part(struct map *parts, const struct proc *proc, const struct flow *f, bool to_channel)
{
	uint64_t hi = part_key(f->channel, to_channel);
	struct part *part;

	if (!proc)
		return;
	part = map__get(parts, proc->id, hi);
	if (!part) {
		part = xalloc(sizeof(*part));
		part->first_ns = f->first_ns;
		map__set(parts, proc->id, hi, part);
	}
	part->messages += f->messages;
	part->bytes += f->bytes;
	part->wait_ns += to_channel ? 0 : f->wait_ns;
	if (f->first_ns < part->first_ns)
		part->first_ns = f->first_ns;
	if (f->last_ns > part->last_ns)
		part->last_ns = f->last_ns;
}

static void free_parts(struct map *parts)
{
	map__for_each(parts, slot)
		free(slot->val);
	map__free(parts);
}

/* True when the filter takes whatever this process does. */
static bool takes_process(const struct subgraph *s, const struct select *select, struct proc *proc,
			  uint8_t mech)
{
	struct op op = { .mech = mech, .pid = proc->pid, .tid = proc->pid, .kind = OP_SEND };
	struct party party = { .proc = proc, .tid = proc->pid };

	memcpy(party.comm, proc->comm, sizeof(party.comm));
	return s->by_process && select__op(select, &op, &party);
}

static void put_end(struct subgraph *s, const struct end *whole, const struct part *part)
{
	struct channel *ch = settle(s, whole->channel);
	struct end *end = graph__end(&s->graph, whole->proc, ch, whole->role, whole->to_channel);

	end->errors = part ? 0 : whole->errors;
	end->messages = part ? part->messages : whole->messages;
	end->bytes = part ? part->bytes : whole->bytes;
	end->wait_ns = part ? part->wait_ns : whole->wait_ns;
	end->first_ns = part ? part->first_ns : whole->first_ns;
	end->last_ns = part ? part->last_ns : whole->last_ns;
}

/* Which sides of a channel of the whole graph are only partly selected; indexed by its id. */
struct partial {
	bool senders, receivers;
};

static void take_end(struct subgraph *s, const struct end *whole, const struct select *select,
		     const struct map *parts, struct partial *partial)
{
	const struct channel *ch = settled(s, whole->channel);
	const struct part *part;

	if (takes_process(s, select, whole->proc, whole->channel->mech)) {
		put_end(s, whole, NULL);
		return;
	}
	partial[whole->channel->id].senders |= whole->to_channel;
	partial[whole->channel->id].receivers |= !whole->to_channel;
	part = ch ? map__get(parts, whole->proc->id, part_key(ch, whole->to_channel)) : NULL;
	if (part)
		put_end(s, whole, part);
}

static void take_ends(struct subgraph *s, const struct graph *whole, const struct select *select,
		      struct partial *partial)
{
	struct map parts = { 0 };

	for (size_t i = 0; i < s->graph.flows.cnt; i++) {
		const struct flow *f = s->graph.flows.v[i];

		add_part(&parts, f->src, f, true);
		add_part(&parts, f->dst, f, false);
	}
	for (size_t i = 0; i < whole->ends.cnt; i++)
		take_end(s, whole->ends.v[i], select, &parts, partial);
	free_parts(&parts);
}

/* What is known of a channel beyond its flows; leftovers are whole only when a whole side was selected. */
static void take_state(struct channel *ch, const struct channel *whole, const struct partial *partial)
{
	ch->capacity_bytes = whole->capacity_bytes;
	ch->capacity_messages = whole->capacity_messages;
	ch->depth_messages = whole->depth_messages;
	ch->depth_bytes = whole->depth_bytes;
	ch->depth_messages_max = whole->depth_messages_max;
	ch->object_cnt = whole->object_cnt;
	ch->lost = whole->lost;
	ch->memory = whole->memory;
	for (size_t i = 0; i < whole->holders.cnt; i++)
		vec__push(&ch->holders, whole->holders.v[i]);
	for (size_t i = 0; i < whole->waiters.cnt; i++)
		vec__push(&ch->waiters, whole->waiters.v[i]);
	if (!partial->senders) {
		ch->unread_bytes = whole->unread_bytes;
		ch->discarded_bytes = whole->discarded_bytes;
	}
	if (!partial->receivers) {
		ch->unattributed_bytes = whole->unattributed_bytes;
		ch->unattributed_messages = whole->unattributed_messages;
	}
}

static void take_shares(struct subgraph *s, const struct graph *whole, const struct select *select)
{
	for (size_t i = 0; i < whole->shares.cnt; i++) {
		const struct share *from = whole->shares.v[i];
		struct share *share;

		if (!takes_process(s, select, from->a, from->channel->mech) &&
		    !takes_process(s, select, from->b, from->channel->mech))
			continue;
		share = xalloc(sizeof(*share));
		*share = *from;
		share->channel = settle(s, from->channel);
		vec__push(&s->graph.shares, share);
	}
}

/* Channels that say something without any end: no process was asked for, so they may. */
static void take_remarkable(struct subgraph *s, const struct graph *whole, const struct select *select)
{
	for (size_t i = 0; i < whole->channels.cnt; i++) {
		const struct channel *ch = whole->channels.v[i];
		struct op op = { .mech = ch->mech, .kind = OP_SEND };
		struct party nobody = { 0 };

		if ((ch->memory.left_behind || ch->waiters.cnt) && s->by_process &&
		    select__op(select, &op, &nobody))
			settle(s, ch);
	}
}

void subgraph__finish(struct subgraph *s, const struct graph *whole, const struct select *select)
{
	struct partial *partial = xalloc((whole->channels.cnt + 1) * sizeof(*partial));

	settle_names(s);
	take_ends(s, whole, select, partial);
	take_shares(s, whole, select);
	take_remarkable(s, whole, select);
	map__for_each(&s->settled, slot) {
		const struct channel *from = (const struct channel *)(uintptr_t)slot->lo;

		take_state(slot->val, from, &partial[from->id]);
	}
	free(partial);
	s->graph.start_ns = whole->start_ns;
	s->graph.end_ns = whole->end_ns;
	s->graph.sums_since_ns = whole->sums_since_ns;
	memcpy(s->graph.lost, whole->lost, sizeof(s->graph.lost));
	s->graph.skipped = whole->skipped;
	s->graph.table_full = whole->table_full;
}

struct subgraph *subgraph__copy(const struct subgraph *s)
{
	struct subgraph *copy = subgraph__new(s->by_process);
	struct map mine = { 0 };

	map__for_each(&s->twins, slot) {
		const struct channel *from = channel__resolve(slot->val);
		struct channel *to = twin(copy, (const struct channel *)(uintptr_t)slot->lo);

		if (map__set(&mine, (uintptr_t)from, 0, to))
			continue; /* merged: counted already */
		to->folded_cnt = from->folded_cnt;
		to->first_ns = from->first_ns;
		to->last_ns = from->last_ns;
		to->messages = from->messages;
		to->bytes = from->bytes;
		to->unattributed_bytes = from->unattributed_bytes;
		to->unattributed_messages = from->unattributed_messages;
	}
	for (size_t i = 0; i < s->graph.flows.cnt; i++) {
		const struct flow *f = s->graph.flows.v[i];
		struct channel *ch = map__get(&mine, (uintptr_t)f->channel, 0);

		flow__add(graph__flow(&copy->graph, f->src, f->dst, ch, f->origin), f);
	}
	map__free(&mine);
	return copy;
}

struct graph *subgraph__graph(struct subgraph *s)
{
	return &s->graph;
}

void subgraph__free(struct subgraph *s)
{
	if (!s)
		return;
	graph__free(&s->graph);
	map__free(&s->twins);
	map__free(&s->settled);
	free(s);
}
