/* SPDX-License-Identifier: GPL-2.0 */
#include "model/meter_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/graph.h"

#define SECOND_NS 1000000000ull

/* Each of the meter's rows is a line by itself. */
static bool is_one_to_one(const struct meter_table *t)
{
	return t->opts.kind == TABLE_FLOWS && t->opts.group == GROUP_NONE;
}

static struct line *new_line(struct meter_table *t)
{
	vec__push(&t->lines, ((struct line){ 0 }));
	return &t->lines.v[t->lines.cnt - 1];
}

/* A line, by what makes it one; a new one is empty. */
static struct line *line_of(struct meter_table *t, uint64_t lo, uint64_t hi)
{
	uintptr_t nr = (uintptr_t)map__get(&t->by_key, lo, hi);
	struct line *l;

	if (nr)
		return &t->lines.v[nr - 1];
	l = new_line(t);
	map__set(&t->by_key, lo, hi, (void *)t->lines.cnt);
	return l;
}

enum distinct {
	DISTINCT_CHANNEL,
	DISTINCT_WRITER,
	DISTINCT_READER,
	DISTINCT_SENDING_END,
	DISTINCT_RECEIVING_END,
	DISTINCT_END,
	DISTINCT_CNT,
};

/* True the first time that the line meets with it; of what makes one line it is asked once. */
static bool first_seen(struct meter_table *t, const struct line *l, enum distinct what, const void *thing)
{
	uint64_t nr = (uint64_t)(l - t->lines.v) * DISTINCT_CNT + what;

	return thing && (is_one_to_one(t) || !map__set(&t->seen, (uintptr_t)thing, nr, t));
}

/* One flow's histogram is used as it is; the second makes it a sum of the line's own. */
static void merge_latency(struct meter_table *t, const struct hist **to, bool *own, const struct hist *from)
{
	struct hist *sum;

	if (!from->cnt)
		return;
	if (!*to) {
		*to = from;
		return;
	}
	if (!*own) {
		sum = xalloc(sizeof(*sum));
		hist__merge(sum, *to);
		vec__push(&t->merged, sum);
		*to = sum;
		*own = true;
	}
	hist__merge((struct hist *)*to, from);
}

static struct spark *new_spark(struct meter_table *t, const struct spark *from)
{
	struct spark *s = xalloc(sizeof(*s));

	*s = *from;
	vec__push(&t->merged_sparks, s);
	return s;
}

/* As with latencies. */
static void merge_spark(struct meter_table *t, struct line *l, const struct spark *from)
{
	if (!l->spark) {
		l->spark = from;
		return;
	}
	if (!l->own_spark)
		l->spark = new_spark(t, l->spark);
	l->own_spark = true;
	spark__merge((struct spark *)l->spark, from);
}

void line__minute(const struct line *l, uint64_t until_ns, uint32_t slot[METER_SPARK_CNT])
{
	uint64_t newest = until_ns / SECOND_NS;

	for (uint64_t i = 0; i < METER_SPARK_CNT; i++)
		slot[METER_SPARK_CNT - 1 - i] =
			l->spark && newest > i ? spark__at(l->spark, newest - 1 - i) : 0;
}

void meter_table__hold(struct meter_table *t)
{
	for (size_t i = 0; i < t->lines.cnt; i++) {
		struct line *l = &t->lines.v[i];

		if (l->spark && !l->own_spark)
			l->spark = new_spark(t, l->spark);
		l->own_spark = true;
	}
}

static void add_channel(struct meter_table *t, struct line *l, struct channel *ch)
{
	if (!first_seen(t, l, DISTINCT_CHANNEL, ch))
		return;
	if (!l->channel_cnt++) {
		l->channel = ch;
		l->mech = ch->mech;
		return;
	}
	l->channel = NULL;
	if (l->mech != ch->mech)
		l->mech = 0;
}

static void add_flow_to(struct meter_table *t, struct line *l, const struct flow_meter *f)
{
	add_channel(t, l, f->channel);
	l->writer_cnt += first_seen(t, l, DISTINCT_WRITER, f->src);
	l->reader_cnt += first_seen(t, l, DISTINCT_READER, f->dst);
	l->flow_cnt++;
	if (f->attr > l->attr)
		l->attr = f->attr;
	merge_latency(t, &l->latency, &l->own_latency, &f->last.latency);
	merge_latency(t, &l->latency_total, &l->own_latency_total, &f->total.latency);
	merge_spark(t, l, &f->spark);
}

static void add_out(struct line *l, const struct flow_meter *f)
{
	l->last.messages += f->last.messages;
	l->last.bytes += f->last.bytes;
	l->total.messages += f->total.messages;
	l->total.bytes += f->total.bytes;
}

static void add_in(struct line *l, const struct flow_meter *f)
{
	l->last.in_messages += f->last.messages;
	l->last.in_bytes += f->last.bytes;
	l->total.in_messages += f->total.messages;
	l->total.in_bytes += f->total.bytes;
}

static void add_end(struct line *l, const struct end_meter *e, bool full, bool empty)
{
	if (full) {
		l->last.full_ns += e->last.full_ns + e->ongoing_full_ns;
		l->total.full_ns += e->total.full_ns;
	}
	if (empty) {
		l->last.empty_ns += e->last.empty_ns + e->ongoing_empty_ns;
		l->total.empty_ns += e->total.empty_ns;
	}
}

static void add_errors(struct line *l, const struct end_meter *e)
{
	l->last.errors += e->last.errors;
	l->total.errors += e->total.errors;
}

/* ---- one function per table: a flow, then an end ---- */

static bool is_idle(const struct line *l)
{
	const struct line_sum *s = &l->last;

	return !s->messages && !s->bytes && !s->in_messages && !s->in_bytes && !s->errors && !s->full_ns &&
	       !s->empty_ns;
}

static struct line *flow_line(struct meter_table *t, const struct side *src, const struct side *dst,
			      const struct channel *ch)
{
	uint64_t what = t->opts.group == GROUP_NONE ? (uintptr_t)ch : ch->mech;

	return is_one_to_one(t) ? new_line(t) : line_of(t, (uint64_t)src->id << 32 | dst->id, what);
}

static void flow_to_flows(struct meter_table *t, const struct meter *m, const struct flow_meter *f)
{
	const struct side src = meter_table__side(t, f->src, f->origin),
			  dst = meter_table__side(t, f->dst, NULL);
	struct line *l = flow_line(t, &src, &dst, f->channel);
	const struct end_meter *sending = f->src ? meter__end(m, f->src, f->channel) : NULL;
	const struct end_meter *receiving = f->dst ? meter__end(m, f->dst, f->channel) : NULL;

	l->src = src;
	l->dst = dst;
	add_flow_to(t, l, f);
	add_out(l, f);
	/* A receiver of many senders waits once, not once for each of them. */
	if (first_seen(t, l, DISTINCT_SENDING_END, sending))
		add_end(l, sending, true, false);
	if (first_seen(t, l, DISTINCT_END, sending))
		add_errors(l, sending);
	if (first_seen(t, l, DISTINCT_RECEIVING_END, receiving))
		add_end(l, receiving, false, true);
	if (receiving != sending && first_seen(t, l, DISTINCT_END, receiving))
		add_errors(l, receiving);
	if (is_one_to_one(t) && !t->opts.with_idle && is_idle(l))
		t->lines.cnt--;
}

static struct line *process_line(struct meter_table *t, struct proc *proc, const char *origin)
{
	const struct side side = meter_table__side(t, proc, origin);
	struct line *l = line_of(t, side.id, 0);

	l->src = side;
	return l;
}

/* Drilled down into one process, the others are not shown: they would be shown with a part of what they do only. */
static bool shown_process(const struct meter_table *t, const struct proc *proc)
{
	return !t->opts.proc || table_group__same(t->opts.group, t->opts.proc, proc);
}

static void flow_to_processes(struct meter_table *t, const struct meter *m, const struct flow_meter *f)
{
	struct line *l;
	bool counted = false;

	if (shown_process(t, f->src)) {
		l = process_line(t, f->src, f->origin);
		add_flow_to(t, l, f);
		add_out(l, f);
		counted = true;
	}
	if (f->dst && shown_process(t, f->dst)) {
		l = process_line(t, f->dst, NULL);
		if (!counted || !table_group__same(t->opts.group, f->src, f->dst))
			add_flow_to(t, l, f);
		add_in(l, f);
	}
}

static void end_to_processes(struct meter_table *t, const struct end_meter *e)
{
	struct line *l = process_line(t, e->proc, NULL);

	add_channel(t, l, e->channel);
	add_end(l, e, true, true);
	add_errors(l, e);
}

static void flow_to_channels(struct meter_table *t, const struct meter *m, const struct flow_meter *f)
{
	struct line *l = line_of(t, (uintptr_t)f->channel, 0);

	add_flow_to(t, l, f);
	add_out(l, f);
	l->lost = f->channel->lost;
}

static void end_to_channels(struct meter_table *t, const struct end_meter *e)
{
	struct line *l = line_of(t, (uintptr_t)e->channel, 0);

	add_channel(t, l, e->channel);
	add_end(l, e, true, true);
	add_errors(l, e);
}

static void flow_to_mechanisms(struct meter_table *t, const struct meter *m, const struct flow_meter *f)
{
	struct line *l = line_of(t, f->channel->mech, 1);

	add_flow_to(t, l, f);
	add_out(l, f);
}

static void end_to_mechanisms(struct meter_table *t, const struct end_meter *e)
{
	struct line *l = line_of(t, e->channel->mech, 1);

	add_channel(t, l, e->channel);
	add_end(l, e, true, true);
	add_errors(l, e);
}

static const struct {
	void (*flow)(struct meter_table *t, const struct meter *m, const struct flow_meter *f);
	void (*end)(struct meter_table *t, const struct end_meter *e); /* NULL: flows look at them */
} kind_rows[TABLE_KIND_CNT] = {
	[TABLE_FLOWS] = { flow_to_flows, NULL },
	[TABLE_PROCESSES] = { flow_to_processes, end_to_processes },
	[TABLE_CHANNELS] = { flow_to_channels, end_to_channels },
	[TABLE_MECHANISMS] = { flow_to_mechanisms, end_to_mechanisms },
};

static bool belongs(const struct table_opts *o, const struct proc *a, const struct proc *b,
		    const struct channel *ch)
{
	if (o->proc && !table_group__same(o->group, o->proc, a) && !table_group__same(o->group, o->proc, b))
		return false;
	return (!o->channel || o->channel == ch) && (!o->mech || o->mech == ch->mech);
}

static void drop_merged(struct meter_table *t)
{
	for (size_t i = 0; i < t->merged.cnt; i++) {
		hist__free(t->merged.v[i]);
		free(t->merged.v[i]);
	}
	for (size_t i = 0; i < t->merged_sparks.cnt; i++)
		free(t->merged_sparks.v[i]);
	t->merged.cnt = t->merged_sparks.cnt = 0;
}

static void begin(struct meter_table *t, const struct meter_view *v, const struct table_opts *opts)
{
	drop_merged(t);
	t->lines.cnt = 0;
	map__free(&t->by_key);
	map__free(&t->seen);
	if (t->opts.group != opts->group)
		meter_table__forget_groups(t);
	t->opts = *opts;
	t->opts.channel = channel__resolve((struct channel *)opts->channel);
	t->from_ns = v->from_ns;
	t->until_ns = v->until_ns;
}

static void finish(struct meter_table *t, const struct meter *m, const struct meter_view *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->lines.cnt; i++) {
		struct line *l = &t->lines.v[i];

		if (!t->opts.with_idle && is_idle(l))
			continue;
		if (l->channel)
			l->fill_known = meter__fill(m, l->channel, &l->fill);
		if (t->opts.kind == TABLE_MECHANISMS)
			l->lost = v->lost_total[l->mech % 32];
		meter_table__update_side(t, &l->src);
		meter_table__update_side(t, &l->dst);
		t->lines.v[kept++] = *l;
	}
	t->lines.cnt = kept;
}

void meter_table__fill(struct meter_table *t, const struct meter *m, const struct table_opts *opts)
{
	struct meter_view v;

	meter__view(m, &v);
	begin(t, &v, opts);
	for (size_t i = 0; i < v.flow_cnt; i++) {
		const struct flow_meter *f = v.flows[i];

		if (belongs(&t->opts, f->src, f->dst, f->channel))
			kind_rows[opts->kind].flow(t, m, f);
	}
	for (size_t i = 0; i < v.end_cnt && kind_rows[opts->kind].end; i++) {
		const struct end_meter *e = v.ends[i];

		if (belongs(&t->opts, e->proc, NULL, e->channel) &&
		    (!opts->proc || shown_process(t, e->proc)))
			kind_rows[opts->kind].end(t, e);
	}
	finish(t, m, &v);
}

void meter_table__free(struct meter_table *t)
{
	drop_merged(t);
	vec__free(&t->merged);
	vec__free(&t->merged_sparks);
	vec__free(&t->lines);
	vec__free(&t->origins);
	map__free(&t->by_key);
	map__free(&t->seen);
	meter_table__forget_groups(t);
}
