/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets against the simulator: what the model calls exact must be the truth; candidates must contain it; sums
 * must agree always.
 */
#include "sock_sim.h"

static void check_sums(struct sim *s)
{
	struct graph *g = model__graph(s->k->m);
	uint64_t flows = 0, unattributed = 0, read = 0;
	size_t i;

	for (uint32_t r = 0; r < READERS; r++) {
		const struct end *end = kit__end(s->k, READER_PID + r, "read");

		read += end ? end->bytes : 0;
	}

	for (i = 0; i < g->flows.cnt; i++)
		flows += g->flows.v[i]->bytes;
	for (i = 0; i < g->channels.cnt; i++)
		unattributed += g->channels.v[i]->unattributed_bytes;
	EXPECT(read == flows + unattributed);
	if (!s->c->lose_one_in)
		EXPECT(read == s->taken);
}

struct sum {
	uint64_t taken, exact, inferred, candidates, unknown, wrong, missed, messages, finished;
};

static struct sum run(struct config c, int rounds)
{
	struct sum sum = { 0 };

	for (int i = 0; i < rounds; i++) {
		struct sim s;

		c.seed = (uint64_t)i + 1;
		simulate(&s, &c);
		check_sums(&s);
		sum.messages += s.messages;
		sum.finished += s.finished;
		sum.taken += s.taken;
		sum.exact += s.exact_bytes;
		sum.inferred += s.inferred_bytes;
		sum.candidates += s.candidate_bytes;
		sum.unknown += s.unknown_bytes;
		sum.wrong += s.wrong_bytes;
		sum.missed += s.missed_bytes;
		if (getenv("MODEL_KIT_VERBOSE") && i == rounds - 1)
			printf("taken %d exact %d inferred %d candidates %d unknown %d wrong %d missed %d "
			       "messages %d of %d resyncs %d\n",
			       (int)sum.taken, (int)sum.exact, (int)sum.inferred, (int)sum.candidates,
			       (int)sum.unknown, (int)sum.wrong, (int)sum.missed, (int)sum.messages,
			       (int)sum.finished, (int)model__stats(s.k->m)->resyncs);
		free(s.calls);
		kit__free(s.k);
	}
	return sum;
}

#define ROUNDS 60

/* Nobody shares a sending socket: then order alone proves all, with identities or without. */

START_TEST(own_sockets_with_identities)
{
	struct config c = {
		.own_socks = true, .ids = true, .procs = SENDERS, .parts = PARTS_MAX, .peeks = 8
	};
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.exact == sum.taken);
	EXPECT(sum.wrong == 0);
	EXPECT(sum.messages == sum.finished);
}
END_TEST

START_TEST(own_sockets_without_identities)
{
	struct config c = { .own_socks = true, .procs = SENDERS, .parts = PARTS_MAX };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.exact == sum.taken);
	EXPECT(sum.wrong == 0);
	EXPECT(sum.messages == sum.finished);
}
END_TEST

START_TEST(own_sockets_of_datagrams)
{
	struct config c = {
		.own_socks = true, .packet = true, .unknown_peer = true, .procs = SENDERS, .parts = 1
	};
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.exact == sum.taken);
	EXPECT(sum.wrong == 0);
	EXPECT(sum.messages == sum.finished);
}
END_TEST

/* Each call knows what it made: then nothing else matters, not even who shares what with whom. */

static void check_owned(struct config c)
{
	struct sum sum;

	c.owners = true;
	c.procs = SENDERS;
	sum = run(c, ROUNDS);
	EXPECT(sum.exact == sum.taken);
	EXPECT(sum.wrong == 0);
	EXPECT(sum.messages == sum.finished);
}

START_TEST(owned_chunks_of_a_shared_stream)
{
	check_owned((struct config){ .parts = 1, .peeks = 8, .same_length = true });
	check_owned((struct config){ .parts = PARTS_MAX });
}
END_TEST

START_TEST(owned_chunks_of_several_readers)
{
	check_owned((struct config){ .parts = 1, .readers = READERS, .same_length = true });
	check_owned((struct config){ .parts = PARTS_MAX, .readers = 2 });
}
END_TEST

START_TEST(owned_datagrams)
{
	check_owned((struct config){ .parts = 1, .packet = true, .readers = READERS, .same_length = true });
}
END_TEST

static void owned_op(struct kit *k, bool send, uint64_t t, uint64_t i)
{
	struct op op = { .enter_ns = t,
			 .ts_ns = t + 2,
			 .pid = send ? 100 + (uint32_t)i % SENDERS : READER_PID,
			 .tid = send ? 100 + (uint32_t)i % SENDERS : READER_PID,
			 .kind = send ? OP_SEND : OP_RECV,
			 .mech = MECH,
			 .rule = PAIR_MESSAGE,
			 .obj = kit__key(send ? 1 : 50),
			 .peer = kit__key(send ? 50 : 1),
			 .flags = send ? OP_F_OWN_ID : 0,
			 .bytes = 8,
			 .ret = 8 };

	op.msg.id = 0xff00 + i;
	op.msg.total = 8;
	op.msg.made_ns = 1 + i;
	model__op(k->m, &op);
}

/* Steps along lists for cnt messages of one socket, queued before the first is taken, or all taken before one is reported. */
static uint64_t work(uint64_t cnt, bool receives_first)
{
	struct kit *k = kit__new();
	uint64_t i, steps;

	for (i = 0; i < cnt; i++)
		owned_op(k, !receives_first, 2000000 + i, i);
	for (i = 0; i < cnt; i++)
		owned_op(k, receives_first, 2100000 + i, i);
	model__finish(k->m, 3000000);
	ck_assert_uint_eq(k->cnt, cnt);
	for (i = 0; i < cnt; i++)
		ck_assert_uint_eq(k->got[i].m.attr, ATTR_EXACT);
	steps = model__stats(k->m)->steps;
	kit__free(k);
	return steps;
}

START_TEST(work_grows_with_the_messages_and_no_faster)
{
	for (int receives_first = 0; receives_first < 2; receives_first++) {
		uint64_t few = work(400, receives_first), many = work(4000, receives_first);

		EXPECT(few > 0);
		EXPECT(many <= few * 11);
	}
}
END_TEST

/* What is lost is missing or doubtful: it never goes to another. */
START_TEST(owned_chunks_and_losses)
{
	struct config c = { .owners = true, .procs = SENDERS, .parts = 1, .readers = 2, .lose_one_in = 30 };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.wrong == 0);
	EXPECT(sum.exact >= sum.taken / 2);
}
END_TEST

/* Threads of one process share a socket: which thread may be open, the process is not. */
START_TEST(threads_share_a_socket)
{
	struct config c = { .ids = true, .procs = 1, .parts = 1, .peeks = 8 };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.exact == sum.taken);
	EXPECT(sum.messages >= sum.finished / 1000 * 999);
}
END_TEST

START_TEST(threads_share_a_socket_for_long_calls)
{
	struct config c = { .ids = true, .procs = 1, .parts = PARTS_MAX };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.exact + sum.inferred == sum.taken);
}
END_TEST

/* Processes share a socket, and see each other's chunks in a third of all looks: far more than happens in life. */

START_TEST(processes_share_a_stream)
{
	struct config c = { .ids = true, .prints = true, .procs = SENDERS, .parts = 1, .peeks = 8 };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.unknown == 0);
	EXPECT(sum.wrong == 0 && sum.missed == 0);
	EXPECT(sum.exact >= sum.taken / 100 * 90);
}
END_TEST

START_TEST(processes_share_a_stream_of_equal_chunks)
{
	struct config c = { .ids = true, .procs = SENDERS, .parts = 1, .same_length = true };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.unknown == 0);
	EXPECT(sum.wrong <= sum.taken / 100);
	EXPECT(sum.exact >= sum.taken / 100 * 40);
}
END_TEST

START_TEST(processes_share_a_stream_for_long_calls)
{
	struct config c = { .ids = true, .procs = SENDERS, .parts = PARTS_MAX };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.unknown == 0);
	EXPECT(sum.wrong <= sum.taken / 100);
}
END_TEST

START_TEST(processes_share_a_stream_without_identities)
{
	struct config c = { .procs = SENDERS, .parts = 1 };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.unknown == 0);
	EXPECT(sum.wrong <= sum.taken / 1000);
}
END_TEST

START_TEST(processes_share_datagrams)
{
	struct config c = {
		.ids = true, .packet = true, .prints = true, .procs = SENDERS, .parts = 1, .peeks = 5
	};
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.unknown == 0);
	EXPECT(sum.wrong == 0 && sum.missed == 0);
	EXPECT(sum.exact >= sum.taken / 100 * 98);
}
END_TEST

START_TEST(processes_share_datagrams_without_identities)
{
	struct config c = { .packet = true, .prints = true, .procs = SENDERS, .parts = 1 };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.unknown == 0);
	EXPECT(sum.wrong == 0 && sum.missed == 0);
	EXPECT(sum.messages == sum.finished);
}
END_TEST

START_TEST(processes_share_datagrams_to_unknown_receivers)
{
	struct config c = { .packet = true, .unknown_peer = true, .procs = SENDERS, .parts = 1 };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.unknown == 0);
	EXPECT(sum.wrong == 0 && sum.missed == 0);
	EXPECT(sum.messages == sum.finished);
}
END_TEST

START_TEST(losses_do_not_shift_what_follows)
{
	struct config c = { .own_socks = true, .ids = true, .procs = SENDERS, .parts = 1, .lose_one_in = 50 };
	struct sum sum = run(c, ROUNDS);

	EXPECT(sum.wrong <= sum.taken / 100);
	EXPECT(sum.unknown <= sum.taken / 10);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		own_sockets_with_identities,
		own_sockets_without_identities,
		own_sockets_of_datagrams,
		owned_chunks_of_a_shared_stream,
		owned_chunks_of_several_readers,
		owned_datagrams,
		owned_chunks_and_losses,
		work_grows_with_the_messages_and_no_faster,
		threads_share_a_socket,
		threads_share_a_socket_for_long_calls,
		processes_share_a_stream,
		processes_share_a_stream_of_equal_chunks,
		processes_share_a_stream_for_long_calls,
		processes_share_a_stream_without_identities,
		processes_share_datagrams,
		processes_share_datagrams_without_identities,
		processes_share_datagrams_to_unknown_receivers,
		losses_do_not_shift_what_follows,
	};

	return SUITE_RUN("model_message_random", tests);
}
