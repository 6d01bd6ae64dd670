/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who talks to whom, from sums alone: a lane is what lies between those who send to a queue and those who receive from it.
 * What a process sent and nobody took yet is its credit there, what it took and nobody gave yet its debt. After each look
 * at the kernel's sums the two are set off against each other: where one side of the lane is one process, there is no doubt who
 * gave what to whom; otherwise they are shared out in proportion, and all who sent are candidates. A lane that is even is
 * forgotten, so who used it earlier is no candidate for what comes later.
 *
 * Where operations came one by one as well (sum_info.beside), that is better knowledge, and sums only tell what is missing in
 * it; that is known at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/ledger_impl.h"

#define STARVED_MAX 3 /* looks; of what two sides do at one time, one may be seen a look later */
#define PAIRS_MAX 4096 /* of senders and receivers; beyond, not everybody gets a share of everything */

static struct ledger *ledger_of(struct model *m)
{
	if (!m->ledger)
		m->ledger = xalloc(sizeof(*m->ledger));
	return m->ledger;
}

/* Another object has its key now. It goes with the next settling. */
static void retire(struct ledger *l, struct lane *lane)
{
	map__del(&l->lanes, lane->queue.id, lane->queue.space);
	lane->is_retired = true;
	if (!lane->is_touched)
		vec__push(&l->touched, lane);
	lane->is_touched = true;
}

static struct lane *lane_of(struct model *m, struct ledger *l, const struct sum_info *info)
{
	struct lane *lane = map__get(&l->lanes, info->queue.id, info->queue.space);
	struct channel *ch = objects__channel_of(m, info->mech, info->queue, info->queue_nr, info->name);

	if (lane && lane->nr && info->queue_nr && lane->nr != info->queue_nr) {
		retire(l, lane);
		lane = NULL;
	}
	if (!lane) {
		lane = xalloc(sizeof(*lane));
		lane->queue = info->queue;
		lane->channel = ch;
		lane->mech = info->mech;
		lane->is_stream = info->is_stream;
		map__set(&l->lanes, info->queue.id, info->queue.space, lane);
	}
	if (info->queue_nr)
		lane->nr = info->queue_nr;
	if (!lane->is_touched && !l->has_beside) {
		lane->is_touched = true;
		vec__push(&l->touched, lane);
	}
	return lane;
}

struct account *account_list__find(const struct account_list *list, const struct proc *proc)
{
	uintptr_t place;

	if (!list->crowd)
		return list->cnt && list->one.proc == proc ? (struct account *)&list->one : NULL;
	place = (uintptr_t)map__get(&list->crowd->by_proc, (uintptr_t)proc, 0);
	return place ? &list->crowd->all.v[place - 1] : NULL;
}

static void join_crowd(struct account_list *list, struct account a)
{
	vec__push(&list->crowd->all, a);
	map__set(&list->crowd->by_proc, (uintptr_t)a.proc, 0, (void *)list->crowd->all.cnt);
}

static void free_crowd(const struct account_list *list)
{
	if (!list->crowd)
		return;
	vec__free(&list->crowd->all);
	map__free(&list->crowd->by_proc);
	free(list->crowd);
}

static void add(struct account_list *list, struct proc *proc, uint64_t units, uint64_t other)
{
	struct account *a = account_list__find(list, proc);

	if (a) {
		a->units += units;
		a->other += other;
		return;
	}
	if (!list->cnt++) {
		list->one = (struct account){ .proc = proc, .units = units, .other = other };
		return;
	}
	if (!list->crowd) {
		list->crowd = xalloc(sizeof(*list->crowd));
		join_crowd(list, list->one);
	}
	join_crowd(list, (struct account){ .proc = proc, .units = units, .other = other });
}

static uint64_t sum_of(const struct account_list *list)
{
	const struct account *v = account_list__v(list);
	uint64_t sum = 0;

	for (size_t i = 0; i < list->cnt; i++)
		sum += v[i].units;
	return sum;
}

/* part of whole, as a share of v; whole is not 0 */
static uint64_t share(uint64_t v, uint64_t part, uint64_t whole)
{
	return (uint64_t)((unsigned __int128)v * part / whole);
}

static struct party party_of(struct proc *proc)
{
	struct party p = { .proc = proc };

	if (proc) {
		p.tid = proc->pid;
		memcpy(p.comm, proc->comm, sizeof(p.comm));
	}
	return p;
}

/* from may be NULL: nobody knows who sent it. */
static void give_out(struct model *m, const struct lane *lane, struct proc *from, struct proc *to,
		     uint64_t messages, uint64_t bytes, enum attr attr)
{
	const struct op op = {
		.ts_ns = m->now_ns,
		.pid = to->pid,
		.tid = to->pid,
		.kind = OP_RECV,
		.mech = lane->mech,
		.rule = PAIR_NONE,
		.obj = lane->queue,
		.bytes = bytes,
		.fd = -1,
		.fd2 = -1,
	};
	struct message msg = {
		.ts_ns = m->now_ns,
		.mech = lane->mech,
		.attr = attr,
		.summed = true,
		.channel = channel__resolve(lane->channel),
		.src = party_of(from),
		.dst = party_of(to),
		.bytes = bytes,
		.messages = messages,
		.op = &op,
	};

	for (size_t i = 0; attr == ATTR_CANDIDATES && i < lane->senders.cnt; i++)
		if (msg.candidate_cnt < MESSAGE_CANDIDATES_MAX)
			msg.candidates[msg.candidate_cnt++] = account_list__v(&lane->senders)[i].proc;
	m->stats.unmatched_receives += !from;
	m->stats.ambiguous += attr == ATTR_CANDIDATES;
	model__give_out(m, &msg);
}

/* units went from one to the other; what goes with them is told by who counts it. */
static void move(struct model *m, const struct lane *lane, struct account *from, struct account *to,
		 uint64_t units)
{
	struct account *teller = lane->is_stream ? from : to;
	bool doubt = lane->senders.cnt > 1 && lane->receivers.cnt > 1;
	uint64_t other;

	if (!units)
		return;
	other = share(teller->other, units, teller->units);
	teller->other -= other;
	from->units -= units;
	to->units -= units;
	give_out(m, lane, from->proc, to->proc, lane->is_stream ? other : units,
		 lane->is_stream ? units : other, doubt ? ATTR_CANDIDATES : ATTR_EXACT);
}

/* All of one account, shared out over the other side, which has at least as much; sum: what it has. */
static void share_out(struct model *m, const struct lane *lane, struct account *one,
		      const struct account_list *others, bool one_sends, uint64_t sum)
{
	bool in_proportion = lane->senders.cnt * lane->receivers.cnt <= PAIRS_MAX;
	uint64_t all = one->units;

	for (int round = in_proportion ? 0 : 1; round < 2; round++) { /* the second one: what rounding left */
		for (size_t i = 0; i < others->cnt && one->units; i++) {
			struct account *other = &account_list__v(others)[i];
			uint64_t units = round ? other->units : share(other->units, all, sum);

			if (units > one->units)
				units = one->units;
			move(m, lane, one_sends ? one : other, one_sends ? other : one, units);
		}
	}
}

/* Sets credits off against debts as far as they go. */
static void settle(struct model *m, struct lane *lane)
{
	uint64_t credit = sum_of(&lane->senders), debt = sum_of(&lane->receivers);
	bool by_sender = credit < debt;
	const struct account_list *less = by_sender ? &lane->senders : &lane->receivers;
	const struct account_list *more = by_sender ? &lane->receivers : &lane->senders;
	uint64_t sum = by_sender ? debt : credit;

	for (size_t i = 0; i < less->cnt; i++) {
		struct account *a = &account_list__v(less)[i];
		uint64_t units = a->units;

		share_out(m, lane, a, more, by_sender, sum);
		sum -= units;
	}
}

static void owe_nobody(struct model *m, struct lane *lane)
{
	for (size_t i = 0; i < lane->receivers.cnt; i++) {
		struct account *a = &account_list__v(&lane->receivers)[i];

		if (a->units)
			give_out(m, lane, NULL, a->proc, lane->is_stream ? 0 : a->units,
				 lane->is_stream ? a->units : a->other, ATTR_UNKNOWN);
		a->units = a->other = 0;
	}
}

static void free_lane(struct lane *lane)
{
	free_crowd(&lane->senders);
	free_crowd(&lane->receivers);
	free(lane);
}

/* The lane stays in touched as long as it is not even, since time may make it so. */
static bool keeps(struct model *m, struct ledger *l, struct lane *lane)
{
	settle(m, lane);
	if (sum_of(&lane->receivers)) {
		if (++lane->starved < STARVED_MAX)
			return true;
		owe_nobody(m, lane);
	}
	lane->starved = 0;
	lane->is_touched = false;
	if (lane->is_retired) {
		free_lane(lane);
	} else if (!sum_of(&lane->senders)) {
		map__del(&l->lanes, lane->queue.id, lane->queue.space);
		free_lane(lane);
	}
	return false;
}

static void settle_touched(struct model *m, struct ledger *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->touched.cnt; i++) {
		struct lane *lane = l->touched.v[i];

		if (keeps(m, l, lane))
			l->touched.v[kept++] = lane;
	}
	l->touched.cnt = kept;
}

static void mark(struct model *m, const struct sum_info *info)
{
	struct ledger *l = ledger_of(m);

	if (info->switched)
		m->graph.sums_since_ns = m->stats.sums_since_ns = info->ts_ns;
	if (info->switched && m->sink.sum)
		m->sink.sum(m->sink.ctx, info, NULL, NULL);
	if (info->done && !l->has_beside)
		settle_touched(m, l);
}

void model__sum(struct model *m, const struct sum_info *info)
{
	bool receives = info->kind == OP_RECV || info->kind == OP_WAIT;
	struct ledger *l = ledger_of(m);
	struct channel *ch;
	struct lane *lane;
	struct proc *proc;

	model__note_time(m, info->ts_ns);
	if (!info->mech) {
		mark(m, info);
		return;
	}
	m->stats.ledger_full += info->no_row;
	proc = proc_table__at(&m->procs, info->pid, info->start_ns, info->comm);
	ch = objects__channel_of(m, info->mech, info->obj, info->obj_nr, info->name);
	if (!proc || !ch)
		return;
	if (info->beside)
		l->has_beside = true;
	beside__note(m, info, ch, proc);
	if (!info->beside)
		ends__add_sum(m, info, ch, proc);
	if (!info->beside && m->sink.sum)
		m->sink.sum(m->sink.ctx, info, ch, proc);
	if (!info->queue.id)
		return;
	lane = lane_of(m, l, info);
	if (lane->is_stream)
		add(receives ? &lane->receivers : &lane->senders, proc, info->bytes, info->messages);
	else
		add(receives ? &lane->receivers : &lane->senders, proc, info->messages, info->bytes);
}

static bool is_doubtful(const struct model *m, uint8_t mech)
{
	return m->graph.sums_since_ns ||
	       (mech < sizeof(m->graph.lost) / sizeof(m->graph.lost[0]) && m->graph.lost[mech]);
}

static void settle_finally(struct model *m, struct lane *lane)
{
	if (m->ledger->has_beside && !is_doubtful(m, lane->mech))
		return;
	settle(m, lane);
	owe_nobody(m, lane);
}

void ledger__finish(struct model *m)
{
	struct ledger *l = m->ledger;

	if (!l)
		return;
	if (l->has_beside)
		beside__finish(m, is_doubtful);
	for (size_t i = 0; i < l->touched.cnt; i++)
		settle_finally(m, l->touched.v[i]);
	map__for_each(&l->lanes, slot)
		if (l->has_beside)
			settle_finally(m, slot->val);
	map__for_each(&l->lanes, slot) {
		struct lane *lane = slot->val;
		struct channel *ch = channel__resolve(lane->channel);

		if (lane->is_stream && ch && (!l->has_beside || is_doubtful(m, lane->mech)))
			ch->unread_bytes = sum_of(&lane->senders);
	}
}

/* ---- what ended ---- */

static void resolve_accounts(struct account_list *list)
{
	const struct account_list old = *list;

	*list = (struct account_list){ 0 };
	for (size_t i = 0; i < old.cnt; i++) {
		const struct account *a = &account_list__v(&old)[i];

		add(list, proc__resolve(a->proc), a->units, a->other);
	}
	free_crowd(&old);
}

static bool has_folded(const struct account_list *list)
{
	for (size_t i = 0; i < list->cnt; i++)
		if (account_list__v(list)[i].proc->merged)
			return true;
	return false;
}

static void add_all(struct account_list *to, const struct account_list *from)
{
	const struct account *v = account_list__v(from);

	for (size_t i = 0; i < from->cnt; i++)
		add(to, v[i].proc, v[i].units, v[i].other);
}

/* Lanes of channels that are one by now are one, too: its key is the channel's serial, which is no queue's. */
static struct obj_key key_of_folded(const struct channel *ch)
{
	return (struct obj_key){ .id = ch->serial, .space = UINT64_MAX };
}

static void fold_lane(struct ledger *l, struct lane *lane)
{
	struct obj_key key = key_of_folded(lane->channel);
	struct lane *to = map__get(&l->lanes, key.id, key.space);

	if (to == lane)
		return;
	if (!lane->is_retired)
		map__del(&l->lanes, lane->queue.id, lane->queue.space);
	if (!to) {
		lane->queue = key;
		lane->nr = 0;
		lane->is_retired = false;
		map__set(&l->lanes, key.id, key.space, lane);
		return;
	}
	add_all(&to->senders, &lane->senders);
	add_all(&to->receivers, &lane->receivers);
	free_lane(lane);
}

void ledger__follow(struct model *m)
{
	struct ledger *l = m->ledger;
	VEC(struct lane *) folded = { 0 };
	size_t kept = 0;

	if (!l)
		return;
	map__for_each(&l->lanes, slot) {
		struct lane *lane = slot->val;

		lane->channel = channel__resolve(lane->channel);
		if (has_folded(&lane->senders))
			resolve_accounts(&lane->senders);
		if (has_folded(&lane->receivers))
			resolve_accounts(&lane->receivers);
		if (lane->channel && lane->channel->folded_cnt && !lane->is_touched)
			vec__push(&folded, lane);
	}
	for (size_t i = 0; i < l->touched.cnt; i++) {
		struct lane *lane = l->touched.v[i];

		if (lane->is_retired) {
			lane->channel = channel__resolve(lane->channel);
			resolve_accounts(&lane->senders);
			resolve_accounts(&lane->receivers);
		}
		lane->is_touched = !(l->has_beside && lane->channel && lane->channel->folded_cnt);
		if (lane->is_touched)
			l->touched.v[kept++] = lane;
		else
			vec__push(&folded, lane);
	}
	l->touched.cnt = kept;
	for (size_t i = 0; i < folded.cnt; i++)
		fold_lane(l, folded.v[i]);
	vec__free(&folded);
}

void ledger__free(struct model *m)
{
	struct ledger *l = m->ledger;

	if (!l)
		return;
	for (size_t i = 0; i < l->touched.cnt; i++)
		if (l->touched.v[i]->is_retired)
			free_lane(l->touched.v[i]);
	map__for_each(&l->lanes, slot)
		free_lane(slot->val);
	map__free(&l->lanes);
	vec__free(&l->touched);
	free(l);
	m->ledger = NULL;
}
