/* SPDX-License-Identifier: GPL-2.0 */
/* Rules and outputs, over results that were made up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/rules.h"
#include "suite.h"

#define ROWS 6

static struct bench b;
static struct row rows[ROWS];
static struct point points[ROWS][2];
static struct buf out;

static const uint64_t sizes[2] = { 1, 65536 };

static void add(struct series *s, double middle)
{
	for (int i = -1; i <= 1; i++)
		series__add(s, middle * (1 + i * 0.01));
}

/* rate: bytes per second at the larger size; a thousandth at the smaller one. */
static struct row *add_row(const char *mech, double p50_ns, double rate)
{
	struct row *r = &rows[b.cnt];

	memset(points[b.cnt], 0, sizeof(points[0]));
	*r = (struct row){ .kind = duct_kind__find(mech), .points = points[b.cnt], .cnt = 2 };
	b.cnt++;
	ck_assert_ptr_nonnull(r->kind);
	r->props.priority = -1;
	for (int i = 0; i < 2; i++) {
		r->points[i].bytes = sizes[i];
		add(&r->points[i].p50_ns, p50_ns * (i + 1));
		add(&r->points[i].p99_ns, p50_ns * (i + 1) * 3);
		add(&r->points[i].bytes_per_s, i ? rate : rate / 1000);
		add(&r->points[i].messages_per_s, 1000);
	}
	return r;
}

static void begin(void)
{
	b = (struct bench){ .rows = rows, .rounds = 3, .cpus = 2 };
	b.o.size_cnt = 2;
	b.o.rounds = 3;
	b.o.speed.time_ns = 1000000;
	memcpy(b.o.sizes, sizes, sizeof(sizes));
	snprintf(b.kernel, sizeof(b.kernel), "6.1 <&>\"");
	snprintf(b.machine, sizeof(b.machine), "x86_64");
	buf__reset(&out);
}

static enum verdict check(const char *words)
{
	for (size_t i = 0; i < rule__cnt(); i++) {
		if (!strstr(rule__sentence(i), words))
			continue;
		buf__reset(&out);
		return rule__check(i, &b, &out);
	}
	ck_abort_msg("no rule '%s'", words);
	return VERDICT_NONE;
}

START_TEST(pairs_are_compared)
{
	struct series high = { 3, { 10, 11, 12 } }, low = { 3, { 1, 2, 3 } }, both = { 3, { 1, 11, 12 } };
	struct series mixed = { 2, { 0, 100 } }, none = { 0 };
	struct series one = { 1, { 1 } }, ten = { 1, { 10 } }, eleven = { 1, { 11 } };

	ck_assert_int_eq(rule__compare(&high, &low), VERDICT_HOLDS);
	ck_assert_int_eq(rule__compare(&low, &high), VERDICT_FAILS);
	ck_assert_int_eq(rule__compare(&both, &low), VERDICT_HOLDS); /* one bad round of three */
	ck_assert_int_eq(rule__compare(&high, &mixed), VERDICT_CLOSE);
	ck_assert_int_eq(rule__compare(&high, &none), VERDICT_NONE);
	ck_assert_int_eq(rule__compare(&ten, &eleven), VERDICT_CLOSE); /* one round each */
	ck_assert_int_eq(rule__compare(&ten, &one), VERDICT_HOLDS);
	ck_assert_int_eq(rule__compare(&one, &ten), VERDICT_FAILS);
}
END_TEST

START_TEST(what_was_not_measured_is_not_judged)
{
	begin();
	for (size_t i = 0; i < rule__cnt(); i++) {
		buf__reset(&out);
		ck_assert_msg(rule__check(i, &b, &out) == VERDICT_NONE, "%s", rule__sentence(i));
	}
	add_row("pipe", 1000, 1e9)->error = -ENOSYS; /* not here */
	add_row("tcp", 1000, 1e9)->error = -ENOSYS;
	for (size_t i = 0; i < rule__cnt(); i++)
		ck_assert_msg(rule__check(i, &b, &out) == VERDICT_NONE || rows[0].cnt, "%s",
			      rule__sentence(i));
}
END_TEST

START_TEST(speed_decides)
{
	begin();
	add_row("pipe", 1000, 1e9);
	add_row("posix-shm", 1000, 5e9);
	ck_assert_int_eq(check("fastest for large"), VERDICT_HOLDS);
	EXPECT(strstr(buf__cstr(&out), "posix-shm") && strstr(buf__cstr(&out), "pipe"));
	begin();
	add_row("pipe", 1000, 9e9);
	add_row("posix-shm", 1000, 5e9);
	ck_assert_int_eq(check("fastest for large"), VERDICT_FAILS);
	begin();
	add_row("unix-stream", 1000, 2e9);
	add_row("tcp", 5000, 1e9);
	ck_assert_int_eq(check("answers sooner"), VERDICT_HOLDS);
	ck_assert_int_eq(check("socket moves more than TCP"), VERDICT_HOLDS);
	ck_assert_int_eq(check("hardly matters"), VERDICT_FAILS); /* five times as long */
	begin();
	add_row("unix-stream", 5000, 1e9);
	add_row("tcp", 2000, 2e9);
	ck_assert_int_eq(check("answers sooner"), VERDICT_FAILS);
	ck_assert_int_eq(check("socket moves more than TCP"), VERDICT_FAILS);
	ck_assert_int_eq(check("hardly matters"), VERDICT_HOLDS);
}
END_TEST

START_TEST(properties_decide)
{
	struct row *r;

	begin();
	r = add_row("udp", 1000, 1e9);
	r->props.reliable = r->props.blocks = ANSWER_NO;
	r->props.sent = 100;
	r->props.arrived = 60;
	ck_assert_int_eq(check("UDP has no flow control"), VERDICT_HOLDS);
	EXPECT(strstr(buf__cstr(&out), "60 of 100"));
	r->props.reliable = r->props.blocks = ANSWER_YES;
	ck_assert_int_eq(check("UDP has no flow control"), VERDICT_FAILS);
	r = add_row("pipe", 1000, 1e9);
	r->props.holds_bytes = 65536;
	r->props.records = RECORDS_BYTES;
	rows[0].props.records = RECORDS_KEPT;
	ck_assert_int_eq(check("64 KiB"), VERDICT_HOLDS);
	ck_assert_int_eq(check("record boundaries"), VERDICT_HOLDS);
	r->props.holds_bytes = 4096;
	r->props.records = RECORDS_KEPT;
	ck_assert_int_eq(check("64 KiB"), VERDICT_FAILS);
	ck_assert_int_eq(check("record boundaries"), VERDICT_FAILS);
	r = add_row("posix-mq", 1000, 1e9);
	r->props.priority = PRIORITY_SENDER;
	r->props.holds_messages = 10;
	r->props.largest = 8192;
	ck_assert_int_eq(check("Only POSIX message queues"), VERDICT_HOLDS);
	ck_assert_int_eq(check("limited by the system"), VERDICT_NONE); /* no limit known */
	b.limits.mq_msg_max = 10;
	b.limits.mq_msgsize_max = 8192;
	ck_assert_int_eq(check("limited by the system"), VERDICT_HOLDS);
	r->props.largest = 8193;
	ck_assert_int_eq(check("limited by the system"), VERDICT_FAILS);
	rows[1].props.priority = PRIORITY_URGENT;
	ck_assert_int_eq(check("Only POSIX message queues"), VERDICT_FAILS);
}
END_TEST

/* Are there as many of one as of the other? */
static int occurrences(const char *text, const char *word)
{
	int cnt = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		cnt++;
	return cnt;
}

/* A coordinate that is none. */
static bool has_no_number(const char *svg)
{
	return strstr(svg, "nan") || strstr(svg, "\"inf") || strstr(svg, "-inf") || strstr(svg, " inf") ||
	       strstr(svg, "Minf") || strstr(svg, "Linf");
}

START_TEST(a_picture_has_every_row)
{
	const char *svg;

	begin();
	add_row("pipe", 1000, 1e9);
	add_row("tcp", 3000, 3e9);
	add_row("signal", 3000, 0);
	rows[2].cnt = 1;
	rows[2].points[0].bytes_per_s.cnt = 0;
	bench__put_svg(&out, &b);
	svg = buf__cstr(&out);
	EXPECT(strncmp(svg, "<?xml", 5) == 0);
	EXPECT(strstr(svg, "6.1 &lt;&amp;&gt;&quot;"));
	EXPECT(!strstr(svg, "6.1 <"));
	ck_assert_int_eq(occurrences(svg, "<svg"), 1);
	ck_assert_int_eq(occurrences(svg, "</svg>"), 1);
	ck_assert_int_eq(occurrences(svg, "<g>"), occurrences(svg, "</g>"));
	ck_assert_int_eq(occurrences(svg, "<text "), occurrences(svg, "</text>"));
	ck_assert_int_eq(occurrences(svg, ">pipe<"), 1); /* legend */
	ck_assert_int_eq(occurrences(svg, "<title>pipe:"), 2); /* a curve in each panel */
	ck_assert_int_eq(occurrences(svg, "<title>signal:"), 1);
	EXPECT(!has_no_number(svg));
}
END_TEST

START_TEST(nothing_is_a_picture_too)
{
	begin();
	bench__put_svg(&out, &b);
	EXPECT(strstr(buf__cstr(&out), "nothing was measured"));
	EXPECT(!has_no_number(out.data));
	buf__reset(&out);
	bench__put_text(&out, &b);
	EXPECT(strstr(buf__cstr(&out), "Properties"));
	begin();
	b.o.size_cnt = 1; /* one size: the axis has no length */
	add_row("pipe", 1000, 1e9)->cnt = 1;
	bench__put_svg(&out, &b);
	EXPECT(!has_no_number(buf__cstr(&out)));
}
END_TEST

START_TEST(text_marks_what_is_noisy)
{
	begin();
	add_row("pipe", 1000, 1e9);
	bench__put_text(&out, &b);
	EXPECT(strstr(buf__cstr(&out), "1.00us "));
	EXPECT(!strstr(out.data, "1.00us~"));
	buf__reset(&out);
	rows[0].points[0].p50_ns.v[2] = 5000;
	bench__put_text(&out, &b);
	EXPECT(strstr(buf__cstr(&out), "1.00us~"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		pairs_are_compared,
		what_was_not_measured_is_not_judged,
		speed_decides,
		properties_decide,
		a_picture_has_every_row,
		nothing_is_a_picture_too,
		text_marks_what_is_noisy,
	};

	return SUITE_RUN("bench_rules", tests);
}
