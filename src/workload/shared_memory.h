/* SPDX-License-Identifier: GPL-2.0 */
/* What System V and POSIX shared memory have in common: all attach, look at each other's marks, detach. */
#ifndef WORKLOAD_SHARED_MEMORY_H
#define WORKLOAD_SHARED_MEMORY_H

#include "workload/engine.h"

#define AREA_BYTES 65536 /* a multiple of every page size */

struct area {
	char name[OBJECT_NAME_LEN];
	/* Maps it; writable or not. NULL after worker__fail(). */
	void *(*attach)(struct worker *w, bool writable);
	int (*detach)(struct worker *w, void *at);
	int id; /* the mechanism's: identifier or descriptor */
	char path[200];
};

int area__go(struct run *r, struct area *a); /* truth: one share per pair of processes */

#endif
