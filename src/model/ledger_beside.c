/* SPDX-License-Identifier: GPL-2.0 */
/* Sums of operations that came one by one as well: at the end they say what of those was lost. */
#include <stdlib.h>

#include "base/log.h"
#include "model/ledger_impl.h"

void beside__note(struct model *m, const struct sum_info *info, struct channel *ch, struct proc *proc)
{
	const struct end_sums sums = {
		.ts_ns = info->ts_ns,
		.messages = info->messages,
		.bytes = info->bytes,
		.errors = info->errors,
		.wait_ns = info->wait_ns,
	};
	struct end *end;

	if (!m->ledger->has_beside || m->graph.channels_only)
		return;
	end = ends__of_sum(m, info, ch, proc);
	if (end)
		end__add_sums(end, &sums);
}

static void take_off(struct account *a, uint64_t units, uint64_t other)
{
	a->units -= units;
	a->other -= other < a->other ? other : a->other;
}

/* What the flow brought is no longer to be explained. */
static void take_off_flow(struct lane *lane, const struct flow *f)
{
	uint64_t units = lane && lane->is_stream ? f->bytes : f->messages;
	uint64_t other = lane && lane->is_stream ? f->messages : f->bytes;

	for (; lane && units; lane = lane->next) {
		struct account *from = account_list__find(&lane->senders, f->src);
		struct account *to = account_list__find(&lane->receivers, f->dst);
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

void beside__finish(struct model *m, doubt_fn is_doubtful)
{
	for (size_t i = 0; i < m->graph.ends.cnt; i++) {
		struct end *end = m->graph.ends.v[i];
		const struct end_sums *sums = end->summed;

		if (!sums || !is_doubtful(m, end->channel->mech))
			continue;
		end->messages = sums->messages;
		end->bytes = sums->bytes;
		end->errors = sums->errors;
		end->wait_ns = sums->wait_ns;
		ends__seen(end, sums->ts_ns);
	}
	graph__drop_empty_ends(&m->graph);
	take_off_flows(m, is_doubtful);
}
