/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes with sequence numbers: each case of the rule by itself, then random writers and readers of one connection, reported in
 * random order. What is called exact must be true; sums must agree.
 */
#include "model_kit.h"
#include "suite.h"

#define MECH 13
#define A 1
#define B 2

struct call {
	enum op_kind kind;
	uint32_t pid;
	uint64_t enter_ns, ts_ns;
	uint32_t s, n;
	uint32_t slack; /* e is that much behind the last byte */
	uint32_t flags;
	uint16_t fp;
};

static struct kit *new_kit(void)
{
	struct kit *k = kit__new();

	for (uint32_t pid = 10; pid < 20; pid++)
		kit__fork(k, 1, pid, 1, "p");
	return k;
}

static void connect_ends(struct kit *k, uint64_t ts_ns, uint64_t a, uint64_t b)
{
	struct object_info info = { .ts_ns = ts_ns, .key = kit__key(a), .mech = MECH, .sequenced = true };

	model__object(k->m, &info);
	info.key = kit__key(b);
	info.peer = kit__key(a);
	model__object(k->m, &info);
}

static void feed(struct kit *k, const struct call *c, uint64_t end)
{
	struct op op = { .kind = c->kind,
			 .rule = PAIR_SEQ,
			 .mech = MECH,
			 .pid = c->pid,
			 .tid = c->pid,
			 .enter_ns = c->enter_ns,
			 .ts_ns = c->ts_ns,
			 .bytes = c->n,
			 .ret = c->flags & OP_F_MORE ? 0 : c->n,
			 .flags = c->flags,
			 .obj = kit__key(end),
			 .fd = -1 };

	op.stream.addr_s = c->s;
	op.stream.addr_e = (uint32_t)(c->s + c->n + c->slack);
	for (int i = 0; i < 4; i++)
		op.fp[i] = c->fp;
	model__op(k->m, &op);
}

/* From A to B unless said otherwise; the call takes a millisecond. */
static void sends(struct kit *k, uint32_t pid, uint64_t ms, uint32_t s, uint32_t n, uint32_t flags)
{
	feed(k, &(struct call){ OP_SEND, pid, ms * MS, (ms + 1) * MS, s, n, 0, flags, 0 }, A);
}

static void recvs(struct kit *k, uint32_t pid, uint64_t ms, uint32_t s, uint32_t n, uint32_t flags)
{
	feed(k, &(struct call){ OP_RECV, pid, ms * MS, (ms + 1) * MS, s, n, 0, flags, 0 }, B);
}

/* Eight bytes of a stream that begins there, with the other end of the connection. */
static void feed_pair(struct kit *k, enum op_kind kind, uint32_t pid, uint64_t ms, uint64_t end,
		      uint64_t other)
{
	struct op op = { .kind = kind,
			 .rule = PAIR_SEQ,
			 .mech = MECH,
			 .pid = pid,
			 .tid = pid,
			 .enter_ns = ms * MS,
			 .ts_ns = (ms + 1) * MS,
			 .bytes = 8,
			 .ret = 8,
			 .flags = kind == OP_SEND ? OP_F_DRAINED : 0,
			 .obj = kit__key(end),
			 .peer = kit__key(other),
			 .stream = { 0, 8 },
			 .fd = -1 };

	model__op(k->m, &op);
}

static void expect_flow(struct kit *k, uint32_t src, uint32_t dst, uint64_t messages, uint64_t bytes,
			enum attr attr)
{
	struct flow *f = kit__flow(k, src, dst);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->messages, messages);
	ck_assert_uint_eq(f->bytes, bytes);
	ck_assert_int_eq(f->attr, attr);
}

static struct kit *done(struct kit *k)
{
	model__finish(k->m, 10000 * MS);
	return k;
}

START_TEST(bytes_have_the_sender_of_their_numbers)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 1000, 100, 0);
	sends(k, 11, 3, 1100, 50, 0);
	recvs(k, 12, 5, 1000, 120, 0); /* all of the first, a part of the second */
	recvs(k, 13, 7, 1120, 30, 0);
	done(k);
	expect_flow(k, 10, 12, 1, 100, ATTR_EXACT);
	expect_flow(k, 11, 12, 0, 20, ATTR_EXACT);
	expect_flow(k, 11, 13, 1, 30, ATTR_EXACT);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 0);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_receives, 0);
	kit__free(k);
}
END_TEST

START_TEST(the_receive_may_be_reported_first)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	recvs(k, 12, 1, 1000, 150, 0);
	sends(k, 11, 2, 1100, 50, 0);
	sends(k, 10, 3, 1000, 100, 0);
	done(k);
	expect_flow(k, 10, 12, 1, 100, ATTR_EXACT);
	expect_flow(k, 11, 12, 1, 50, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(numbers_wrap)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	for (uint32_t i = 0; i < 10; i++) {
		sends(k, 10, 2 * i + 1, 0xffffffd0u + 10 * i, 10, 0);
		recvs(k, 12, 2 * i + 2, 0xffffffd0u + 10 * i, 10, 0);
	}
	done(k);
	expect_flow(k, 10, 12, 10, 100, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(a_call_with_parts_is_one_message)
{
	struct kit *k = new_kit();
	struct call part = { OP_SEND, 10, 1 * MS, 2 * MS, 1000, 100, 0, OP_F_MORE, 0 };

	connect_ends(k, 1, A, B);
	feed(k, &part, A);
	recvs(k, 12, 2, 1000, 100, 0); /* is that its end? not known */
	part.s = 1200; /* another sender came in between */
	part.ts_ns = 5 * MS;
	part.flags = 0;
	feed(k, &part, A);
	sends(k, 11, 4, 1100, 100, 0);
	recvs(k, 13, 6, 1100, 200, 0);
	done(k);
	expect_flow(k, 10, 12, 0, 100, ATTR_EXACT);
	expect_flow(k, 10, 13, 1, 100, ATTR_EXACT);
	expect_flow(k, 11, 13, 1, 100, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(an_interrupted_call_ends_with_its_last_part)
{
	struct kit *k = new_kit();
	struct call part = { OP_SEND, 10, 1 * MS, 2 * MS, 1000, 100, 0, OP_F_MORE, 0 };

	connect_ends(k, 1, A, B);
	feed(k, &part, A);
	recvs(k, 12, 2, 1000, 100, 0);
	part.n = 0;
	part.s = 1100;
	part.flags = 0;
	part.ts_ns = 9 * MS;
	feed(k, &part, A);
	done(k);
	expect_flow(k, 10, 12, 1, 100, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(what_was_there_before_has_no_sender)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 1100, 100, 0);
	recvs(k, 12, 3, 1000, 200, 0);
	done(k);
	expect_flow(k, 10, 12, 1, 100, ATTR_EXACT);
	ck_assert_uint_eq(kit__channel(k, "obj:[2]")->unattributed_bytes, 100);
	kit__free(k);
}
END_TEST

START_TEST(looking_is_not_taking)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 1000, 100, 0);
	recvs(k, 12, 2, 1000, 100, OP_F_PEEK);
	recvs(k, 13, 3, 1000, 100, 0);
	done(k);
	ck_assert_ptr_null(kit__flow(k, 10, 12));
	expect_flow(k, 10, 13, 1, 100, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(out_of_band_bytes_are_taken_out_of_order)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 1000, 100, 0);
	sends(k, 11, 2, 1100, 1, 0);
	recvs(k, 12, 3, 1100, 1, OP_F_OOB);
	recvs(k, 12, 4, 1000, 100, 0);
	done(k);
	expect_flow(k, 11, 12, 1, 1, ATTR_EXACT);
	expect_flow(k, 10, 12, 1, 100, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(a_connection_to_elsewhere_is_not_shown)
{
	struct kit *k = new_kit();

	sends(k, 10, 1, 1000, 100, 0);
	recvs(k, 12, 2, 5000, 100, 0);
	done(k);
	ck_assert_uint_eq(model__graph(k->m)->channels.cnt, 0);
	ck_assert_uint_eq(model__graph(k->m)->ends.cnt, 0);
	ck_assert_uint_eq(k->op_cnt, 0);
	kit__free(k);
}
END_TEST

START_TEST(operations_wait_for_the_other_end)
{
	struct kit *k = new_kit();

	sends(k, 10, 1, 1000, 100, 0);
	ck_assert_uint_eq(k->op_cnt, 0);
	connect_ends(k, 0, A, B);
	ck_assert_uint_eq(k->op_cnt, 1);
	recvs(k, 12, 3, 1000, 100, 0);
	done(k);
	expect_flow(k, 10, 12, 1, 100, ATTR_EXACT);
	kit__free(k);
}
END_TEST

/* The sender's struct sock is freed and used again while the receiver still has bytes to take. */
START_TEST(addresses_are_used_again)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 1000, 100, 0);
	connect_ends(k, 3 * MS, A, 3);
	sends(k, 11, 4, 1000, 70, 0); /* to the other one */
	recvs(k, 12, 6, 1000, 100, 0);
	done(k);
	expect_flow(k, 10, 12, 1, 100, ATTR_EXACT);
	ck_assert_ptr_null(kit__flow(k, 11, 12));
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 1);
	kit__free(k);
}
END_TEST

static void overlap(struct kit *k, uint32_t pid, uint64_t enter, uint64_t ts, uint32_t s, uint32_t e,
		    uint32_t n, uint16_t fp)
{
	feed(k, &(struct call){ OP_SEND, pid, enter * MS, ts * MS, s, n, e - s - n, 0, fp }, A);
}

START_TEST(bounds_order_overlapping_sends)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	overlap(k, 10, 1, 4, 1000, 1150, 100, 0); /* its end was seen before the third began */
	overlap(k, 11, 2, 5, 1000, 1180, 50, 0);
	overlap(k, 13, 4, 6, 1150, 1180, 30, 0);
	recvs(k, 12, 7, 1000, 180, 0);
	done(k);
	ck_assert_uint_eq(kit__flow(k, 10, 12)->bytes, 100);
	ck_assert_uint_eq(kit__flow(k, 11, 12)->bytes, 50);
	expect_flow(k, 13, 12, 1, 30, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(the_reader_refutes_an_order)
{
	struct kit *k = new_kit();
	struct call recv = { OP_RECV, 12, 1 * MS, 3 * MS, 1000, 100, 0, 0, 77 };

	connect_ends(k, 1, A, B);
	feed(k, &recv, B);
	overlap(k, 10, 1, 4, 1000, 1200, 100, 66);
	overlap(k, 11, 2, 5, 1000, 1200, 100, 77);
	recv.s = 1100;
	recv.fp = 66;
	recv.pid = 13;
	recv.ts_ns = 6 * MS;
	feed(k, &recv, B);
	done(k);
	expect_flow(k, 11, 12, 1, 100, ATTR_EXACT);
	expect_flow(k, 10, 13, 1, 100, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(what_cannot_be_told_is_said)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	overlap(k, 10, 1, 4, 1000, 1200, 100, 0);
	overlap(k, 11, 2, 5, 1000, 1200, 100, 0);
	recvs(k, 12, 6, 1000, 100, 0);
	recvs(k, 13, 7, 1100, 100, 0);
	done(k);
	ck_assert_uint_eq(model__stats(k->m)->ambiguous, 2);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(k->got[0].m.candidate_cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(nobody_wrote_an_echo)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 1002, 10, OP_F_COOKED);
	recvs(k, 12, 3, 1000, 12, OP_F_COOKED | OP_F_ECHO);
	done(k);
	expect_flow(k, 10, 12, 1, 10, ATTR_INFERRED);
	ck_assert_uint_eq(kit__flow(k, 0, 12)->bytes, 2);
	ck_assert_str_eq(kit__flow(k, 0, 12)->origin, "echo");
	kit__free(k);
}
END_TEST

START_TEST(a_stream_that_begins_anew_forgets_what_was_edited_away)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 0, 4, OP_F_COOKED);
	recvs(k, 12, 3, 0, 2, OP_F_COOKED);
	sends(k, 11, 5, 2, 2, OP_F_COOKED | OP_F_DRAINED);
	recvs(k, 12, 7, 2, 2, OP_F_COOKED);
	done(k);
	expect_flow(k, 11, 12, 1, 2, ATTR_INFERRED);
	ck_assert_uint_eq(kit__channel(k, "obj:[2]")->discarded_bytes, 2);
	kit__free(k);
}
END_TEST

START_TEST(a_stream_that_begins_anew_keeps_what_a_late_reader_took)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 0, 4, 0);
	sends(k, 10, 3, 4, 6, OP_F_DRAINED);
	recvs(k, 12, 2, 0, 4, 0);
	recvs(k, 12, 5, 4, 6, 0);
	done(k);
	expect_flow(k, 10, 12, 2, 10, ATTR_EXACT);
	ck_assert_uint_eq(kit__channel(k, "obj:[2]")->discarded_bytes, 0);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_receives, 0);
	kit__free(k);
}
END_TEST

START_TEST(what_was_edited_away_is_not_unread)
{
	struct kit *k = new_kit();

	connect_ends(k, 1, A, B);
	sends(k, 10, 1, 0, 4, OP_F_COOKED);
	recvs(k, 12, 3, 0, 2, OP_F_COOKED);
	sends(k, 11, 5, 4, 2, OP_F_COOKED | OP_F_DRAINED);
	recvs(k, 12, 7, 4, 2, OP_F_COOKED);
	done(k);
	expect_flow(k, 11, 12, 1, 2, ATTR_INFERRED);
	ck_assert_uint_eq(kit__channel(k, "obj:[2]")->discarded_bytes, 2);
	ck_assert_uint_eq(kit__channel(k, "obj:[2]")->unread_bytes, 0);
	kit__free(k);
}
END_TEST

/* Terminals come and go, and each record says what the other end is. */
START_TEST(an_end_may_get_another_other_end)
{
	struct kit *k = new_kit();

	feed_pair(k, OP_SEND, 10, 1, A, B);
	feed_pair(k, OP_RECV, 12, 3, B, A);
	feed_pair(k, OP_SEND, 11, 5, 3, B);
	feed_pair(k, OP_RECV, 12, 7, B, 3);
	feed_pair(k, OP_SEND, 13, 9, A, 4);
	feed_pair(k, OP_RECV, 14, 11, 4, A);
	done(k);
	expect_flow(k, 10, 12, 1, 8, ATTR_EXACT);
	expect_flow(k, 11, 12, 1, 8, ATTR_EXACT);
	expect_flow(k, 13, 14, 1, 8, ATTR_EXACT);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_receives, 0);
	kit__free(k);
}
END_TEST

/* ---- against chance ---- */

#define WRITERS 3
#define READERS 3
#define CALLS 400

struct truth {
	uint64_t bytes[WRITERS][READERS], messages[WRITERS][READERS];
};

static size_t make_sends(struct call *c, uint64_t *rnd, uint32_t first, uint32_t *end)
{
	uint32_t at = first;

	for (size_t i = 0; i < CALLS; i++) {
		uint32_t n = 1 + (uint32_t)(kit__random(rnd) % 300);

		c[i] = (struct call){ OP_SEND,
				      10 + (uint32_t)(kit__random(rnd) % WRITERS),
				      (i + 1) * MS,
				      (i + 2) * MS,
				      at,
				      n,
				      0,
				      0,
				      0 };
		at += n;
	}
	*end = at;
	return CALLS;
}

static size_t make_recvs(struct call *c, uint64_t *rnd, uint32_t first, uint32_t end)
{
	size_t cnt = 0;

	for (uint32_t at = first; at != end; cnt++) {
		uint32_t n = 1 + (uint32_t)(kit__random(rnd) % 500);

		if (n > end - at)
			n = end - at;
		c[cnt] = (struct call){ OP_RECV,
					15 + (uint32_t)(kit__random(rnd) % READERS),
					(cnt + 1) * MS,
					(cnt + 2) * MS,
					at,
					n,
					0,
					0,
					0 };
		at += n;
	}
	return cnt;
}

static void count(struct truth *t, const struct call *s, const struct call *r)
{
	uint32_t lo = (int32_t)(s->s - r->s) > 0 ? s->s : r->s, se = s->s + s->n, re = r->s + r->n;
	uint32_t hi = (int32_t)(se - re) < 0 ? se : re;

	if ((int32_t)(hi - lo) <= 0)
		return;
	t->bytes[s->pid - 10][r->pid - 15] += hi - lo;
	t->messages[s->pid - 10][r->pid - 15] += hi == se;
}

static void check_random(uint64_t seed)
{
	static struct call s[CALLS], r[CALLS * 320];
	struct kit *k = new_kit();
	struct truth t = { 0 };
	uint32_t first = (uint32_t)kit__random(&seed), end;
	size_t s_cnt = make_sends(s, &seed, first, &end), r_cnt = make_recvs(r, &seed, first, end), si = 0,
	       ri = 0;

	connect_ends(k, 1, A, B);
	for (size_t i = 0; i < s_cnt; i++)
		for (size_t j = 0; j < r_cnt; j++)
			count(&t, &s[i], &r[j]);
	/* Either side may be ahead of the other, and neighbours of a side swapped. */
	for (size_t i = 0; i + 1 < s_cnt; i += 2 + kit__random(&seed) % 3) {
		struct call swap = s[i];

		s[i] = s[i + 1];
		s[i + 1] = swap;
	}
	while (si < s_cnt || ri < r_cnt) {
		if (ri == r_cnt || (si < s_cnt && kit__random(&seed) % 2))
			feed(k, &s[si++], A);
		else
			feed(k, &r[ri++], B);
	}
	done(k);
	for (uint32_t w = 0; w < WRITERS; w++) {
		for (uint32_t d = 0; d < READERS; d++) {
			struct flow *f = kit__flow(k, 10 + w, 15 + d);

			EXPECT((f ? f->bytes : 0) == t.bytes[w][d]);
			EXPECT((f ? f->messages : 0) == t.messages[w][d]);
			EXPECT(!f || f->attr == ATTR_EXACT);
		}
	}
	EXPECT(model__stats(k->m)->unmatched_sends == 0);
	kit__free(k);
}

START_TEST(any_order_of_reports_gives_the_truth)
{
	for (uint64_t seed = 1; seed <= 30; seed++)
		check_random(seed * 0x9e3779b97f4a7c15ull);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		bytes_have_the_sender_of_their_numbers,
		the_receive_may_be_reported_first,
		numbers_wrap,
		a_call_with_parts_is_one_message,
		an_interrupted_call_ends_with_its_last_part,
		what_was_there_before_has_no_sender,
		looking_is_not_taking,
		out_of_band_bytes_are_taken_out_of_order,
		a_connection_to_elsewhere_is_not_shown,
		operations_wait_for_the_other_end,
		addresses_are_used_again,
		bounds_order_overlapping_sends,
		the_reader_refutes_an_order,
		what_cannot_be_told_is_said,
		nobody_wrote_an_echo,
		a_stream_that_begins_anew_forgets_what_was_edited_away,
		a_stream_that_begins_anew_keeps_what_a_late_reader_took,
		what_was_edited_away_is_not_unread,
		an_end_may_get_another_other_end,
		any_order_of_reports_gives_the_truth,
	};

	return SUITE_RUN("pair_seq", tests);
}
