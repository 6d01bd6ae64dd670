/* SPDX-License-Identifier: GPL-2.0 */
/* Between engine.c (start to end of a run) and start.c (its processes and threads); mechanisms use engine.h. */
#ifndef WORKLOAD_ENGINE_IMPL_H
#define WORKLOAD_ENGINE_IMPL_H

#include "workload/engine.h"

struct shared {
	_Atomic uint32_t ready, go;
	_Atomic uint32_t failing, failed; /* one worker writes into error; what is there is whole */
	_Atomic uint64_t prefill_taken;
	char error[240]; /* of the worker that failed first */
	struct seat seats[]; /* then the cells: [2][readers][writers] */
};

/* Starts all processes and threads; children are in r->children. 0 or -errno. */
int run__start(struct run *r, const struct parts *parts);

#endif
