/* SPDX-License-Identifier: GPL-2.0 */
/*
 * posix-sem: one semaphore per writer, so a reader knows whose units it takes; named, or with
 * --unnamed in one shared anonymous mapping.
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

#define WINDOW 1000

struct sems {
	char path[180]; /* "" with --unnamed */
	sem_t *unnamed; /* array, one per writer */
	size_t unnamed_bytes;
	char map_id[64]; /* DEV:INODE of that mapping */
	uint32_t made;
};

static void path_of(const struct sems *s, uint32_t writer, char *path, size_t size)
{
	snprintf(path, size, "%s.%u", s->path, writer);
}

static sem_t *open_sem(struct worker *w, uint32_t writer)
{
	struct sems *s = w->run->priv;
	char path[200];
	sem_t *sem;

	if (s->unnamed)
		return &s->unnamed[writer];
	path_of(s, writer, path, sizeof(path));
	sem = sem_open(path, 0);
	if (sem != SEM_FAILED)
		return sem;
	worker__fail(w, "cannot open the semaphore %s: %s", path, strerror(errno));
	return NULL;
}

static int post_units(struct worker *w)
{
	sem_t *sem = open_sem(w, w->index);

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

static int take_units(struct worker *w)
{
	uint32_t writers = w->run->cnt[ROLE_WRITER];
	uint64_t left[WRITERS_MAX], todo = worker__all_turns(w);
	sem_t *sems[WRITERS_MAX];

	for (uint32_t i = 0; i < writers; i++) {
		left[i] = worker__turns(w, i);
		sems[i] = open_sem(w, i);
		if (!sems[i])
			return -1;
	}
	for (uint32_t i = 0; todo; i = (i + 1) % writers) {
		if (!left[i])
			continue;
		while (sem_wait(sems[i]))
			if (errno != EINTR)
				return worker__fail(w, "cannot wait: %s", strerror(errno));
		cell__add(run__cell(w->run, w->index, i), 1, 0);
		left[i]--;
		todo--;
	}
	return 0;
}

static void name_sem(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct sems *s = r->priv;
	char path[200];

	path_of(s, writer, path, sizeof(path));
	if (s->unnamed)
		snprintf(name, OBJECT_NAME_LEN, "psem:[%s+%zu]", s->map_id, writer * sizeof(sem_t));
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
	s->unnamed_bytes = sizeof(sem_t) * r->cnt[ROLE_WRITER];
	s->unnamed = mmap(NULL, s->unnamed_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->unnamed == MAP_FAILED) {
		s->unnamed = NULL;
		return run__fail(r, -errno, "cannot share memory: %s", strerror(errno));
	}
	for (uint32_t i = 0; i < r->cnt[ROLE_WRITER]; i++)
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
	for (; s->made < r->cnt[ROLE_WRITER]; s->made++) {
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
	.help = "writers post units, readers take them; a semaphore per writer",
	.takes = WL_OBJECT | WL_UNNAMED,
	.run = run_sem,
};
