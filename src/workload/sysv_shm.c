/* SPDX-License-Identifier: GPL-2.0 */
/* sysv-shm: writers attach read-write, readers read-only; all at the same time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>

#include "workload/shared_memory.h"
#include "workload/table.h"

static void *attach(struct worker *w, bool writable)
{
	struct area *a = w->run->priv;
	void *at = shmat(a->id, NULL, writable ? 0 : SHM_RDONLY);

	if (at != (void *)-1)
		return at;
	worker__fail(w, "cannot attach %s: %s", a->name, strerror(errno));
	return NULL;
}

static int detach(struct worker *w, void *at)
{
	return shmdt(at) ? worker__fail(w, "cannot detach: %s", strerror(errno)) : 0;
}

static int run_shm(struct run *r)
{
	struct area a = { .attach = attach, .detach = detach };
	int rc;

	a.id = shmget(IPC_PRIVATE, AREA_BYTES, 0600);
	if (a.id < 0)
		return run__fail(r, -errno, "cannot make shared memory: %s", strerror(errno));
	snprintf(a.name, sizeof(a.name), "shm:%d", a.id);
	rc = area__go(r, &a);
	shmctl(a.id, IPC_RMID, NULL);
	return rc;
}

const struct workload workload_sysv_shm = {
	.name = "sysv-shm",
	.help = "all attach one segment; the truth is who shared it with whom",
	.run = run_shm,
};
