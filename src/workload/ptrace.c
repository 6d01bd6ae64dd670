/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ptrace: writers trace readers in turn, in sessions of a few requests; a reader cannot know, so the tracer
 * counts. --vm: process_vm_readv and process_vm_writev instead, in both directions.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "workload/engine.h"
#include "workload/table.h"

#define SESSION 10 /* requests from attach to detach */
#define READER_MARK 0xa5

/* Where the reader's buffer is in its memory. */
static int offer(struct worker *w)
{
	memset(w->buf, READER_MARK, w->buf_bytes);
	snprintf(w->seat->note, sizeof(w->seat->note), "%p", (void *)w->buf);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* where Yama wants it; EINVAL elsewhere */
	return 0;
}

static int lock_seat(struct worker *w, struct seat *seat)
{
	unsigned spins = 0;

	while (atomic_exchange(&seat->turn, 1)) /* a task has one tracer at a time */
		if (worker__relax(w, &spins))
			return -1;
	return 0;
}

static int request(struct worker *w, uint32_t reader, enum __ptrace_request req, void *addr)
{
	struct seat *seat = run__seat(w->run, ROLE_READER, reader);

	worker__pace(w);
	errno = 0;
	if (ptrace(req, seat->tid, addr, NULL) == -1 && errno)
		return worker__fail(w, "ptrace request %#x to process %d: %s", (unsigned)req, seat->pid,
				    strerror(errno));
	cell__add(run__cell(w->run, reader, w->index), 1, 0);
	return 0;
}

static int trace(struct worker *w, uint32_t reader, uint64_t requests)
{
	struct seat *seat = run__seat(w->run, ROLE_READER, reader);
	void *addr = (void *)strtoul(seat->note, NULL, 16);
	bool seize = requests > 2 && worker__random(w) & 1;
	int status;

	if (request(w, reader, seize ? PTRACE_SEIZE : PTRACE_ATTACH, NULL))
		return -1;
	if (seize && request(w, reader, PTRACE_INTERRUPT, NULL))
		return -1;
	if (waitpid(seat->tid, &status, __WALL) != seat->tid || !WIFSTOPPED(status))
		return worker__fail(w, "process %d did not stop for its tracer", seat->pid);
	for (uint64_t i = 2u + seize; i < requests; i++)
		if (request(w, reader, PTRACE_PEEKDATA, addr))
			return -1;
	return request(w, reader, PTRACE_DETACH, NULL);
}

static int trace_all(struct worker *w)
{
	uint64_t left = w->run->o->messages;
	uint32_t reader = w->index % w->run->cnt[ROLE_READER];

	while (left) {
		uint64_t n = left <= SESSION ? left : left == SESSION + 1 ? SESSION - 1 : SESSION;
		struct seat *seat = run__seat(w->run, ROLE_READER, reader);
		int rc = lock_seat(w, seat) ? -1 : trace(w, reader, n);

		atomic_store(&seat->turn, 0);
		if (rc)
			return rc;
		left -= n;
		reader = (reader + 1) % w->run->cnt[ROLE_READER];
	}
	atomic_store(&w->seat->progress, 1);
	return 0;
}

static int copy_once(struct worker *w, uint32_t reader)
{
	struct seat *seat = run__seat(w->run, ROLE_READER, reader);
	size_t bytes = worker__size(w);
	struct iovec mine = { .iov_base = w->buf, .iov_len = bytes };
	struct iovec theirs = { .iov_base = (void *)strtoul(seat->note, NULL, 16), .iov_len = bytes };
	bool get = worker__random(w) & 1;
	ssize_t n;

	memset(w->buf, get ? 0 : READER_MARK, bytes);
	n = get ? process_vm_readv(seat->pid, &mine, 1, &theirs, 1, 0)
		: process_vm_writev(seat->pid, &mine, 1, &theirs, 1, 0);
	if (n < 0)
		return worker__fail(w, "cannot copy %zu bytes: %s", bytes, strerror(errno));
	if ((size_t)n != bytes || w->buf[bytes - 1] != READER_MARK)
		return worker__fail(w, "copied %zd bytes of %zu, or not what was there", n, bytes);
	cell__add(get ? run__back_cell(w->run, reader, w->index) : run__cell(w->run, reader, w->index), 1,
		  (uint64_t)n);
	return 0;
}

static int copy_all(struct worker *w)
{
	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		worker__pace(w);
		if (copy_once(w, (uint32_t)((w->index + i) % w->run->cnt[ROLE_READER])))
			return -1;
	}
	atomic_store(&w->seat->progress, 1);
	return 0;
}

static void name_target(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	snprintf(name, OBJECT_NAME_LEN, "ptrace:%d", run__seat(r, ROLE_READER, reader)->pid);
}

static int run_ptrace(struct run *r)
{
	bool vm = r->o->features & WL_VM;
	struct parts parts = {
		.name = name_target,
		.open[ROLE_READER] = offer,
		.work = { vm ? copy_all : trace_all,
			  worker__await_writers }, /* who is traced has only to be there */
	};

	if (!vm && r->o->messages < 2)
		return run__fail(r, -EINVAL, "ptrace needs at least 2 messages: attach and detach");
	if (!vm && r->o->self)
		return run__fail(r, -EINVAL,
				 "ptrace does not work with --self: a process cannot trace itself");
	return run__go(r, &parts);
}

const struct workload workload_ptrace = {
	.name = "ptrace",
	.help = "writers trace readers; --vm: copy from and to their memory",
	.takes = WL_VM,
	.run = run_ptrace,
};
