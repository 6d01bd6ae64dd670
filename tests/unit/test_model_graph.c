/* SPDX-License-Identifier: GPL-2.0 */
/* What the model does with any operation: names of channels, ends, receipts and their order. */
#include <errno.h>

#include "model/pair.h"
#include "model_kit.h"
#include "suite.h"

#define MECH 10

static struct op recv_op(uint64_t ts_ns, uint64_t obj)
{
	return (struct op){ .ts_ns = ts_ns,
			    .enter_ns = ts_ns - 10,
			    .pid = 20,
			    .tid = 20,
			    .kind = OP_RECV,
			    .mech = MECH,
			    .obj = kit__key(obj),
			    .bytes = 5,
			    .ret = 5 };
}

static struct sender sender_of(struct kit *k, uint64_t ts_ns, uint32_t pid)
{
	struct op op = { .ts_ns = ts_ns, .pid = pid, .tid = pid };

	return model__sender(k->m, &op);
}

static struct receipt *receipt(struct kit *k, uint64_t ts_ns)
{
	struct op op = recv_op(ts_ns, 1);

	return receipt__new(k->m, &op, NULL);
}

START_TEST(one_message_per_sender)
{
	struct kit *k = kit__new();
	struct sender a = sender_of(k, 80, 10), b = sender_of(k, 120, 11);
	struct receipt *r = receipt(k, 100);
	struct proc *both[] = { a.party.proc, b.party.proc };

	receipt__add(r, &a, 3, 1, ATTR_EXACT, NULL, 0);
	receipt__add(r, &b, 7, 1, ATTR_CANDIDATES, both, 2);
	receipt__add(r, &a, 4, 1, ATTR_INFERRED, NULL, 0);
	receipt__add_unknown(r, 2, 0);
	receipt__done(r);
	ck_assert_uint_eq(k->cnt, 3);
	ck_assert_uint_eq(k->got[0].m.bytes, 7);
	ck_assert_uint_eq(k->got[0].m.messages, 2);
	ck_assert_uint_eq(k->got[0].m.attr, ATTR_INFERRED);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 20);
	ck_assert_uint_eq(k->got[0].m.dst.proc->pid, 20);
	ck_assert_uint_eq(k->got[1].m.latency_ns, 0); /* the receive returned first */
	ck_assert_uint_eq(k->got[1].m.candidate_cnt, 2);
	ck_assert_ptr_null(k->got[2].m.src.proc);
	ck_assert_uint_eq(k->got[2].m.attr, ATTR_UNKNOWN);
	ck_assert_uint_eq(kit__channel(k, "obj:[1]")->bytes, 14);
	ck_assert_uint_eq(kit__channel(k, "obj:[1]")->unattributed_bytes, 2);
	ck_assert_uint_eq(kit__flow(k, 11, 20)->candidates.cnt, 2);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_receives, 1);
	ck_assert_uint_eq(model__stats(k->m)->ambiguous, 1);
	ck_assert_uint_eq(model__stats(k->m)->messages, 3);
	kit__free(k);
}
END_TEST

/* From the send's return, or from its call where that had not returned. */
static uint64_t latency(uint64_t call_ns, uint64_t return_ns, uint32_t flags, uint64_t taken_ns)
{
	struct kit *k = kit__new();
	struct op op = { .ts_ns = return_ns, .enter_ns = call_ns, .pid = 10, .tid = 10, .flags = flags };
	struct sender s = model__sender(k->m, &op);
	struct receipt *r = receipt(k, taken_ns);
	uint64_t ns;

	receipt__add(r, &s, 1, 1, ATTR_EXACT, NULL, 0);
	receipt__done(r);
	ns = k->got[0].m.latency_ns;
	/* What is not known is in no percentile. */
	ck_assert_uint_eq(kit__flow(k, 10, 20)->latency.cnt, ns ? 1 : 0);
	kit__free(k);
	return ns;
}

START_TEST(latency_counts_from_the_call_where_the_receive_returned_first)
{
	ck_assert_uint_eq(latency(50, 80, 0, 100), 20);
	ck_assert_uint_eq(latency(50, 120, 0, 100), 50);
	ck_assert_uint_eq(latency(50, 100, 0, 100), 50);
	ck_assert_uint_eq(latency(50, 80, OP_F_MORE, 100), 50);
	ck_assert_uint_eq(latency(50, 80, OP_F_BLOCKED, 100), 50);
	ck_assert_uint_eq(latency(0, 80, 0, 100), 20);
	ck_assert_uint_eq(latency(0, 120, 0, 100), 0);
	ck_assert_uint_eq(latency(120, 120, 0, 100), 0);
	ck_assert_uint_eq(latency(110, 120, 0, 100), 0);
}
END_TEST

START_TEST(messages_leave_in_order_of_time)
{
	struct kit *k = kit__new();
	struct sender s = sender_of(k, 50, 10);
	struct receipt *r[3] = { receipt(k, 100), receipt(k, 101), receipt(k, 102) };

	for (int i = 2; i >= 0; i--) {
		receipt__add(r[i], &s, 1, 1, ATTR_EXACT, NULL, 0);
		ck_assert_uint_eq(k->cnt, 0);
		receipt__done(r[i]);
	}
	ck_assert_uint_eq(k->cnt, 3);
	for (uint64_t i = 0; i < 3; i++)
		ck_assert_uint_eq(k->got[i].m.ts_ns, 100 + i);
	kit__free(k);
}
END_TEST

START_TEST(one_that_waits_does_not_hold_the_others_for_long)
{
	struct kit *k = kit__new();
	struct sender s = sender_of(k, 50, 10);
	struct receipt *slow = receipt(k, 100), *fast = receipt(k, 101);

	receipt__add(fast, &s, 1, 1, ATTR_EXACT, NULL, 0);
	receipt__done(fast);
	model__advance(k->m, 10 * MS);
	ck_assert_uint_eq(k->cnt, 0);
	model__advance(k->m, 100 * MS);
	ck_assert_uint_eq(k->cnt, 1);
	receipt__add_unknown(slow, 1, 0);
	receipt__done(slow);
	ck_assert_uint_eq(k->cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(the_wait_counts_once)
{
	struct kit *k = kit__new();
	struct sender a = sender_of(k, 80, 10), b = sender_of(k, 90, 11);
	struct op op = recv_op(100, 1);
	struct receipt *r;

	op.flags = OP_F_WAITED;
	op.enter_ns = 40;
	model__op(k->m, &op);
	r = receipt__new(k->m, &op, NULL);
	receipt__add(r, &a, 1, 1, ATTR_EXACT, NULL, 0);
	receipt__add(r, &b, 1, 1, ATTR_EXACT, NULL, 0);
	receipt__done(r);
	ck_assert_uint_eq(k->got[0].m.wait_ns, 60);
	ck_assert_uint_eq(k->got[1].m.wait_ns, 0);
	ck_assert_uint_eq(kit__end(k, 20, "read")->wait_ns, 60);
	kit__free(k);
}
END_TEST

static void run(struct kit *k, uint8_t kind, uint32_t flags, int64_t ret, uint64_t bytes)
{
	struct op op = recv_op(100, 1);

	op.kind = kind;
	op.flags = flags;
	op.ret = ret;
	op.bytes = bytes;
	model__op(k->m, &op);
}

START_TEST(ends_count_what_was_moved)
{
	struct kit *k = kit__new();
	const struct end *read, *write;

	run(k, OP_CREATE, 0, 3, 0);
	run(k, OP_CLOSE, 0, 0, 0);
	ck_assert_uint_eq(model__graph(k->m)->ends.cnt, 0);
	run(k, OP_RECV, 0, 5, 5);
	run(k, OP_RECV, OP_F_PEEK, 5, 5);
	run(k, OP_RECV, OP_F_MORE, 0, 3);
	run(k, OP_RECV, 0, 7, 4);
	run(k, OP_RECV, 0, 0, 0); /* end of file */
	run(k, OP_RECV, 0, -EAGAIN, 0);
	run(k, OP_RECV, 0, -EINTR, 0);
	run(k, OP_RECV, 0, -512, 0);
	run(k, OP_RECV, 0, -ECONNRESET, 0);
	run(k, OP_SEND, OP_F_BLOCKED, 0, 0);
	run(k, OP_SEND, 0, 9, 9);
	run(k, OP_SEND, 0, -EPIPE, 0);
	read = kit__end(k, 20, "read");
	write = kit__end(k, 20, "write");
	ck_assert_uint_eq(read->messages, 2);
	ck_assert_uint_eq(read->bytes, 12);
	ck_assert_uint_eq(read->errors, 1);
	ck_assert(!read->to_channel);
	ck_assert_uint_eq(write->messages, 1);
	ck_assert_uint_eq(write->bytes, 9);
	ck_assert_uint_eq(write->errors, 1);
	ck_assert(write->to_channel);
	ck_assert_uint_eq(k->op_cnt, 14);
	kit__free(k);
}
END_TEST

static void read_from(struct kit *k, uint64_t ts_ns, uint64_t obj, uint32_t src)
{
	struct sender s = sender_of(k, ts_ns - 5, src);
	struct op op = recv_op(ts_ns, obj);
	struct receipt *r;

	model__op(k->m, &op);
	r = receipt__new(k->m, &op, NULL);
	receipt__add(r, &s, 5, 1, ATTR_EXACT, NULL, 0);
	receipt__done(r);
}

START_TEST(a_name_that_comes_late_renames)
{
	struct kit *k = kit__new();
	struct channel *ch;

	read_from(k, 100, 1, 10);
	kit__name(k, 1, MECH, "unix:/run/x");
	read_from(k, 110, 1, 10);
	ck_assert_ptr_null(kit__channel(k, "obj:[1]"));
	ch = kit__channel(k, "unix:/run/x");
	ck_assert_uint_eq(ch->bytes, 10);
	ck_assert_uint_eq(model__graph(k->m)->channels.cnt, 1);
	ck_assert_uint_eq(model__graph(k->m)->flows.cnt, 1);
	kit__free(k);
}
END_TEST

START_TEST(a_name_that_exists_takes_the_history_in)
{
	struct kit *k = kit__new();
	struct graph *g = model__graph(k->m);
	struct op op = recv_op(105, 2);
	struct sender s = sender_of(k, 90, 10);
	struct receipt *open;

	kit__name(k, 1, MECH, "unix:/run/x");
	read_from(k, 100, 1, 10);
	read_from(k, 101, 2, 10);
	read_from(k, 102, 2, 11);
	read_from(k, 103, 3, 12);
	model__op(k->m, &op);
	open = receipt__new(k->m, &op, NULL);
	ck_assert_uint_eq(g->channels.cnt, 3);
	kit__name(k, 2, MECH, "unix:/run/x");
	ck_assert_uint_eq(g->channels.cnt, 2);
	receipt__add(open, &s, 5, 1, ATTR_EXACT, NULL, 0);
	receipt__done(open);
	ck_assert_uint_eq(kit__channel(k, "unix:/run/x")->bytes, 20);
	ck_assert_uint_eq(kit__flow(k, 10, 20)->bytes, 15);
	ck_assert_uint_eq(kit__flow(k, 10, 20)->latency.cnt, 3);
	ck_assert_uint_eq(g->flows.cnt, 3);
	ck_assert_uint_eq(g->ends.cnt, 2);
	for (size_t i = 0; i < g->channels.cnt; i++)
		ck_assert_uint_eq(g->channels.v[i]->id, i);
	/* Keys are right after the merge: no second flow or end appears. */
	read_from(k, 110, 3, 12);
	read_from(k, 111, 2, 11);
	ck_assert_uint_eq(g->flows.cnt, 3);
	ck_assert_uint_eq(g->ends.cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(a_told_name_stays_true_for_its_time)
{
	struct kit *k = kit__new();

	kit__name(k, 1, MECH, "unix:/run/x");
	read_from(k, 100, 1, 10);
	kit__name(k, 1, MECH, "unix:/run/y"); /* the address is another socket's now */
	read_from(k, 110, 1, 10);
	ck_assert_uint_eq(kit__channel(k, "unix:/run/x")->bytes, 5);
	ck_assert_uint_eq(kit__channel(k, "unix:/run/y")->bytes, 5);
	kit__free(k);
}
END_TEST

START_TEST(mechanisms_do_not_share_a_channel)
{
	struct kit *k = kit__new();

	kit__name(k, 1, MECH, "unix:@x");
	kit__name(k, 2, MECH + 1, "unix:@x");
	read_from(k, 100, 1, 10);
	ck_assert_uint_eq(model__graph(k->m)->channels.cnt, 1); /* idle objects are no nodes */
	model__channel(k->m, MECH + 1, kit__key(2));
	ck_assert_uint_eq(model__graph(k->m)->channels.cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(losses_are_counted_where_they_may_matter)
{
	struct kit *k = kit__new();

	read_from(k, 100, 1, 10);
	model__lost(k->m, 110, MECH, 7);
	model__lost(k->m, 111, MECH + 1, 2);
	ck_assert_uint_eq(model__graph(k->m)->lost[MECH], 7);
	ck_assert_uint_eq(kit__channel(k, "obj:[1]")->lost, 7);
	ck_assert_uint_eq(model__stats(k->m)->lost, 9);
	kit__free(k);
}
END_TEST

/* Where only messages are wanted, nothing is kept of who sent them. */
START_TEST(channels_only)
{
	const struct model_opts opts = { .object_name = kit__object_name, .channels_only = true };
	struct kit *k = calloc(1, sizeof(*k));
	const struct model_sink sink = { .ctx = k, .message = kit__on_message };

	k->m = model__new(&opts, &sink);
	read_from(k, 100, 1, 10);
	model__finish(k->m, 200);
	ck_assert_uint_gt(k->cnt, 0);
	ck_assert_uint_eq(model__stats(k->m)->messages, k->cnt);
	ck_assert_ptr_nonnull(kit__channel(k, "obj:[1]"));
	ck_assert_uint_eq(model__graph(k->m)->ends.cnt, 0);
	ck_assert_uint_eq(model__graph(k->m)->flows.cnt, 0);
	kit__free(k);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		one_message_per_sender,
		latency_counts_from_the_call_where_the_receive_returned_first,
		messages_leave_in_order_of_time,
		one_that_waits_does_not_hold_the_others_for_long,
		the_wait_counts_once,
		ends_count_what_was_moved,
		a_name_that_comes_late_renames,
		a_name_that_exists_takes_the_history_in,
		a_told_name_stays_true_for_its_time,
		mechanisms_do_not_share_a_channel,
		losses_are_counted_where_they_may_matter,
		channels_only,
	};

	return SUITE_RUN("model_graph", tests);
}
