/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets against the simulator: what the model calls exact must be the truth; candidates must contain it; sums
 * must agree always.
 */
#include "sock_sim.h"

static void check_sums(struct sim *s)
{
	struct graph *g = model__graph(s->k->m);
	const struct end *read = kit__end(s->k, READER_PID, "read");
	uint64_t flows = 0, unattributed = 0;
	size_t i;

	for (i = 0; i < g->flows.cnt; i++)
		flows += g->flows.v[i]->bytes;
	for (i = 0; i < g->channels.cnt; i++)
		unattributed += g->channels.v[i]->unattributed_bytes;
	EXPECT(read->bytes == flows + unattributed);
	if (!s->c->lose_one_in)
		EXPECT(read->bytes == s->taken);
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
