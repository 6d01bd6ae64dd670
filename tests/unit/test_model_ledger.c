/* SPDX-License-Identifier: GPL-2.0 */
/* Who talks to whom, from sums: model/ledger.c. */
#include "model/model.h"
#include "model_kit.h"
#include "suite.h"

#define PIPE 1

static uint64_t now_ns = 1000;

static void sum(struct kit *k, uint32_t pid, uint8_t kind, uint64_t obj, uint64_t messages, uint64_t bytes)
{
	struct sum_info info = {
		.ts_ns = now_ns,
		.pid = pid,
		.start_ns = pid,
		.mech = PIPE,
		.kind = kind,
		.is_stream = true,
		.obj = kit__key(obj),
		.queue = kit__key(obj),
		.messages = messages,
		.bytes = bytes,
		.comm = "x",
	};

	model__sum(k->m, &info);
}

static void beside(struct kit *k, uint32_t pid, uint8_t kind, uint64_t messages, uint64_t bytes)
{
	struct sum_info info = {
		.ts_ns = now_ns,
		.pid = pid,
		.mech = PIPE,
		.kind = kind,
		.is_stream = true,
		.beside = true,
		.obj = kit__key(7),
		.queue = kit__key(7),
		.messages = messages,
		.bytes = bytes,
	};

	model__sum(k->m, &info);
}

static void look(struct kit *k)
{
	now_ns += 1000;
	model__sum(k->m, &(struct sum_info){ .ts_ns = now_ns, .done = true });
}

static void switched(struct kit *k)
{
	model__sum(k->m, &(struct sum_info){ .ts_ns = now_ns, .switched = true });
}

static void finish(struct kit *k)
{
	model__finish(k->m, now_ns);
}

static void expect_flow(struct kit *k, uint32_t src, uint32_t dst, uint64_t messages, uint64_t bytes,
			int attr)
{
	const struct flow *f = kit__flow(k, src, dst);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->messages, messages);
	ck_assert_uint_eq(f->bytes, bytes);
	ck_assert_int_eq(f->attr, attr);
}

START_TEST(one_sender_and_one_receiver_are_exact)
{
	struct kit *k = kit__new();

	sum(k, 1, OP_SEND, 7, 10, 640);
	sum(k, 2, OP_RECV, 7, 3, 640);
	look(k);
	expect_flow(k, 1, 2, 10, 640, ATTR_EXACT);
	ck_assert_uint_eq(kit__end(k, 1, "write")->bytes, 640);
	ck_assert_uint_eq(kit__end(k, 2, "read")->messages, 3);
	ck_assert_uint_eq(k->cnt, 1);
	finish(k);
	kit__free(k);
}
END_TEST

START_TEST(many_senders_to_one_receiver_are_exact)
{
	struct kit *k = kit__new();

	sum(k, 1, OP_SEND, 7, 10, 1000);
	sum(k, 2, OP_SEND, 7, 20, 333);
	sum(k, 3, OP_RECV, 7, 1, 700);
	look(k);
	sum(k, 3, OP_RECV, 7, 1, 633);
	look(k);
	expect_flow(k, 1, 3, 10, 1000, ATTR_EXACT);
	expect_flow(k, 2, 3, 20, 333, ATTR_EXACT);
	finish(k);
	kit__free(k);
}
END_TEST

START_TEST(one_sender_to_many_receivers_is_exact)
{
	struct kit *k = kit__new();

	sum(k, 1, OP_SEND, 7, 10, 1000);
	sum(k, 2, OP_RECV, 7, 1, 999);
	sum(k, 3, OP_RECV, 7, 1, 1);
	look(k);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->bytes, 999);
	ck_assert_uint_eq(kit__flow(k, 1, 3)->bytes, 1);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->messages + kit__flow(k, 1, 3)->messages, 10);
	ck_assert_int_eq(kit__flow(k, 1, 3)->attr, ATTR_EXACT);
	finish(k);
	kit__free(k);
}
END_TEST

/* Both sides' sums are right; in between, everybody is a candidate. */
START_TEST(many_to_many_are_candidates)
{
	struct kit *k = kit__new();
	const struct flow *f;

	sum(k, 1, OP_SEND, 7, 10, 1001);
	sum(k, 2, OP_SEND, 7, 20, 2003);
	sum(k, 3, OP_RECV, 7, 1, 1501);
	sum(k, 4, OP_RECV, 7, 1, 1503);
	look(k);
	f = kit__flow(k, 1, 3);
	ck_assert_int_eq(f->attr, ATTR_CANDIDATES);
	ck_assert_uint_eq(f->candidates.cnt, 2);
	ck_assert_uint_eq(f->bytes + kit__flow(k, 2, 3)->bytes, 1501);
	ck_assert_uint_eq(f->bytes + kit__flow(k, 1, 4)->bytes, 1001);
	ck_assert_uint_eq(kit__flow(k, 2, 3)->bytes + kit__flow(k, 2, 4)->bytes, 2003);
	finish(k);
	kit__free(k);
}
END_TEST

START_TEST(what_is_even_begins_anew)
{
	struct kit *k = kit__new();

	sum(k, 1, OP_SEND, 7, 1, 10);
	sum(k, 3, OP_RECV, 7, 1, 10);
	look(k);
	sum(k, 2, OP_SEND, 7, 1, 20);
	sum(k, 4, OP_RECV, 7, 1, 20);
	look(k);
	expect_flow(k, 1, 3, 1, 10, ATTR_EXACT);
	expect_flow(k, 2, 4, 1, 20, ATTR_EXACT);
	ck_assert_ptr_null(kit__flow(k, 1, 4));
	finish(k);
	kit__free(k);
}
END_TEST

/* Of what both sides do at one moment, a look may see one side only. */
START_TEST(a_receipt_may_be_seen_before_its_send)
{
	struct kit *k = kit__new();

	sum(k, 3, OP_RECV, 7, 1, 50);
	look(k);
	ck_assert_uint_eq(k->cnt, 0);
	sum(k, 1, OP_SEND, 7, 5, 50);
	look(k);
	expect_flow(k, 1, 3, 5, 50, ATTR_EXACT);
	finish(k);
	ck_assert_uint_eq(kit__channel(k, "obj:[7]")->unattributed_bytes, 0);
	kit__free(k);
}
END_TEST

START_TEST(what_nobody_sent_is_unattributed)
{
	struct kit *k = kit__new();

	sum(k, 3, OP_RECV, 7, 1, 50);
	for (int i = 0; i < 4; i++)
		look(k);
	ck_assert_uint_eq(kit__channel(k, "obj:[7]")->unattributed_bytes, 50);
	sum(k, 1, OP_SEND, 7, 5, 60);
	sum(k, 3, OP_RECV, 7, 1, 40);
	look(k);
	expect_flow(k, 1, 3, 3, 40, ATTR_EXACT);
	finish(k);
	ck_assert_uint_eq(kit__channel(k, "obj:[7]")->unread_bytes, 20);
	kit__free(k);
}
END_TEST

START_TEST(messages_are_told_by_the_receiver)
{
	struct kit *k = kit__new();
	struct sum_info info = {
		.ts_ns = now_ns, .pid = 1, .mech = PIPE, .kind = OP_SEND, .messages = 9, .bytes = 900
	};

	info.obj = info.queue = kit__key(7);
	model__sum(k->m, &info);
	info.pid = 2;
	info.kind = OP_RECV;
	info.bytes = 450; /* cut off */
	model__sum(k->m, &info);
	look(k);
	expect_flow(k, 1, 2, 9, 450, ATTR_EXACT);
	finish(k);
	kit__free(k);
}
END_TEST

static void feed_op(struct kit *k, uint32_t pid, uint8_t kind, uint64_t from, uint64_t to)
{
	struct op op = { .ts_ns = ++now_ns,
			 .enter_ns = now_ns,
			 .pid = pid,
			 .tid = pid,
			 .kind = kind,
			 .mech = PIPE,
			 .rule = PAIR_STREAM,
			 .obj = kit__key(7),
			 .bytes = to - from,
			 .ret = (int64_t)(to - from),
			 .fd = -1,
			 .fd2 = -1 };

	op.stream.addr_s = from;
	op.stream.addr_e = to;
	model__op(k->m, &op);
}

START_TEST(beside_a_whole_stream_sums_change_nothing)
{
	struct kit *k = kit__new();

	feed_op(k, 1, OP_SEND, 0, 100);
	feed_op(k, 2, OP_RECV, 0, 100);
	beside(k, 1, OP_SEND, 1, 100);
	beside(k, 2, OP_RECV, 1, 100);
	look(k);
	finish(k);
	expect_flow(k, 1, 2, 1, 100, ATTR_EXACT);
	ck_assert_uint_eq(kit__end(k, 1, "write")->bytes, 100);
	kit__free(k);
}
END_TEST

START_TEST(sums_fill_in_what_was_lost)
{
	struct kit *k = kit__new();

	feed_op(k, 1, OP_SEND, 0, 100);
	feed_op(k, 2, OP_RECV, 0, 100);
	beside(k, 1, OP_SEND, 6, 600);
	beside(k, 2, OP_RECV, 6, 600);
	model__lost(k->m, now_ns, PIPE, 10);
	look(k);
	finish(k);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->bytes, 600);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->messages, 6);
	ck_assert_uint_eq(kit__end(k, 1, "write")->bytes, 600);
	ck_assert_uint_eq(kit__end(k, 2, "read")->messages, 6);
	ck_assert_uint_eq(kit__channel(k, "obj:[7]")->unattributed_bytes, 0);
	kit__free(k);
}
END_TEST

START_TEST(sums_go_on_where_the_stream_ends)
{
	struct kit *k = kit__new();

	feed_op(k, 1, OP_SEND, 0, 100);
	feed_op(k, 1, OP_SEND, 100, 150); /* taken after the change */
	feed_op(k, 2, OP_RECV, 0, 100);
	beside(k, 1, OP_SEND, 2, 150);
	beside(k, 2, OP_RECV, 1, 100);
	look(k);
	switched(k);
	sum(k, 1, OP_SEND, 7, 3, 300);
	sum(k, 2, OP_RECV, 7, 3, 350);
	look(k);
	finish(k);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->bytes, 450);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->messages, 5);
	ck_assert_uint_eq(kit__end(k, 1, "write")->bytes, 450);
	ck_assert_uint_eq(model__graph(k->m)->sums_since_ns, now_ns - 1000);
	kit__free(k);
}
END_TEST

/* A row can come after its process has ended and another one has its pid. */
START_TEST(a_pid_used_again_keeps_its_sums_apart)
{
	struct kit *k = kit__new();

	kit__fork(k, 1, 1, 0, "first");
	kit__exit(k, 500, 1, 0);
	kit__fork(k, 600, 1, 0, "second");
	sum(k, 1, OP_SEND, 7, 1, 10);
	sum(k, 2, OP_RECV, 7, 1, 10);
	look(k);
	ck_assert_str_eq(kit__flow(k, 1, 2)->src->comm, "first");
	finish(k);
	kit__free(k);
}
END_TEST

/* The kernel gives a socket's address to the next one at once. */
START_TEST(a_key_used_again_is_another_channel)
{
	struct kit *k = kit__new();
	struct sum_info info = { .ts_ns = now_ns,
				 .pid = 1,
				 .mech = PIPE,
				 .kind = OP_SEND,
				 .is_stream = true,
				 .messages = 1,
				 .bytes = 10,
				 .obj_nr = 70,
				 .queue_nr = 70,
				 .name = "old" };
	struct object_info object = {
		.ts_ns = now_ns, .key = kit__key(7), .mech = PIPE, .nr = 71, .name = "new", .name_len = 3
	};

	info.obj = info.queue = kit__key(7);
	model__object(k->m, &object);
	model__sum(k->m, &info);
	info.pid = 2;
	info.obj_nr = info.queue_nr = 71;
	info.name = "new";
	model__sum(k->m, &info);
	info.pid = 3;
	info.kind = OP_RECV;
	model__sum(k->m, &info);
	look(k);
	expect_flow(k, 2, 3, 1, 10, ATTR_EXACT);
	ck_assert_ptr_null(kit__flow(k, 1, 3));
	ck_assert_ptr_nonnull(kit__channel(k, "old"));
	finish(k);
	kit__free(k);
}
END_TEST

/* Who sends is found however many they are. */
START_TEST(a_crowd_of_senders)
{
	struct kit *k = kit__new();

	for (int round = 0; round < 2; round++) {
		for (uint32_t pid = 1; pid <= 1000; pid++)
			sum(k, pid, OP_SEND, 7, 1, pid);
		sum(k, 2000, OP_RECV, 7, 1000, 1000 * 1001 / 2);
		look(k);
	}
	for (uint32_t pid = 1; pid <= 1000; pid++)
		expect_flow(k, pid, 2000, 2, 2 * pid, ATTR_EXACT);
	finish(k);
	kit__free(k);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		one_sender_and_one_receiver_are_exact,
		many_senders_to_one_receiver_are_exact,
		one_sender_to_many_receivers_is_exact,
		many_to_many_are_candidates,
		what_is_even_begins_anew,
		a_receipt_may_be_seen_before_its_send,
		what_nobody_sent_is_unattributed,
		messages_are_told_by_the_receiver,
		beside_a_whole_stream_sums_change_nothing,
		sums_fill_in_what_was_lost,
		sums_go_on_where_the_stream_ends,
		a_pid_used_again_keeps_its_sums_apart,
		a_key_used_again_is_another_channel,
		a_crowd_of_senders,
	};

	return SUITE_RUN("model_ledger", tests);
}
