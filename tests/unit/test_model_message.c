/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets: each rule by itself, where identities are known and undisputed. */
#include <errno.h>

#include "sock_kit.h"

START_TEST(an_identity_pairs_at_once)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 110, 1, 0xa, 7);
	do_recv(k, 105, 125, 1, 0xa, 7);
	ck_assert_uint_eq(k->cnt, 1);
	expect(k, 0, 101, 7, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 15);
	kit__free(k);
}
END_TEST

START_TEST(a_receive_may_be_reported_first)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_recv(k, 90, 105, 1, 0xa, 7);
	ck_assert_uint_eq(k->cnt, 0);
	do_send(k, 100, 110, 1, 0xa, 7);
	ck_assert_uint_eq(k->cnt, 1);
	expect(k, 0, 101, 7, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 5); /* from the call */
	kit__free(k);
}
END_TEST

START_TEST(an_identity_is_used_again_at_once)
{
	struct kit *k = kit__new_settling(SETTLE);

	for (uint64_t t = 0; t < 1000; t += 100) {
		do_send(k, t + 100, t + 110, 1, 0xa, 7);
		do_recv(k, t + 115, t + 125, 1, 0xa, 7);
	}
	ck_assert_uint_eq(k->cnt, 10);
	ck_assert_uint_eq(kit__flow(k, 101, READER)->messages, 10);
	ck_assert_uint_eq(model__stats(k->m)->resyncs, 0);
	kit__free(k);
}
END_TEST

START_TEST(parts_of_a_stream)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_part(k, send_op(100, 105, 1, 0xa, 10), 0, 10, OP_F_MORE);
	/* The first chunk is read before the call returns: under way since the call, and no whole message yet. */
	do_part(k, recv_op(106, 107, 1, 0xa, 4), 0, 10, 0);
	do_part(k, recv_op(108, 109, 1, 0xa, 6), 4, 10, 0);
	do_part(k, send_op(100, 110, 1, 0xb, 20), 0, 20, 0);
	do_part(k, recv_op(111, 120, 1, 0xb, 5), 0, 20, 0);
	do_part(k, recv_op(121, 130, 1, 0xb, 15), 5, 20, 0);
	ck_assert_uint_eq(k->cnt, 4);
	expect(k, 0, 101, 4, 0, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 7);
	expect(k, 1, 101, 6, 0, ATTR_EXACT);
	expect(k, 2, 101, 5, 0, ATTR_EXACT);
	expect(k, 3, 101, 15, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[3].m.latency_ns, 20);
	kit__free(k);
}
END_TEST

START_TEST(one_read_of_several_sends_is_one_message_per_sender)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 101, 1, 0xa, 3);
	do_send(k, 102, 103, 1, 0xb, 4);
	do_send(k, 104, 105, 2, 0xc, 5);
	do_part(k, recv_op(110, 111, 1, 0xa, 3), 0, 3, OP_F_MORE);
	do_part(k, recv_op(110, 112, 1, 0xb, 4), 0, 4, OP_F_MORE);
	ck_assert_uint_eq(k->cnt, 0);
	do_part(k, recv_op(110, 113, 2, 0xc, 5), 0, 5, 0);
	ck_assert_uint_eq(k->cnt, 2);
	expect(k, 0, 101, 7, 2, ATTR_EXACT);
	expect(k, 1, 102, 5, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].op.bytes, 12);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 10);
	kit__free(k);
}
END_TEST

START_TEST(peeks_take_nothing)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 101, 1, 0xa, 3);
	do_part(k, recv_op(110, 111, 1, 0xa, 3), 0, 3, OP_F_PEEK);
	ck_assert_uint_eq(k->cnt, 0);
	do_recv(k, 112, 113, 1, 0xa, 3);
	expect(k, 0, 101, 3, 1, ATTR_EXACT);
	model__finish(k->m, 200);
	ck_assert_uint_eq(k->cnt, 1);
	kit__free(k);
}
END_TEST

START_TEST(truncated_datagrams_are_over)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_part(k, send_op(100, 101, 1, 0xa, 30), 0, 30, OP_F_PACKET);
	do_part(k, recv_op(110, 111, 1, 0xa, 10), 0, 30, OP_F_TRUNC | OP_F_PACKET);
	do_part(k, send_op(120, 121, 1, 0xa, 8), 0, 8, OP_F_PACKET);
	do_part(k, recv_op(130, 131, 1, 0xa, 8), 0, 8, OP_F_PACKET);
	ck_assert_uint_eq(k->cnt, 2);
	expect(k, 0, 101, 10, 1, ATTR_EXACT);
	expect(k, 1, 101, 8, 1, ATTR_EXACT);
	ck_assert_uint_eq(kit__channel(k, "obj:[50]")->discarded_bytes, 20);
	kit__free(k);
}
END_TEST

START_TEST(empty_datagrams_are_messages)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_part(k, send_op(100, 101, 1, 0xa, 0), 0, 0, OP_F_PACKET);
	do_part(k, recv_op(110, 111, 1, 0xa, 0), 0, 0, OP_F_PACKET);
	expect(k, 0, 101, 0, 1, ATTR_EXACT);
	ck_assert_uint_eq(kit__end(k, READER, "read")->messages, 1);
	kit__free(k);
}
END_TEST

START_TEST(unseen_senders_stay_unknown)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_recv(k, 100, 101, 1, 0xa, 3);
	model__advance(k->m, 100 * MS);
	ck_assert_uint_eq(k->cnt, 0);
	model__advance(k->m, 300 * MS);
	expect(k, 0, 0, 3, 1, ATTR_UNKNOWN);
	ck_assert_uint_eq(kit__channel(k, "obj:[50]")->unattributed_bytes, 3);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_receives, 1);
	kit__free(k);
}
END_TEST

START_TEST(backlog_is_unknown_at_once)
{
	struct kit *k = kit__new_settling(SETTLE);
	struct object_info scan = { .ts_ns = 50,
				    .key = kit__key(50),
				    .mech = MECH,
				    .scanned = true,
				    .fill_bytes = 8,
				    .fill_msgs = 2 };

	do_send(k, 30, 40, 1, 0xb, 5); /* seen, and in the queue that was scanned */
	model__object(k->m, &scan);
	do_send(k, 60, 70, 1, 0xc, 5);
	do_recv(k, 100, 101, 1, 0xa, 3);
	do_recv(k, 102, 103, 1, 0xb, 5);
	do_recv(k, 104, 105, 1, 0xc, 5);
	ck_assert_uint_eq(k->cnt, 3);
	expect(k, 0, 0, 3, 1, ATTR_UNKNOWN);
	expect(k, 1, 101, 5, 1, ATTR_EXACT);
	expect(k, 2, 101, 5, 1, ATTR_EXACT);
	do_recv(k, 106, 107, 1, 0xd, 1);
	ck_assert_uint_eq(k->cnt, 3); /* no backlog any more: this one waits for its send */
	kit__free(k);
}
END_TEST

START_TEST(what_nobody_took_is_unread)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 101, 1, 0xa, 30);
	do_send(k, 102, 103, 1, 0xb, 7);
	do_part(k, recv_op(110, 111, 1, 0xa, 10), 0, 30, 0);
	model__finish(k->m, 1000);
	ck_assert_uint_eq(kit__channel(k, "obj:[50]")->unread_bytes, 27);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 1);
	kit__free(k);
}
END_TEST

START_TEST(failures_and_ends_of_file_are_no_messages)
{
	struct kit *k = kit__new_settling(SETTLE);
	struct op op = send_op(100, 101, 1, 0, 0);

	op.ret = -EPIPE;
	model__op(k->m, &op);
	do_recv(k, 110, 111, 1, 0, 0);
	model__finish(k->m, 1000);
	ck_assert_uint_eq(k->cnt, 0);
	ck_assert_uint_eq(kit__end(k, 101, "write")->errors, 1);
	ck_assert_uint_eq(kit__end(k, READER, "read")->messages, 0);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 0);
	kit__free(k);
}
END_TEST

START_TEST(idle_sockets_are_forgotten_and_forgetting_is_harmless)
{
	struct kit *k = kit__new_settling(SETTLE);

	for (uint64_t i = 0; i < 50; i++) {
		do_send(k, i * 100 * MS + 100, i * 100 * MS + 101, 1, 0xa, 3);
		do_recv(k, i * 100 * MS + 110, i * 100 * MS + 111, 1, 0xa, 3);
		model__advance(k->m, i * 100 * MS + 50 * MS);
	}
	ck_assert_uint_eq(kit__flow(k, 101, READER)->messages, 50);
	kit__free(k);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_identity_pairs_at_once,
		a_receive_may_be_reported_first,
		an_identity_is_used_again_at_once,
		parts_of_a_stream,
		one_read_of_several_sends_is_one_message_per_sender,
		peeks_take_nothing,
		truncated_datagrams_are_over,
		empty_datagrams_are_messages,
		unseen_senders_stay_unknown,
		backlog_is_unknown_at_once,
		what_nobody_took_is_unread,
		failures_and_ends_of_file_are_no_messages,
		idle_sockets_are_forgotten_and_forgetting_is_harmless,
	};

	return SUITE_RUN("model_message", tests);
}
