/* SPDX-License-Identifier: GPL-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workload/workload.h"

#define WRITERS 2
#define READERS 2
#define MESSAGES 40
#define BYTES 48

static struct truth truth;
static struct buf err;

static void setup(void)
{
	memset(&truth, 0, sizeof(truth));
	memset(&err, 0, sizeof(err));
}

static void teardown(void)
{
	truth__free(&truth);
	buf__free(&err);
}

static struct workload_opts small(void)
{
	struct workload_opts o = workload_defaults;

	o.writers = WRITERS;
	o.readers = READERS;
	o.messages = MESSAGES;
	o.size = (struct size_range){ BYTES, BYTES };
	return o;
}

static int run(const char *name, const struct workload_opts *o)
{
	const struct workload *wl = workload__find(name);
	int rc;

	ck_assert_msg(wl, "no workload %s", name);
	rc = workload__run(wl, o, &truth, &err);
	if (rc == -ENOSYS)
		printf("skipped: %s\n", buf__cstr(&err));
	else if (rc)
		ck_assert_msg(err.len > 0, "%s fails with %d and no sentence", name, rc);
	return rc;
}

static void run_well(const char *name, const struct workload_opts *o)
{
	int rc = run(name, o);

	ck_assert_msg(rc == 0 || rc == -ENOSYS, "%s: %d: %s", name, rc, buf__cstr(&err));
}

static uint64_t sum_messages(const char *mech)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < truth.cnt; i++)
		if (truth.v[i].kind == TRUTH_FLOW && !strcmp(truth.v[i].mech, mech))
			sum += truth.v[i].messages;
	return sum;
}

static uint64_t sum_bytes(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < truth.cnt; i++)
		sum += truth.v[i].bytes;
	return sum;
}

static size_t cnt_of(enum truth_kind kind)
{
	size_t cnt = 0;

	for (size_t i = 0; i < truth.cnt; i++)
		cnt += truth.v[i].kind == kind;
	return cnt;
}

static bool only_shares(const char *name)
{
	return !strcmp(name, "sysv-shm") || !strcmp(name, "posix-shm");
}

static uint64_t message_bytes(const char *name)
{
	static const char *const no_payload[] = { "signal", "sysv-sem", "posix-sem", "ptrace", "flock" };

	for (size_t i = 0; i < sizeof(no_payload) / sizeof(no_payload[0]); i++)
		if (!strcmp(name, no_payload[i]))
			return 0;
	return strcmp(name, "eventfd") ? BYTES : 8;
}

static void adds_up(const char *name)
{
	if (only_shares(name)) {
		size_t procs = WRITERS + READERS;

		ck_assert_uint_eq(cnt_of(TRUTH_SHARE), procs * (procs - 1) / 2);
		return;
	}
	ck_assert_msg(sum_messages(name) == WRITERS * MESSAGES, "%s: %lu messages", name, sum_messages(name));
	ck_assert_uint_eq(sum_bytes(), WRITERS * MESSAGES * message_bytes(name));
	for (size_t i = 0; i < truth.cnt; i++) {
		ck_assert_int_ne(truth.v[i].src, truth.v[i].dst);
		ck_assert_int_ne(truth.v[i].src, getpid());
		ck_assert_ptr_nonnull(strchr(truth.v[i].object, ':'));
	}
}

static const struct workload *row(int i)
{
	size_t cnt;
	const struct workload *const *rows = workload__all(&cnt);

	return (size_t)i < cnt ? rows[i] : NULL;
}

#define MECHANISMS 18

START_TEST(processes_add_up)
{
	struct workload_opts o = small();
	const char *name = row(_i)->name;

	run_well(name, &o);
	if (!err.len)
		adds_up(name);
}
END_TEST

START_TEST(threads_add_up)
{
	struct workload_opts o = small();
	const char *name = row(_i)->name;

	o.threads = true;
	run_well(name, &o);
	if (err.len)
		return;
	if (only_shares(name))
		ck_assert_uint_eq(cnt_of(TRUTH_SHARE), 1);
	else
		adds_up(name);
}
END_TEST

START_TEST(one_process_alone)
{
	struct workload_opts o = small();

	o.self = true;
	run_well("pipe", &o);
	ck_assert_uint_eq(truth.cnt, 1);
	ck_assert_int_eq(truth.v[0].src, truth.v[0].dst);
	ck_assert_uint_eq(truth.v[0].messages, WRITERS * MESSAGES);
}
END_TEST

START_TEST(there_is_a_row_for_each_mechanism)
{
	size_t cnt;

	workload__all(&cnt);
	ck_assert_uint_eq(cnt, MECHANISMS);
	ck_assert_ptr_null(workload__find("pip"));
	ck_assert_ptr_null(workload__find(""));
}
END_TEST

static const struct variant {
	const char *name;
	uint32_t features;
	uint32_t workers;
	uint64_t messages; /* in all */
} variants[] = {
	{ "pipe", WL_PACKET | WL_VARY, 2, 2 * MESSAGES },
	{ "pipe", WL_URING, 2, 2 * MESSAGES },
	{ "unix-stream", WL_URING | WL_LISTEN, 2, 2 * MESSAGES },
	{ "udp", WL_URING, 2, 2 * MESSAGES },
	{ "signal", WL_STANDARD, 2, 2 * MESSAGES },
	{ "signal", WL_HANDLER, 2, 2 * MESSAGES },
	{ "signal", WL_STANDARD | WL_HANDLER, 2, 2 * MESSAGES },
	{ "signal", WL_SIGNALFD, 2, 2 * MESSAGES },
	{ "sysv-msg", WL_TYPES, 1, MESSAGES },
	{ "sysv-msg", WL_TYPES, 2, 2 * MESSAGES },
	{ "sysv-sem", WL_VARY, 2, 2 * MESSAGES },
	{ "sysv-sem", WL_UNDO, 2,
	  4 * MESSAGES }, /* from the parent to the writers, from them to the readers */
	{ "posix-sem", WL_UNNAMED, 2, 2 * MESSAGES },
	{ "posix-sem", WL_EAGER, 2, 2 * MESSAGES },
	{ "posix-mq", WL_TYPES, 2, 2 * MESSAGES },
	{ "unix-stream", WL_LISTEN | WL_PEEK | WL_PASSFD, 2, 2 * MESSAGES },
	{ "unix-stream", WL_ECHO, 1, 2 * MESSAGES },
	{ "unix-dgram", WL_LISTEN | WL_VARY, 2, 2 * MESSAGES },
	{ "unix-seqpacket", WL_LISTEN | WL_ECHO, 2, 4 * MESSAGES },
	{ "tcp", WL_ECHO | WL_VARY, 2, 4 * MESSAGES },
	{ "udp", WL_PEEK, 2, 2 * MESSAGES },
	{ "pty", WL_ECHO, 1, 2 * MESSAGES },
	{ "ptrace", WL_VM, 2, 2 * MESSAGES },
	{ "flock", WL_POSIX, 2, 2 * MESSAGES },
	{ "flock", WL_OFD, 2, 2 * MESSAGES },
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

START_TEST(variants_add_up)
{
	const struct variant *v = &variants[_i];
	struct workload_opts o = small();

	o.features = v->features;
	o.writers = o.readers = v->workers;
	run_well(v->name, &o);
	if (!err.len)
		ck_assert_msg(sum_messages(v->name) == v->messages, "%s %#x: %lu messages", v->name,
			      v->features, sum_messages(v->name));
}
END_TEST

START_TEST(a_splice_has_two_pipes)
{
	struct workload_opts o = small();
	uint64_t in = 0, out = 0;

	o.features = WL_SPLICE;
	o.readers = 1;
	run_well("pipe", &o);
	ck_assert_uint_eq(truth.cnt, WRITERS + 1);
	for (size_t i = 0; i < truth.cnt; i++)
		*(strcmp(truth.v[i].object, truth.v[0].object) ? &out : &in) += truth.v[i].bytes;
	ck_assert_uint_eq(in, WRITERS * MESSAGES * BYTES);
	ck_assert_uint_eq(out, in);
}
END_TEST

START_TEST(truncated_messages_lose_bytes_only)
{
	struct workload_opts o = small();

	o.read_size = (struct size_range){ 10, 10 };
	run_well("unix-dgram", &o);
	ck_assert_uint_eq(sum_messages("unix-dgram"), WRITERS * MESSAGES);
	ck_assert_uint_eq(sum_bytes(), WRITERS * MESSAGES * 10);
}
END_TEST

/* More than a pipe holds: writes come back short, and each counts. */
START_TEST(parts_are_messages)
{
	struct workload_opts o = small();

	o.features = WL_NONBLOCK;
	o.readers = 1;
	o.size = (struct size_range){ 200000, 200000 };
	run_well("pipe", &o);
	ck_assert_uint_gt(sum_messages("pipe"), WRITERS * MESSAGES);
	ck_assert_uint_eq(sum_bytes(), WRITERS * MESSAGES * 200000);
}
END_TEST

START_TEST(a_seed_decides_all_sizes)
{
	struct workload_opts o = small();
	uint64_t first;

	o.size = (struct size_range){ 1, 3000 };
	run_well("pipe", &o);
	first = sum_bytes();
	teardown();
	setup();
	run_well("pipe", &o);
	ck_assert_uint_eq(sum_bytes(), first);
	teardown();
	setup();
	o.seed = 2;
	run_well("pipe", &o);
	ck_assert_uint_ne(sum_bytes(), first);
}
END_TEST

START_TEST(impossible_wishes_are_refused)
{
	struct workload_opts o = small();

	o.features = WL_PASSFD;
	ck_assert_int_eq(run("pipe", &o), -EINVAL);
	o = small();
	o.writers = 128;
	ck_assert_int_eq(run("pipe", &o), -EINVAL);
	o = small();
	o.features = WL_SPLICE; /* and two readers */
	ck_assert_int_eq(run("pipe", &o), -EINVAL);
	o = small();
	o.size.min = 0;
	ck_assert_int_eq(run("pipe", &o), -EINVAL);
	ck_assert_uint_eq(truth.cnt, 0);
}
END_TEST

START_TEST(what_does_not_finish_is_ended)
{
	struct workload_opts o = small();

	o.rate = 1;
	o.timeout_ns = 20000000;
	ck_assert_int_eq(run("fifo", &o), -ETIMEDOUT);
	ck_assert_uint_eq(truth.cnt, 0);
}
END_TEST

/* A datagram larger than the kernel takes: the worker's sentence reaches the caller. */
#define AGAIN 20 /* who sees that it failed before it has said so does not see it each time */

START_TEST(a_worker_that_fails_says_why)
{
	struct workload_opts o = small();

	o.size = (struct size_range){ 8 << 20, 8 << 20 };
	ck_assert_int_eq(run("unix-dgram", &o), -EIO);
	ck_assert_ptr_nonnull(strstr(buf__cstr(&err), "cannot send"));
}
END_TEST

START_TEST(truth_adds_to_the_same_line)
{
	truth__add(&truth, TRUTH_FLOW, 1, 2, "pipe", "pipe:[3]", 4, 5);
	truth__add(&truth, TRUTH_FLOW, 1, 2, "pipe", "pipe:[3]", 6, 7);
	truth__add(&truth, TRUTH_FLOW, 2, 1, "pipe", "pipe:[3]", 1, 1);
	truth__add(&truth, TRUTH_SHARE, 1, 2, "pipe", "pipe:[3]", 0, 0);
	ck_assert_uint_eq(truth.cnt, 3);
	ck_assert_uint_eq(truth.v[0].messages, 10);
	ck_assert_uint_eq(truth.v[0].bytes, 12);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("workload");
	TCase *tc = tcase_create("workload");
	SRunner *sr = srunner_create(s);
	int ran, failed;

	tcase_set_timeout(tc, 100);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, processes_add_up, 0, MECHANISMS);
	tcase_add_loop_test(tc, threads_add_up, 0, MECHANISMS);
	tcase_add_loop_test(tc, variants_add_up, 0, VARIANTS);
	tcase_add_test(tc, one_process_alone);
	tcase_add_test(tc, there_is_a_row_for_each_mechanism);
	tcase_add_test(tc, a_splice_has_two_pipes);
	tcase_add_test(tc, truncated_messages_lose_bytes_only);
	tcase_add_test(tc, parts_are_messages);
	tcase_add_test(tc, a_seed_decides_all_sizes);
	tcase_add_test(tc, impossible_wishes_are_refused);
	tcase_add_test(tc, what_does_not_finish_is_ended);
	tcase_add_loop_test(tc, a_worker_that_fails_says_why, 0, AGAIN);
	tcase_add_test(tc, truth_adds_to_the_same_line);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	ran = srunner_ntests_run(sr);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return ran == 0 || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
