/* SPDX-License-Identifier: GPL-2.0 */
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "suite.h"

START_TEST(commas_and_nesting)
{
	struct buf out = { 0 };
	struct json j = { .out = &out };

	json__open(&j, NULL, '{');
	json__u64(&j, "a", 1);
	json__open(&j, "b", '[');
	json__close(&j, ']');
	json__open(&j, "c", '[');
	json__i64(&j, NULL, -2);
	json__open(&j, NULL, '{');
	json__null(&j, "d");
	json__close(&j, '}');
	json__bool(&j, NULL, true);
	json__bool(&j, NULL, false);
	json__close(&j, ']');
	json__str(&j, "e", "x");
	json__str(&j, "f", NULL);
	json__close(&j, '}');
	ck_assert_str_eq(buf__cstr(&out),
			 "{\"a\":1,\"b\":[],\"c\":[-2,{\"d\":null},true,false],\"e\":\"x\",\"f\":null}");
	buf__free(&out);
}
END_TEST

START_TEST(numbers)
{
	static const uint64_t edges[] = { 0,	     9,		 10,	    99,
					  100,	     101,	 999,	    1000,
					  12345678,  UINT32_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1,
					  UINT64_MAX };
	char want[64];
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		buf__reset(&out);
		buf__u64(&out, edges[i]);
		snprintf(want, sizeof(want), "%" PRIu64, edges[i]);
		ck_assert_str_eq(buf__cstr(&out), want);
		buf__reset(&out);
		buf__i64(&out, (int64_t)edges[i]);
		snprintf(want, sizeof(want), "%" PRId64, (int64_t)edges[i]);
		ck_assert_str_eq(buf__cstr(&out), want);
	}
	for (uint64_t v = 1; v < UINT64_MAX / 7; v *= 7) {
		buf__reset(&out);
		buf__u64(&out, v);
		snprintf(want, sizeof(want), "%" PRIu64, v);
		ck_assert_str_eq(buf__cstr(&out), want);
	}
	buf__free(&out);
}
END_TEST

static void expect_double(double v, const char *want)
{
	struct buf out = { 0 };
	struct json j = { .out = &out };

	json__double(&j, NULL, v);
	ck_assert_str_eq(buf__cstr(&out), want);
	buf__free(&out);
}

START_TEST(doubles)
{
	expect_double(0, "0");
	expect_double(0.1, "0.1");
	expect_double(-1.5, "-1.5");
	expect_double(1e300, "1e+300");
	expect_double(1.0 / 3, "0.3333333333333333");
	expect_double(NAN, "null");
	expect_double(INFINITY, "null");
	expect_double(-INFINITY, "null");
}
END_TEST

START_TEST(strings)
{
	struct buf out = { 0 };
	struct json j = { .out = &out };

	json__open(&j, NULL, '[');
	json__strn(&j, NULL, "a\0\"\xff<", 5);
	json__str(&j, NULL, "");
	json__close(&j, ']');
	ck_assert_str_eq(buf__cstr(&out), "[\"a\\u0000\\\"\\u00ff\\u003c\",\"\"]");
	buf__free(&out);
}
END_TEST

START_TEST(base64)
{
	/* RFC 4648, chapter 10 */
	static const char *const want[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };

	for (size_t len = 0; len <= 6; len++) {
		struct buf out = { 0 };
		struct json j = { .out = &out };
		char line[32];

		json__base64(&j, NULL, "foobar", len);
		snprintf(line, sizeof(line), "\"%s\"", want[len]);
		ck_assert_str_eq(buf__cstr(&out), line);
		buf__free(&out);
	}
}
END_TEST

START_TEST(base64_of_high_bytes)
{
	struct buf out = { 0 };
	struct json j = { .out = &out };

	json__base64(&j, "payload", "\xff\xfe\xfb", 3);
	ck_assert_str_eq(buf__cstr(&out), "\"payload\":\"//77\"");
	buf__free(&out);
}
END_TEST

START_TEST(buf_grows_and_pads)
{
	struct buf b = { 0 };

	for (int i = 0; i < 1000; i++)
		buf__printf(&b, "%04d", i);
	ck_assert_uint_eq(b.len, 4000);
	ck_assert(!memcmp(b.data + 3996, "0999", 4));
	buf__reset(&b);
	buf__printf(&b, "%*s", 5000, "x"); /* longer than what is left */
	ck_assert_uint_eq(b.len, 5000);
	ck_assert_int_eq(b.data[4999], 'x');
	buf__reset(&b);
	buf__puts(&b, "ab");
	buf__pad(&b, 0, 5);
	buf__pad(&b, 0, 3);
	buf__pad(&b, 5, 2);
	buf__putc(&b, '|');
	ck_assert_str_eq(buf__cstr(&b), "ab     |");
	buf__free(&b);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		commas_and_nesting, numbers, doubles, strings, base64, base64_of_high_bytes,
		buf_grows_and_pads,
	};

	return SUITE_RUN("base/json", tests);
}
