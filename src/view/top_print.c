/* SPDX-License-Identifier: GPL-2.0 */
/* top's tables as texts, CSV (RFC 4180) and JSON lines. */
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"
#include "view/label.h"
#include "view/top.h"

#define COLUMNS_MAX 96
#define GROWN_COLS_MAX 160

struct columns {
	const struct top_column *v[COLUMNS_MAX];
	size_t cnt;
};

/* Those asked for, else those that the format shows by itself. */
static struct columns choose(const struct top_print *p, uint8_t flag)
{
	struct columns c = { .cnt = 0 };

	for (size_t i = 0; i < p->column_cnt && c.cnt < COLUMNS_MAX; i++)
		if (top_column__applies(p->columns[i], p->ctx) &&
		    (flag == TOP_SHOWN || p->columns[i]->unit != TOP_SPARK))
			c.v[c.cnt++] = p->columns[i];
	for (size_t i = 0; !p->column_cnt && i < p->table->column_cnt && c.cnt < COLUMNS_MAX; i++)
		if (p->table->columns[i].flags & flag && top_column__applies(&p->table->columns[i], p->ctx))
			c.v[c.cnt++] = &p->table->columns[i];
	return c;
}

static bool asked_for(const struct top_print *p, const struct top_column *col)
{
	for (size_t i = 0; i < p->column_cnt; i++)
		if (p->columns[i] == col)
			return col->unit != TOP_SPARK;
	return p->column_cnt == 0 && col->flags & TOP_DATA;
}

/* Always in the table's order: there, what makes one object stands side by side. */
static struct columns choose_json(const struct top_print *p)
{
	struct columns c = { .cnt = 0 };

	for (size_t i = 0; i < p->table->column_cnt && c.cnt < COLUMNS_MAX; i++)
		if (asked_for(p, &p->table->columns[i]) && top_column__applies(&p->table->columns[i], p->ctx))
			c.v[c.cnt++] = &p->table->columns[i];
	return c;
}

static void note_row(const struct top_print *p)
{
	if (p->row_put)
		p->row_put(p->row_ctx);
}

/* ---- texts ---- */

static const char *header_of(const struct top_column *col)
{
	return col->header ? col->header : col->name;
}

static size_t least_cols(const struct top_column *col)
{
	size_t header = strlen(header_of(col));

	return header > col->width ? header : col->width;
}

static size_t cell_cols(const struct top_column *col, const struct top_print *p, struct buf *scratch)
{
	size_t cols = least_cols(col), n;

	if (!(col->flags & TOP_GROW) || p->cols)
		return cols;
	for (size_t i = 0; i < p->row_cnt; i++) {
		struct buf raw = { 0 };

		col->text(&raw, p->rows[i], p->ctx);
		buf__reset(scratch);
		label__text(scratch, raw.data ? raw.data : "", raw.len, GROWN_COLS_MAX);
		buf__free(&raw);
		n = scratch->len; /* bytes: at least as many as columns */
		cols = n > cols ? n : cols;
	}
	return cols;
}

static void put_header_cell(struct buf *out, const struct top_column *col, size_t cols)
{
	size_t from = out->len;

	buf__puts(out, header_of(col));
	if (col->unit == TOP_TEXT || col->unit == TOP_SPARK)
		label__pad(out, from, cols);
	else
		label__right(out, from, cols);
}

static void end_line(struct buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	buf__putc(out, '\n');
}

void top_text__print(struct buf *out, const struct top_print *p)
{
	struct columns c = choose(p, TOP_SHOWN);
	size_t cols[COLUMNS_MAX];
	struct buf scratch = { 0 };

	for (size_t i = 0; i < c.cnt; i++) {
		cols[i] = cell_cols(c.v[i], p, &scratch);
		if (i)
			buf__putc(out, ' ');
		put_header_cell(out, c.v[i], cols[i]);
	}
	end_line(out);
	for (size_t r = 0; r < p->row_cnt; r++) {
		for (size_t i = 0; i < c.cnt; i++) {
			if (i)
				buf__putc(out, ' ');
			top_column__put(out, c.v[i], p->rows[r], p->ctx, cols[i]);
		}
		end_line(out);
		note_row(p);
	}
	buf__free(&scratch);
}

/* ---- CSV ---- */

static void put_quoted(struct buf *out, const struct buf *raw)
{
	buf__putc(out, '"');
	for (size_t i = 0; i < raw->len; i++) {
		if (raw->data[i] == '"')
			buf__putc(out, '"');
		buf__putc(out, raw->data[i]);
	}
	buf__putc(out, '"');
}

/* Control bytes are escaped as for terminals: a row is always one line. */
static void put_csv_text(struct buf *out, const struct top_column *col, const void *row,
			 const struct top_ctx *c)
{
	struct buf raw = { 0 }, safe = { 0 };
	bool quote = false;

	col->text(&raw, row, c);
	escape__terminal(&safe, raw.data ? raw.data : "", raw.len);
	for (size_t i = 0; i < safe.len && !quote; i++)
		quote = strchr(",\" ", safe.data[i]) != NULL;
	if (quote)
		put_quoted(out, &safe);
	else
		buf__put(out, safe.data, safe.len);
	buf__free(&raw);
	buf__free(&safe);
}

static void put_csv_number(struct buf *out, double v)
{
	if (isnan(v))
		return;
	if (v == floor(v) && fabs(v) < 9e15)
		buf__i64(out, (int64_t)v);
	else
		buf__printf(out, "%.3f", v);
}

void top_csv__header(struct buf *out, const struct top_print *p)
{
	struct columns c = choose(p, TOP_DATA);

	buf__puts(out, "table,interval,ts_ns,duration_ns");
	for (size_t i = 0; i < c.cnt; i++)
		buf__printf(out, ",%s", c.v[i]->name);
	buf__putc(out, '\n');
}

static void put_stamp(struct buf *out, const struct top_print *p)
{
	buf__printf(out, "%s,%u,%llu,%llu", p->table->name, p->ctx->interval_nr,
		    (unsigned long long)p->ctx->until_ns,
		    (unsigned long long)(p->ctx->until_ns - p->ctx->from_ns));
}

void top_csv__print(struct buf *out, const struct top_print *p)
{
	struct columns c = choose(p, TOP_DATA);

	for (size_t r = 0; r < p->row_cnt; r++) {
		put_stamp(out, p);
		for (size_t i = 0; i < c.cnt; i++) {
			buf__putc(out, ',');
			if (c.v[i]->unit == TOP_TEXT)
				put_csv_text(out, c.v[i], p->rows[r], p->ctx);
			else
				put_csv_number(out, c.v[i]->value(p->rows[r], p->ctx));
		}
		buf__putc(out, '\n');
		note_row(p);
	}
}

/* ---- JSON ---- */

static bool is_null_side(const struct top_print *p, const struct top_column *col, const void *row)
{
	const struct line *l = row;

	if (p->table == &top_tables[TOP_WAITS])
		return false;
	return (col->flags & TOP_OF_SRC && !l->src.proc) || (col->flags & TOP_OF_DST && !l->dst.proc);
}

static void put_json_value(struct json *j, const char *key, const struct top_column *col, const void *row,
			   const struct top_ctx *c)
{
	struct buf raw = { 0 };
	double v;

	if (col->unit == TOP_TEXT) {
		col->text(&raw, row, c);
		if (raw.len)
			json__strn(j, key, raw.data, raw.len);
		else
			json__null(j, key);
		buf__free(&raw);
		return;
	}
	v = col->value(row, c);
	if (isnan(v))
		json__null(j, key);
	else if (v == floor(v) && v >= 0 && v < 9e15)
		json__u64(j, key, (uint64_t)v);
	else
		json__double(j, key, floor(v * 1000 + 0.5) / 1000);
}

/* "a.b" opens "a" when the column before was not in it. */
static void put_json_row(struct json *j, const struct top_print *p, const struct columns *c, const void *row)
{
	char open[32] = "";

	for (size_t i = 0; i < c->cnt; i++) {
		const char *name = c->v[i]->name, *dot = strchr(name, '.');
		size_t len = dot ? (size_t)(dot - name) : 0;
		bool same = dot && strlen(open) == len && !memcmp(open, name, len), null;

		if (*open && !same) {
			json__close(j, '}');
			*open = 0;
		}
		null = dot && is_null_side(p, c->v[i], row);
		if (dot && !same && len < sizeof(open)) {
			bool again = i && !strncmp(c->v[i - 1]->name, name, len + 1);
			char key[32];

			memcpy(key, name, len);
			key[len] = 0;
			if (null && !again)
				json__null(j, key);
			if (null)
				continue;
			memcpy(open, key, len + 1);
			json__open(j, key, '{');
		}
		put_json_value(j, dot ? dot + 1 : name, c->v[i], row, p->ctx);
	}
	if (*open)
		json__close(j, '}');
}

void top_json__print(struct buf *out, const struct top_print *p)
{
	struct columns c = choose_json(p);

	for (size_t r = 0; r < p->row_cnt; r++) {
		struct json j = { .out = out };

		json__open(&j, NULL, '{');
		json__str(&j, "type", p->table->type);
		json__u64(&j, "interval", p->ctx->interval_nr);
		json__u64(&j, "ts_ns", p->ctx->until_ns);
		put_json_row(&j, p, &c, p->rows[r]);
		json__close(&j, '}');
		buf__putc(out, '\n');
		note_row(p);
	}
}
