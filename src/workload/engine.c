/* SPDX-License-Identifier: GPL-2.0 */
#include "workload/engine_impl.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

int run__fail(struct run *r, int code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (r->err->len)
		return code;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf__puts(r->err, text);
	return code;
}

int worker__fail(struct worker *w, const char *fmt, ...)
{
	struct shared *s = w->run->shared;
	va_list ap;

	if (atomic_exchange(&s->failing, 1)) {
		while (!worker__aborted(w))
			sched_yield();
		return -1;
	}
	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	atomic_store(&s->failed, 1);
	return -1;
}

bool worker__aborted(const struct worker *w)
{
	return atomic_load(&w->run->shared->failed);
}

void run__set_cnt(struct run *r, enum role role, uint32_t cnt)
{
	r->cnt[role] = cnt;
}

struct seat *run__seat(struct run *r, enum role role, uint32_t index)
{
	for (int i = 0; i < (int)role; i++)
		index += r->cnt[i];
	return &r->shared->seats[index];
}

static struct cell *cells(struct run *r)
{
	return (struct cell *)run__seat(r, ROLE_CNT, 0);
}

struct cell *run__cell(struct run *r, uint32_t reader, uint32_t writer)
{
	return &cells(r)[(size_t)reader * r->cnt[ROLE_WRITER] + writer];
}

struct cell *run__back_cell(struct run *r, uint32_t reader, uint32_t writer)
{
	return run__cell(r, r->cnt[ROLE_READER] + reader, writer);
}

_Atomic uint64_t *run__prefill_taken(struct run *r)
{
	return &r->shared->prefill_taken;
}

uint64_t run__total(const struct run *r)
{
	return r->o->messages * r->cnt[ROLE_WRITER];
}

static int map_shared(struct run *r)
{
	size_t seats = r->cnt[ROLE_WRITER] + r->cnt[ROLE_READER] + r->cnt[ROLE_MIDDLE];
	size_t cell_cnt = (size_t)2 * r->cnt[ROLE_READER] * r->cnt[ROLE_WRITER];

	r->shared_bytes =
		sizeof(struct shared) + seats * sizeof(struct seat) + cell_cnt * sizeof(struct cell);
	r->shared = mmap(NULL, r->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared != MAP_FAILED)
		return 0;
	r->shared = NULL;
	return run__fail(r, -errno, "cannot share %zu bytes with the workers: %s", r->shared_bytes,
			 strerror(errno));
}

static void kill_children(struct run *r)
{
	for (size_t i = 0; i < r->children_cnt; i++)
		kill(r->children[i], SIGKILL);
	for (size_t i = 0; i < r->children_cnt; i++)
		waitpid(r->children[i], NULL, 0);
	r->children_cnt = 0;
}

static void nap(void)
{
	struct timespec ts = { .tv_nsec = 500000 };

	nanosleep(&ts, NULL);
}

static int check_time(struct run *r, uint64_t deadline_ns)
{
	if (run__stop_asked())
		return run__fail(r, -EINTR, "%s: stopped", r->wl->name);
	if (atomic_load(&r->shared->failed))
		return run__fail(r, -EIO, "%s: %s", r->wl->name,
				 r->shared->error[0] ? r->shared->error : "a worker failed");
	if (now_ns() > deadline_ns)
		return run__fail(r, -ETIMEDOUT, "%s: not finished in time; allow more with --timeout",
				 r->wl->name);
	return 0;
}

/* Takes child i out of the list when it has ended. */
static int reap(struct run *r, size_t i)
{
	int status;
	pid_t pid = waitpid(r->children[i], &status, WNOHANG);

	if (pid == 0)
		return 0;
	r->children[i] = r->children[--r->children_cnt];
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	if (r->shared->error[0])
		return run__fail(r, -EIO, "%s: %s", r->wl->name, r->shared->error);
	if (pid > 0 && WIFSIGNALED(status))
		return run__fail(r, -EIO, "%s: a worker was ended by signal %d", r->wl->name,
				 WTERMSIG(status));
	return run__fail(r, -EIO, "%s: a worker failed", r->wl->name);
}

static int wait_all(struct run *r, uint64_t deadline_ns)
{
	while (r->children_cnt) {
		bool some = false;

		for (size_t i = 0; i < r->children_cnt;) {
			int rc = reap(r, i);

			if (rc < 0)
				return rc;
			some |= rc;
			i += !rc;
		}
		if (!some) {
			int rc = check_time(r, deadline_ns);

			if (rc)
				return rc;
			nap();
		}
	}
	return 0;
}

static int start_when_ready(struct run *r, uint64_t deadline_ns)
{
	uint32_t all = r->cnt[ROLE_WRITER] + r->cnt[ROLE_READER] + r->cnt[ROLE_MIDDLE];
	int rc;

	while (atomic_load(&r->shared->ready) < all) {
		for (size_t i = 0; i < r->children_cnt; i++) {
			rc = reap(r, i);
			if (rc)
				return rc < 0 ? rc
					      : run__fail(r, -EIO, "%s: a worker left early", r->wl->name);
		}
		rc = check_time(r, deadline_ns);
		if (rc)
			return rc;
		nap();
	}
	if (r->o->hold_fd >= 0 && r->o->hold_late) {
		rc = run__hold(r);
		if (rc)
			return rc;
	}
	atomic_store(&r->shared->go, 1);
	return 0;
}

static uint64_t timeout_ns(const struct workload_opts *o)
{
	uint64_t t = 60 * NSEC_PER_SEC;

	if (o->timeout_ns)
		return o->timeout_ns;
	if (o->rate)
		t += o->messages * NSEC_PER_SEC / o->rate;
	return t;
}

/* The only reader of this writer's bytes, or -1. */
static int only_reader(struct run *r, uint32_t writer)
{
	int only = -1;

	for (uint32_t i = 0; i < r->cnt[ROLE_READER]; i++) {
		if (!run__cell(r, i, writer)->bytes)
			continue;
		if (only >= 0)
			return -1;
		only = (int)i;
	}
	return only;
}

/* Ends of writes without a mark lie somewhere in the writer's bytes: whoever took them all took these, too. */
static int add_unmarked(struct run *r, uint32_t writer)
{
	uint64_t unmarked = run__seat(r, ROLE_WRITER, writer)->unmarked;
	int reader = only_reader(r, writer);

	if (!unmarked)
		return 0;
	if (reader < 0)
		return run__fail(r, -EINVAL,
				 "%s: writes went out in parts, and of several readers nobody knows who "
				 "took a part's end; use one reader or smaller messages",
				 r->wl->name);
	run__cell(r, (uint32_t)reader, writer)->messages += unmarked;
	return 0;
}

static void collect_cell(struct run *r, const struct parts *parts, uint32_t reader, uint32_t writer)
{
	struct cell *c = run__cell(r, reader, writer), *back = run__back_cell(r, reader, writer);
	pid_t src = run__seat(r, ROLE_WRITER, writer)->pid, dst = run__seat(r, ROLE_READER, reader)->pid;
	char name[OBJECT_NAME_LEN];

	if (!c->messages && !c->bytes && !back->messages && !back->bytes)
		return;
	parts->name(r, reader, writer, name);
	if (c->messages || c->bytes)
		truth__add(r->truth, TRUTH_FLOW, src, dst, r->wl->name, name, c->messages, c->bytes);
	if (back->messages || back->bytes)
		truth__add(r->truth, TRUTH_FLOW, dst, src, r->wl->name, name, back->messages, back->bytes);
}

static int collect(struct run *r, const struct parts *parts)
{
	for (uint32_t i = 0; i < r->cnt[ROLE_WRITER]; i++) {
		int rc = add_unmarked(r, i);

		if (rc)
			return rc;
	}
	for (uint32_t i = 0; parts->name && i < r->cnt[ROLE_READER]; i++)
		for (uint32_t j = 0; j < r->cnt[ROLE_WRITER]; j++)
			collect_cell(r, parts, i, j);
	return 0;
}

int run__go(struct run *r, const struct parts *parts)
{
	uint64_t deadline_ns;
	int rc;

	rc = map_shared(r);
	if (rc)
		return rc;
	r->children =
		xalloc((r->cnt[ROLE_WRITER] + r->cnt[ROLE_READER] + r->cnt[ROLE_MIDDLE]) * sizeof(pid_t));
	rc = run__start(r, parts);
	if (parts->keep)
		parts->keep(r, 0);
	deadline_ns = now_ns() + timeout_ns(r->o);
	if (!rc)
		rc = start_when_ready(r, r->o->hold_late ? UINT64_MAX : deadline_ns);
	if (!rc && r->o->hold_late)
		deadline_ns = now_ns() + timeout_ns(r->o);
	if (!rc && parts->parent)
		rc = parts->parent(r);
	if (!rc)
		rc = wait_all(r, deadline_ns);
	kill_children(r);
	if (!rc)
		rc = collect(r, parts);
	free(r->children);
	r->children = NULL;
	return rc;
}
