/* SPDX-License-Identifier: GPL-2.0 */
#include "model/meter_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/graph.h"

#define SECOND_NS 1000000000ull

/* ---- groups ---- */

struct side_group {
	struct side side;
	struct map procs; /* proc.id + 1: those counted */
};

struct group_key {
	uint64_t lo, hi;
};

static struct group_key by_process(const struct proc *p)
{
	return (struct group_key){ (uint64_t)p->id + 1, 0 };
}

static struct group_key by_command(const struct proc *p)
{
	struct group_key key;
	char comm[sizeof(p->comm)] = "";

	memcpy(comm, p->comm, strnlen(p->comm, sizeof(comm)));
	memcpy(&key, comm, sizeof(key));
	return key;
}

static struct group_key by_user(const struct proc *p)
{
	return (struct group_key){ p->uid, 1 };
}

static struct group_key by_cgroup(const struct proc *p)
{
	return (struct group_key){ p->cgroup, 2 };
}

static struct group_key by_container(const struct proc *p)
{
	return (struct group_key){ p->pidns, 3 };
}

static const struct {
	const char *name;
	struct group_key (*key)(const struct proc *p);
} group_rows[GROUP_CNT] = {
	[GROUP_NONE] = { "none", by_process },
	[GROUP_COMMAND] = { "command", by_command },
	[GROUP_USER] = { "user", by_user },
	[GROUP_CGROUP] = { "cgroup", by_cgroup },
	[GROUP_CONTAINER] = { "container", by_container },
};

const char *table_group__name(enum table_group group)
{
	return group_rows[group].name;
}

bool table_group__same(enum table_group group, const struct proc *a, const struct proc *b)
{
	struct group_key ka, kb;

	if (!a || !b)
		return a == b;
	ka = group_rows[group].key(a);
	kb = group_rows[group].key(b);
	return ka.lo == kb.lo && ka.hi == kb.hi;
}

static uint64_t origin_number(struct meter_table *t, const char *origin)
{
	size_t i;

	if (!origin)
		return 0;
	for (i = 0; i < t->origins.cnt; i++)
		if (!strcmp(t->origins.v[i], origin))
			return i + 1;
	vec__push(&t->origins, origin);
	return i + 1;
}

static struct side_group *group_of(struct meter_table *t, struct proc *proc, const char *origin)
{
	struct group_key key = { origin_number(t, origin), UINT64_MAX };
	struct side_group *g;

	if (proc)
		key = group_rows[t->opts.group].key(proc);
	g = map__get(&t->groups, key.lo, key.hi);
	if (g)
		return g;
	g = xalloc(sizeof(*g));
	g->side = (struct side){ .id = (uint32_t)t->all_groups.cnt + 1, .proc = proc, .origin = origin };
	vec__push(&t->all_groups, g);
	map__set(&t->groups, key.lo, key.hi, g);
	return g;
}

static const struct side *side_of(struct meter_table *t, struct proc *proc, const char *origin)
{
	struct side_group *g = group_of(t, proc, origin);

	if (proc && !map__set(&g->procs, (uint64_t)proc->id + 1, 0, g))
		g->side.proc_cnt++;
	return &g->side;
}

static void forget_groups(struct meter_table *t)
{
	for (size_t i = 0; i < t->all_groups.cnt; i++) {
		map__free(&t->all_groups.v[i]->procs);
		free(t->all_groups.v[i]);
	}
	vec__free(&t->all_groups);
	map__free(&t->groups);
}

/* ---- lines ---- */

/* A line's index, by what makes it one; a new one is empty. */
static struct line *line_of(struct meter_table *t, uint64_t lo, uint64_t hi)
{
	uintptr_t nr = (uintptr_t)map__get(&t->by_key, lo, hi);

	if (nr)
		return &t->lines.v[nr - 1];
	vec__push(&t->lines, ((struct line){ 0 }));
	map__set(&t->by_key, lo, hi, (void *)t->lines.cnt);
	return &t->lines.v[t->lines.cnt - 1];
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

/* True the first time that the line meets with it. */
static bool first_seen(struct meter_table *t, const struct line *l, enum distinct what, const void *thing)
{
	uint64_t nr = (uint64_t)(l - t->lines.v) * DISTINCT_CNT + what;

	return thing && !map__set(&t->seen, (uintptr_t)thing, nr, t);
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

static void add_spark(struct line *l, const struct spark *s, uint64_t until_ns)
{
	uint64_t newest = until_ns / SECOND_NS;

	if (s->second + METER_SPARK_CNT < newest)
		return;
	for (uint64_t i = 0; i < METER_SPARK_CNT; i++)
		if (newest > i)
			l->spark[METER_SPARK_CNT - 1 - i] += spark__at(s, newest - 1 - i);
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
	add_spark(l, &f->spark, t->until_ns);
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

static void flow_to_flows(struct meter_table *t, const struct meter *m, const struct flow_meter *f)
{
	const struct side src = *side_of(t, f->src, f->origin), dst = *side_of(t, f->dst, NULL);
	uint64_t what = t->opts.group == GROUP_NONE ? (uintptr_t)f->channel : f->channel->mech;
	struct line *l = line_of(t, (uint64_t)src.id << 32 | dst.id, what);
	const struct end_meter *e;

	l->src = src;
	l->dst = dst;
	add_flow_to(t, l, f);
	add_out(l, f);
	/* A receiver of many senders waits once, not once for each of them. */
	e = f->src ? meter__end(m, f->src, f->channel) : NULL;
	if (first_seen(t, l, DISTINCT_SENDING_END, e))
		add_end(l, e, true, false);
	if (first_seen(t, l, DISTINCT_END, e))
		add_errors(l, e);
	e = f->dst ? meter__end(m, f->dst, f->channel) : NULL;
	if (first_seen(t, l, DISTINCT_RECEIVING_END, e))
		add_end(l, e, false, true);
	if (first_seen(t, l, DISTINCT_END, e))
		add_errors(l, e);
}

static struct line *process_line(struct meter_table *t, struct proc *proc, const char *origin)
{
	const struct side *side = side_of(t, proc, origin);
	struct line *l = line_of(t, side->id, 0);

	l->src = *side;
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

static void begin(struct meter_table *t, const struct meter_view *v, const struct table_opts *opts)
{
	for (size_t i = 0; i < t->merged.cnt; i++) {
		hist__free(t->merged.v[i]);
		free(t->merged.v[i]);
	}
	t->merged.cnt = 0;
	t->lines.cnt = 0;
	map__free(&t->by_key);
	map__free(&t->seen);
	if (t->opts.group != opts->group)
		forget_groups(t);
	t->opts = *opts;
	t->opts.channel = channel__resolve((struct channel *)opts->channel);
	t->from_ns = v->from_ns;
	t->until_ns = v->until_ns;
}

static bool is_idle(const struct line *l)
{
	const struct line_sum *s = &l->last;

	return !s->messages && !s->bytes && !s->in_messages && !s->in_bytes && !s->errors && !s->full_ns &&
	       !s->empty_ns;
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
		if (t->all_groups.cnt && l->src.id)
			l->src = t->all_groups.v[l->src.id - 1]->side;
		if (t->all_groups.cnt && l->dst.id)
			l->dst = t->all_groups.v[l->dst.id - 1]->side;
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
	for (size_t i = 0; i < t->merged.cnt; i++) {
		hist__free(t->merged.v[i]);
		free(t->merged.v[i]);
	}
	vec__free(&t->merged);
	vec__free(&t->lines);
	vec__free(&t->origins);
	map__free(&t->by_key);
	map__free(&t->seen);
	forget_groups(t);
}
