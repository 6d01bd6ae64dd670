/* SPDX-License-Identifier: GPL-2.0 */
#include "model/meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/graph.h"
#include "model/meter_impl.h"

#define SECOND_NS 1000000000ull

/* ---- the last minute ---- */

void spark__add(struct spark *s, uint64_t ts_ns, uint64_t cnt)
{
	uint64_t second = ts_ns / SECOND_NS, sum;

	if (second + METER_SPARK_CNT <= s->second)
		return;
	if (second >= s->second + METER_SPARK_CNT)
		memset(s->slot, 0, sizeof(s->slot));
	else
		for (uint64_t i = s->second + 1; i <= second; i++)
			s->slot[i % METER_SPARK_CNT] = 0;
	if (second > s->second)
		s->second = second;
	sum = s->slot[second % METER_SPARK_CNT] + cnt;
	s->slot[second % METER_SPARK_CNT] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

void spark__merge(struct spark *to, const struct spark *from)
{
	for (uint64_t i = 0; i < METER_SPARK_CNT && i <= from->second; i++)
		if (spark__at(from, from->second - i))
			spark__add(to, (from->second - i) * SECOND_NS, spark__at(from, from->second - i));
}

uint32_t spark__at(const struct spark *s, uint64_t second)
{
	if (second > s->second || second + METER_SPARK_CNT <= s->second)
		return 0;
	return s->slot[second % METER_SPARK_CNT];
}

/* ---- rows ---- */

static struct flow_meter *flow_of(struct meter *m, const struct message *msg)
{
	const char *origin = msg->src.proc ? NULL : msg->origin;
	uint64_t lo = meter__sides_key(m, msg->src.proc, origin, msg->dst.proc);
	struct flow_meter *f = map__get(&m->flow_by_key, lo, (uintptr_t)msg->channel);

	if (f)
		return f;
	f = xalloc(sizeof(*f));
	f->src = msg->src.proc;
	f->dst = msg->dst.proc;
	f->origin = origin;
	f->channel = msg->channel;
	vec__push(&m->flows, f);
	map__set(&m->flow_by_key, lo, (uintptr_t)f->channel, f);
	return f;
}

static struct end_meter *end_of(struct meter *m, struct proc *proc, struct channel *ch)
{
	struct end_meter *e = map__get(&m->end_by_key, proc__number(proc), (uintptr_t)ch);

	if (e)
		return e;
	e = xalloc(sizeof(*e));
	e->proc = proc;
	e->channel = ch;
	vec__push(&m->ends, e);
	map__set(&m->end_by_key, proc__number(proc), (uintptr_t)ch, e);
	return e;
}

struct meter *meter__new(uint64_t now_ns)
{
	struct meter *m = xalloc(sizeof(*m));

	m->begin_ns = m->from_ns = m->until_ns = m->tick_ns = now_ns;
	return m;
}

/* ---- feeding ---- */

static void add_flow(struct flow_sum *sum, const struct message *msg)
{
	sum->messages += msg->messages;
	sum->bytes += msg->bytes;
	if (msg->latency_ns)
		hist__add(&sum->latency, msg->latency_ns);
}

void meter__message(struct meter *m, const struct message *msg)
{
	struct flow_meter *f;

	if (!msg->channel)
		return;
	f = flow_of(m, msg);
	add_flow(&f->now, msg);
	add_flow(&f->total, msg);
	if (msg->attr > f->attr)
		f->attr = msg->attr;
	spark__add(&f->spark, msg->ts_ns, msg->messages);
	m->now.messages += msg->messages;
	m->now.bytes += msg->bytes;
}

/* As in ends.c: would block, was interrupted, or will be restarted. */
static bool is_error(int64_t ret)
{
	return ret < 0 && ret != -EAGAIN && ret != -EINTR && !(ret <= -512 && ret >= -516);
}

static void add_wait(struct meter *m, struct end_meter *e, const struct op *op)
{
	bool sends = op->kind == OP_SEND || op->kind == OP_POST;
	uint64_t begin_ns = op->enter_ns > m->tick_ns ? op->enter_ns : m->tick_ns;
	uint64_t part_ns = op->ts_ns > begin_ns ? op->ts_ns - begin_ns : 0;

	*(sends ? &e->now.full_ns : &e->now.empty_ns) += part_ns;
	*(sends ? &e->total.full_ns : &e->total.empty_ns) += op->ts_ns - op->enter_ns;
}

void meter__op(struct meter *m, const struct op *op, struct channel *ch, struct proc *proc)
{
	struct end_meter *e;
	bool error;

	m->now.ops++;
	if (!ch)
		return;
	fill_table__op(&m->fill, op, ch);
	if (!proc || op->flags & (OP_F_MORE | OP_F_BLOCKED))
		return;
	error = is_error(op->ret) && op->rule != PAIR_SIGNAL;
	if (!error && !(op->flags & OP_F_WAITED))
		return;
	e = end_of(m, proc, ch);
	e->now.errors += error;
	e->total.errors += error;
	if (op->flags & OP_F_WAITED && op->enter_ns && op->ts_ns > op->enter_ns)
		add_wait(m, e, op);
}

void meter__sum(struct meter *m, const struct sum_info *info, struct channel *ch, struct proc *proc)
{
	bool sends = info->kind == OP_SEND || info->kind == OP_POST;
	uint64_t most_ns = info->ts_ns > m->tick_ns ? info->ts_ns - m->tick_ns : 0;
	struct end_meter *e;

	if (!proc) {
		m->sums_since_ns = info->ts_ns;
		for (uint8_t mech = 0; mech < METER_MECHS_MAX; mech++)
			fill_table__lost(&m->fill, mech); /* nobody follows it any more */
		return;
	}
	m->now.ops += info->messages + info->errors;
	if (!info->errors && !info->wait_ns)
		return;
	e = end_of(m, proc, ch);
	e->now.errors += info->errors;
	e->total.errors += info->errors;
	/* Some of it may have been in the interval before: it is not known of which operations it is the sum. */
	*(sends ? &e->now.full_ns : &e->now.empty_ns) += info->wait_ns < most_ns ? info->wait_ns : most_ns;
	*(sends ? &e->total.full_ns : &e->total.empty_ns) += info->wait_ns;
}

void meter__object(struct meter *m, const struct object_info *info)
{
	fill_table__object(&m->fill, info);
}

void meter__lost(struct meter *m, uint8_t mech, uint64_t cnt)
{
	m->now.lost += cnt;
	if (mech < METER_MECHS_MAX) {
		m->lost_now[mech] += cnt;
		m->lost_total[mech] += cnt;
	}
	fill_table__lost(&m->fill, mech);
}

void meter__set_table_full(struct meter *m, uint64_t cnt)
{
	m->table_full = cnt;
}

/* ---- intervals ---- */

/* The old interval's memory becomes the new one's, where there was any traffic in both. */
static void tick_flow(struct flow_meter *f)
{
	struct flow_sum old = f->last;

	f->last = f->now;
	f->now = (struct flow_sum){ 0 };
	if (!f->last.messages && !f->last.bytes)
		hist__free(&old.latency);
	hist__clear(&old.latency);
	f->now.latency = old.latency;
}

static void tick_end(struct end_meter *e)
{
	e->last = e->now;
	e->now = (struct end_sum){ 0 };
	e->ongoing_full_ns = e->ongoing_empty_ns = 0;
}

static void add_totals(struct meter_totals *to, const struct meter_totals *from)
{
	to->messages += from->messages;
	to->bytes += from->bytes;
	to->ops += from->ops;
	to->lost += from->lost;
}

void meter__tick(struct meter *m, uint64_t now_ns)
{
	for (size_t i = 0; i < m->flows.cnt; i++)
		tick_flow(m->flows.v[i]);
	for (size_t i = 0; i < m->ends.cnt; i++)
		tick_end(m->ends.v[i]);
	meter__follow_merged(m);
	fill_table__index(&m->fill);
	add_totals(&m->total, &m->now);
	m->last = m->now;
	m->now = (struct meter_totals){ 0 };
	memcpy(m->lost_last, m->lost_now, sizeof(m->lost_last));
	memset(m->lost_now, 0, sizeof(m->lost_now));
	m->from_ns = m->tick_ns;
	m->until_ns = m->tick_ns = now_ns;
	m->interval_nr++;
}

void meter__waits(struct meter *m, struct proc *proc, struct channel *ch, bool sends, uint64_t since_ns)
{
	uint64_t from_ns = since_ns > m->from_ns ? since_ns : m->from_ns;
	struct end_meter *e;

	if (!proc || !ch || from_ns >= m->until_ns)
		return;
	e = end_of(m, proc, channel__resolve(ch));
	*(sends ? &e->ongoing_full_ns : &e->ongoing_empty_ns) += m->until_ns - from_ns;
}

bool meter__is_fresh(const struct meter *m)
{
	return m->now.messages || m->now.ops || m->now.lost;
}

static void free_rows(struct meter *m)
{
	for (size_t i = 0; i < m->flows.cnt; i++) {
		flow_sum__clear(&m->flows.v[i]->now);
		flow_sum__clear(&m->flows.v[i]->last);
		flow_sum__clear(&m->flows.v[i]->total);
		free(m->flows.v[i]);
	}
	for (size_t i = 0; i < m->ends.cnt; i++)
		free(m->ends.v[i]);
	vec__free(&m->flows);
	vec__free(&m->ends);
	vec__free(&m->origins);
	map__free(&m->flow_by_key);
	map__free(&m->end_by_key);
}

void meter__reset(struct meter *m, uint64_t now_ns)
{
	struct fill_table fill = m->fill;

	free_rows(m);
	*m = (struct meter){ .fill = fill };
	m->begin_ns = m->from_ns = m->until_ns = m->tick_ns = now_ns;
}

void meter__forget(struct meter *m)
{
	free_rows(m);
	fill_table__free(&m->fill);
	*m = (struct meter){ 0 };
}

void meter__free(struct meter *m)
{
	if (!m)
		return;
	free_rows(m);
	fill_table__free(&m->fill);
	free(m);
}

/* ---- reading ---- */

void meter__view(const struct meter *m, struct meter_view *v)
{
	*v = (struct meter_view){
		.flows = m->flows.v,
		.flow_cnt = m->flows.cnt,
		.ends = m->ends.v,
		.end_cnt = m->ends.cnt,
		.begin_ns = m->begin_ns,
		.from_ns = m->from_ns,
		.until_ns = m->until_ns,
		.interval_nr = m->interval_nr,
		.last = m->last,
		.total = m->total,
		.sums_since_ns = m->sums_since_ns,
		.table_full = m->table_full,
	};
	add_totals(&v->total, &m->now);
	memcpy(v->lost_last, m->lost_last, sizeof(v->lost_last));
	memcpy(v->lost_total, m->lost_total, sizeof(v->lost_total));
}

const struct end_meter *meter__end(const struct meter *m, const struct proc *proc, const struct channel *ch)
{
	return map__get(&m->end_by_key, proc__number(proc), (uintptr_t)ch);
}

bool meter__fill(const struct meter *m, const struct channel *ch, struct fill *sum)
{
	return fill_table__sum(&m->fill, ch, sum);
}
