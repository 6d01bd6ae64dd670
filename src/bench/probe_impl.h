/* SPDX-License-Identifier: GPL-2.0 */
/* Between probe.c and the experiments. Each runs in a process of its own that plays both sides, without blocking. */
#ifndef BENCH_PROBE_IMPL_H
#define BENCH_PROBE_IMPL_H

#include "bench/probe.h"
#include "bench/stage.h"

#define PROBE_BUF 65536u
#define UNIT_BYTES 4096u

struct probe {
	struct duct d;
	struct properties *props; /* shared */
	unsigned char *buf; /* PROBE_BUF */
	_Atomic int *rc; /* shared; what a partner process was told last */
	_Atomic uint32_t *stage; /* shared; 1: the partner begins, 2: it has ended */
};

void probe__outsider(struct probe *p);
void probe__fill(struct probe *p);
void probe__fill_small(struct probe *p);
void probe__block(struct probe *p);
void probe__pressure(struct probe *p);
void probe__records(struct probe *p);
void probe__short_read(struct probe *p);
void probe__priority(struct probe *p);
void probe__unqueued(struct probe *p);

/* probe_fill.c: sends n bytes at a time until it is full; notices: units. */
struct filled {
	uint64_t messages, bytes;
	int rc; /* why it took no more; 0: it would have gone on */
};
struct filled probe__pour(struct probe *p, size_t n);
/* Takes out all there is. Messages is the number of receipts; for notices, bytes is the number of units. */
struct filled probe__drain(struct probe *p);
/* Waits until the partner sleeps, or has ended. */
bool probe__partner_sleeps(struct probe *p, pid_t partner, uint64_t patience_ns);
bool probe__readable(struct probe *p); /* side B can receive; true for what cannot be asked */

#endif
