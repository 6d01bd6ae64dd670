/* SPDX-License-Identifier: GPL-2.0 */
#include "workload/engine_impl.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "workload/uring.h"

/* Ready, then wait for the start. Sleeping and yielding only: a futex or a pipe would be traffic. */
static int meet(struct worker *w)
{
	struct shared *s = w->run->shared;
	unsigned spins = 0;

	atomic_fetch_add(&s->ready, 1);
	while (!atomic_load(&s->go))
		if (worker__relax(w, &spins))
			return -1;
	return 0;
}

static int play(struct worker *w, const struct parts *parts)
{
	w->seat->pid = getpid();
	w->seat->tid = gettid();
	if (parts->open[w->role] && parts->open[w->role](w))
		return -1;
	if (meet(w))
		return -1;
	w->next_ns = now_ns();
	return parts->work[w->role](w);
}

static int run_worker(struct run *r, const struct parts *parts, enum role role, uint32_t index)
{
	const struct workload_opts *o = r->o;
	struct worker w = { .run = r, .role = role, .index = index, .fd = -1 };
	int rc;

	w.seat = run__seat(r, role, index);
	/* splitmix64's increment: neighbouring seeds and indexes must not give neighbouring sequences */
	w.prng = (o->seed * 0x9e3779b97f4a7c15ull) ^
		 (((uint64_t)role << 32 | (index + 1)) * 0xbf58476d1ce4e5b9ull);
	w.prng = w.prng ? w.prng : 1;
	for (int i = 0; i < 8; i++)
		worker__random(&w);
	w.buf_bytes = o->size.max > o->read_size.max ? o->size.max : o->read_size.max;
	if (w.buf_bytes < 65536)
		w.buf_bytes = 65536;
	w.buf = xalloc(w.buf_bytes);
	rc = play(&w, parts);
	if (atomic_fetch_sub(&r->live[role], 1) == 1 && parts->last)
		parts->last(r, role);
	uring__free(w.uring);
	free(w.buf);
	return rc;
}

struct thread_arg {
	struct run *r;
	const struct parts *parts;
	enum role role;
	uint32_t index;
	pthread_t thread;
	int rc;
};

static void *run_thread(void *p)
{
	struct thread_arg *a = p;

	a->rc = run_worker(a->r, a->parts, a->role, a->index);
	return NULL;
}

static int run_threads(struct run *r, const struct parts *parts, unsigned roles)
{
	struct thread_arg *args;
	size_t cnt = 0, started = 0;
	int rc = 0;

	args = xalloc((r->cnt[ROLE_WRITER] + r->cnt[ROLE_READER] + r->cnt[ROLE_MIDDLE]) * sizeof(*args));
	for (int role = 0; role < ROLE_CNT; role++)
		for (uint32_t i = 0; roles & (1u << role) && i < r->cnt[role]; i++)
			args[cnt++] = (struct thread_arg){ .r = r, .parts = parts, .role = role, .index = i };
	for (; started < cnt; started++)
		if (pthread_create(&args[started].thread, NULL, run_thread, &args[started]))
			break;
	if (started < cnt)
		atomic_store(&r->shared->failed, 1);
	for (size_t i = 0; i < started; i++) {
		pthread_join(args[i].thread, NULL);
		rc |= args[i].rc;
	}
	free(args);
	return started < cnt ? -1 : rc;
}

/* One process with these roles; index < 0: all workers of them, as threads. */
static int start_process(struct run *r, const struct parts *parts, unsigned roles, int index)
{
	pid_t parent = getpid(), pid = fork();
	int rc;

	if (pid < 0)
		return run__fail(r, -errno, "cannot fork a worker: %s", strerror(errno));
	if (pid) {
		r->children[r->children_cnt++] = pid;
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (r->o->hold_fd > STDERR_FILENO)
		close(r->o->hold_fd);
	for (int role = 0; role < ROLE_CNT; role++)
		if (roles & (1u << role))
			r->live[role] = index < 0 ? r->cnt[role] : 1;
	if (parts->keep)
		parts->keep(r, roles);
	rc = index < 0 ? run_threads(r, parts, roles)
		       : run_worker(r, parts, (enum role)__builtin_ctz(roles), (uint32_t)index);
	_exit(rc ? 1 : 0);
}

int run__start(struct run *r, const struct parts *parts)
{
	const unsigned both = 1u << ROLE_WRITER | 1u << ROLE_READER;
	bool threads = r->o->threads;
	int rc = 0;

	if (r->o->self)
		rc = start_process(r, parts, both, -1);
	for (int role = 0; role < ROLE_CNT && !rc; role++) {
		if (r->o->self && (both & (1u << role)))
			continue;
		if (threads && r->cnt[role])
			rc = start_process(r, parts, 1u << role, -1);
		for (uint32_t i = 0; !threads && i < r->cnt[role] && !rc; i++)
			rc = start_process(r, parts, 1u << role, (int)i);
	}
	return rc;
}
