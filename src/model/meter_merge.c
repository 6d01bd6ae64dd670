/* SPDX-License-Identifier: GPL-2.0 */
/* What makes two rows of a meter the same one, also after their channels turned out to be the same. */
#include <stdlib.h>
#include <string.h>

#include "model/graph.h"
#include "model/meter_impl.h"

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
uint64_t meter__sides_key(struct meter *m, const struct proc *src, const char *origin, const struct proc *dst)
{
	uint64_t from = src || !origin ? proc__number(src) : 1ull << 31 | origin_number(m, origin);

	return from << 32 | proc__number(dst);
}

void flow_sum__clear(struct flow_sum *sum)
{
	hist__free(&sum->latency);
	*sum = (struct flow_sum){ 0 };
}

static void merge_flow(struct flow_meter *to, struct flow_meter *from)
{
	struct flow_sum *pairs[][2] = { { &to->now, &from->now },
					{ &to->last, &from->last },
					{ &to->total, &from->total } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		pairs[i][0]->messages += pairs[i][1]->messages;
		pairs[i][0]->bytes += pairs[i][1]->bytes;
		hist__merge(&pairs[i][0]->latency, &pairs[i][1]->latency);
		flow_sum__clear(pairs[i][1]);
	}
	if (from->attr > to->attr)
		to->attr = from->attr;
	spark__merge(&to->spark, &from->spark);
	free(from);
}

/* Channels that turned out to be one: the rows that met are added up. */
static void follow_merged_flows(struct meter *m)
{
	size_t kept = 0;

	map__free(&m->flow_by_key);
	for (size_t i = 0; i < m->flows.cnt; i++) {
		struct flow_meter *f = m->flows.v[i], *twin;
		uint64_t lo;

		f->src = proc__resolve(f->src);
		f->dst = proc__resolve(f->dst);
		f->channel = channel__resolve(f->channel);
		lo = meter__sides_key(m, f->src, f->origin, f->dst);
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

		e->proc = proc__resolve(e->proc);
		e->channel = channel__resolve(e->channel);
		twin = map__get(&m->end_by_key, proc__number(e->proc), (uintptr_t)e->channel);
		if (twin) {
			add_end_sum(&twin->now, &e->now);
			add_end_sum(&twin->last, &e->last);
			add_end_sum(&twin->total, &e->total);
			free(e);
			continue;
		}
		map__set(&m->end_by_key, proc__number(e->proc), (uintptr_t)e->channel, e);
		m->ends.v[kept++] = e;
	}
	m->ends.cnt = kept;
}

void meter__follow(struct meter *m)
{
	follow_merged_flows(m);
	follow_merged_ends(m);
	fill_table__follow(&m->fill);
}

void meter__follow_merged(struct meter *m)
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
