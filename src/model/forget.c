/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What keeps the model's memory a matter of what lives: processes that ended and channels that nobody uses, as far as they are beyond
 * model_opts.history, are folded (oldest first) into one node for each name of a process and each sort of channel. Sums
 * stay what they were. That nothing points to them any more is not counted but asked for, of everybody, now and then:
 * it costs nothing while messages are paired, and what somebody still needs is simply left for the next time.
 */
#include <stdlib.h>

#include "model/aged.h"
#include "model/keep.h"
#include "model/model_impl.h"

/* A look is worth the while with so many more than there were, and an eighth: so its cost per thing that ends is constant. */
#define SLACK_MIN 256
#define SLACK_DIVISOR 8
#define CHANNELS_EACH 2 /* a process seldom has more that nobody else uses */
#define LOOK_NS (5ull * 1000 * 1000 * 1000) /* what was too young at one look is not at the next */

void keep__pid(struct model *m, uint32_t pid)
{
	keep__proc(proc_table__find(&m->procs, pid));
}

void keep__object(struct model *m, struct obj_key key)
{
	struct object *o = map__get(&m->objects, key.id, key.space);

	if (!o)
		return;
	o->kept = true;
	keep__channel(o->channel);
}

void keep__message(const struct message *msg)
{
	keep__channel(msg->channel);
	keep__proc(msg->src.proc);
	keep__proc(msg->dst.proc);
	keep__procs(msg->candidates, msg->candidate_cnt);
	if (msg->op && msg->op->rule == PAIR_SIGNAL)
		strtab__keep(msg->op->sig.cause);
}

static void keep_nothing(struct model *m)
{
	for (size_t i = 0; i < m->procs.all.cnt; i++)
		m->procs.all.v[i]->kept = false;
	for (size_t i = 0; i < m->graph.channels.cnt; i++)
		m->graph.channels.v[i]->kept = false;
	for (size_t i = 0; i < m->graph.merged.cnt; i++)
		m->graph.merged.v[i]->kept = false;
	map__for_each(&m->objects, slot)
		((struct object *)slot->val)->kept = false;
}

/* ---- who goes ---- */

static void fold_procs(struct model *m, uint64_t before_ns)
{
	aged_list ended = { 0 };
	size_t cnt;

	for (size_t i = 0; i < m->procs.all.cnt; i++) {
		struct proc *p = m->procs.all.v[i];

		if (p->exited && !p->kept && !p->folded_cnt && p->exit_ns < before_ns)
			vec__push(&ended, ((struct aged){ p->exit_ns, p }));
	}
	cnt = aged__first(&ended, m->procs.exited_cnt, m->opts.history);
	for (size_t i = 0; i < cnt; i++)
		proc_table__fold(&m->procs, ended.v[i].what);
	m->stats.folded_procs += cnt;
	vec__free(&ended);
}

/* What lies in a queue, and what nobody removed, is there still. */
static bool is_in_use(const struct channel *ch)
{
	return ch->kept || ch->lasting || ch->folded_cnt || ch->depth_messages || ch->memory.attached ||
	       ch->memory.left_behind;
}

static void fold_channels(struct model *m, uint64_t before_ns)
{
	aged_list idle = { 0 };
	size_t cnt;

	for (size_t i = 0; i < m->graph.channels.cnt; i++) {
		struct channel *ch = m->graph.channels.v[i];

		if (!is_in_use(ch) && ch->last_ns < before_ns)
			vec__push(&idle, ((struct aged){ ch->last_ns, ch }));
	}
	cnt = aged__first(&idle, m->graph.channels.cnt, m->opts.history * CHANNELS_EACH);
	for (size_t i = 0; i < cnt; i++)
		graph__fold(&m->graph, idle.v[i].what);
	m->stats.folded_channels += cnt;
	vec__free(&idle);
}

static void sweep_names(struct model *m)
{
	graph__keep_names(&m->graph);
	map__for_each(&m->objects, slot)
		strtab__keep(((const struct object *)slot->val)->name);
	strtab__sweep(&m->graph.names);
}

/* ---- when ---- */

static size_t next_at(size_t cnt)
{
	size_t slack = cnt / SLACK_DIVISOR;

	return cnt + (slack > SLACK_MIN ? slack : SLACK_MIN);
}

static bool is_time(const struct model *m)
{
	const size_t cnt[] = { m->procs.exited_cnt, m->graph.channels.cnt, m->objects.cnt };
	const size_t at[] = { m->forget.procs, m->forget.channels, m->forget.objects };
	const size_t each[] = { 1, CHANNELS_EACH, CHANNELS_EACH };

	for (size_t i = 0; i < sizeof(cnt) / sizeof(cnt[0]); i++) {
		if (cnt[i] <= m->opts.history * each[i] + SLACK_MIN)
			continue;
		if (cnt[i] > at[i] || m->now_ns >= m->forget.next_ns)
			return true;
	}
	return false;
}

static void forget(struct model *m, bool pairing_goes_on, uint64_t before_ns)
{
	keep_nothing(m);
	model__keep(m, pairing_goes_on);
	fold_procs(m, before_ns);
	fold_channels(m, before_ns);
	objects__forget(m);
	model__follow(m);
	sweep_names(m);
	graph__drop_merged(&m->graph);
	proc_table__drop_merged(&m->procs);
}

void forget__look(struct model *m)
{
	if (!is_time(m))
		return;
	forget(m, true, m->now_ns > m->opts.history_ns ? m->now_ns - m->opts.history_ns : 0);
	m->forget.procs = next_at(m->procs.exited_cnt);
	m->forget.channels = next_at(m->graph.channels.cnt);
	m->forget.objects = next_at(m->objects.cnt);
	m->forget.next_ns = m->now_ns + LOOK_NS;
}

void model__fold_rest(struct model *m)
{
	if (m->opts.history)
		forget(m, false, UINT64_MAX);
}
