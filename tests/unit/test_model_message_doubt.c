/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets: identities missing or contested, orders unknown, events lost. */
#include "sock_kit.h"

/* Threads of one process named the same chunk; what they sent tells whose it is, and the other's comes first. */
START_TEST(a_claim_that_its_contents_refute_leaves_the_earlier_chunk)
{
	struct kit *k = kit__new_settling(SETTLE);
	struct op a = send_op(100, 120, 1, 0xb, 64), b = send_op(102, 125, 1, 0xb, 64);

	a.tid = 201;
	b.tid = 202;
	a.fp[0] = 7;
	b.fp[0] = 8;
	a.flags |= OP_F_PACKET;
	b.flags |= OP_F_PACKET;
	model__op(k->m, &a);
	model__op(k->m, &b);
	recv_print(k, recv_op(130, 132, 1, 0xa, 64), 7);
	recv_print(k, recv_op(134, 136, 1, 0xb, 64), 8);
	model__finish(k->m, 1000);
	ck_assert_uint_eq(k->cnt, 2);
	expect(k, 0, 101, 64, 1, ATTR_EXACT);
	expect(k, 1, 101, 64, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.src.tid, 201);
	ck_assert_uint_eq(k->got[1].m.src.tid, 202);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 0);
	kit__free(k);
}
END_TEST

START_TEST(without_identity_order_decides)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 101, 1, 0, 3);
	do_send(k, 102, 103, 1, 0, 3);
	do_recv(k, 110, 111, 1, 0xa, 3);
	do_recv(k, 112, 113, 1, 0xb, 3);
	model__advance(k->m, 10 * MS);
	ck_assert_uint_eq(k->cnt, 2);
	expect(k, 0, 101, 3, 1, ATTR_EXACT);
	expect(k, 1, 101, 3, 1, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.sent_ns, 101);
	ck_assert_uint_eq(k->got[1].m.sent_ns, 103);
	kit__free(k);
}
END_TEST

START_TEST(a_long_call_without_identity_is_several_chunks)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 101, 1, 0, 5000);
	do_recv(k, 110, 111, 1, 0xa, 3000);
	do_recv(k, 112, 113, 1, 0xb, 2000);
	model__advance(k->m, 10 * MS);
	expect(k, 0, 101, 3000, 0, ATTR_EXACT);
	expect(k, 1, 101, 2000, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(overlapping_sends_are_candidates)
{
	struct kit *k = kit__new_settling(SETTLE);

	send_as(k, 301, send_op(100, 120, 1, 0, 3), 0);
	send_as(k, 302, send_op(110, 130, 1, 0, 3), 0);
	do_recv(k, 140, 141, 1, 0xa, 3);
	do_recv(k, 142, 143, 1, 0xb, 3);
	model__finish(k->m, 1000);
	ck_assert_uint_eq(k->cnt, 2);
	expect(k, 0, 301, 3, 1, ATTR_CANDIDATES);
	expect(k, 1, 302, 3, 1, ATTR_CANDIDATES);
	ck_assert_uint_eq(k->got[0].m.candidate_cnt, 2);
	ck_assert_uint_eq(k->got[1].m.candidate_cnt, 2);
	ck_assert_uint_eq(model__stats(k->m)->ambiguous, 2);
	kit__free(k);
}
END_TEST

START_TEST(candidates_of_one_process_are_exact)
{
	struct kit *k = kit__new_settling(SETTLE);
	struct op a = send_op(100, 120, 1, 0, 3), b = send_op(110, 130, 1, 0, 3);

	b.tid = 777;
	model__op(k->m, &a);
	model__op(k->m, &b);
	do_recv(k, 140, 141, 1, 0xa, 3);
	model__finish(k->m, 1000);
	expect(k, 0, 101, 3, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(length_and_fingerprint_break_ties)
{
	struct kit *k = kit__new_settling(SETTLE);

	send_as(k, 301, send_op(100, 120, 1, 0, 3), 5);
	send_as(k, 302, send_op(110, 130, 1, 0, 3), 6);
	send_as(k, 303, send_op(111, 131, 1, 0, 4), 6);
	recv_print(k, recv_op(140, 141, 1, 0xa, 3), 6);
	recv_print(k, recv_op(142, 143, 1, 0xb, 4), 6);
	recv_print(k, recv_op(144, 145, 1, 0xc, 3), 5);
	model__finish(k->m, 1000);
	expect(k, 0, 302, 3, 1, ATTR_EXACT);
	expect(k, 1, 303, 4, 1, ATTR_EXACT);
	expect(k, 2, 301, 3, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

/* 301 queued 0xa and saw 0xb, which 302 had queued behind it. */
START_TEST(a_contested_identity)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_recv(k, 90, 115, 1, 0xa, 3);
	do_recv(k, 116, 118, 1, 0xb, 3);
	send_as(k, 301, send_op(100, 120, 1, 0xb, 3), 0);
	ck_assert_uint_eq(k->cnt, 0); /* its own chunk may be 0xa */
	send_as(k, 302, send_op(110, 130, 1, 0xb, 3), 0);
	model__advance(k->m, 50 * MS);
	ck_assert_uint_eq(k->cnt, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(k->got[i].m.attr, ATTR_CANDIDATES);
		ck_assert_uint_eq(k->got[i].m.candidate_cnt, 2);
	}
	kit__free(k);
}
END_TEST

START_TEST(a_contested_identity_with_fingerprints)
{
	struct kit *k = kit__new_settling(SETTLE);

	recv_print(k, recv_op(90, 115, 1, 0xa, 3), 5);
	recv_print(k, recv_op(116, 118, 1, 0xb, 3), 6);
	send_as(k, 301, send_op(100, 120, 1, 0xb, 3), 5);
	send_as(k, 302, send_op(110, 130, 1, 0xb, 3), 6);
	model__advance(k->m, 50 * MS);
	expect(k, 0, 301, 3, 1, ATTR_EXACT);
	expect(k, 1, 302, 3, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(the_calls_own_length_refutes_its_claim)
{
	struct kit *k = kit__new_settling(SETTLE);
	struct op wrong = send_op(100, 120, 1, 0xb, 40);

	wrong.ret = 3;
	do_recv(k, 90, 115, 1, 0xa, 3);
	do_recv(k, 116, 118, 1, 0xb, 40);
	send_as(k, 301, wrong, 0);
	send_as(k, 302, send_op(110, 130, 1, 0xb, 40), 0);
	model__advance(k->m, 50 * MS);
	expect(k, 0, 301, 3, 1, ATTR_EXACT);
	expect(k, 1, 302, 40, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(claims_by_other_sockets_are_refuted)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 120, 1, 0xb, 3); /* queued 0xa, saw socket 2's 0xb */
	do_send(k, 110, 130, 2, 0xb, 3);
	do_recv(k, 140, 141, 1, 0xa, 3);
	do_recv(k, 142, 143, 2, 0xb, 3);
	model__advance(k->m, 50 * MS);
	expect(k, 0, 101, 3, 1, ATTR_EXACT);
	expect(k, 1, 102, 3, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(an_empty_queue_resynchronises)
{
	struct kit *k = kit__new_settling(SETTLE);

	send_as(k, 301, send_op(100, 101, 1, 0, 3), 0); /* its receipt was lost */
	send_as(k, 301, send_op(102, 103, 1, 0, 4), 0);
	do_part(k, recv_op(110, 111, 1, 0xa, 4), 0, 4, OP_F_DRAINED);
	send_as(k, 302, send_op(30 * MS, 30 * MS + 1, 1, 0, 3), 0);
	do_recv(k, 31 * MS, 31 * MS + 1, 1, 0xa, 3);
	model__advance(k->m, 100 * MS);
	expect(k, 0, 301, 4, 1, ATTR_EXACT);
	expect(k, 1, 302, 3, 1, ATTR_EXACT);
	ck_assert_uint_ge(model__stats(k->m)->resyncs, 1);
	model__finish(k->m, 1000 * MS);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 1);
	ck_assert_uint_eq(kit__channel(k, "obj:[50]")->unread_bytes, 0);
	kit__free(k);
}
END_TEST

START_TEST(receivers_of_a_send_may_be_unknown)
{
	struct kit *k = kit__new_settling(SETTLE);
	struct op to_50 = send_op(100, 101, 1, 0, 3), to_51 = send_op(102, 103, 1, 0, 4);
	struct op by_51 = recv_op(110, 111, 1, 0xb, 4);

	to_50.peer = to_51.peer = kit__key(0);
	to_50.flags |= OP_F_PACKET;
	to_51.flags |= OP_F_PACKET;
	by_51.obj = kit__key(51);
	model__op(k->m, &to_50);
	model__op(k->m, &to_51);
	model__op(k->m, &by_51);
	do_recv(k, 112, 113, 1, 0xa, 3);
	model__finish(k->m, 1000);
	expect(k, 0, 101, 4, 1, ATTR_EXACT);
	expect(k, 1, 101, 3, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(sendmmsg_without_identities_is_as_many_messages)
{
	struct kit *k = kit__new_settling(SETTLE);
	struct op op = send_op(100, 101, 1, 0, 0);

	op.ret = 2;
	op.flags |= OP_F_PACKET;
	model__op(k->m, &op);
	do_part(k, recv_op(110, 111, 1, 0xa, 3), 0, 3, OP_F_PACKET);
	do_part(k, recv_op(112, 113, 1, 0xb, 9), 0, 9, OP_F_PACKET);
	model__finish(k->m, 1000);
	expect(k, 0, 101, 3, 1, ATTR_EXACT);
	expect(k, 1, 101, 9, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(bytes_without_chunks_are_inferred)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 101, 1, 0xa, 30);
	do_send(k, 102, 103, 1, 0xb, 7);
	do_recv(k, 110, 111, 1, 0, 32); /* splice */
	do_part(k, recv_op(112, 113, 1, 0xb, 5), 2, 7, 0);
	model__finish(k->m, 1000);
	ck_assert_uint_eq(k->cnt, 2);
	expect(k, 0, 101, 32, 1, ATTR_INFERRED);
	ck_assert_uint_eq(k->got[1].m.src.proc->pid, 101);
	kit__free(k);
}
END_TEST

START_TEST(a_loss_casts_doubt_until_the_queue_is_empty)
{
	struct kit *k = kit__new_settling(SETTLE);

	do_send(k, 100, 101, 1, 0, 3);
	model__lost(k->m, 105, MECH, 1);
	do_recv(k, 110, 111, 1, 0xa, 3);
	model__advance(k->m, 10 * MS);
	expect(k, 0, 101, 3, 1, ATTR_INFERRED);
	do_part(k, recv_op(20 * MS, 20 * MS + 1, 1, 0, 0), 0, 0, OP_F_DRAINED);
	do_send(k, 30 * MS, 30 * MS + 1, 1, 0, 3);
	do_recv(k, 31 * MS, 31 * MS + 1, 1, 0xa, 3);
	model__advance(k->m, 50 * MS);
	expect(k, 1, 101, 3, 1, ATTR_EXACT);
	kit__free(k);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		without_identity_order_decides,
		a_long_call_without_identity_is_several_chunks,
		overlapping_sends_are_candidates,
		candidates_of_one_process_are_exact,
		length_and_fingerprint_break_ties,
		a_contested_identity,
		a_contested_identity_with_fingerprints,
		the_calls_own_length_refutes_its_claim,
		claims_by_other_sockets_are_refuted,
		an_empty_queue_resynchronises,
		receivers_of_a_send_may_be_unknown,
		sendmmsg_without_identities_is_as_many_messages,
		bytes_without_chunks_are_inferred,
		a_loss_casts_doubt_until_the_queue_is_empty,
		a_claim_that_its_contents_refute_leaves_the_earlier_chunk,
	};

	return SUITE_RUN("model_message_doubt", tests);
}
