/* SPDX-License-Identifier: GPL-2.0 */
#include <math.h>
#include <string.h>

#include "bench/stats.h"
#include "suite.h"

static struct samples s;

static void fill(uint64_t cnt)
{
	memset(&s, 0, sizeof(s));
	for (uint64_t i = 1; i <= cnt; i++)
		samples__add(&s, cnt + 1 - i); /* descending: order must not matter */
}

START_TEST(quantiles_are_samples)
{
	fill(100);
	ck_assert_uint_eq(samples__quantile(&s, 0.5), 50);
	ck_assert_uint_eq(samples__quantile(&s, 0.99), 99);
	ck_assert_uint_eq(samples__quantile(&s, 1), 100);
	ck_assert_uint_eq(samples__quantile(&s, 0), 1);
	fill(1);
	ck_assert_uint_eq(samples__quantile(&s, 0.5), 1);
	ck_assert_uint_eq(samples__quantile(&s, 0.99), 1);
	fill(0);
	ck_assert_uint_eq(samples__quantile(&s, 0.5), 0);
}
END_TEST

/* However many come, the kept ones lie evenly over the whole time. */
START_TEST(a_long_series_is_thinned_evenly)
{
	uint64_t cnt = 10 * SAMPLES_MAX + 7, half;

	memset(&s, 0, sizeof(s));
	for (uint64_t i = 0; i < cnt; i++)
		samples__add(&s, i);
	ck_assert_uint_eq(s.seen, cnt);
	ck_assert_uint_le(s.cnt, SAMPLES_MAX);
	ck_assert_uint_ge(s.cnt, SAMPLES_MAX / 2);
	for (uint32_t i = 0; i < s.cnt; i++)
		EXPECT(s.v[i] == (uint64_t)i << s.thinned);
	half = samples__quantile(&s, 0.5);
	EXPECT(half > cnt / 2 - cnt / 100 && half < cnt / 2 + cnt / 100);
}
END_TEST

START_TEST(exactly_full_loses_nothing)
{
	memset(&s, 0, sizeof(s));
	for (uint64_t i = 0; i < SAMPLES_MAX; i++)
		samples__add(&s, i);
	ck_assert_uint_eq(s.cnt, SAMPLES_MAX);
	samples__add(&s, SAMPLES_MAX);
	ck_assert_uint_eq(s.cnt, SAMPLES_MAX / 2 + 1);
	ck_assert_uint_eq(s.v[SAMPLES_MAX / 2], SAMPLES_MAX);
}
END_TEST

static struct series of(unsigned int cnt, const double *v)
{
	struct series r = { 0 };

	for (unsigned int i = 0; i < cnt; i++)
		series__add(&r, v[i]);
	return r;
}

START_TEST(medians)
{
	struct series odd = of(3, (double[]){ 9, 1, 4 }), even = of(4, (double[]){ 8, 2, 100, 4 });
	struct series none = { 0 }, one = of(1, (double[]){ 7 });

	EXPECT(series__median(&odd) == 4 && odd.v[0] == 9); /* and is not reordered */
	EXPECT(series__median(&even) == 6);
	EXPECT(series__median(&none) == 0 && series__min(&none) == 0 && series__max(&none) == 0);
	EXPECT(series__median(&one) == 7 && series__spread(&one) == 0);
	EXPECT(series__min(&even) == 2 && series__max(&even) == 100);
	EXPECT(series__spread(&odd) == 2);
	EXPECT(series__spread(&none) == 0);
}
END_TEST

START_TEST(a_series_has_an_end)
{
	struct series r = { 0 };

	for (int i = 0; i < 3 * SERIES_MAX; i++)
		series__add(&r, i);
	ck_assert_uint_eq(r.cnt, SERIES_MAX);
	EXPECT(series__max(&r) == SERIES_MAX - 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		quantiles_are_samples, a_long_series_is_thinned_evenly, exactly_full_loses_nothing, medians,
		a_series_has_an_end,
	};

	return SUITE_RUN("bench_stats", tests);
}
