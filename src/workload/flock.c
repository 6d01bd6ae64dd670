/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flock: a writer takes the lock, asks a reader to want it too, sees in /proc/locks that the reader waits,
 * and only then releases: each release lets a known process have it. One hand-over at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

struct lockfile {
	char path[PATH_MAX];
	char id[64]; /* as /proc/locks shows it: 00:1f:4567 */
	int fd; /* inherited: for POSIX locks any other descriptor's close would drop the process's locks */
};

static struct lockfile *file_of(const struct worker *w)
{
	return w->run->priv;
}

static int open_file(struct worker *w)
{
	struct lockfile *f = file_of(w);

	if (w->run->o->features & WL_POSIX) {
		w->fd = f->fd;
		return 0;
	}
	w->fd = open(f->path, O_RDWR | O_CLOEXEC);
	return w->fd < 0 ? worker__fail(w, "cannot open %s: %s", f->path, strerror(errno)) : 0;
}

static int set_lock(struct worker *w, bool lock)
{
	uint32_t features = w->run->o->features;
	struct flock fl = { .l_type = lock ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET };
	int rc;

	if (features & (WL_POSIX | WL_OFD))
		rc = fcntl(w->fd, features & WL_OFD ? F_OFD_SETLKW : F_SETLKW, &fl);
	else
		rc = flock(w->fd, lock ? LOCK_EX : LOCK_UN);
	return rc ? worker__fail(w, "cannot %s: %s", lock ? "lock" : "unlock", strerror(errno)) : 0;
}

/* "2: -> FLOCK  ADVISORY  WRITE 123 00:1f:4567 0 EOF": the arrow marks who waits. */
static bool somebody_waits(const struct lockfile *f)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	bool found = false;

	while (locks && !found && fgets(line, sizeof(line), locks))
		found = strstr(line, "->") && strstr(line, f->id);
	if (locks)
		fclose(locks);
	return found;
}

static int await_waiter(struct worker *w)
{
	unsigned spins = 0;

	while (!somebody_waits(file_of(w)))
		if (worker__relax(w, &spins))
			return -1;
	return 0;
}

static int hand_over(struct worker *w, uint32_t reader)
{
	struct seat *seat = run__seat(w->run, ROLE_READER, reader);
	unsigned spins = 0;

	if (set_lock(w, true))
		return -1;
	atomic_store(&seat->turn, w->index + 1); /* the reader wants it now */
	if (await_waiter(w) || set_lock(w, false))
		return -1;
	while (atomic_load(&seat->turn)) /* until it has released, too */
		if (worker__relax(w, &spins))
			return -1;
	return 0;
}

/* One writer at a time has the baton: the first writer's seat holds it. */
static int hand_over_all(struct worker *w)
{
	_Atomic uint32_t *baton = &run__seat(w->run, ROLE_WRITER, 0)->turn;

	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		unsigned spins = 0;
		int rc;

		worker__pace(w);
		while (atomic_exchange(baton, 1))
			if (worker__relax(w, &spins))
				return -1;
		rc = hand_over(w, (uint32_t)((w->index + i) % w->run->cnt[ROLE_READER]));
		atomic_store(baton, 0);
		if (rc)
			return rc;
	}
	return 0;
}

static int wait_for_lock(struct worker *w)
{
	for (uint64_t todo = worker__all_turns(w); todo; todo--) {
		unsigned spins = 0;
		uint32_t writer;

		while (!(writer = atomic_load(&w->seat->turn)))
			if (worker__relax(w, &spins))
				return -1;
		if (set_lock(w, true) || set_lock(w, false))
			return -1;
		cell__add(run__cell(w->run, w->index, writer - 1), 1, 0);
		atomic_store(&w->seat->turn, 0);
	}
	return 0;
}

static void name_file(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct lockfile *f = r->priv;

	snprintf(name, OBJECT_NAME_LEN, "flock:%.240s", f->path);
}

static int make_file(struct run *r, struct lockfile *f)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/tmp/ipctrace-flock.%d", getpid());
	if (r->o->object)
		snprintf(path, sizeof(path), "%s", r->o->object);
	f->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return run__fail(r, -errno, "cannot make %s: %s", path, strerror(errno));
	if (!realpath(path, f->path) || fstat(f->fd, &st)) {
		unlink(path);
		return run__fail(r, -errno, "cannot find %s: %s", path, strerror(errno));
	}
	snprintf(f->id, sizeof(f->id), " %02x:%02x:%lu ", major(st.st_dev), minor(st.st_dev),
		 (unsigned long)st.st_ino);
	return 0;
}

static int run_flock(struct run *r)
{
	struct parts parts = {
		.name = name_file,
		.open = { open_file, open_file },
		.work = { hand_over_all, wait_for_lock },
	};
	struct lockfile f = { .fd = -1 };
	int rc = 0;

	if (r->o->features & WL_POSIX && r->o->features & WL_OFD)
		return run__fail(r, -EINVAL, "--posix and --ofd do not go together");
	if (r->o->features & WL_POSIX && r->o->self)
		return run__fail(r, -EINVAL,
				 "--posix does not work with --self: such a lock belongs to the process");
	r->priv = &f;
	rc = make_file(r, &f);
	if (!rc)
		rc = run__go(r, &parts);
	if (f.fd >= 0)
		close(f.fd);
	if (f.path[0])
		unlink(f.path);
	return rc;
}

const struct workload workload_flock = {
	.name = "flock",
	.help = "writers hand a file lock over to readers that wait for it",
	.takes = WL_OBJECT | WL_POSIX | WL_OFD,
	.run = run_flock,
};
