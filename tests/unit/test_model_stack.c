// SPDX-License-Identifier: GPL-2.0
/* The table of call stacks: what is told by number, by id, and what a hostile recording may say. */
#include <string.h>

#include "model/stack.h"
#include "suite.h"

static void frame(struct stack_table *t, uint32_t number, const char *function)
{
	const struct stack_frame f = { .function = function, .binary = "", .source = "" };
	const uint16_t lens[3] = { (uint16_t)strlen(function), 0, 0 };

	stack_table__frame(t, number, &f, lens);
}

static const struct stack *seen(struct stack_table *t, uint32_t tid, uint64_t enter_ns, uint64_t id,
				const uint32_t *numbers, size_t cnt)
{
	const struct stack_seen s = {
		.tid = tid, .enter_ns = enter_ns, .id = id, .numbers = numbers, .cnt = cnt
	};

	stack_table__seen(t, &s);
	return stack_table__of(t, tid, STACK_OF_CALL, enter_ns);
}

START_TEST(by_call)
{
	struct stack_table *t = stack_table__new();
	const uint32_t numbers[] = { 1, 2, 7 };
	const struct stack *st;

	frame(t, 1, "write");
	frame(t, 2, "main");
	st = seen(t, 10, 100, 5, numbers, 3);
	ck_assert_uint_eq(st->cnt, 3);
	ck_assert_str_eq(st->frames[0]->function, "write");
	ck_assert_str_eq(st->frames[1]->function, "main");
	ck_assert_ptr_null(st->frames[2]);
	ck_assert_ptr_null(stack_table__of(t, 10, STACK_OF_CALL, 101));
	ck_assert_ptr_null(stack_table__of(t, 10, STACK_OF_SLEEP, 100));
	ck_assert_ptr_null(stack_table__of(t, 11, STACK_OF_CALL, 100));
	ck_assert_ptr_eq(seen(t, 11, 200, 5, NULL, 0), st); /* the same again, by id */
	ck_assert_ptr_eq(seen(t, 12, 300, 6, numbers, 3), st); /* of another process */
	ck_assert_ptr_null(seen(t, 12, 400, 77, NULL, 0)); /* never told: its record was lost */
	stack_table__free(t);
}
END_TEST

START_TEST(an_id_is_used_again)
{
	struct stack_table *t = stack_table__new();
	const uint32_t one[] = { 1 }, two[] = { 2 };
	const struct stack *first;

	frame(t, 1, "a");
	frame(t, 2, "b");
	first = seen(t, 10, 100, 5, one, 1);
	ck_assert_str_eq(seen(t, 10, 200, 5, two, 1)->frames[0]->function, "b");
	ck_assert_str_eq(first->frames[0]->function, "a");
	stack_table__free(t);
}
END_TEST

/* Endless new threads, ids and frames: memory is bounded, and what comes late is merely not known. */
START_TEST(hostile)
{
	struct stack_table *t = stack_table__new();
	uint32_t numbers[64];

	for (uint32_t i = 0; i < 300000; i++) {
		frame(t, i, "f");
		for (uint32_t n = 0; n < 64; n++)
			numbers[n] = i + n;
		seen(t, i, i, i, numbers, i % 65);
	}
	ck_assert_ptr_null(seen(t, 1, 1, 1ull << 40, numbers, 64));
	stack_table__free(t);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { by_call, an_id_is_used_again, hostile };

	return SUITE_RUN("model/stack", tests);
}
