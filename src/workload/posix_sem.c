/* SPDX-License-Identifier: GPL-2.0 */
/*
 * posix-sem: a semaphore for each writer and reader, and a post only when the reader sleeps on it: so each operation
 * needs the kernel, and all can be traced without probes in the C library. With --eager a semaphore per writer, which all
 * readers share, and posts ahead of the waits. Named, or with --unnamed in one shared anonymous mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

#define WINDOW 1000 /* units posted ahead with --eager */

struct sems {
	char path[180]; /* "" with --unnamed */
	sem_t *unnamed; /* array, one per writer */
	size_t unnamed_bytes;
	char map_id[64]; /* DEV:INODE of that mapping */
	uint32_t made;
};

static bool is_eager(const struct run *r)
{
	return r->o->features & WL_EAGER;
}

static uint32_t sem_cnt(const struct run *r)
{
	return r->cnt[ROLE_WRITER] * (is_eager(r) ? 1 : r->cnt[ROLE_READER]);
}

static uint32_t index_of(const struct run *r, uint32_t writer, uint32_t reader)
{
	return is_eager(r) ? writer : writer * r->cnt[ROLE_READER] + reader;
}

static void path_of(const struct sems *s, uint32_t index, char *path, size_t size)
{
	snprintf(path, size, "%s.%u", s->path, index);
}

static sem_t *open_sem(struct worker *w, uint32_t writer, uint32_t reader)
{
	struct sems *s = w->run->priv;
	char path[200];
	sem_t *sem;

	if (s->unnamed)
		return &s->unnamed[index_of(w->run, writer, reader)];
	path_of(s, index_of(w->run, writer, reader), path, sizeof(path));
	sem = sem_open(path, 0);
	if (sem != SEM_FAILED)
		return sem;
	worker__fail(w, "cannot open the semaphore %s: %s", path, strerror(errno));
	return NULL;
}

/* Message k of writer w goes to reader (w + k) % readers. */
static uint32_t reader_of(const struct run *r, uint32_t writer, uint64_t k)
{
	return (writer + k) % r->cnt[ROLE_READER];
}

static uint64_t ticket(uint32_t writer, uint64_t k)
{
	return (k * WRITERS_MAX + writer) + 1;
}

static bool is_asleep(pid_t tid)
{
	char path[64], line[128], *name_end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	name_end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	return name_end && name_end[1] && name_end[2] == 'S';
}

/* It says which unit it wants next; asleep after that, it is in sem_wait(). */
static int await_sleeper(struct worker *w, uint32_t reader, uint64_t k)
{
	struct seat *seat = run__seat(w->run, ROLE_READER, reader);
	unsigned spins = 0;

	while (atomic_load(&seat->progress) != ticket(w->index, k) || !is_asleep(seat->tid))
		if (worker__relax(w, &spins))
			return -1;
	return 0;
}

static int post_to_sleepers(struct worker *w)
{
	sem_t *sems[READERS_MAX];

	for (uint32_t i = 0; i < w->run->cnt[ROLE_READER]; i++) {
		sems[i] = open_sem(w, w->index, i);
		if (!sems[i])
			return -1;
	}
	for (uint64_t k = 0; k < w->run->o->messages; k++) {
		uint32_t reader = reader_of(w->run, w->index, k);

		worker__pace(w);
		if (await_sleeper(w, reader, k))
			return -1;
		if (sem_post(sems[reader]))
			return worker__fail(w, "cannot post: %s", strerror(errno));
	}
	return 0;
}

static int post_ahead(struct worker *w)
{
	sem_t *sem = open_sem(w, w->index, 0);

	if (!sem)
		return -1;
	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		worker__pace(w);
		if (worker__await_room(w, i, WINDOW))
			return -1;
		if (sem_post(sem))
			return worker__fail(w, "cannot post: %s", strerror(errno));
	}
	return 0;
}

static int post_units(struct worker *w)
{
	return is_eager(w->run) ? post_ahead(w) : post_to_sleepers(w);
}

static int take_one(struct worker *w, uint32_t writer, sem_t *sem)
{
	while (sem_wait(sem))
		if (errno != EINTR)
			return worker__fail(w, "cannot wait: %s", strerror(errno));
	cell__add(run__cell(w->run, w->index, writer), 1, 0);
	return 0;
}

static int take_any(struct worker *w, sem_t *const *sems)
{
	uint32_t writers = w->run->cnt[ROLE_WRITER];
	uint64_t left[WRITERS_MAX], todo = worker__all_turns(w);

	for (uint32_t i = 0; i < writers; i++)
		left[i] = worker__turns(w, i);
	for (uint32_t i = 0; todo; i = (i + 1) % writers) {
		if (!left[i])
			continue;
		if (take_one(w, i, sems[i]))
			return -1;
		left[i]--;
		todo--;
	}
	return 0;
}

/* Writers and readers keep to one order of all messages, or they would wait for each other in a circle. */
static int take_in_order(struct worker *w, sem_t *const *sems)
{
	for (uint64_t k = 0; k < w->run->o->messages; k++)
		for (uint32_t i = 0; i < w->run->cnt[ROLE_WRITER]; i++) {
			if (reader_of(w->run, i, k) != w->index)
				continue;
			atomic_store(&w->seat->progress, ticket(i, k));
			if (take_one(w, i, sems[i]))
				return -1;
		}
	return 0;
}

static int take_units(struct worker *w)
{
	sem_t *sems[WRITERS_MAX];

	for (uint32_t i = 0; i < w->run->cnt[ROLE_WRITER]; i++) {
		sems[i] = open_sem(w, i, w->index);
		if (!sems[i])
			return -1;
	}
	return is_eager(w->run) ? take_any(w, sems) : take_in_order(w, sems);
}

static void name_sem(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct sems *s = r->priv;
	char path[200];

	path_of(s, index_of(r, writer, reader), path, sizeof(path));
	if (s->unnamed)
		snprintf(name, OBJECT_NAME_LEN, "psem:[%s+%zu]", s->map_id,
			 index_of(r, writer, reader) * sizeof(sem_t));
	else
		snprintf(name, OBJECT_NAME_LEN, "psem:%s", path);
}

/* The kernel's name of an anonymous shared mapping stands only in maps. */
static void find_map(struct sems *s)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long start, end, ino;
	unsigned maj, min;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %*x %x:%x %lu", &start, &end, &maj, &min, &ino) == 5 &&
		    start <= (unsigned long)s->unnamed && end > (unsigned long)s->unnamed)
			snprintf(s->map_id, sizeof(s->map_id), "%u:%lu", maj << 20 | min,
				 ino); /* as in the kernel */
	if (f)
		fclose(f);
}

static int make_unnamed(struct run *r, struct sems *s)
{
	s->unnamed_bytes = sizeof(sem_t) * sem_cnt(r);
	s->unnamed = mmap(NULL, s->unnamed_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->unnamed == MAP_FAILED) {
		s->unnamed = NULL;
		return run__fail(r, -errno, "cannot share memory: %s", strerror(errno));
	}
	for (uint32_t i = 0; i < sem_cnt(r); i++)
		sem_init(&s->unnamed[i], 1, 0);
	find_map(s);
	return 0;
}

static int make_named(struct run *r, struct sems *s)
{
	char path[200];

	snprintf(s->path, sizeof(s->path), "/ipctrace-sem.%d", getpid());
	if (r->o->object)
		snprintf(s->path, sizeof(s->path), "%s", r->o->object);
	for (; s->made < sem_cnt(r); s->made++) {
		sem_t *sem;

		path_of(s, s->made, path, sizeof(path));
		sem = sem_open(path, O_CREAT | O_EXCL, 0600, 0);
		if (sem == SEM_FAILED)
			return run__fail(r, -errno, "cannot make the semaphore %s: %s", path,
					 strerror(errno));
		sem_close(sem);
	}
	return 0;
}

static void remove_all(struct sems *s)
{
	char path[200];

	for (uint32_t i = 0; i < s->made; i++) {
		path_of(s, i, path, sizeof(path));
		sem_unlink(path);
	}
	if (s->unnamed)
		munmap(s->unnamed, s->unnamed_bytes);
}

static int run_sem(struct run *r)
{
	struct parts parts = { .name = name_sem, .work = { post_units, take_units } };
	struct sems s = { .made = 0 };
	int rc;

	if (r->o->object && r->o->features & WL_UNNAMED)
		return run__fail(r, -EINVAL, "--object and --unnamed do not go together");
	r->priv = &s;
	rc = r->o->features & WL_UNNAMED ? make_unnamed(r, &s) : make_named(r, &s);
	if (!rc)
		rc = run__go(r, &parts);
	remove_all(&s);
	return rc;
}

const struct workload workload_posix_sem = {
	.name = "posix-sem",
	.help = "writers post units to readers that sleep; a semaphore for each two",
	.takes = WL_OBJECT | WL_UNNAMED | WL_EAGER,
	.run = run_sem,
};
