/* SPDX-License-Identifier: GPL-2.0 */
#include "model/meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/graph.h"
#include "model/meter_impl.h"

#define SECOND_NS 1000000000ull
#define MECHS_MAX 32

struct meter {
	VEC(struct flow_meter *) flows;
	VEC(struct end_meter *) ends;
	struct map flow_by_key, end_by_key;
	VEC(const char *) origins; /* static strings */
	struct fill_table fill;
	uint64_t begin_ns, from_ns, until_ns;
	uint64_t tick_ns; /* begin of the running interval */
	uint32_t interval_nr;
	struct meter_totals now, last, total;
	uint64_t lost_now[MECHS_MAX], lost_last[MECHS_MAX], lost_total[MECHS_MAX];
};

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

uint32_t spark__at(const struct spark *s, uint64_t second)
{
	if (second > s->second || second + METER_SPARK_CNT <= s->second)
		return 0;
	return s->slot[second % METER_SPARK_CNT];
}

/* ---- rows ---- */

static uint64_t proc_number(const struct proc *p)
{
	return p ? (uint64_t)p->id + 1 : 0;
}

/* Equal origins may have several addresses. */
static uint64_t origin_number(struct meter *m, const char *origin)
{
	size_t i;

	for (i = 0; i < m->origins.cnt; i++)
		if (!strcmp(m->origins.v[i], origin))
			return i + 1;
	vec__push(&m->origins, origin);
	return i + 1;
}

/* With the channel's address: ids move when channels are merged. A source that is no process is told by its origin. */
static uint64_t sides_key(struct meter *m, const struct proc *src, const char *origin, const struct proc *dst)
{
	uint64_t from = src || !origin ? proc_number(src) : 1ull << 31 | origin_number(m, origin);

	return from << 32 | proc_number(dst);
}

static struct flow_meter *flow_of(struct meter *m, const struct message *msg)
{
	const char *origin = msg->src.proc ? NULL : msg->origin;
	uint64_t lo = sides_key(m, msg->src.proc, origin, msg->dst.proc);
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
	struct end_meter *e = map__get(&m->end_by_key, proc_number(proc), (uintptr_t)ch);

	if (e)
		return e;
	e = xalloc(sizeof(*e));
	e->proc = proc;
	e->channel = ch;
	vec__push(&m->ends, e);
	map__set(&m->end_by_key, proc_number(proc), (uintptr_t)ch, e);
	return e;
}

struct meter *meter__new(uint64_t now_ns)
{
	struct meter *m = xalloc(sizeof(*m));

	m->begin_ns = m->from_ns = m->until_ns = m->tick_ns = now_ns;
	return m;
}

/* ---- feeding ---- */

static void add_flow(struct flow_sum *sum, const struct message *msg, bool timed)
{
	sum->messages += msg->messages;
	sum->bytes += msg->bytes;
	if (timed)
		hist__add(&sum->latency, msg->latency_ns);
}

void meter__message(struct meter *m, const struct message *msg)
{
	/* As in graph__add_message(): a signal that was not delivered yet has taken no time yet. */
	bool timed = msg->sent_ns && !(msg->op && msg->op->rule == PAIR_SIGNAL && !msg->delivered_ns);
	struct flow_meter *f;

	if (!msg->channel)
		return;
	f = flow_of(m, msg);
	add_flow(&f->now, msg, timed);
	add_flow(&f->total, msg, timed);
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

void meter__object(struct meter *m, const struct object_info *info)
{
	fill_table__object(&m->fill, info);
}

void meter__lost(struct meter *m, uint8_t mech, uint64_t cnt)
{
	m->now.lost += cnt;
	if (mech < MECHS_MAX) {
		m->lost_now[mech] += cnt;
		m->lost_total[mech] += cnt;
	}
	fill_table__lost(&m->fill, mech);
}

/* ---- intervals ---- */

static void clear_flow_sum(struct flow_sum *sum)
{
	hist__free(&sum->latency);
	*sum = (struct flow_sum){ 0 };
}

/* The old interval's memory becomes the new one's, where there was any traffic in both. */
static void tick_flow(struct flow_meter *f)
{
	struct flow_sum old = f->last;

	f->last = f->now;
	f->now = (struct flow_sum){ 0 };
	if (!f->last.messages && !f->last.bytes)
		hist__free(&old.latency);
	if (old.latency.bucket) {
		memset(old.latency.bucket, 0, HIST_BUCKETS * sizeof(*old.latency.bucket));
		f->now.latency.bucket = old.latency.bucket;
	}
}

static void tick_end(struct end_meter *e)
{
	e->last = e->now;
	e->now = (struct end_sum){ 0 };
	e->ongoing_full_ns = e->ongoing_empty_ns = 0;
}

static void merge_flow(struct flow_meter *to, struct flow_meter *from)
{
	struct flow_sum *pairs[][2] = { { &to->last, &from->last }, { &to->total, &from->total } };

	for (size_t i = 0; i < 2; i++) {
		pairs[i][0]->messages += pairs[i][1]->messages;
		pairs[i][0]->bytes += pairs[i][1]->bytes;
		hist__merge(&pairs[i][0]->latency, &pairs[i][1]->latency);
		clear_flow_sum(pairs[i][1]);
	}
	clear_flow_sum(&from->now);
	if (from->attr > to->attr)
		to->attr = from->attr;
	for (uint64_t i = 0; i < METER_SPARK_CNT && i <= from->spark.second; i++) {
		uint64_t second = from->spark.second - i;

		spark__add(&to->spark, second * SECOND_NS, spark__at(&from->spark, second));
	}
	free(from);
}

/* Channels that turned out to be one: the rows that met are added up. */
static void follow_merged_flows(struct meter *m)
{
	size_t kept = 0;

	map__free(&m->flow_by_key);
	for (size_t i = 0; i < m->flows.cnt; i++) {
		struct flow_meter *f = m->flows.v[i], *twin;
		uint64_t lo = sides_key(m, f->src, f->origin, f->dst);

		f->channel = channel__resolve(f->channel);
		twin = map__get(&m->flow_by_key, lo, (uintptr_t)f->channel);
		if (twin) {
			merge_flow(twin, f);
			continue;
		}
		map__set(&m->flow_by_key, lo, (uintptr_t)f->channel, f);
		m->flows.v[kept++] = f;
	}
	m->flows.cnt = kept;
}

static void add_end_sum(struct end_sum *to, const struct end_sum *from)
{
	to->errors += from->errors;
	to->full_ns += from->full_ns;
	to->empty_ns += from->empty_ns;
}

static void follow_merged_ends(struct meter *m)
{
	size_t kept = 0;

	map__free(&m->end_by_key);
	for (size_t i = 0; i < m->ends.cnt; i++) {
		struct end_meter *e = m->ends.v[i], *twin;

		e->channel = channel__resolve(e->channel);
		twin = map__get(&m->end_by_key, proc_number(e->proc), (uintptr_t)e->channel);
		if (twin) {
			add_end_sum(&twin->last, &e->last);
			add_end_sum(&twin->total, &e->total);
			free(e);
			continue;
		}
		map__set(&m->end_by_key, proc_number(e->proc), (uintptr_t)e->channel, e);
		m->ends.v[kept++] = e;
	}
	m->ends.cnt = kept;
}

static void follow_merged(struct meter *m)
{
	bool flows = false, ends = false;

	for (size_t i = 0; i < m->flows.cnt && !flows; i++)
		flows = m->flows.v[i]->channel->merged != NULL;
	for (size_t i = 0; i < m->ends.cnt && !ends; i++)
		ends = m->ends.v[i]->channel->merged != NULL;
	if (flows)
		follow_merged_flows(m);
	if (ends)
		follow_merged_ends(m);
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
	follow_merged(m);
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
		clear_flow_sum(&m->flows.v[i]->now);
		clear_flow_sum(&m->flows.v[i]->last);
		clear_flow_sum(&m->flows.v[i]->total);
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
	};
	add_totals(&v->total, &m->now);
	memcpy(v->lost_last, m->lost_last, sizeof(v->lost_last));
	memcpy(v->lost_total, m->lost_total, sizeof(v->lost_total));
}

const struct end_meter *meter__end(const struct meter *m, const struct proc *proc, const struct channel *ch)
{
	return map__get(&m->end_by_key, proc_number(proc), (uintptr_t)ch);
}

bool meter__fill(const struct meter *m, const struct channel *ch, struct fill *sum)
{
	return fill_table__sum(&m->fill, ch, sum);
}
