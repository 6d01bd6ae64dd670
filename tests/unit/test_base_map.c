/* SPDX-License-Identifier: GPL-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "suite.h"

#define KEYS 300 /* few, so that most operations meet a key that is there */
#define ROUNDS 200000

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Keys that differ in one word only, in low bits or in high bits only. */
static void key_of(size_t i, uint64_t *lo, uint64_t *hi)
{
	*lo = i % 3 == 0 ? i : i % 3 == 1 ? (uint64_t)i << 40 : 7;
	*hi = i % 3 == 2 ? i : 0;
}

START_TEST(empty_map_answers)
{
	struct map m = { 0 };

	ck_assert_ptr_null(map__get(&m, 1, 2));
	ck_assert_ptr_null(map__del(&m, 1, 2));
	map__for_each(&m, slot)
		ck_abort_msg("an empty map has a slot");
	map__free(&m);
}
END_TEST

START_TEST(zero_is_a_key)
{
	struct map m = { 0 };
	int one, two;

	ck_assert_ptr_null(map__set(&m, 0, 0, &one));
	ck_assert_ptr_eq(map__get(&m, 0, 0), &one);
	ck_assert_ptr_null(map__get(&m, 0, 1));
	ck_assert_ptr_eq(map__set(&m, 0, 0, &two), &one);
	ck_assert_uint_eq(m.cnt, 1);
	ck_assert_ptr_eq(map__del(&m, 0, 0), &two);
	ck_assert_ptr_null(map__get(&m, 0, 0));
	ck_assert_uint_eq(m.cnt, 0);
	map__free(&m);
}
END_TEST

static void agree(const struct map *m, char *const *reference)
{
	size_t there = 0, seen = 0;

	for (size_t i = 0; i < KEYS; i++) {
		uint64_t lo, hi;

		key_of(i, &lo, &hi);
		EXPECT(map__get(m, lo, hi) == reference[i]);
		there += reference[i] != NULL;
	}
	map__for_each(m, slot)
		seen++;
	ck_assert_uint_eq(there, m->cnt);
	ck_assert_uint_eq(there, seen);
}

START_TEST(random_operations_agree_with_an_array)
{
	static char values[KEYS];
	char *reference[KEYS] = { 0 };
	uint64_t random = 88172645463325252u;
	struct map m = { 0 };

	for (int round = 0; round < ROUNDS; round++) {
		size_t i = next_random(&random) % KEYS;
		char *value = &values[next_random(&random) % KEYS];
		uint64_t lo, hi;

		key_of(i, &lo, &hi);
		if (next_random(&random) % 2) {
			EXPECT(map__set(&m, lo, hi, value) == reference[i]);
			reference[i] = value;
		} else {
			EXPECT(map__del(&m, lo, hi) == reference[i]);
			reference[i] = NULL;
		}
		if (round % 1000 == 0)
			agree(&m, reference);
	}
	agree(&m, reference);
	map__free(&m);
	ck_assert_uint_eq(m.cnt, 0);
}
END_TEST

START_TEST(many_keys_and_none_left)
{
	struct map m = { 0 };
	static char value;

	for (uint64_t i = 0; i < 100000; i++)
		map__set(&m, i << 12, i, &value);
	ck_assert_uint_eq(m.cnt, 100000);
	for (uint64_t i = 0; i < 100000; i++)
		EXPECT(map__del(&m, i << 12, i) == &value);
	ck_assert_uint_eq(m.cnt, 0);
	map__for_each(&m, slot)
		ck_abort_msg("a deleted key is still there");
	map__free(&m);
}
END_TEST

START_TEST(strtab_interns)
{
	struct strtab t = { 0 };
	const char *a = strtab__intern(&t, "pipe", 4);

	ck_assert_str_eq(a, "pipe");
	ck_assert_ptr_eq(strtab__intern(&t, "pipes", 4), a);
	ck_assert_ptr_ne(strtab__intern(&t, "pipes", 5), a);
	ck_assert_str_eq(strtab__intern(&t, "", 0), "");
	ck_assert_ptr_ne(strtab__intern(&t, "a\0b", 3), strtab__intern(&t, "a\0c", 3));
	strtab__free(&t);
}
END_TEST

START_TEST(strtab_pointers_stay)
{
	struct strtab t = { 0 };
	const char *was[5000];
	char name[32];

	for (int i = 0; i < 5000; i++)
		was[i] = strtab__intern(&t, name, (size_t)snprintf(name, sizeof(name), "name-%d", i));
	for (int i = 0; i < 5000; i++) {
		size_t len = (size_t)snprintf(name, sizeof(name), "name-%d", i);

		EXPECT(strtab__intern(&t, name, len) == was[i]);
		EXPECT(!strcmp(was[i], name));
	}
	strtab__free(&t);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		empty_map_answers,	 zero_is_a_key,	 random_operations_agree_with_an_array,
		many_keys_and_none_left, strtab_interns, strtab_pointers_stay,
	};

	return SUITE_RUN("base/map", tests);
}
