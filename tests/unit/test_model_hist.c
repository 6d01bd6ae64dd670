/* SPDX-License-Identifier: GPL-2.0 */
#include "model/hist.h"
#include "model_kit.h"
#include "suite.h"

#define VALUES 5000

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t reference(const uint64_t *sorted, size_t cnt, double p)
{
	size_t rank = (size_t)(p * (double)cnt / 100.0 + 0.9999999);

	return sorted[(rank ? rank : 1) - 1];
}

static void check_against_sorted(uint64_t seed, unsigned int bits)
{
	static const double percents[] = { 1, 10, 25, 50, 75, 90, 99, 99.9, 100 };
	uint64_t *values = calloc(VALUES, sizeof(*values));
	struct hist h = { 0 };
	size_t i;

	for (i = 0; i < VALUES; i++) {
		values[i] = kit__random(&seed) >> (64 - 1 - kit__random(&seed) % bits);
		hist__add(&h, values[i]);
	}
	qsort(values, VALUES, sizeof(*values), compare);
	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		double want = (double)reference(values, VALUES, percents[i]);
		double got = (double)hist__percentile(&h, percents[i]);

		EXPECT(got <= want * 1.06 && got >= want / 1.0626);
	}
	ck_assert_uint_eq(h.min, values[0]);
	ck_assert_uint_eq(h.max, values[VALUES - 1]);
	ck_assert_uint_eq(hist__percentile(&h, 100), values[VALUES - 1]);
	hist__free(&h);
	free(values);
}

START_TEST(percentiles_are_near_those_of_the_sorted_values)
{
	for (uint64_t seed = 1; seed < 30; seed++)
		check_against_sorted(seed, 8 + (unsigned int)seed * 55 / 30);
}
END_TEST

/* Each keeps the buckets that its own values need. */
START_TEST(those_of_far_apart_values_are_merged)
{
	struct hist low = { 0 }, high = { 0 }, all = { 0 };

	for (uint64_t v = 1; v < 1000; v++) {
		hist__add(&low, v);
		hist__add(&high, v << 40);
		hist__add(&all, v);
		hist__add(&all, v << 40);
	}
	ck_assert_uint_lt(low.bucket_cnt, HIST_BUCKETS / 4);
	hist__merge(&high, &low);
	for (double p = 1; p <= 100; p++)
		EXPECT(hist__percentile(&high, p) == hist__percentile(&all, p));
	hist__clear(&high);
	ck_assert_uint_eq(hist__percentile(&high, 50), 0);
	hist__add(&high, 7);
	ck_assert_uint_eq(hist__percentile(&high, 50), 7);
	hist__free(&low);
	hist__free(&high);
	hist__free(&all);
}
END_TEST

START_TEST(empty_one_has_no_percentile)
{
	struct hist h = { 0 };

	ck_assert_uint_eq(hist__percentile(&h, 50), 0);
	hist__free(&h);
}
END_TEST

START_TEST(extremes_have_buckets)
{
	struct hist h = { 0 };

	hist__add(&h, 0);
	hist__add(&h, UINT64_MAX);
	hist__add(&h, 7);
	hist__add(&h, 8);
	ck_assert_uint_eq(hist__percentile(&h, 1), 0);
	ck_assert_uint_eq(hist__percentile(&h, 50), 7);
	ck_assert_uint_eq(hist__percentile(&h, 75), 8);
	ck_assert_uint_eq(hist__percentile(&h, 100), UINT64_MAX);
	hist__free(&h);
}
END_TEST

static void check_merged(int cnt)
{
	struct hist a = { 0 }, b = { 0 }, all = { 0 };
	uint64_t rng = 5, octave[64], octave_all[64];

	for (int i = 0; i < cnt; i++) {
		uint64_t v = kit__random(&rng) >> 40;

		hist__add(i % 3 ? &a : &b, v);
		hist__add(&all, v);
	}
	hist__merge(&a, &b);
	ck_assert_uint_eq(a.cnt, all.cnt);
	ck_assert_uint_eq(a.sum, all.sum);
	ck_assert_uint_eq(a.min, all.min);
	ck_assert_uint_eq(a.max, all.max);
	for (double p = 1; p <= 100; p++)
		ck_assert_uint_eq(hist__percentile(&a, p), hist__percentile(&all, p));
	hist__octaves(&a, octave);
	hist__octaves(&all, octave_all);
	ck_assert_mem_eq(octave, octave_all, sizeof(octave));
	hist__free(&a);
	hist__free(&b);
	hist__free(&all);
}

/* The last few values are in no bucket yet. */
START_TEST(merged_is_as_if_added_to_one)
{
	for (int cnt = 1; cnt < 6 * HIST_RECENT_MAX; cnt++)
		check_merged(cnt);
	check_merged(1000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { percentiles_are_near_those_of_the_sorted_values,
				       those_of_far_apart_values_are_merged, empty_one_has_no_percentile,
				       extremes_have_buckets, merged_is_as_if_added_to_one };

	return SUITE_RUN("model_hist", tests);
}
