/* SPDX-License-Identifier: GPL-2.0 */
#include "model_kit.h"
#include "suite.h"

#define SENDER 10
#define TARGET 20
#define USR1 10
#define KILL 9
#define RT 40

static struct op post(uint64_t ts_ns, uint32_t sig, uint32_t dst_tid, bool group, uint8_t result)
{
	struct op op = { .ts_ns = ts_ns,
			 .pid = SENDER,
			 .tid = SENDER,
			 .kind = OP_POST,
			 .mech = 3,
			 .rule = PAIR_SIGNAL,
			 .obj = kit__key(sig) };

	op.sig.sig = sig;
	op.sig.dst_pid = TARGET;
	op.sig.dst_tid = dst_tid;
	op.sig.group = group;
	op.sig.result = result;
	return op;
}

static void send(struct kit *k, uint64_t ts_ns, uint32_t sig, uint32_t dst_tid, bool group, uint8_t result)
{
	struct op op = post(ts_ns, sig, dst_tid, group, result);

	model__op(k->m, &op);
}

static void take(struct kit *k, uint64_t ts_ns, uint32_t sig, uint32_t tid, uint8_t how)
{
	struct op op = { .ts_ns = ts_ns,
			 .pid = TARGET,
			 .tid = tid,
			 .kind = OP_WAIT,
			 .mech = 3,
			 .rule = PAIR_SIGNAL,
			 .obj = kit__key(sig) };

	op.sig.sig = sig;
	op.sig.how = how;
	op.sig.late = how == SIG_HOW_WAITED || how == SIG_HOW_FD;
	model__op(k->m, &op);
}

/* The message of the signal sent at ts_ns. */
static const struct kit_message *message_of(const struct kit *k, uint64_t ts_ns)
{
	for (size_t i = 0; i < k->cnt; i++)
		if (k->got[i].m.ts_ns == ts_ns)
			return &k->got[i];
	ck_abort_msg("no message of %d", (int)ts_ns);
	return NULL;
}

START_TEST(a_delivery_completes_the_message)
{
	struct kit *k = kit__new();
	const struct kit_message *got;

	kit__fork(k, 1, TARGET, 1, "target");
	send(k, 100, USR1, TARGET, true, SIG_RESULT_QUEUED);
	ck_assert_uint_eq(k->cnt, 0);
	take(k, 130, USR1, TARGET + 1, SIG_HOW_HANDLER);
	ck_assert_uint_eq(k->cnt, 1);
	got = message_of(k, 100);
	ck_assert_uint_eq(got->m.delivered_ns, 130);
	ck_assert_uint_eq(got->m.latency_ns, 30);
	ck_assert_uint_eq(got->m.messages, 1);
	ck_assert_uint_eq(got->m.bytes, 0);
	ck_assert_uint_eq(got->m.attr, ATTR_EXACT);
	ck_assert_uint_eq(got->m.src.proc->pid, SENDER);
	ck_assert_uint_eq(got->m.dst.proc->pid, TARGET);
	ck_assert_uint_eq(got->m.dst.tid, TARGET + 1);
	ck_assert_str_eq(got->m.dst.comm, "target");
	ck_assert_uint_eq(got->op.sig.sig, USR1);
	ck_assert_uint_eq(kit__flow(k, SENDER, TARGET)->messages, 1);
	kit__free(k);
}
END_TEST

START_TEST(results_count_as_the_contract_says)
{
	struct kit *k = kit__new();

	send(k, 100, USR1, TARGET, true, SIG_RESULT_QUEUED);
	send(k, 101, USR1, TARGET, true, SIG_RESULT_PENDING);
	send(k, 102, USR1, TARGET, true, SIG_RESULT_IGNORED);
	send(k, 103, RT, TARGET, true, SIG_RESULT_OVERFLOW);
	send(k, 104, RT, TARGET, true, SIG_RESULT_NO_INFO);
	model__finish(k->m, 200);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(message_of(k, 100)->m.delivered_ns, 0);
	ck_assert_uint_eq(message_of(k, 104)->m.latency_ns, 0);
	ck_assert_uint_eq(kit__end(k, SENDER, "send")->messages, 1);
	ck_assert_uint_eq(kit__end(k, SENDER, "send")->errors, 1);
	ck_assert_uint_eq(kit__end(k, TARGET, "receive")->messages, 1);
	ck_assert_uint_eq(kit__flow(k, SENDER, TARGET)->latency.cnt, 0);
	kit__free(k);
}
END_TEST

START_TEST(the_threads_own_queue_comes_first)
{
	struct kit *k = kit__new();

	send(k, 100, USR1, TARGET, true, SIG_RESULT_QUEUED);
	send(k, 101, USR1, TARGET + 1, false, SIG_RESULT_QUEUED);
	send(k, 102, USR1, TARGET + 2, false, SIG_RESULT_QUEUED);
	take(k, 110, USR1, TARGET + 2, SIG_HOW_HANDLER);
	take(k, 120, USR1, TARGET + 2, SIG_HOW_HANDLER);
	take(k, 130, USR1, TARGET + 1, SIG_HOW_HANDLER);
	model__finish(k->m, 200);
	ck_assert_uint_eq(message_of(k, 102)->m.delivered_ns, 110);
	ck_assert_uint_eq(message_of(k, 100)->m.delivered_ns, 120);
	ck_assert_uint_eq(message_of(k, 101)->m.delivered_ns, 130);
	kit__free(k);
}
END_TEST

START_TEST(real_time_signals_are_a_queue)
{
	struct kit *k = kit__new();

	for (uint64_t i = 0; i < 3; i++)
		send(k, 100 + i, RT, TARGET, true, SIG_RESULT_QUEUED);
	for (uint64_t i = 0; i < 3; i++)
		take(k, 200 + i, RT, TARGET, SIG_HOW_HANDLER);
	for (uint64_t i = 0; i < 3; i++)
		ck_assert_uint_eq(message_of(k, 100 + i)->m.delivered_ns, 200 + i);
	kit__free(k);
}
END_TEST

static void send_entry(struct kit *k, uint64_t ts_ns, uint32_t sig, uint64_t entry)
{
	struct op op = post(ts_ns, sig, TARGET, true, SIG_RESULT_QUEUED);

	op.sig.entry = entry;
	model__op(k->m, &op);
}

static void take_entry(struct kit *k, uint64_t ts_ns, uint32_t sig, uint64_t entry)
{
	struct op op = { .ts_ns = ts_ns,
			 .pid = TARGET,
			 .tid = TARGET,
			 .kind = OP_WAIT,
			 .mech = 3,
			 .rule = PAIR_SIGNAL,
			 .obj = kit__key(sig) };

	op.sig.sig = sig;
	op.sig.how = SIG_HOW_WAITED;
	op.sig.entry = entry;
	model__op(k->m, &op);
}

START_TEST(an_entry_in_the_queue_tells_what_order_does_not)
{
	struct kit *k = kit__new();

	send_entry(k, 100, RT, 0xa0);
	send_entry(k, 101, RT, 0xb0);
	take_entry(k, 110, RT, 0xb0);
	take_entry(k, 120, RT, 0xc0); /* was there before the trace */
	take_entry(k, 130, RT, 0xa0);
	model__finish(k->m, 200);
	ck_assert_uint_eq(message_of(k, 100)->m.delivered_ns, 130);
	ck_assert_uint_eq(message_of(k, 101)->m.delivered_ns, 110);
	kit__free(k);
}
END_TEST

/* A signal that was flushed leaves its entry to another. */
START_TEST(an_entry_that_is_used_again_is_the_newest_ones)
{
	struct kit *k = kit__new();

	send_entry(k, 100, RT, 0xa0);
	send_entry(k, 200, RT, 0xa0);
	take_entry(k, 210, RT, 0xa0);
	model__finish(k->m, 300);
	ck_assert_uint_eq(message_of(k, 100)->m.delivered_ns, 0);
	ck_assert_uint_eq(message_of(k, 200)->m.delivered_ns, 210);
	kit__free(k);
}
END_TEST

/* sigwait's return is reported late: the next instance may be generated before. */
START_TEST(a_waiter_takes_the_oldest_and_a_delivery_the_newest)
{
	struct kit *k = kit__new();

	send(k, 100, USR1, TARGET, true, SIG_RESULT_QUEUED);
	send(k, 150, USR1, TARGET, true, SIG_RESULT_QUEUED);
	take(k, 160, USR1, TARGET, SIG_HOW_WAITED);
	take(k, 170, USR1, TARGET, SIG_HOW_FD);
	send(k, 300, USR1, TARGET, true, SIG_RESULT_QUEUED);
	send(k, 310, USR1, TARGET, true, SIG_RESULT_QUEUED);
	take(k, 320, USR1, TARGET, SIG_HOW_HANDLER);
	model__finish(k->m, 400);
	ck_assert_uint_eq(message_of(k, 100)->m.delivered_ns, 160);
	ck_assert_uint_eq(message_of(k, 150)->m.delivered_ns, 170);
	ck_assert_uint_eq(message_of(k, 300)->m.delivered_ns, 0);
	ck_assert_uint_eq(message_of(k, 310)->m.delivered_ns, 320);
	kit__free(k);
}
END_TEST

START_TEST(a_blocked_signal_is_told_after_a_while)
{
	struct kit *k = kit__new_settling(10 * MS);

	send(k, 1 * MS, RT, TARGET, true, SIG_RESULT_QUEUED);
	model__advance(k->m, 5 * MS);
	ck_assert_uint_eq(k->cnt, 0);
	model__advance(k->m, 12 * MS);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.delivered_ns, 0);
	/* Its delivery is not that of the next one. */
	send(k, 20 * MS, RT, TARGET, true, SIG_RESULT_QUEUED);
	take(k, 21 * MS, RT, TARGET, SIG_HOW_HANDLER);
	ck_assert_uint_eq(k->cnt, 1);
	take(k, 22 * MS, RT, TARGET, SIG_HOW_HANDLER);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(k->got[1].m.delivered_ns, 22 * MS);
	kit__free(k);
}
END_TEST

START_TEST(the_deadly_one_is_delivered_by_death)
{
	struct kit *k = kit__new();

	kit__fork(k, 1, TARGET, 1, "target");
	send(k, 100, USR1, TARGET, true, SIG_RESULT_QUEUED);
	send(k, 110, KILL, TARGET, true, SIG_RESULT_QUEUED);
	kit__exit(k, 150, TARGET, KILL);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(message_of(k, 100)->m.delivered_ns, 0);
	ck_assert_uint_eq(message_of(k, 110)->m.delivered_ns, 150);
	ck_assert_uint_eq(message_of(k, 110)->m.latency_ns, 40);
	kit__free(k);
}
END_TEST

START_TEST(a_group_exit_delivers_what_nobody_sent)
{
	struct kit *k = kit__new();

	take(k, 100, KILL, TARGET, SIG_HOW_DEFAULT);
	take(k, 101, KILL, TARGET + 1, SIG_HOW_DEFAULT);
	model__finish(k->m, 200);
	ck_assert_uint_eq(k->cnt, 0);
	kit__free(k);
}
END_TEST

START_TEST(the_kernel_is_no_process)
{
	struct kit *k = kit__new();
	struct op op = post(100, 14, TARGET, true, SIG_RESULT_QUEUED);

	op.sig.from_kernel = true;
	op.sig.origin = "timer";
	model__op(k->m, &op);
	take(k, 120, 14, TARGET, SIG_HOW_HANDLER);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_ptr_null(k->got[0].m.src.proc);
	ck_assert_str_eq(k->got[0].m.origin, "timer");
	ck_assert_ptr_null(kit__end(k, SENDER, "send"));
	ck_assert_str_eq(kit__flow(k, 0, TARGET)->origin, "timer");
	ck_assert_uint_eq(model__stats(k->m)->unmatched_receives, 0);
	kit__free(k);
}
END_TEST

#define SENT 600

/* A model of the kernel's queues for standard signals to one process with three threads. */
START_TEST(random_standard_signals)
{
	struct {
		uint64_t ts_ns, taken_ns;
	} sent[SENT];
	int pending[4][8]; /* [0]: the process's, [i]: thread i's; index + 1 of sent */

	for (uint64_t seed = 1; seed < 20; seed++) {
		struct kit *k = kit__new_settling(100 * MS);
		uint64_t rng = seed * 77, now = 1000;
		size_t cnt = 0, i;

		memset(pending, 0, sizeof(pending));
		while (cnt < SENT) {
			uint32_t sig = (uint32_t)(kit__random(&rng) % 8),
				 queue = (uint32_t)(kit__random(&rng) % 4);

			now += 1 + kit__random(&rng) % 100;
			if (kit__random(&rng) % 2) {
				bool merged = pending[queue][sig];

				send(k, now, sig + 1, TARGET + queue, queue == 0,
				     merged ? SIG_RESULT_PENDING : SIG_RESULT_QUEUED);
				if (merged)
					continue;
				sent[cnt].ts_ns = now;
				sent[cnt].taken_ns = 0;
				pending[queue][sig] = (int)++cnt;
				continue;
			}
			queue = queue ? queue : 1;
			i = pending[queue][sig] ? queue : 0;
			if (!pending[i][sig])
				continue;
			sent[pending[i][sig] - 1].taken_ns = now;
			pending[i][sig] = 0;
			take(k, now, sig + 1, TARGET + queue, SIG_HOW_HANDLER);
		}
		model__finish(k->m, now);
		EXPECT(k->cnt == SENT);
		for (i = 0; i < SENT; i++)
			EXPECT(message_of(k, sent[i].ts_ns)->m.delivered_ns == sent[i].taken_ns);
		kit__free(k);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_delivery_completes_the_message,
		results_count_as_the_contract_says,
		the_threads_own_queue_comes_first,
		real_time_signals_are_a_queue,
		an_entry_in_the_queue_tells_what_order_does_not,
		an_entry_that_is_used_again_is_the_newest_ones,
		a_waiter_takes_the_oldest_and_a_delivery_the_newest,
		a_blocked_signal_is_told_after_a_while,
		the_deadly_one_is_delivered_by_death,
		a_group_exit_delivers_what_nobody_sent,
		the_kernel_is_no_process,
		random_standard_signals,
	};

	return SUITE_RUN("model_signal", tests);
}
