/* SPDX-License-Identifier: GPL-2.0 */
#include "model/model.h"

#include <stdlib.h>

#include "base/log.h"
#include "model/model_impl.h"

#define SETTLE_NS (2ull * 1000 * 1000 * 1000)
#define PENDING_MAX 4096
#define HISTORY_NS (4ull * 1000 * 1000 * 1000)

/* One row per rule; a rule without a row moves nothing. */
static const struct pair_ops *const rules[PAIR_RULE_CNT] = {
	[PAIR_STREAM] = &pair_stream, [PAIR_MESSAGE] = &pair_message, [PAIR_SIGNAL] = &pair_signal,
	[PAIR_QUEUE] = &pair_queue,   [PAIR_SHARE] = &pair_share,     [PAIR_LOCK] = &pair_lock,
	[PAIR_DIRECT] = &pair_direct, [PAIR_UNITS] = &pair_units,     [PAIR_SEQ] = &pair_seq,
	[PAIR_DGRAM] = &pair_dgram,
};

#define for_each_rule(i)                           \
	for (size_t i = 0; i < PAIR_RULE_CNT; i++) \
		if (rules[i])

struct model *model__new(const struct model_opts *opts, const struct model_sink *sink)
{
	struct model *m = xalloc(sizeof(*m));

	if (opts)
		m->opts = *opts;
	if (sink)
		m->sink = *sink;
	if (!m->opts.settle_ns)
		m->opts.settle_ns = SETTLE_NS;
	if (!m->opts.history_ns)
		m->opts.history_ns = HISTORY_NS;
	if (!m->opts.pending_max)
		m->opts.pending_max = PENDING_MAX;
	m->graph.channels_only = m->opts.channels_only;
	for_each_rule(i)
		m->pairing[i] = rules[i]->new (m);
	return m;
}

void model__free(struct model *m)
{
	if (!m)
		return;
	m->sink = (struct model_sink){ 0 };
	for_each_rule(i)
		rules[i]->free(m->pairing[i]);
	receipts__free(m);
	ledger__free(m);
	passed__free(m);
	objects__free(m);
	graph__free(&m->graph);
	proc_table__free(&m->procs);
	free(m);
}

void model__note_time(struct model *m, uint64_t ts_ns)
{
	if (!m->graph.start_ns || ts_ns < m->graph.start_ns)
		m->graph.start_ns = ts_ns;
	if (ts_ns > m->graph.end_ns)
		m->graph.end_ns = ts_ns;
	if (ts_ns > m->now_ns)
		m->now_ns = ts_ns;
	if (ts_ns >= m->next_settle_ns)
		model__advance(m, ts_ns);
}

void model__give_out(struct model *m, const struct message *msg)
{
	graph__add_message(&m->graph, msg);
	if (msg->op->rule == PAIR_UNITS)
		ends__took(m, msg);
	m->stats.messages++;
	m->stats.sum_messages += msg->messages;
	m->stats.sum_bytes += msg->bytes;
	if (m->sink.message)
		m->sink.message(m->sink.ctx, msg);
}

void model__task(struct model *m, const struct task_info *info)
{
	model__note_time(m, info->ts_ns);
	proc_table__feed(&m->procs, info);
	for_each_rule(i)
		if (rules[i]->task)
			rules[i]->task(m->pairing[i], info);
	if (info->what == TASK_EXIT)
		passed__exited(m, info->tid);
	if (info->what != TASK_EXIT || !info->group_dead)
		return;
	for_each_rule(i)
		if (rules[i]->task_exit)
			rules[i]->task_exit(m->pairing[i], info->pid, info->ts_ns);
}

void model__object(struct model *m, const struct object_info *info)
{
	model__note_time(m, info->ts_ns);
	objects__learn(m, info);
	for_each_rule(i)
		if (rules[i]->object)
			rules[i]->object(m->pairing[i], info);
}

#define LINE_BYTES 64 /* of a cache, if not more */
#define CHANNEL_BYTES offsetof(struct channel, name) /* those that operations touch */

static void fetch(const void *from, size_t bytes)
{
	if (!from)
		return;
	for (size_t at = 0; at < bytes; at += LINE_BYTES)
		__builtin_prefetch((const char *)from + at, 1);
	__builtin_prefetch((const char *)from + bytes - 1, 1);
}

/*
 * With thousands of objects, what an operation touches is in no cache. It is asked for as soon as it is known where it is, so that the
 * memory brings it all at once, and not one after the other.
 */
static void fetch_object(const struct object *o)
{
	fetch(o->channel, CHANNEL_BYTES);
	fetch(o->state_slot, 1);
	fetch(o->state, PAIR_STATE_BYTES);
}

static void fetch_channel(const struct channel *ch, bool receives)
{
	fetch(ch->last_end[!receives], sizeof(struct end));
	if (receives)
		fetch(ch->last_flow, sizeof(struct flow));
}

/* Rules that keep accounts by process: what nobody did has no account. A damaged recording may say so. */
static bool by_nobody(const struct op *op)
{
	return !op->pid && (op->rule == PAIR_DIRECT || op->rule == PAIR_LOCK || op->rule == PAIR_SHARE);
}

void model__op(struct model *m, const struct op *op)
{
	struct op with_fds;
	struct party task;
	struct channel *ch;

	model__note_time(m, op->ts_ns);
	if (by_nobody(op))
		return;
	if (op->rule < PAIR_RULE_CNT && rules[op->rule] && rules[op->rule]->defer &&
	    rules[op->rule]->defer(m->pairing[op->rule], op))
		return;
	m->stats.ops++;
	m->used = objects__used(m, op->mech, op->obj);
	if (m->used)
		fetch_object(m->used);
	task = model__party(m, op->pid, op->tid);
	ch = object__channel(m, m->used, op->mech);
	if (ch) {
		fetch_channel(ch, op->kind == OP_RECV);
		if (!ch->first_ns)
			ch->first_ns = op->ts_ns;
		ch->last_ns = op->ts_ns;
		ch->lasting |= op->rule == PAIR_SIGNAL;
	}
	ends__account(m, op, ch, task.proc);
	if (op->flags & OP_F_FDS && op->kind == OP_RECV) {
		with_fds = *op;
		with_fds.fds_nr = passed__claim(m, op);
		op = &with_fds;
	}
	if (m->sink.op)
		m->sink.op(m->sink.ctx, op, ch, &task);
	if (op->rule < PAIR_RULE_CNT && rules[op->rule])
		rules[op->rule]->op(m->pairing[op->rule], op);
}

void model__pass(struct model *m, const struct pass_info *info)
{
	model__note_time(m, info->ts_ns);
	if (info->pid)
		passed__feed(m, info);
}

void model__lost(struct model *m, uint64_t ts_ns, uint8_t mech, uint64_t cnt)
{
	struct graph *g = &m->graph;
	size_t c;

	model__note_time(m, ts_ns);
	m->stats.lost += cnt;
	if (mech < sizeof(g->lost) / sizeof(g->lost[0]))
		g->lost[mech] += cnt;
	for (c = 0; c < g->channels.cnt; c++)
		if (g->channels.v[c]->mech == mech)
			g->channels.v[c]->lost += cnt;
	for_each_rule(i)
		if (rules[i]->lost)
			rules[i]->lost(m->pairing[i], ts_ns, mech);
}

void model__skipped(struct model *m, uint64_t cnt)
{
	m->stats.skipped += cnt;
	m->graph.skipped += cnt;
}

void model__table_full(struct model *m, uint64_t cnt)
{
	m->stats.table_full += cnt;
	m->graph.table_full += cnt;
}

void model__advance(struct model *m, uint64_t now_ns)
{
	if (now_ns > m->now_ns)
		m->now_ns = now_ns;
	m->next_settle_ns = now_ns + m->opts.settle_ns / 400;
	for_each_rule(i)
		if (rules[i]->advance)
			rules[i]->advance(m->pairing[i], now_ns);
	receipts__release(m, m->now_ns);
	if (m->opts.history)
		forget__look(m);
}

void model__keep(struct model *m, bool pairing_goes_on)
{
	for_each_rule(i)
		if (pairing_goes_on && rules[i]->keep)
			rules[i]->keep(m->pairing[i]);
	receipts__keep(m);
	passed__keep(m);
	if (m->sink.keep)
		m->sink.keep(m->sink.ctx);
}

void model__follow(struct model *m)
{
	for_each_rule(i)
		if (rules[i]->follow)
			rules[i]->follow(m->pairing[i]);
	graph__follow_merged(&m->graph);
	ledger__follow(m);
	passed__follow(m);
	if (m->sink.moved)
		m->sink.moved(m->sink.ctx);
}

void model__finish(struct model *m, uint64_t now_ns)
{
	if (now_ns > m->now_ns)
		m->now_ns = now_ns;
	if (now_ns > m->graph.end_ns)
		m->graph.end_ns = now_ns;
	for_each_rule(i)
		rules[i]->finish(m->pairing[i], now_ns);
	receipts__release(m, UINT64_MAX);
	ledger__finish(m);
}

struct party model__party(struct model *m, uint32_t pid, uint32_t tid)
{
	struct party p = { .proc = proc_table__get(&m->procs, pid), .tid = tid };
	const char *comm = proc_table__comm(&m->procs, pid, tid);

	__builtin_memcpy(p.comm, comm, sizeof(p.comm));
	return p;
}

struct sender model__sender(struct model *m, const struct op *op)
{
	struct sender s = { .sent_ns = op->ts_ns };

	if (op->rule == PAIR_SIGNAL && op->sig.from_kernel)
		s.origin = op->sig.origin ? op->sig.origin : "kernel";
	else
		s.party = model__party(m, op->pid, op->tid);
	s.under_way = op->flags & (OP_F_BLOCKED | OP_F_MORE);
	if (op->enter_ns < op->ts_ns)
		s.began_ns = op->enter_ns;
	s.party.stack = op->stack;
	return s;
}

struct channel *model__channel(struct model *m, uint8_t mech, struct obj_key key)
{
	return objects__channel(m, mech, key);
}

void model__note_state(struct model *m, const void *state, const void *slot)
{
	if (!m->used)
		return;
	m->used->state = state;
	m->used->state_slot = slot;
}

const struct model_opts *model__opts(const struct model *m)
{
	return &m->opts;
}

struct model_stats *model__stats_mut(struct model *m)
{
	return &m->stats;
}

struct graph *model__graph(struct model *m)
{
	return &m->graph;
}

struct proc_table *model__procs(struct model *m)
{
	return &m->procs;
}

const struct model_stats *model__stats(struct model *m)
{
	return &m->stats;
}
