/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sysv-sem: a set with one semaphore per writer, so a reader knows whose units it takes. With --undo a
 * writer takes the units that the parent set, and its end gives them back: then they are the writer's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sem.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

#define WINDOW 1000 /* units not yet taken: far below SEMVMX, far above what readers want at once */
#define UNITS_AT_ONCE 4
#define SEM_VALUE_MAX_SYSV 32767

static int set_of(const struct worker *w)
{
	return *(int *)w->run->priv;
}

static int change(struct worker *w, uint32_t num, int by, int flags)
{
	struct sembuf op = { .sem_num = (unsigned short)num, .sem_op = (short)by, .sem_flg = (short)flags };

	if (!semop(set_of(w), &op, 1))
		return 0;
	return worker__fail(w, "cannot change semaphore %u by %d: %s", num, by, strerror(errno));
}

/* 1, or with --vary up to four, but never more than there are. */
static uint64_t some(struct worker *w, uint64_t left)
{
	uint64_t n = w->run->o->features & WL_VARY ? 1 + worker__random(w) % UNITS_AT_ONCE : 1;

	return n < left ? n : left;
}

static int post_units(struct worker *w)
{
	uint64_t messages = w->run->o->messages;

	for (uint64_t sent = 0, n; sent < messages; sent += n) {
		n = some(w, messages - sent);
		worker__pace(w);
		if (worker__await_room(w, sent, WINDOW) || change(w, w->index, (int)n, 0))
			return -1;
	}
	return 0;
}

static int take_with_undo(struct worker *w)
{
	if (change(w, w->index, -(int)w->run->o->messages, SEM_UNDO))
		return -1;
	atomic_store(&w->seat->progress, 1); /* its end is the post */
	return 0;
}

static int take_units(struct worker *w)
{
	uint32_t writers = w->run->cnt[ROLE_WRITER];
	uint64_t left[WRITERS_MAX], todo = worker__all_turns(w);

	/* Readers may not take what the parent set: the writer has it first. */
	if (w->run->o->features & WL_UNDO && worker__await_writers(w))
		return -1;
	for (uint32_t i = 0; i < writers; i++)
		left[i] = worker__turns(w, i);
	for (uint32_t i = 0; todo; i = (i + 1) % writers) {
		uint64_t n = some(w, left[i]);

		if (!n)
			continue;
		if (change(w, i, -(int)n, 0))
			return -1;
		cell__add(run__cell(w->run, w->index, i), n, 0);
		left[i] -= n;
		todo -= n;
	}
	return 0;
}

static void name_set(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	snprintf(name, OBJECT_NAME_LEN, "sem:%d", *(int *)r->priv);
}

static int set_all(struct run *r, int id)
{
	unsigned short values[WRITERS_MAX];

	if (r->o->threads || r->o->self)
		return run__fail(r, -EINVAL, "--undo needs processes: threads share what they undo");
	if (r->o->messages > SEM_VALUE_MAX_SYSV)
		return run__fail(r, -EINVAL, "--undo takes at most %d messages", SEM_VALUE_MAX_SYSV);
	for (uint32_t i = 0; i < r->cnt[ROLE_WRITER]; i++)
		values[i] = (unsigned short)r->o->messages;
	if (semctl(id, 0, SETALL, values) < 0)
		return run__fail(r, -errno, "cannot set the semaphores: %s", strerror(errno));
	return 0;
}

/* SETALL's units belong to its caller, this process. */
static void add_set(struct run *r)
{
	char name[OBJECT_NAME_LEN];

	name_set(r, 0, 0, name);
	for (uint32_t i = 0; i < r->cnt[ROLE_WRITER]; i++)
		truth__add(r->truth, TRUTH_FLOW, getpid(), run__seat(r, ROLE_WRITER, i)->pid, r->wl->name,
			   name, r->o->messages, 0);
}

static int run_sem(struct run *r)
{
	bool undo = r->o->features & WL_UNDO;
	struct parts parts = { .name = name_set, .work = { undo ? take_with_undo : post_units, take_units } };
	int id = semget(IPC_PRIVATE, (int)r->cnt[ROLE_WRITER], 0600), rc;

	if (id < 0)
		return run__fail(r, -errno, "cannot make a semaphore set: %s", strerror(errno));
	r->priv = &id;
	rc = undo ? set_all(r, id) : 0;
	if (!rc)
		rc = run__go(r, &parts);
	if (!rc && undo)
		add_set(r);
	semctl(id, 0, IPC_RMID);
	return rc;
}

const struct workload workload_sysv_sem = {
	.name = "sysv-sem",
	.help = "writers post units, readers take them; a semaphore per writer in one set",
	.takes = WL_UNDO | WL_VARY,
	.run = run_sem,
};
