/* SPDX-License-Identifier: GPL-2.0 */
/* posix-shm: an object by shm_open(); --unnamed: a memfd; --object with a directory: a file mapped shared. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload/shared_memory.h"
#include "workload/table.h"

static bool is_file(const struct area *a)
{
	return strchr(a->path + 1, '/');
}

static int open_area(const struct area *a, int flags)
{
	if (!a->path[0])
		return dup(a->id);
	return is_file(a) ? open(a->path, flags | O_CLOEXEC, 0600) : shm_open(a->path, flags, 0600);
}

static void *attach(struct worker *w, bool writable)
{
	struct area *a = w->run->priv;
	int fd = open_area(a, writable || !a->path[0] ? O_RDWR : O_RDONLY);
	void *at = MAP_FAILED;

	if (fd >= 0) {
		at = mmap(NULL, AREA_BYTES, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
		close(fd);
	}
	if (at != MAP_FAILED)
		return at;
	worker__fail(w, "cannot map %s: %s", a->name, strerror(errno));
	return NULL;
}

static int detach(struct worker *w, void *at)
{
	return munmap(at, AREA_BYTES) ? worker__fail(w, "cannot unmap: %s", strerror(errno)) : 0;
}

static void name_area(struct run *r, struct area *a)
{
	struct stat st;

	if (!a->path[0])
		snprintf(a->name, sizeof(a->name), "memfd:ipctrace[%lu]",
			 fstat(a->id, &st) ? 0ul : (unsigned long)st.st_ino);
	else
		snprintf(a->name, sizeof(a->name), "%s:%s", is_file(a) ? "map" : "pshm", a->path);
}

static int make_area(struct run *r, struct area *a)
{
	if (r->o->features & WL_UNNAMED)
		a->id = memfd_create("ipctrace", MFD_CLOEXEC);
	else
		a->id = open_area(a, O_RDWR | O_CREAT | O_EXCL);
	if (a->id < 0)
		return run__fail(r, -errno, "cannot make %s: %s", a->path[0] ? a->path : "a memfd",
				 strerror(errno));
	if (!ftruncate(a->id, AREA_BYTES))
		return 0;
	return run__fail(r, -errno, "cannot size %s: %s", a->path[0] ? a->path : "a memfd", strerror(errno));
}

static int choose_path(struct run *r, struct area *a)
{
	const char *object = r->o->object;

	if (object && r->o->features & WL_UNNAMED)
		return run__fail(r, -EINVAL, "--object and --unnamed do not go together");
	if (object && (object[0] != '/' || strlen(object) >= sizeof(a->path)))
		return run__fail(r, -EINVAL, "--object wants /NAME or the absolute path of a file to be");
	if (object)
		snprintf(a->path, sizeof(a->path), "%s", object);
	else if (!(r->o->features & WL_UNNAMED))
		snprintf(a->path, sizeof(a->path), "/ipctrace-shm.%d", getpid());
	return 0;
}

static int run_shm(struct run *r)
{
	struct area a = { .attach = attach, .detach = detach, .id = -1 };
	int rc = choose_path(r, &a);

	if (!rc)
		rc = make_area(r, &a);
	if (a.id < 0)
		return rc;
	name_area(r, &a);
	if (!rc)
		rc = area__go(r, &a);
	close(a.id);
	if (a.path[0] && is_file(&a))
		unlink(a.path);
	else if (a.path[0])
		shm_unlink(a.path);
	return rc;
}

const struct workload workload_posix_shm = {
	.name = "posix-shm",
	.help = "all map one object; the truth is who shared it with whom",
	.takes = WL_OBJECT | WL_UNNAMED,
	.run = run_shm,
};
