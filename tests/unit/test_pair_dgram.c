/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams in the queue of a socket. */
#include "model_kit.h"
#include "suite.h"

#define MECH 14
#define SOCKET 100

static struct kit *new_kit(void)
{
	struct kit *k = kit__new();

	for (uint32_t pid = 10; pid < 20; pid++)
		kit__fork(k, 1, pid, 1, "p");
	return k;
}

static struct op op_of(enum op_kind kind, uint32_t pid, uint64_t ms, uint32_t n, uint16_t fp)
{
	struct op op = { .kind = kind,
			 .rule = PAIR_DGRAM,
			 .mech = MECH,
			 .pid = pid,
			 .tid = pid,
			 .enter_ns = ms * MS,
			 .ts_ns = (ms + 1) * MS,
			 .bytes = n,
			 .ret = n,
			 .peer = { SOCKET, 2 },
			 .flags = OP_F_NO_ID,
			 .fd = -1 };

	for (int i = 0; i < 4; i++)
		op.fp[i] = fp;
	return op;
}

/* The flow's object is the sender's number. */
static void arrives(struct kit *k, uint32_t pid, uint64_t ms, uint32_t n, uint16_t fp, uint64_t id)
{
	struct op op = op_of(OP_SEND, pid, ms, n, fp);

	op.obj = kit__key(pid);
	op.msg.id = id;
	op.flags = 0;
	model__op(k->m, &op);
}

static void takes(struct kit *k, uint32_t pid, uint64_t ms, uint32_t n, uint16_t fp, uint64_t id)
{
	struct op op = op_of(OP_RECV, pid, ms, n, fp);

	op.msg.id = id;
	op.flags = id ? 0 : OP_F_NO_ID;
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

START_TEST(first_in_first_out)
{
	struct kit *k = new_kit();

	arrives(k, 10, 1, 64, 0, 0);
	arrives(k, 11, 2, 64, 0, 0);
	takes(k, 15, 4, 64, 0, 0);
	arrives(k, 11, 5, 64, 0, 0);
	takes(k, 15, 6, 64, 0, 0);
	takes(k, 15, 8, 64, 0, 0);
	done(k);
	expect_flow(k, 10, 15, 1, 64, ATTR_EXACT);
	expect_flow(k, 11, 15, 2, 128, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(the_arrival_may_be_reported_late)
{
	struct kit *k = new_kit();

	takes(k, 15, 2, 64, 5, 0);
	ck_assert_uint_eq(k->op_cnt, 0);
	arrives(k, 10, 3, 64, 5, 0);
	done(k);
	expect_flow(k, 10, 15, 1, 64, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(what_came_from_elsewhere_is_not_shown)
{
	struct kit *k = new_kit();

	takes(k, 15, 2, 64, 5, 0);
	arrives(k, 10, 100, 64, 5, 0); /* much later: another one */
	done(k);
	ck_assert_ptr_null(kit__flow(k, 10, 15));
	ck_assert_ptr_null(kit__end(k, 15, "read"));
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 1);
	kit__free(k);
}
END_TEST

START_TEST(contents_tell_receivers_apart)
{
	struct kit *k = new_kit();

	arrives(k, 10, 1, 64, 5, 0);
	arrives(k, 11, 1, 64, 6, 0);
	arrives(k, 11, 1, 30, 6, 0);
	takes(k, 16, 1, 30, 6, 0); /* they report in another order than they took */
	takes(k, 15, 1, 64, 6, 0);
	takes(k, 16, 2, 64, 5, 0);
	done(k);
	expect_flow(k, 10, 16, 1, 64, ATTR_EXACT);
	expect_flow(k, 11, 15, 1, 64, ATTR_EXACT);
	expect_flow(k, 11, 16, 1, 30, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(equal_contents_are_candidates)
{
	struct kit *k = new_kit();

	arrives(k, 10, 1, 64, 5, 0);
	arrives(k, 11, 1, 64, 5, 0);
	takes(k, 16, 1, 64, 5, 0);
	takes(k, 15, 1, 64, 5, 0);
	done(k);
	ck_assert_uint_eq(kit__flow(k, 10, 16)->messages + kit__flow(k, 11, 15)->messages, 2);
	kit__free(k);
}
END_TEST

START_TEST(identity_decides)
{
	struct kit *k = new_kit();

	arrives(k, 10, 1, 64, 5, 0x1000);
	arrives(k, 11, 1, 64, 5, 0x2000);
	takes(k, 16, 1, 64, 5, 0x2000);
	takes(k, 15, 1, 64, 5, 0x1000);
	done(k);
	expect_flow(k, 11, 16, 1, 64, ATTR_EXACT);
	expect_flow(k, 10, 15, 1, 64, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(a_small_buffer_cuts)
{
	struct kit *k = new_kit();
	struct op op = op_of(OP_RECV, 15, 3, 10, 5);

	arrives(k, 10, 1, 64, 5, 0);
	model__op(k->m, &op); /* there was room for more: it is not that one */
	ck_assert_uint_eq(k->op_cnt, 1);
	op.flags |= OP_F_TRUNC;
	model__op(k->m, &op);
	done(k);
	expect_flow(k, 10, 15, 1, 10, ATTR_EXACT);
	ck_assert_uint_eq(kit__channel(k, "obj:[10]")->discarded_bytes, 54);
	kit__free(k);
}
END_TEST

START_TEST(empty_datagrams_are_messages)
{
	struct kit *k = new_kit();

	arrives(k, 10, 1, 0, 0, 0);
	takes(k, 15, 3, 0, 0, 0);
	done(k);
	expect_flow(k, 10, 15, 1, 0, ATTR_EXACT);
	ck_assert_uint_eq(kit__end(k, 10, "write")->messages, 1);
	kit__free(k);
}
END_TEST

START_TEST(a_full_queue_loses)
{
	struct kit *k = new_kit();
	struct op op = op_of(OP_SEND, 10, 1, 64, 0);

	op.obj = kit__key(10);
	op.flags = OP_F_TRUNC;
	model__op(k->m, &op);
	done(k);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 1);
	ck_assert_uint_eq(kit__channel(k, "obj:[10]")->discarded_bytes, 64);
	kit__free(k);
}
END_TEST

START_TEST(looking_is_not_taking)
{
	struct kit *k = new_kit();
	struct op op = op_of(OP_RECV, 15, 3, 64, 0);

	arrives(k, 10, 1, 64, 0, 0);
	op.flags |= OP_F_PEEK;
	model__op(k->m, &op);
	takes(k, 16, 5, 64, 0, 0);
	done(k);
	ck_assert_ptr_null(kit__flow(k, 10, 15));
	expect_flow(k, 10, 16, 1, 64, ATTR_EXACT);
	kit__free(k);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		first_in_first_out,
		the_arrival_may_be_reported_late,
		what_came_from_elsewhere_is_not_shown,
		contents_tell_receivers_apart,
		equal_contents_are_candidates,
		identity_decides,
		a_small_buffer_cuts,
		empty_datagrams_are_messages,
		a_full_queue_loses,
		looking_is_not_taking,
	};

	return SUITE_RUN("pair_dgram", tests);
}
