/* SPDX-License-Identifier: GPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/out.h"
#include "base/vec.h"
#include "suite.h"

START_TEST(writes_and_reports_nothing)
{
	struct buf err = { 0 };
	struct out o;
	char back[8] = "";
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	out__from_fd(&o, fds[1], "a pipe");
	buf__puts(&o.buf, "hello");
	ck_assert_int_eq(out__commit(&o), 0); /* gathered: no terminal */
	ck_assert_uint_eq(o.buf.len, 5);
	ck_assert_int_eq(out__finish(&o, &err), 0);
	ck_assert_int_eq(read(fds[0], back, sizeof(back)), 5);
	ck_assert_str_eq(back, "hello");
	ck_assert_uint_eq(err.len, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1); /* not ours to close */
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_full_device_is_told_once)
{
	struct buf err = { 0 };
	struct out o;

	ck_assert_int_eq(out__open(&o, "/dev/full", &err), 0);
	buf__puts(&o.buf, "hello");
	ck_assert_int_eq(out__flush(&o), -ENOSPC);
	buf__puts(&o.buf, "more");
	ck_assert_int_eq(out__commit(&o), -ENOSPC);
	ck_assert_int_eq(out__error(&o), -ENOSPC);
	ck_assert_int_eq(out__finish(&o, &err), -ENOSPC);
	ck_assert_str_eq(buf__cstr(&err), "cannot write to /dev/full: No space left on device; "
					  "the output is incomplete, make room or write elsewhere (-o)");
	buf__reset(&err);
	ck_assert_int_eq(out__finish(&o, &err), -ENOSPC);
	ck_assert_uint_eq(err.len, 0);
	buf__free(&err);
}
END_TEST

START_TEST(a_reader_that_went_away_is_no_complaint)
{
	struct buf err = { 0 };
	struct out o;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	out__from_fd(&o, fds[1], "a pipe");
	buf__puts(&o.buf, "hello");
	ck_assert_int_eq(out__finish(&o, &err), -EPIPE);
	ck_assert_uint_eq(err.len, 0);
	close(fds[1]);
}
END_TEST

START_TEST(a_path_that_cannot_be_opened)
{
	struct buf err = { 0 };
	struct out o;

	ck_assert_int_eq(out__open(&o, "/nowhere/\x1b/x", &err), -ENOENT);
	ck_assert_str_eq(buf__cstr(&err),
			 "cannot open for writing /nowhere/\\x1b/x: No such file or directory");
	buf__reset(&err);
	ck_assert_int_eq(out__finish(&o, &err), -ENOENT);
	ck_assert_uint_eq(err.len, 0);
	buf__free(&err);
}
END_TEST

#define MUCH (1024 * 1024)

static void *drain(void *arg)
{
	static char block[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = read(*(int *)arg, block, sizeof(block))) > 0)
		total += (size_t)n;
	return (void *)total;
}

START_TEST(a_non_blocking_pipe_gets_everything)
{
	struct buf err = { 0 };
	pthread_t reader;
	struct out o;
	void *total;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	ck_assert_int_eq(pthread_create(&reader, NULL, drain, &fds[0]), 0);
	out__from_fd(&o, fds[1], "a pipe");
	memset(buf__reserve(&o.buf, MUCH), 'x', MUCH);
	o.buf.len += MUCH;
	ck_assert_int_eq(out__commit(&o), 0);
	ck_assert_int_eq(out__finish(&o, &err), 0);
	close(fds[1]);
	ck_assert_int_eq(pthread_join(reader, &total), 0);
	ck_assert_uint_eq((size_t)total, MUCH);
	close(fds[0]);
}
END_TEST

/* What log__* wrote on standard error while `say` ran. */
static size_t heard(void (*say)(void), char *text, size_t size)
{
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	say();
	dup2(saved, STDERR_FILENO);
	close(fds[1]);
	n = read(fds[0], text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	close(fds[0]);
	close(saved);
	return strlen(text);
}

static void say_some(void)
{
	log__error("cannot %s", "x\x1b[2J");
	log__info("not heard");
	log__set_verbose(1);
	log__info("heard\n");
	log__warn("%d", 3);
}

static void say_much(void)
{
	log__error("%*s", 100000, "x");
}

START_TEST(sentences)
{
	char text[8192];

	heard(say_some, text, sizeof(text));
	ck_assert_str_eq(text, "ipctrace: cannot x?[2J\nipctrace: heard\nipctrace: warning: 3\n");
	ck_assert_uint_le(heard(say_much, text, sizeof(text)), 2048);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(vec_grows)
{
	VEC(int) v = { 0 };

	for (int i = 0; i < 10000; i++)
		vec__push(&v, i);
	ck_assert_uint_eq(v.cnt, 10000);
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(v.v[i], i);
	vec__free(&v);
	ck_assert_ptr_null(v.v);
	ck_assert_uint_eq(v.cap, 0);
}
END_TEST

START_TEST(xstrndup_ends_at_the_end)
{
	char *whole = xstrndup("abc", 10), *part = xstrndup("abc", 2), *none = xstrndup("abc", 0);

	ck_assert_str_eq(whole, "abc");
	ck_assert_str_eq(part, "ab");
	ck_assert_str_eq(none, "");
	free(whole);
	free(part);
	free(none);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		writes_and_reports_nothing,
		a_full_device_is_told_once,
		a_reader_that_went_away_is_no_complaint,
		a_path_that_cannot_be_opened,
		a_non_blocking_pipe_gets_everything,
		sentences,
		vec_grows,
		xstrndup_ends_at_the_end,
	};

	return SUITE_RUN("base/out", tests);
}
