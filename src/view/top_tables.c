/* SPDX-License-Identifier: GPL-2.0 */
/* Cells, names and order of top's tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/time.h"
#include "view/label.h"
#include "view/top.h"

#define BLOCK_0 0x2581 /* ▁, the lowest of eight */

const struct top_table *top_table__by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < TOP_TABLE_CNT; i++)
		if (strlen(top_tables[i].name) == len && !memcmp(top_tables[i].name, name, len))
			return &top_tables[i];
	return NULL;
}

const struct top_column *top_table__column(const struct top_table *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->column_cnt; i++)
		if (strlen(t->columns[i].name) == len && !memcmp(t->columns[i].name, name, len))
			return &t->columns[i];
	return NULL;
}

bool top_column__applies(const struct top_column *col, const struct top_ctx *c)
{
	return !(col->flags & (c->group == GROUP_NONE ? TOP_GROUPED : TOP_SINGLE));
}

/* ---- sides ---- */

void top__put_group(struct buf *out, const struct proc *p, const struct top_ctx *c)
{
	const char *cgroup;

	if (!p)
		return;
	switch (c->group) {
	case GROUP_USER:
		if (c->user)
			buf__puts(out, c->user(p->uid));
		else
			buf__printf(out, "uid %u", p->uid);
		break;
	case GROUP_CGROUP:
		cgroup = c->cgroup ? c->cgroup(p->cgroup) : NULL;
		if (cgroup)
			buf__puts(out, cgroup);
		else
			buf__printf(out, "cgroup:[%llu]", (unsigned long long)p->cgroup);
		break;
	case GROUP_CONTAINER:
		if (c->host_pidns && p->pidns == c->host_pidns)
			buf__puts(out, "host");
		else
			buf__printf(out, "pid:[%u]", p->pidns);
		break;
	default:
		buf__put(out, p->comm, strnlen(p->comm, sizeof(p->comm)));
	}
}

void top__put_side(struct buf *out, const struct side *side, const struct top_ctx *c)
{
	if (!side->proc && side->origin) {
		label__origin(out, side->origin);
		return;
	}
	if (!side->proc) {
		buf__puts(out, side->id ? "?" : "");
		return;
	}
	if (c->group == GROUP_NONE) {
		label__pid(out, side->proc);
		buf__putc(out, ' ');
		buf__put(out, side->proc->comm, strnlen(side->proc->comm, sizeof(side->proc->comm)));
		return;
	}
	top__put_group(out, side->proc, c);
	if (side->proc_cnt > 1)
		buf__printf(out, " x%u", side->proc_cnt);
}

/* ---- cells ---- */

static void put_block(struct buf *out, unsigned int level, bool utf8)
{
	static const char ascii[] = " .:-=+*#%";
	unsigned int cp = BLOCK_0 + level - 1;

	if (!utf8 || !level) {
		buf__putc(out, ascii[level]);
		return;
	}
	buf__putc(out, (char)(0xe0 | cp >> 12));
	buf__putc(out, (char)(0x80 | (cp >> 6 & 0x3f)));
	buf__putc(out, (char)(0x80 | (cp & 0x3f)));
}

/* The last minute, newest at the right, in cols columns. */
static void put_spark(struct buf *out, const uint32_t spark[METER_SPARK_CNT], size_t cols, bool utf8)
{
	uint64_t most = 0, slots[METER_SPARK_CNT] = { 0 };

	if (!cols)
		return;
	if (cols > METER_SPARK_CNT)
		cols = METER_SPARK_CNT;
	for (size_t i = 0; i < METER_SPARK_CNT; i++)
		slots[i * cols / METER_SPARK_CNT] += spark[i];
	for (size_t i = 0; i < cols; i++)
		most = slots[i] > most ? slots[i] : most;
	for (size_t i = 0; i < cols; i++)
		put_block(out, slots[i] ? (unsigned int)(1 + slots[i] * 7 / most) : 0, utf8);
}

static void put_number(struct buf *out, uint8_t unit, double v)
{
	if (isnan(v)) {
		buf__putc(out, '-');
		return;
	}
	if (v < 0)
		v = 0;
	switch (unit) {
	case TOP_COUNT:
		if (v > 0 && v < 9.95 && v != floor(v))
			buf__printf(out, "%.1f", v);
		else
			time__put_count(out, (uint64_t)(v + 0.5));
		break;
	case TOP_BYTES:
		time__put_bytes(out, (uint64_t)(v + 0.5));
		break;
	case TOP_NS:
		time__put_duration(out, (uint64_t)v);
		break;
	case TOP_PERCENT:
		buf__printf(out, v > 0 && v < 9.95 ? "%.1f" : "%.0f", v);
		break;
	default:
		buf__u64(out, (uint64_t)v);
	}
}

void top_column__put(struct buf *out, const struct top_column *col, const void *row, const struct top_ctx *c,
		     size_t cols)
{
	uint32_t minute[METER_SPARK_CNT];
	struct buf raw = { 0 };
	size_t from = out->len;

	if (col->unit == TOP_SPARK) {
		line__minute(row, c->until_ns, minute);
		put_spark(out, minute, cols, c->utf8);
		return;
	}
	if (col->unit != TOP_TEXT) {
		put_number(out, col->unit, col->value(row, c));
		label__cut(out, from, cols);
		label__right(out, from, cols);
		return;
	}
	col->text(&raw, row, c);
	label__text(out, raw.data ? raw.data : "", raw.len, cols);
	label__pad(out, from, cols);
	buf__free(&raw);
}

/* ---- order ---- */

static int compare_bufs(const struct buf *a, const struct buf *b)
{
	int cmp = memcmp(a->data ? a->data : "", b->data ? b->data : "", a->len < b->len ? a->len : b->len);

	return cmp ? cmp : (a->len > b->len) - (a->len < b->len);
}

/* Each row's sort key is made once: making a text 14 times for each of 10,000 rows takes longer than all the rest. */
struct keyed {
	const void *row;
	double value;
	struct buf text;
	size_t tie; /* where its name begins in text */
};

struct order {
	bool ascending;
};

static int compare_keyed(const void *x, const void *y, void *arg)
{
	const struct keyed *a = x, *b = y;
	const struct order *o = arg;
	struct buf ta = { a->text.data, a->tie, 0 }, tb = { b->text.data, b->tie, 0 };
	int cmp;

	if (isnan(a->value) || isnan(b->value))
		cmp = isnan(b->value) - isnan(a->value);
	else
		cmp = (a->value > b->value) - (a->value < b->value);
	if (!cmp)
		cmp = compare_bufs(&ta, &tb);
	if (cmp)
		return o->ascending ? cmp : -cmp;
	return compare_bufs(&a->text, &b->text);
}

void top_table__sort(const struct top_table *t, const struct top_column *by, bool ascending,
		     const void **rows, size_t cnt, const struct top_ctx *c)
{
	struct keyed *keyed = calloc(cnt ? cnt : 1, sizeof(*keyed));
	struct order order = { ascending };

	if (!keyed)
		return;
	for (size_t i = 0; i < cnt; i++) {
		keyed[i].row = rows[i];
		keyed[i].value = by->value ? by->value(rows[i], c) : 0;
		if (by->unit == TOP_TEXT)
			by->text(&keyed[i].text, rows[i], c);
		keyed[i].tie = keyed[i].text.len;
		for (size_t j = 0; j < t->column_cnt; j++)
			if (t->columns[j].unit == TOP_TEXT && t->columns[j].flags & TOP_SHOWN)
				t->columns[j].text(&keyed[i].text, rows[i], c);
	}
	qsort_r(keyed, cnt, sizeof(*keyed), compare_keyed, &order);
	for (size_t i = 0; i < cnt; i++) {
		rows[i] = keyed[i].row;
		buf__free(&keyed[i].text);
	}
	free(keyed);
}
