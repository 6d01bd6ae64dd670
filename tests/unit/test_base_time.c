/* SPDX-License-Identifier: GPL-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "suite.h"

struct row {
	uint64_t v;
	const char *text;
};

static void expect(void (*put)(struct buf *out, uint64_t v), const struct row *rows, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct buf out = { 0 };

		put(&out, rows[i].v);
		ck_assert_str_eq(buf__cstr(&out), rows[i].text);
		buf__free(&out);
	}
}

START_TEST(durations)
{
	static const struct row rows[] = {
		{ 0, "0ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 1234, "1.23us" },
		{ 1235, "1.24us" },
		{ 9994, "9.99us" },
		{ 9995, "10.0us" },
		{ 12034, "12.0us" },
		{ 99949, "99.9us" },
		{ 99950, "100us" },
		{ 999499, "999us" },
		{ 999500, "1.00ms" },
		{ 1200000, "1.20ms" },
		{ 999499999, "999ms" },
		{ 999500000, "1.00s" },
		{ 59940000000, "59.9s" },
		{ 59960000000, "1m00s" },
		{ 123000000000, "2m03s" },
		{ 3720000000000, "1h02m" },
		{ 273600000000000, "3d04h" },
		{ UINT64_MAX, "213503d23h" },
	};

	expect(time__put_duration, rows, sizeof(rows) / sizeof(rows[0]));
}
END_TEST

START_TEST(sizes_and_counts)
{
	static const struct row bytes[] = {
		{ 0, "0" },	     { 1023, "1023" },	     { 1024, "1.0K" },	    { 1229, "1.2K" },
		{ 10188, "9.9K" },   { 10189, "10K" },	     { 12600, "12K" },	    { 1048063, "1023K" },
		{ 1048064, "1.0M" }, { 5ull << 40, "5.0T" }, { UINT64_MAX, "16E" },
	};
	static const struct row counts[] = {
		{ 999, "999" },	    { 1000, "1.0k" },	{ 1250, "1.3k" },
		{ 999499, "999k" }, { 999500, "1.0M" }, { UINT64_MAX, "18E" },
	};

	expect(time__put_bytes, bytes, sizeof(bytes) / sizeof(bytes[0]));
	expect(time__put_count, counts, sizeof(counts) / sizeof(counts[0]));
}
END_TEST

START_TEST(wall)
{
	struct buf out = { 0 };

	setenv("TZ", "UTC", 1);
	tzset();
	time__put_wall(&out, 1700000000123456789);
	buf__putc(&out, ' ');
	time__put_wall(&out, -1);
	ck_assert_str_eq(buf__cstr(&out), "22:13:20.123456 23:59:59.999999");
	buf__free(&out);
}
END_TEST

START_TEST(clocks_agree)
{
	struct timespec wall;
	uint64_t boot = time__boot_ns();
	int64_t diff;

	clock_gettime(CLOCK_REALTIME, &wall);
	diff = (int64_t)boot + time__boot_to_wall_ns() - ((int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec);
	ck_assert_int_lt(llabs(diff), 1000000000);
	ck_assert_uint_ge(time__boot_ns(), boot);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { durations, sizes_and_counts, wall, clocks_agree };

	return SUITE_RUN("base/time", tests);
}
