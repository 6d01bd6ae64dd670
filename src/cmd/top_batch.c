/* SPDX-License-Identifier: GPL-2.0 */
/* top -b: the tables, once per interval. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "cmd/summary.h"
#include "cmd/top.h"
#include "view/label.h"

struct interval {
	struct meter_view v;
	double seconds;
};

static void put_text_head(struct buf *out, const struct interval *at, int64_t boot_to_wall_ns)
{
	const struct meter_view *v = &at->v;

	buf__printf(out, "== %u  ", v->interval_nr);
	time__put_wall(out, (int64_t)v->until_ns + boot_to_wall_ns);
	buf__puts(out, "  ");
	time__put_duration(out, v->until_ns - v->from_ns);
	buf__puts(out, "  ");
	time__put_count(out, (uint64_t)((double)v->last.messages / at->seconds + 0.5));
	buf__puts(out, " messages/s  ");
	time__put_bytes(out, (uint64_t)((double)v->last.bytes / at->seconds + 0.5));
	buf__puts(out, " bytes/s  ");
	if (v->total.lost)
		buf__printf(out, "%llu events lost", (unsigned long long)v->total.lost);
	else
		buf__puts(out, "nothing lost");
	if (v->table_full)
		buf__printf(out, " (%llu: a table was full)", (unsigned long long)v->table_full);
	buf__puts(out, v->sums_since_ns ? "  only sums\n" : "\n");
}

static void put_json_head(struct buf *out, const struct interval *at, const struct view_names *names)
{
	const struct meter_view *v = &at->v;
	struct json j = { .out = out };

	json__open(&j, NULL, '{');
	json__str(&j, "type", "interval");
	json__u64(&j, "interval", v->interval_nr);
	json__u64(&j, "ts_ns", v->until_ns);
	json__u64(&j, "duration_ns", v->until_ns - v->from_ns);
	json__u64(&j, "messages", v->last.messages);
	json__u64(&j, "bytes", v->last.bytes);
	json__u64(&j, "ops", v->last.ops);
	json__open(&j, "total", '{');
	json__u64(&j, "messages", v->total.messages);
	json__u64(&j, "bytes", v->total.bytes);
	json__u64(&j, "ops", v->total.ops);
	json__close(&j, '}');
	json__open(&j, "lost", '{');
	for (uint8_t m = 0; m < 32; m++)
		if (names->traced & 1u << m)
			json__u64(&j, names->mech(m), v->lost_total[m]);
	json__close(&j, '}');
	if (v->table_full)
		json__u64(&j, "table_full", v->table_full);
	if (v->sums_since_ns)
		json__u64(&j, "sums_since_ns", v->sums_since_ns);
	json__close(&j, '}');
	buf__putc(out, '\n');
}

static const void **new_rows(const void *first, size_t bytes, size_t cnt)
{
	const void **rows = xalloc((cnt + 1) * sizeof(*rows));

	for (size_t i = 0; i < cnt; i++)
		rows[i] = (const char *)first + i * bytes;
	return rows;
}

/* Pointers to the rows of a table, in no order. The caller frees. */
static const void **rows_of(struct top *t, const struct top_choice *c, size_t *cnt)
{
	struct table_opts opts = { .kind = (enum table_kind)(c->table - top_tables),
				   .group = t->setup.group,
				   .with_idle = t->opts->top.idle };

	if (c->table == &top_tables[TOP_WAITS]) {
		*cnt = t->waits.cnt;
		return new_rows(t->waits.v, sizeof(*t->waits.v), *cnt);
	}
	meter_table__fill(&t->table, t->meter, &opts);
	*cnt = t->table.lines.cnt;
	return new_rows(t->table.lines.v, sizeof(*t->table.lines.v), *cnt);
}

static void print_rows(struct top *t, const struct top_print *p, bool first)
{
	struct buf *out = &t->out.buf;

	if (t->setup.format == TOP_TO_JSON) {
		top_json__print(out, p);
	} else if (t->setup.format == TOP_TO_CSV) {
		if (first || t->setup.choice_cnt > 1)
			top_csv__header(out, p);
		top_csv__print(out, p);
	} else {
		top_text__print(out, p);
		buf__putc(out, '\n');
	}
}

static void on_row(void *ctx)
{
	out__commit(&((struct top *)ctx)->out);
}

static void print_table(struct top *t, const struct top_choice *c)
{
	struct top_print p = { .table = c->table,
			       .columns = c->columns,
			       .column_cnt = c->column_cnt,
			       .ctx = &t->ctx,
			       .row_put = on_row,
			       .row_ctx = t };
	size_t cnt;
	const void **rows = rows_of(t, c, &cnt);

	top_table__sort(c->table, c->sort, c->ascending, rows, cnt, &t->ctx);
	p.rows = rows;
	p.row_cnt = cnt < t->opts->top.rows ? cnt : t->opts->top.rows;
	print_rows(t, &p, t->shown_cnt == 1);
	free(rows);
	vec__free(&t->table.lines);
}

static void print_events(struct top *t)
{
	if (t->setup.format == TOP_TO_TEXT && t->lines->header)
		t->lines->header(&t->out.buf);
	buf__put(&t->out.buf, t->events.data, t->events.len);
	buf__reset(&t->events);
	if (t->setup.format == TOP_TO_TEXT)
		buf__putc(&t->out.buf, '\n');
}

void top_batch__begin(struct top *t)
{
	for (size_t i = 0; i < t->setup.choice_cnt; i++)
		if (!t->setup.choices[i].table)
			t->lines = t->setup.format == TOP_TO_JSON ? &line_view__json : &line_view__text;
}

void top_batch__interval(struct top *t)
{
	struct interval at;

	meter__view(t->meter, &at.v);
	at.seconds = (double)(at.v.until_ns - at.v.from_ns) / 1e9;
	if (t->setup.format == TOP_TO_TEXT)
		put_text_head(&t->out.buf, &at, t->boot_to_wall_ns);
	else if (t->setup.format == TOP_TO_JSON)
		put_json_head(&t->out.buf, &at, &t->names);
	for (size_t i = 0; i < t->setup.choice_cnt; i++) {
		if (t->setup.choices[i].table)
			print_table(t, &t->setup.choices[i]);
		else
			print_events(t);
	}
	out__flush(&t->out);
}

void top_batch__end(struct top *t, const struct model_stats *stats)
{
	struct model_stats shown = *stats;
	struct meter_view v;

	meter__view(t->meter, &v);
	/* Not those that the filter left out. */
	shown.messages = shown.sum_messages = v.total.messages;
	shown.sum_bytes = v.total.bytes;
	if (t->setup.format == TOP_TO_JSON)
		line_view__json.end(&t->out.buf, &shown);
	out__flush(&t->out);
}
