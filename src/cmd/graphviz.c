/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/graphviz.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/out.h"

#define PROGRAM "dot" /* the graph itself says layout=sfdp where it is large */
#define TIME_LIMIT_MS 120000
#define COMPLAINT_BYTES 160

extern char **environ;

static bool is_program(const char *directory, size_t len)
{
	char path[4096];

	return snprintf(path, sizeof(path), "%.*s/" PROGRAM, (int)len, directory) < (int)sizeof(path) &&
	       access(path, X_OK) == 0;
}

int graphviz__check(const char *format, struct buf *err)
{
	const char *path = getenv("PATH");

	for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
		size_t len = strcspn(at, ":");

		if (len && is_program(at, len))
			return 0;
		at += len + (at[len] == ':');
	}
	buf__printf(err,
		    "%s is drawn by Graphviz, and there is no '" PROGRAM "' here: install graphviz, or take "
		    "-F html, which needs nothing",
		    format);
	return -ENOENT;
}

/* Files without names: nobody has to write and read at the same time. */
struct drawing {
	int in, out, complaints;
	pid_t pid;
};

static int write_all(int fd, const struct buf *text)
{
	struct out out;
	struct buf err = { 0 };
	int ret;

	out__from_fd(&out, fd, "the graph");
	buf__put(&out.buf, text->data, text->len);
	ret = out__finish(&out, &err);
	buf__free(&err);
	return ret ? ret : lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int read_all(int fd, struct buf *text, size_t max)
{
	ssize_t got;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	buf__reset(text);
	while (text->len < max && (got = read(fd, buf__reserve(text, 65536), 65536)) > 0)
		text->len += (size_t)got;
	return text->len < max && got < 0 ? -errno : 0;
}

static int start(struct drawing *d, const char *format)
{
	char type[8];
	char *argv[] = { PROGRAM, type, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipe;
	int ret;

	snprintf(type, sizeof(type), "-T%s", format);
	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, d->in, 0);
	posix_spawn_file_actions_adddup2(&files, d->out, 1);
	posix_spawn_file_actions_adddup2(&files, d->complaints, 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	ret = posix_spawnp(&d->pid, PROGRAM, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -ret;
}

/* 0: it ended well. -ETIME: it did not end, and was ended. -EBADMSG: it complained. */
static int wait_for(struct drawing *d)
{
	int fd = (int)syscall(SYS_pidfd_open, d->pid, 0), status, ready = 1;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd >= 0) {
		do
			ready = poll(&p, 1, TIME_LIMIT_MS);
		while (ready < 0 && errno == EINTR);
		close(fd);
	}
	if (ready == 0)
		kill(d->pid, SIGKILL);
	while (waitpid(d->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ready == 0)
		return -ETIME;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBADMSG;
}

static void keep_text(const struct buf *text, struct buf *err)
{
	const char *directory = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/ipctrace-graph-XXXXXX.dot", directory ? directory : "/tmp");
	fd = mkstemps(path, 4);
	if (fd < 0)
		return;
	if (write_all(fd, text) == 0)
		buf__printf(err, "; the graph is in %s", path);
	close(fd);
}

static void complain(const struct drawing *d, int ret, const struct buf *text, struct buf *err)
{
	struct buf words = { 0 };

	buf__puts(err, "Graphviz could not draw the graph: ");
	if (ret == -ETIME) {
		buf__printf(err, "it was not ready after %d s (--top, --hide or --fold make it smaller)",
			    TIME_LIMIT_MS / 1000);
	} else if (ret == -EBADMSG && read_all(d->complaints, &words, COMPLAINT_BYTES) == 0 && words.len) {
		char *end = memchr(words.data, '\n', words.len);
		size_t len = end ? (size_t)(end - words.data) : words.len;

		escape__terminal(err, words.data, len < COMPLAINT_BYTES ? len : COMPLAINT_BYTES);
	} else {
		buf__puts(err, ret == -EBADMSG ? "it gave no reason" : strerror(-ret));
	}
	buf__free(&words);
	keep_text(text, err);
}

int graphviz__draw(const char *format, struct buf *text, struct buf *err)
{
	struct drawing d = {
		.in = memfd_create("ipctrace dot", MFD_CLOEXEC),
		.out = memfd_create("ipctrace picture", MFD_CLOEXEC),
		.complaints = memfd_create("ipctrace complaints", MFD_CLOEXEC),
	};
	int ret = d.in < 0 || d.out < 0 || d.complaints < 0 ? -errno : 0;

	if (!ret)
		ret = write_all(d.in, text);
	if (!ret)
		ret = start(&d, format);
	if (!ret)
		ret = wait_for(&d);
	if (ret)
		complain(&d, ret, text, err);
	else
		ret = read_all(d.out, text, SIZE_MAX);
	if (d.in >= 0)
		close(d.in);
	if (d.out >= 0)
		close(d.out);
	if (d.complaints >= 0)
		close(d.complaints);
	return ret;
}
