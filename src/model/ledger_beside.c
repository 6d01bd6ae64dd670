/* SPDX-License-Identifier: GPL-2.0 */
/* Sums of operations that came one by one as well: at the end they say what of those was lost. */
#include <stdlib.h>

#include "base/log.h"
#include "model/ledger_impl.h"

/* One process's end, all sums together; the graph's own may lack what was lost. */
struct beside_end {
	struct proc *proc;
	struct channel *channel; /* may be merged: resolve */
	uint64_t ts_ns; /* of the latest sum */
	uint64_t messages, bytes, errors, wait_ns;
	uint8_t kind, mech; /* as in struct sum_info */
};

static void add(struct beside_end *to, const struct sum_info *sum)
{
	if (sum->ts_ns > to->ts_ns)
		to->ts_ns = sum->ts_ns;
	to->messages += sum->messages;
	to->bytes += sum->bytes;
	to->errors += sum->errors;
	to->wait_ns += sum->wait_ns;
}

static struct sum_info sum_of(const struct beside_end *e)
{
	return (struct sum_info){ .ts_ns = e->ts_ns,
				  .mech = e->mech,
				  .kind = e->kind,
				  .messages = e->messages,
				  .bytes = e->bytes,
				  .errors = e->errors,
				  .wait_ns = e->wait_ns };
}

static uint64_t low_key(const struct proc *proc, uint8_t kind)
{
	return (uint64_t)proc->serial << 8 | kind;
}

void beside__note(struct model *m, const struct sum_info *info, struct channel *ch, struct proc *proc)
{
	uint64_t lo = low_key(proc, info->kind);
	struct ledger *l = m->ledger;
	struct beside_end *e;

	if (!l->has_beside)
		return;
	e = map__get(&l->ends, lo, ch->serial);
	if (!e) {
		e = xalloc(sizeof(*e));
		*e = (struct beside_end){
			.proc = proc, .channel = ch, .kind = info->kind, .mech = info->mech
		};
		map__set(&l->ends, lo, ch->serial, e);
	}
	add(e, info);
}

void beside__follow(struct ledger *l)
{
	struct map old = l->ends;

	l->ends = (struct map){ 0 };
	map__for_each(&old, slot) {
		struct beside_end *e = slot->val, *twin;
		struct sum_info sum;

		e->proc = proc__resolve(e->proc);
		e->channel = channel__resolve(e->channel);
		twin = map__get(&l->ends, low_key(e->proc, e->kind), e->channel->serial);
		if (!twin) {
			map__set(&l->ends, low_key(e->proc, e->kind), e->channel->serial, e);
			continue;
		}
		sum = sum_of(e);
		add(twin, &sum);
		free(e);
	}
	map__free(&old);
}

static void take_off(struct account *a, uint64_t units, uint64_t other)
{
	a->units -= units;
	a->other -= other < a->other ? other : a->other;
}

static struct account *find(const struct account_list *list, const struct proc *proc)
{
	for (size_t i = 0; i < list->cnt; i++)
		if (list->v[i].proc == proc)
			return &list->v[i];
	return NULL;
}

/* What the flow brought is no longer to be explained. */
static void take_off_flow(struct lane *lane, const struct flow *f)
{
	uint64_t units = lane && lane->is_stream ? f->bytes : f->messages;
	uint64_t other = lane && lane->is_stream ? f->messages : f->bytes;

	for (; lane && units; lane = lane->next) {
		struct account *from = find(&lane->senders, f->src), *to = find(&lane->receivers, f->dst);
		uint64_t some = units;

		if (!from || !to)
			continue;
		if (some > from->units)
			some = from->units;
		if (some > to->units)
			some = to->units;
		take_off(from, some, other);
		take_off(to, some, other);
		units -= some;
	}
}

static void take_off_flows(struct model *m, doubt_fn is_doubtful)
{
	struct map by_channel = { 0 };

	map__for_each(&m->ledger->lanes, slot) {
		struct lane *lane = slot->val;

		lane->channel = channel__resolve(lane->channel);
		if (!lane->channel)
			continue;
		lane->next = map__set(&by_channel, (uintptr_t)lane->channel, 0, lane);
		if (is_doubtful(m, lane->mech)) /* a debt that stays will be added to it */
			lane->channel->unattributed_bytes = lane->channel->unattributed_messages = 0;
	}
	for (size_t i = 0; i < m->graph.flows.cnt; i++) {
		const struct flow *f = m->graph.flows.v[i];

		take_off_flow(map__get(&by_channel, (uintptr_t)f->channel, 0), f);
	}
	map__free(&by_channel);
}

static void forget_end(struct model *m, const struct beside_end *e)
{
	const struct sum_info sum = sum_of(e);
	struct end *end = ends__of_sum(m, &sum, channel__resolve(e->channel), e->proc);

	if (end)
		end->messages = end->bytes = end->errors = end->wait_ns = 0;
}

void beside__finish(struct model *m, doubt_fn is_doubtful)
{
	/* Channels may have become one: first all ends are emptied, then all sums are added. */
	map__for_each(&m->ledger->ends, slot) {
		const struct beside_end *e = slot->val;

		if (is_doubtful(m, e->mech))
			forget_end(m, e);
	}
	map__for_each(&m->ledger->ends, slot) {
		const struct beside_end *e = slot->val;
		const struct sum_info sum = sum_of(e);

		if (is_doubtful(m, e->mech))
			ends__add_sum(m, &sum, channel__resolve(e->channel), e->proc);
	}
	take_off_flows(m, is_doubtful);
}

void beside__free(struct ledger *l)
{
	map__for_each(&l->ends, slot)
		free(slot->val);
	map__free(&l->ends);
}
