/* SPDX-License-Identifier: GPL-2.0 */
/* The tables for people. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/time.h"
#include "bench/rules.h"
#include "bench/show.h"

#define NAME_COLS 16
#define CELL_COLS 8
#define WRAP_COLS 100
#define NOISY 0.5 /* spread from which a number is marked */

static void put_right(struct buf *out, const char *text, size_t cols)
{
	size_t len = strlen(text);

	for (size_t i = len; i < cols; i++)
		buf__putc(out, ' ');
	buf__puts(out, text);
}

static void put_left(struct buf *out, const char *text, size_t cols)
{
	size_t start = out->len;

	buf__puts(out, text);
	buf__pad(out, start, cols);
}

/* What a cell shows of a series: a duration, bytes, a count or a share. */
static void put_duration(struct buf *out, double v)
{
	time__put_duration(out, (uint64_t)v);
}

static void put_bytes(struct buf *out, double v)
{
	time__put_bytes(out, (uint64_t)v);
}

static void put_count(struct buf *out, double v)
{
	time__put_count(out, (uint64_t)v);
}

static void put_percent(struct buf *out, double v)
{
	buf__printf(out, "%.0f%%", v * 100);
}

struct column {
	size_t series; /* its offset in struct point */
	void (*put)(struct buf *out, double v);
};

static const struct column p50 = { offsetof(struct point, p50_ns), put_duration };
static const struct column p99 = { offsetof(struct point, p99_ns), put_duration };
static const struct column rate = { offsetof(struct point, bytes_per_s), put_bytes };
static const struct column units = { offsetof(struct point, messages_per_s), put_count };
static const struct column lost = { offsetof(struct point, lost), put_percent };

static void put_cell(struct buf *out, const struct point *p, const struct column *c)
{
	const struct series *s = p ? (const struct series *)((const char *)p + c->series) : NULL;
	struct buf cell = { 0 };

	if (s && s->cnt) {
		c->put(&cell, series__median(s));
		buf__putc(&cell, c != &lost && series__spread(s) > NOISY ? '~' : ' ');
	} else {
		buf__puts(&cell, p && p->error ? "failed " : "- ");
	}
	put_right(out, buf__cstr(&cell), CELL_COLS);
	buf__free(&cell);
}

static bool has_data(const struct row *r)
{
	return !r->error && r->kind->class == DUCT_DATA && r->cnt;
}

static void put_line(struct buf *out, const struct bench *b, const struct row *r, const char *name,
		     const struct column *c)
{
	put_left(out, name, NAME_COLS);
	for (size_t i = 0; i < b->o.size_cnt; i++)
		put_cell(out, row__point(r, b->o.sizes[i]), c);
	buf__putc(out, '\n');
}

static void put_table(struct buf *out, const struct bench *b, const char *title, const struct column *c)
{
	struct buf cell = { 0 };

	buf__printf(out, "\n%s\n", title);
	put_left(out, "bytes", NAME_COLS);
	for (size_t i = 0; i < b->o.size_cnt; i++) {
		buf__reset(&cell);
		show__size(&cell, b->o.sizes[i]);
		buf__putc(&cell, ' ');
		put_right(out, buf__cstr(&cell), CELL_COLS);
	}
	buf__putc(out, '\n');
	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];

		if (!has_data(r))
			continue;
		put_line(out, b, r, r->kind->name, c);
		if (c == &rate && r->props.drops == ANSWER_YES)
			put_line(out, b, r, "  of it lost", &lost);
	}
	buf__free(&cell);
}

static void put_notices(struct buf *out, const struct bench *b)
{
	bool any = false;

	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];

		if (r->error || r->kind->class != DUCT_NOTICE || !r->cnt)
			continue;
		if (!any)
			buf__printf(out, "\nNotices, which carry no message\n%-16s%7s %7s %7s\n", "", "p50",
				    "p99", "per s");
		any = true;
		put_left(out, r->kind->name, NAME_COLS);
		put_cell(out, r->points, &p50);
		put_cell(out, r->points, &p99);
		put_cell(out, r->points, &units);
		buf__putc(out, '\n');
	}
}

static const char *or_dash(const char *word)
{
	return word ? word : "-";
}

static void put_full(struct buf *cell, const struct properties *p)
{
	const char *sep = "";

	if (p->blocks == ANSWER_YES) {
		buf__puts(cell, "waits");
		sep = ", ";
	}
	if (p->overwrites || p->drops == ANSWER_YES) {
		buf__puts(cell, p->overwrites ? "overwrites" : "drops");
		sep = ", ";
	}
	if (p->full_errno)
		buf__printf(cell, "%s%s", sep, show__errno(p->full_errno));
	if (!cell->len)
		buf__putc(cell, '-');
}

static void put_records(struct buf *cell, const struct properties *p)
{
	buf__puts(cell, or_dash(show__records(p)));
	if (p->records == RECORDS_KEPT && p->short_read)
		buf__printf(cell, ", %s",
			    p->short_read == SHORT_REFUSED ? show__errno(p->short_errno) : "cut");
}

static void put_amount(struct buf *cell, uint64_t v, bool more, bool bytes)
{
	if (more)
		buf__puts(cell, ">=");
	if (bytes)
		show__size(cell, v);
	else if (v >= 10000000000ull) /* a counter's range: no need for all its digits */
		buf__printf(cell, "%.1e", (double)v);
	else if (v)
		buf__u64(cell, v);
	if (!v && !bytes)
		buf__putc(cell, '-');
}

static void put_largest(struct buf *cell, const struct properties *p)
{
	if (p->largest_more)
		buf__puts(cell, "any");
	else
		put_amount(cell, p->largest, false, false);
}

static void put_properties(struct buf *out, const struct row *r)
{
	const struct properties *p = &r->props;
	struct buf cell = { 0 };

#define CELL(cols, fill)                               \
	do {                                           \
		buf__reset(&cell);                     \
		fill;                                  \
		put_left(out, buf__cstr(&cell), cols); \
	} while (0)
	put_left(out, r->kind->name, NAME_COLS);
	CELL(15, buf__puts(&cell, or_dash(show__answer(p->connectionless))));
	CELL(10, buf__puts(&cell, or_dash(show__answer(p->reliable))));
	CELL(16, put_full(&cell, p));
	CELL(19, put_records(&cell, p));
	CELL(13, buf__puts(&cell, or_dash(show__priority(p))));
	CELL(9, put_largest(&cell, p));
	CELL(12, put_amount(&cell, p->holds_messages, p->holds_more_messages, false));
	buf__reset(&cell);
	if (p->holds_bytes)
		put_amount(&cell, p->holds_bytes, p->holds_more_bytes, true);
	else
		buf__putc(&cell, '-');
	buf__printf(out, "%s\n", buf__cstr(&cell));
#undef CELL
	buf__free(&cell);
}

static void put_property_table(struct buf *out, const struct bench *b)
{
	buf__printf(out, "\nProperties, found by experiment\n%-16s%-15s%-10s%-16s%-19s%-13s%-9s%s\n", "",
		    "connectionless", "reliable", "when full", "keeps", "priorities", "largest", "holds");
	buf__printf(out, "%-98s%-12s%s\n", "", "of 1 byte", "of 4K");
	for (size_t i = 0; i < b->cnt; i++)
		if (!b->rows[i].error)
			put_properties(out, &b->rows[i]);
	for (size_t i = 0; i < b->cnt; i++)
		if (!b->rows[i].error && b->rows[i].kind->note)
			buf__printf(out, "%s: %s\n", b->rows[i].kind->name, b->rows[i].kind->note);
}

/* Indented, in lines that end behind a comma or a word. */
static void put_wrapped(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		size_t part = len;

		if (len > WRAP_COLS) {
			for (part = WRAP_COLS; part && text[part] != ' '; part--)
				;
			part = part ? part : WRAP_COLS;
		}
		buf__puts(out, "    ");
		buf__put(out, text, part);
		buf__putc(out, '\n');
		part += text[part] == ' ';
		text += part;
		len -= part;
	}
}

static void put_rules(struct buf *out, const struct bench *b)
{
	struct buf evidence = { 0 };
	bool any = false;

	for (size_t i = 0; i < rule__cnt(); i++) {
		enum verdict v;

		buf__reset(&evidence);
		v = rule__check(i, b, &evidence);
		if (v == VERDICT_NONE)
			continue;
		if (!any)
			buf__puts(out, "\nRules of thumb\n");
		any = true;
		buf__printf(out, "%s: %s\n", verdict__words(v), rule__sentence(i));
		put_wrapped(out, buf__cstr(&evidence));
	}
	buf__free(&evidence);
}

static void put_remarks(struct buf *out, const struct bench *b)
{
	for (size_t i = 0; i < b->cnt; i++)
		if (b->rows[i].error)
			buf__printf(out, "not here: %s: %s\n", b->rows[i].kind->name,
				    strerror(-b->rows[i].error));
	if (b->stopped)
		buf__puts(out, "interrupted: what was measured until then\n");
	else if (b->rounds < b->o.rounds)
		buf__printf(out, "%u of %u rounds: this machine is too slow or too busy for more\n",
			    b->rounds, b->o.rounds);
}

void bench__put_text(struct buf *out, const struct bench *b)
{
	bool data = false;

	buf__printf(out, "Linux %s %s, %u CPUs; ", b->kernel, b->machine, b->cpus);
	show__conditions(out, b);
	buf__puts(out, "; ");
	time__put_duration(out, b->took_ns);
	buf__puts(out, "\n~ the rounds differ by more than half\n");
	put_remarks(out, b);
	for (size_t i = 0; i < b->cnt; i++)
		data |= has_data(&b->rows[i]);
	if (data) {
		put_table(out, b, "Latency one way (half a round trip), p50", &p50);
		put_table(out, b, "Latency one way, p99", &p99);
		put_table(out, b, "Throughput, bytes per second (K = 1,024)", &rate);
	}
	put_notices(out, b);
	put_property_table(out, b);
	put_rules(out, b);
}
