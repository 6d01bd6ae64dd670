/* SPDX-License-Identifier: GPL-2.0 */
#include "model/slices.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/graph.h"

#define FIRST_FINE_NS 1000

static bool same_origin(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The row of that flow, first: the first one with its key; NULL: none. */
static struct slice_row *find_row(struct slice_row *first, const char *origin)
{
	while (first && !same_origin(first->origin, origin))
		first = first->next;
	return first;
}

static struct slice_row *row_of(struct slices *s, const struct message *m)
{
	const char *origin = m->src.proc ? NULL : m->origin;
	uint64_t lo = proc__pair(m->src.proc, m->dst.proc);
	struct slice_row *first = map__get(&s->by_flow, lo, (uintptr_t)m->channel);
	struct slice_row *row = find_row(first, origin);

	if (row)
		return row;
	row = xalloc(sizeof(*row));
	row->src = m->src.proc;
	row->dst = m->dst.proc;
	row->channel = m->channel;
	row->origin = origin;
	row->next = first;
	map__set(&s->by_flow, lo, (uintptr_t)m->channel, row);
	vec__push(&s->rows, row);
	return row;
}

/* Receipts are settled nearly in order of time: the place is near the end. */
static struct slice_part *part_of(struct slice_row *row, uint32_t fine)
{
	size_t at = row->parts.cnt;

	while (at && row->parts.v[at - 1].fine > fine)
		at--;
	if (at && row->parts.v[at - 1].fine == fine)
		return &row->parts.v[at - 1];
	vec__push(&row->parts, ((struct slice_part){ 0 }));
	memmove(&row->parts.v[at + 1], &row->parts.v[at], (row->parts.cnt - 1 - at) * sizeof(*row->parts.v));
	row->parts.v[at] = (struct slice_part){ .fine = fine };
	return &row->parts.v[at];
}

static void add_part(struct slice_part *part, uint64_t messages, uint64_t bytes)
{
	part->messages += messages;
	part->bytes += bytes;
}

static void halve(struct slice_row *row)
{
	size_t kept = 0;

	for (size_t i = 0; i < row->parts.cnt; i++) {
		struct slice_part part = row->parts.v[i];

		part.fine /= 2;
		if (kept && row->parts.v[kept - 1].fine == part.fine) {
			row->parts.v[kept - 1].messages += part.messages;
			row->parts.v[kept - 1].bytes += part.bytes;
		} else {
			row->parts.v[kept++] = part;
		}
	}
	row->parts.cnt = kept;
}

static uint32_t fine_of(struct slices *s, uint64_t ts_ns)
{
	if (!s->fine_ns) {
		s->fine_ns = FIRST_FINE_NS;
		s->begin_ns = ts_ns;
	}
	if (ts_ns <= s->begin_ns)
		return 0;
	while ((ts_ns - s->begin_ns) / s->fine_ns >= SLICES_FINE) {
		for (size_t i = 0; i < s->rows.cnt; i++)
			halve(s->rows.v[i]);
		s->fine_ns *= 2;
		s->fine_cnt = (s->fine_cnt + 1) / 2;
	}
	return (uint32_t)((ts_ns - s->begin_ns) / s->fine_ns);
}

void slices__add(struct slices *s, const struct message *m)
{
	uint32_t fine;

	if (!m->channel || !m->dst.proc || (!m->src.proc && !m->origin))
		return;
	fine = fine_of(s, m->ts_ns);
	if (fine >= s->fine_cnt)
		s->fine_cnt = fine + 1;
	add_part(part_of(row_of(s, m), fine), m->messages, m->bytes);
}

void slices__follow(struct slices *s)
{
	size_t kept = 0;

	map__free(&s->by_flow);
	for (size_t i = 0; i < s->rows.cnt; i++) {
		struct slice_row *row = s->rows.v[i], *first, *twin;
		uint64_t lo;

		row->src = proc__resolve(row->src);
		row->dst = proc__resolve(row->dst);
		row->channel = channel__resolve(row->channel);
		lo = proc__pair(row->src, row->dst);
		first = map__get(&s->by_flow, lo, (uintptr_t)row->channel);
		twin = find_row(first, row->origin);
		if (twin) {
			for (size_t p = 0; p < row->parts.cnt; p++)
				add_part(part_of(twin, row->parts.v[p].fine), row->parts.v[p].messages,
					 row->parts.v[p].bytes);
			vec__free(&row->parts);
			free(row);
			continue;
		}
		row->next = first;
		map__set(&s->by_flow, lo, (uintptr_t)row->channel, row);
		s->rows.v[kept++] = row;
	}
	s->rows.cnt = kept;
}

uint32_t slices__divide(const struct slices *s, uint32_t cnt, uint32_t *fine)
{
	*fine = cnt && s->fine_cnt ? (s->fine_cnt + cnt - 1) / cnt : 1;
	return (s->fine_cnt + *fine - 1) / *fine;
}

void slices__free(struct slices *s)
{
	for (size_t i = 0; i < s->rows.cnt; i++) {
		vec__free(&s->rows.v[i]->parts);
		free(s->rows.v[i]);
	}
	vec__free(&s->rows);
	map__free(&s->by_flow);
	memset(s, 0, sizeof(*s));
}
