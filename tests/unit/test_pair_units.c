/* SPDX-License-Identifier: GPL-2.0 */
/* Counters: each case of the rule by itself. test_pair_units_random.c holds it against a simulator. */
#include "suite.h"
#include "units_kit.h"

#define A 11
#define B 12
#define W 21
#define V 22

START_TEST(the_oldest_units_go_first)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 20, 5);
	units__op(k, UNITS_POST, B, 30, 40, 5);
	units__op(k, UNITS_TAKE, W, 50, 60, 7);
	units__op(k, UNITS_TAKE, W, 70, 80, 3);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 3);
	units__expect(k, 0, A, W, 5, ATTR_EXACT);
	units__expect(k, 1, B, W, 2, ATTR_EXACT);
	units__expect(k, 2, B, W, 3, ATTR_EXACT);
	ck_assert_uint_eq(kit__end(k, W, "wait")->messages, 10);
	ck_assert_uint_eq(kit__end(k, A, "post")->messages, 5);
	kit__free(k);
}
END_TEST

START_TEST(a_wait_may_be_reported_before_its_post)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_TAKE, W, 15, 20, 1);
	units__op(k, UNITS_POST, A, 10, 30, 1); /* its call returned later */
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, A, W, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(posts_that_overlap_may_have_come_in_any_order)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 30, 1);
	units__op(k, UNITS_POST, B, 20, 40, 1);
	units__op(k, UNITS_TAKE, W, 50, 60, 1);
	units__op(k, UNITS_TAKE, V, 70, 80, 1);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_CANDIDATES);
	ck_assert_uint_eq(k->got[0].m.candidate_cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(who_takes_all_that_overlaps_has_it_for_certain)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 30, 1);
	units__op(k, UNITS_POST, B, 20, 40, 1);
	units__op(k, UNITS_TAKE, W, 50, 60, 2);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	units__expect(k, 0, A, W, 1, ATTR_EXACT);
	units__expect(k, 1, B, W, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(waits_that_overlap_are_in_doubt_unless_the_owner_is_one)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 20, 1);
	units__op(k, UNITS_POST, B, 30, 40, 1);
	units__op(k, UNITS_TAKE, W, 50, 70, 1);
	units__op(k, UNITS_TAKE, V, 60, 80, 1);
	units__op(k, UNITS_POST, A, 90, 100, 2);
	units__op(k, UNITS_TAKE, W, 110, 130, 1);
	units__op(k, UNITS_TAKE, V, 120, 140, 1);
	model__finish(k->m, 200);
	ck_assert_uint_eq(k->cnt, 4);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_CANDIDATES);
	ck_assert_int_eq(k->got[1].m.attr, ATTR_CANDIDATES);
	units__expect(k, 2, A, W, 1, ATTR_EXACT);
	units__expect(k, 3, A, V, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

/* W waits long; meanwhile V takes more often than is remembered. */
static void long_wait(struct kit *k, uint32_t first, uint32_t second)
{
	units__op(k, UNITS_POST, first, 5, 8, 1);
	for (uint64_t i = 0; i < 200; i++) {
		units__op(k, UNITS_POST, second, 100 + i * 10, 103 + i * 10, 1);
		units__op(k, UNITS_TAKE, V, 105 + i * 10, 108 + i * 10, 1);
	}
	units__op(k, UNITS_TAKE, W, 50, 5000, 1);
	model__finish(k->m, 9000);
	ck_assert_uint_eq(k->cnt, 201);
}

START_TEST(a_long_wait_is_certain_where_there_is_one_poster)
{
	struct kit *k = kit__new();

	long_wait(k, A, A);
	units__expect(k, 200, A, W, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(a_long_wait_may_have_got_the_first_unit)
{
	struct kit *k = kit__new();

	long_wait(k, A, B);
	units__expect(k, 200, B, W, 1, ATTR_CANDIDATES);
	ck_assert_uint_eq(k->got[200].m.candidate_cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(what_was_there_before_has_no_owner)
{
	struct kit *k = kit__new();

	units__base(k, 5, W, 0, 2);
	units__op(k, UNITS_POST, A, 10, 20, 1);
	units__op(k, UNITS_TAKE, W, 30, 40, 3);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	units__expect(k, 0, 0, W, 2, ATTR_UNKNOWN);
	units__expect(k, 1, A, W, 1, ATTR_EXACT);
	ck_assert_uint_eq(kit__channel(k, "obj:[1]")->unattributed_messages, 2);
	kit__free(k);
}
END_TEST

START_TEST(only_the_first_to_tell_is_believed)
{
	struct kit *k = kit__new();

	units__base(k, 5, W, 0, 0);
	units__base(k, 6, V, 0, 7); /* V looked later, after somebody had posted */
	units__op(k, UNITS_POST, A, 10, 20, 1);
	units__op(k, UNITS_TAKE, W, 30, 40, 1);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, A, W, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(a_set_value_belongs_to_its_caller_and_replaces_all)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 20, 3);
	units__op(k, UNITS_SET, B, 30, 40, 2);
	units__op(k, UNITS_TAKE, W, 50, 60, 2);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, B, W, 2, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(undo_withdraws_its_own_units_first)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 20, 3);
	units__op(k, UNITS_POST, B, 30, 40, 1);
	units__op(k, UNITS_POST, A, 50, 60, 1);
	units__op(k, UNITS_WITHDRAW, A, 70, 80, 4);
	units__op(k, UNITS_TAKE, W, 90, 100, 1);
	model__finish(k->m, 200);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, B, W, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

/* W was served by A's post, but runs late; V takes B's unit in between and reports first. */
/* A ends at 10 and gives back a unit, at the latest at done_ns; B posts at 20 to 30, W takes at 40 to 50. */
static void end_with_undo(struct kit *k, uint64_t done_ns)
{
	struct op undo = units__make(UNITS_POST, A, 10, 10, 1);
	struct op ended = units__make(UNITS_ENDED, A, 10, done_ns, 0);

	undo.units.at_exit = ended.units.at_exit = true;
	undo.units.hi_ns = 1000000000;
	model__op(k->m, &undo);
	if (done_ns < 20)
		model__op(k->m, &ended);
	units__op(k, UNITS_POST, B, 20, 30, 1);
	units__op(k, UNITS_TAKE, W, 40, 50, 1);
	if (done_ns > 20)
		model__op(k->m, &ended);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
}

START_TEST(undo_takes_effect_before_the_process_has_ended)
{
	struct kit *k = kit__new();

	end_with_undo(k, 15);
	units__expect(k, 0, A, W, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(a_process_that_takes_long_to_end_leaves_a_doubt)
{
	struct kit *k = kit__new();

	end_with_undo(k, 60);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_CANDIDATES);
	ck_assert_uint_eq(k->got[0].m.candidate_cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(a_sleeper_that_was_served_keeps_its_place)
{
	struct op op = units__make(UNITS_TAKE, W, 5, 60 * MS, 1);
	struct kit *k = kit__new();

	units__woke(k, 15, A, W);
	units__op(k, UNITS_POST, A, 10, 20, 1);
	units__op(k, UNITS_POST, B, 30, 40, 1);
	units__op(k, UNITS_TAKE, V, 50, 60, 1);
	model__advance(k->m, 50 * MS);
	ck_assert_uint_eq(k->cnt, 0);
	op.units.lo_ns = 10;
	op.units.hi_ns = 15;
	op.units.wake_ns = 15;
	model__op(k->m, &op);
	model__finish(k->m, 200 * MS);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_ptr_nonnull(kit__flow(k, A, W));
	ck_assert_ptr_nonnull(kit__flow(k, B, V));
	ck_assert_int_eq(kit__flow(k, A, W)->attr, ATTR_EXACT);
	ck_assert_int_eq(kit__flow(k, B, V)->attr, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(an_identifier_that_is_used_again_is_another_object)
{
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 20, 1);
	units__op(k, UNITS_GONE, A, 30, 40, 0);
	units__op(k, UNITS_NEW, B, 50, 60, 0);
	units__op(k, UNITS_POST, B, 70, 80, 1);
	units__op(k, UNITS_TAKE, W, 90, 100, 1);
	model__finish(k->m, 200);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, B, W, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(a_waker_is_a_sender_where_units_are_not_seen)
{
	struct op op = units__make(UNITS_HANDED, W, 10, 50, 0);
	struct kit *k = kit__new();

	op.units.waker_pid = op.units.waker_tid = A;
	op.units.wake_ns = 40;
	model__op(k->m, &op);
	op.units.in_libc = true; /* reported by itself */
	model__op(k->m, &op);
	op.units.in_libc = false;
	op.units.waker_pid = 0; /* nobody was seen: no message */
	model__op(k->m, &op);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, A, W, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 10);
	kit__free(k);
}
END_TEST

START_TEST(failed_operations_move_nothing)
{
	struct op op = units__make(UNITS_NOTHING, W, 10, 50, 0);
	struct kit *k = kit__new();

	op.ret = -43; /* EIDRM */
	op.flags = OP_F_WAITED;
	model__op(k->m, &op);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 0);
	ck_assert_uint_eq(kit__end(k, W, "wait")->errors, 1);
	ck_assert_uint_eq(kit__end(k, W, "wait")->wait_ns, 40);
	kit__free(k);
}
END_TEST

START_TEST(after_a_loss_a_lone_operation_tells_what_there_is)
{
	struct op op;
	struct kit *k = kit__new();

	units__op(k, UNITS_POST, A, 10, 20, 1);
	model__lost(k->m, 25, UNITS_MECH, 3);
	op = units__make(UNITS_POST, B, 30, 40, 1);
	op.units.value = 1; /* A's unit was taken unseen */
	model__op(k->m, &op);
	units__op(k, UNITS_TAKE, W, 50, 60, 1);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, B, W, 1, ATTR_EXACT);
	ck_assert_uint_eq(model__stats(k->m)->resyncs, 1);
	kit__free(k);
}
END_TEST

/* ---- eventfd: the value tells ---- */

START_TEST(a_read_takes_what_adds_up)
{
	struct kit *k = kit__new();

	units__write(k, A, 10, 20, 1);
	units__write(k, B, 30, 60, 256);
	units__read(k, W, 40, 50, 1); /* before B's write took effect */
	units__read(k, W, 70, 80, 256);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	units__expect(k, 0, A, W, 1, ATTR_EXACT);
	units__expect(k, 1, B, W, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.bytes, 8);
	kit__free(k);
}
END_TEST

START_TEST(equal_values_of_two_writers_leave_a_doubt)
{
	struct kit *k = kit__new();

	units__write(k, A, 10, 60, 1);
	units__write(k, B, 20, 50, 1);
	units__read(k, W, 30, 40, 1);
	units__read(k, V, 70, 80, 1);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_CANDIDATES);
	ck_assert_uint_eq(k->got[0].m.candidate_cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(reads_that_overlap_are_told_apart_by_their_values)
{
	struct kit *k = kit__new();

	units__write(k, A, 10, 20, 1);
	units__write(k, B, 30, 70, 256);
	units__read(k, V, 40, 60, 256);
	units__read(k, W, 35, 65, 1);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_int_eq(kit__flow(k, A, W)->attr, ATTR_EXACT);
	ck_assert_int_eq(kit__flow(k, B, V)->attr, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(many_writes_in_one_value_are_many_messages)
{
	struct kit *k = kit__new();

	for (uint64_t i = 0; i < 3000; i++)
		units__write(k, A, 100 + i * 10, 105 + i * 10, 1);
	units__read(k, W, 50, 40000, 3000); /* was asleep meanwhile */
	model__finish(k->m, 50000);
	ck_assert_uint_eq(k->cnt, 1);
	units__expect(k, 0, A, W, 3000, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.bytes, 3000 * 8);
	kit__free(k);
}
END_TEST

START_TEST(a_value_that_nobody_wrote_is_unknown)
{
	struct kit *k = kit__new();

	units__write(k, A, 10, 20, 1);
	units__read(k, W, 30, 40, 4);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(kit__flow(k, A, W)->messages, 1);
	ck_assert_int_ne(kit__flow(k, A, W)->attr, ATTR_EXACT);
	ck_assert_uint_eq(kit__channel(k, "obj:[1]")->unattributed_bytes, 0);
	kit__free(k);
}
END_TEST

struct counts {
	size_t all, exact;
};

static void count(void *ctx, const struct message *m)
{
	struct counts *counts = ctx;

	counts->all++;
	counts->exact += m->attr == ATTR_EXACT;
}

/* For more messages than a kit keeps. */
static struct kit *kit_of_many(struct counts *counts)
{
	struct kit *k = kit__new();
	struct model_opts opts = { .object_name = kit__object_name };
	struct model_sink sink = { .ctx = counts, .message = count };

	model__free(k->m);
	k->m = model__new(&opts, &sink);
	return k;
}

static void expect_doubt(struct kit *k, uint64_t end_ns, const struct counts *counts)
{
	model__finish(k->m, end_ns);
	ck_assert_uint_gt(counts->all, 0);
	ck_assert_uint_eq(counts->exact, 0);
	kit__free(k);
}

/* Nothing ran like these two; a recording can say so. */
START_TEST(many_orders_that_fit_end_in_a_doubt)
{
	struct counts counts = { 0 };
	struct kit *k = kit_of_many(&counts);
	uint64_t begin = 10, end = 0;

	for (int round = 0; round < 8; round++, begin = end + 10) {
		end = begin;
		for (int i = 0; i < 5000; i++, end++)
			units__write(k, i % 2 ? A : B, begin, end + 10, 1 + i % 3);
		for (int i = 0; i < 20; i++, end++)
			units__read(k, W, begin, end + 10, 400 + i);
		end += 10;
	}
	expect_doubt(k, end, &counts);
}
END_TEST

START_TEST(values_that_nothing_fits_end_in_a_doubt)
{
	struct counts counts = { 0 };
	struct kit *k = kit_of_many(&counts);

	for (uint64_t i = 0; i < 20000; i++)
		units__write(k, i % 2 ? A : B, 10, 20 + i, 5);
	for (uint64_t i = 0; i < 20000; i++)
		units__read(k, W, 10, 100000 + i, 1 + i % 6);
	expect_doubt(k, 200000, &counts);
}
END_TEST

/* Each of these waits for a write that would explain it; time goes on, but nothing comes that would make it worth to look again. */
START_TEST(a_value_that_nothing_explains_is_searched_once)
{
	struct counts counts = { 0 };
	struct kit *k = kit_of_many(&counts);
	uint64_t now = 10;

	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 60; i++)
			units__write(k, i % 2 ? A : B, now, now + 100 + i, 2);
		units__read(k, W, now, now + 200, 81);
		for (int i = 0; i < 2000; i++)
			model__advance(k->m, now += 2 * MS);
	}
	expect_doubt(k, now, &counts);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_oldest_units_go_first,
		a_wait_may_be_reported_before_its_post,
		posts_that_overlap_may_have_come_in_any_order,
		who_takes_all_that_overlaps_has_it_for_certain,
		waits_that_overlap_are_in_doubt_unless_the_owner_is_one,
		a_long_wait_is_certain_where_there_is_one_poster,
		a_long_wait_may_have_got_the_first_unit,
		what_was_there_before_has_no_owner,
		only_the_first_to_tell_is_believed,
		a_set_value_belongs_to_its_caller_and_replaces_all,
		undo_withdraws_its_own_units_first,
		undo_takes_effect_before_the_process_has_ended,
		a_process_that_takes_long_to_end_leaves_a_doubt,
		a_sleeper_that_was_served_keeps_its_place,
		an_identifier_that_is_used_again_is_another_object,
		a_waker_is_a_sender_where_units_are_not_seen,
		failed_operations_move_nothing,
		after_a_loss_a_lone_operation_tells_what_there_is,
		a_read_takes_what_adds_up,
		equal_values_of_two_writers_leave_a_doubt,
		reads_that_overlap_are_told_apart_by_their_values,
		many_writes_in_one_value_are_many_messages,
		a_value_that_nobody_wrote_is_unknown,
		many_orders_that_fit_end_in_a_doubt,
		values_that_nothing_fits_end_in_a_doubt,
		a_value_that_nothing_explains_is_searched_once,
	};

	return SUITE_RUN("pair_units", tests);
}
