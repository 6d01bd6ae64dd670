/* SPDX-License-Identifier: GPL-2.0 */
/* The experiments, on mechanisms whose answers are known and do not depend on this machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/probe.h"
#include "bench/speed.h"
#include "bench/stage.h"
#include "suite.h"

static struct properties p;

/* false: there is no such mechanism on this machine. */
static bool probe(const char *mech)
{
	const struct duct_kind *kind = duct_kind__find(mech);
	int rc;

	ck_assert_msg(kind, "no kind %s", mech);
	rc = probe__run(kind, &p);
	if (rc == -ENOSYS || rc == -EPERM || rc == -EACCES) {
		printf("skipped: %s: %s\n", mech, strerror(-rc));
		return false;
	}
	ck_assert_int_eq(rc, 0);
	return true;
}

START_TEST(a_pipe_is_a_stream_that_waits)
{
	if (!probe("pipe"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_NO);
	ck_assert_int_eq(p.outsider_errno, EBADF);
	ck_assert_int_eq(p.reliable, ANSWER_YES);
	ck_assert_uint_eq(p.damaged, 0);
	ck_assert_uint_eq(p.sent, p.arrived);
	ck_assert_int_eq(p.blocks, ANSWER_YES);
	ck_assert_int_eq(p.full_errno, EAGAIN);
	ck_assert_int_eq(p.drops, ANSWER_NO);
	ck_assert_int_eq(p.records, RECORDS_BYTES);
	ck_assert_int_eq(p.short_read, SHORT_STAYS);
	ck_assert_int_eq(p.priority, PRIORITY_NONE);
	EXPECT(p.largest_more);
	EXPECT(p.holds_bytes >= 4096);
	EXPECT(p.sent * 1024 > p.holds_bytes); /* it was pressed */
}
END_TEST

START_TEST(udp_drops_and_says_nothing)
{
	if (!probe("udp"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_YES);
	ck_assert_int_eq(p.reliable, ANSWER_NO);
	EXPECT(p.arrived > 0 && p.arrived < p.sent);
	ck_assert_uint_eq(p.damaged, 0);
	ck_assert_int_eq(p.blocks, ANSWER_NO);
	ck_assert_int_eq(p.full_errno, 0);
	ck_assert_int_eq(p.drops, ANSWER_YES);
	ck_assert_int_eq(p.records, RECORDS_KEPT);
	ck_assert_int_eq(p.short_read, SHORT_LOST);
	ck_assert_uint_eq(p.largest, 65507); /* 65535 less the headers of IP and UDP */
}
END_TEST

START_TEST(unix_datagrams_wait)
{
	if (!probe("unix-dgram"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_YES);
	ck_assert_int_eq(p.reliable, ANSWER_YES);
	ck_assert_int_eq(p.blocks, ANSWER_YES);
	ck_assert_int_eq(p.drops, ANSWER_NO);
	ck_assert_int_eq(p.records, RECORDS_KEPT);
	ck_assert_int_eq(p.short_read, SHORT_LOST);
}
END_TEST

START_TEST(packets_need_a_connection)
{
	if (!probe("unix-seqpacket"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_NO);
	ck_assert_int_eq(p.outsider_errno, ENOTCONN);
	ck_assert_int_eq(p.records, RECORDS_KEPT);
	ck_assert_int_eq(p.reliable, ANSWER_YES);
}
END_TEST

START_TEST(tcp_is_a_stream_with_an_urgent_byte)
{
	if (!probe("tcp"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_NO);
	ck_assert_int_eq(p.records, RECORDS_BYTES);
	ck_assert_int_eq(p.priority, PRIORITY_URGENT);
	ck_assert_int_eq(p.reliable, ANSWER_YES);
	ck_assert_int_eq(p.blocks, ANSWER_YES);
}
END_TEST

START_TEST(posix_queues_have_priorities)
{
	if (!probe("posix-mq"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_NO);
	ck_assert_int_eq(p.priority, PRIORITY_SENDER);
	ck_assert_int_eq(p.records, RECORDS_KEPT);
	ck_assert_int_eq(p.short_read, SHORT_REFUSED);
	ck_assert_int_eq(p.short_errno, EMSGSIZE);
	ck_assert_int_eq(p.blocks, ANSWER_YES);
	EXPECT(p.holds_messages > 0 && !p.holds_more_messages);
	ck_assert_int_eq(p.reliable, ANSWER_YES);
}
END_TEST

START_TEST(sysv_queues_select_by_type)
{
	uint64_t msgmax = stage__sysctl("kernel/msgmax");

	if (!probe("sysv-msg"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_YES); /* the number is enough */
	ck_assert_int_eq(p.priority, PRIORITY_RECEIVER);
	ck_assert_int_eq(p.short_errno, E2BIG);
	ck_assert_int_eq(p.reliable, ANSWER_YES);
	if (msgmax && msgmax < LARGEST_TRIED)
		ck_assert_uint_eq(p.largest, msgmax);
}
END_TEST

START_TEST(memory_is_overwritten)
{
	static const char *const memory[] = { "sysv-shm", "posix-shm" };

	for (int i = 0; i < 2; i++) {
		if (!probe(memory[i]))
			continue;
		ck_assert_int_eq(p.connectionless, ANSWER_NO);
		ck_assert_int_eq(p.reliable, ANSWER_NO);
		EXPECT(p.overwrites);
		ck_assert_uint_eq(p.arrived, 1);
		ck_assert_int_eq(p.blocks, ANSWER_NO);
		ck_assert_int_eq(p.records, RECORDS_NONE);
	}
}
END_TEST

START_TEST(signals)
{
	if (!probe("signal"))
		return;
	ck_assert_int_eq(p.connectionless, ANSWER_YES);
	ck_assert_int_eq(p.unqueued_sent, 3);
	ck_assert_int_eq(p.unqueued_arrived, 1);
	ck_assert_int_eq(p.records, RECORDS_KEPT);
	ck_assert_int_eq(p.priority, PRIORITY_NUMBER);
	ck_assert_int_eq(p.blocks, ANSWER_NO);
	ck_assert_int_eq(p.full_errno, EAGAIN);
	ck_assert_int_eq(p.reliable, ANSWER_YES);
	EXPECT(p.holds_messages > 0 && p.holds_messages <= 1025);
}
END_TEST

START_TEST(counters)
{
	if (probe("eventfd")) {
		ck_assert_int_eq(p.records, RECORDS_SUM);
		ck_assert_uint_eq(p.holds_messages, UINT64_MAX - 1);
		ck_assert_int_eq(p.blocks, ANSWER_YES);
		ck_assert_int_eq(p.reliable, ANSWER_YES);
	}
	if (probe("sysv-sem")) {
		ck_assert_int_eq(p.records, RECORDS_UNITS);
		ck_assert_uint_eq(p.holds_messages, 32767); /* SEMVMX */
		ck_assert_int_eq(p.full_errno, ERANGE);
		ck_assert_int_eq(p.connectionless, ANSWER_YES);
	}
	if (probe("posix-sem")) {
		ck_assert_uint_eq(p.holds_messages, 2147483647);
		ck_assert_int_eq(p.full_errno, EOVERFLOW);
		ck_assert_int_eq(p.connectionless, ANSWER_NO);
	}
}
END_TEST

START_TEST(a_lock_has_one_holder)
{
	if (!probe("flock"))
		return;
	ck_assert_uint_eq(p.holds_messages, 1);
	ck_assert_int_eq(p.full_errno, EAGAIN);
	ck_assert_int_eq(p.blocks, ANSWER_YES);
}
END_TEST

/* Every kind moves something both ways, and answers about itself. */
START_TEST(every_kind_can_be_measured)
{
	const struct speed_opts o = { .time_ns = 2 * NS_PER_MS };
	size_t cnt;
	const struct duct_kind *const *all = duct_kind__all(&cnt);

	ck_assert_uint_eq(cnt, 18);
	for (size_t i = 0; i < cnt; i++) {
		size_t bytes = all[i]->class == DUCT_DATA ? 100 : all[i]->word_bytes;
		struct latency l = { 0 };
		struct flood f = { 0 };
		int rc = speed__latency(all[i], bytes, &o, &l);

		if (rc == -ENOSYS || rc == -EPERM || rc == -EACCES) {
			printf("skipped: %s: %s\n", all[i]->name, strerror(-rc));
			continue;
		}
		ck_assert_msg(rc == 0, "%s: %s", all[i]->name, strerror(-rc));
		ck_assert_msg(l.round_trips && l.p50_ns > 0 && l.p99_ns >= l.p50_ns, "%s: %g %g",
			      all[i]->name, l.p50_ns, l.p99_ns);
		if (all[i]->flags & DUCT_NO_FLOOD)
			continue;
		rc = speed__flood(all[i], bytes, &o, &f);
		ck_assert_msg(rc == 0 && f.messages_per_s > 0, "%s: %s", all[i]->name, strerror(-rc));
		EXPECT(f.lost >= 0 && f.lost <= 1);
	}
}
END_TEST

START_TEST(what_it_cannot_carry_is_an_error)
{
	const struct speed_opts o = { .time_ns = NS_PER_MS };
	struct latency l;

	ck_assert_int_eq(speed__latency(duct_kind__find("udp"), 100000, &o, &l), -EMSGSIZE);
}
END_TEST

static int end_with_three(void *arg)
{
	return 3;
}

static int never_end(void *arg)
{
	while (true)
		pause();
	return 0;
}

START_TEST(processes_end)
{
	pid_t pid = stage__fork(end_with_three, NULL);

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(stage__await(pid, 10 * NS_PER_S), 3);
	pid = stage__fork(never_end, NULL);
	ck_assert_int_eq(stage__await(pid, NS_PER_MS), -ETIMEDOUT);
	stage__end(pid);
	ck_assert_int_lt(stage__await(pid, NS_PER_MS), 0); /* there is none any more */
	stage__ask_stop();
	pid = stage__fork(never_end, NULL);
	ck_assert_int_eq(stage__await(pid, NS_PER_S), -EINTR);
	stage__end(pid);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_pipe_is_a_stream_that_waits,
		udp_drops_and_says_nothing,
		unix_datagrams_wait,
		packets_need_a_connection,
		tcp_is_a_stream_with_an_urgent_byte,
		posix_queues_have_priorities,
		sysv_queues_select_by_type,
		memory_is_overwritten,
		signals,
		counters,
		a_lock_has_one_holder,
		every_kind_can_be_measured,
		what_it_cannot_carry_is_an_error,
		processes_end,
	};

	return SUITE_RUN("bench_probe", tests);
}
