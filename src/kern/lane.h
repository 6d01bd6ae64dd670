/* SPDX-License-Identifier: GPL-2.0 */
/* The rings of include/ipctrace/lane.h, one per CPU, beside those of kern/ring.h: for reads and writes of pipes. */
#ifndef KERN_LANE_H
#define KERN_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kern/ring.h"

struct ipct_lane_head;
struct ipct_lane_slot;

struct lane {
	void *heads, *slots; /* of all CPUs; NULL: not open */
	size_t cpu_cnt;
	uint32_t slot_cnt; /* of each CPU, a power of two */
	uint64_t *last_ns; /* by CPU: time of the last record taken */
};

/* Can this machine use it? It needs stores that are seen in their order. */
bool lane__is_possible(void);
/* Slots of each CPU's ring beside a ring of so many bytes (a power of two, at least a page). */
uint32_t lane__slots(uint64_t ring_bytes);
/* Maps the two maps, which stay the caller's. 0 or -errno. */
int lane__open(struct lane *l, int heads_fd, int slots_fd, size_t cpu_cnt, uint32_t slot_cnt);
/* As ring__drain(), of one CPU's ring. */
size_t lane__drain(struct lane *l, size_t cpu, const struct ring_taker *t, uint64_t *watermark_ns);
/* How full a CPU's ring is, 0 to 1. */
double lane__used(const struct lane *l, size_t cpu);
void lane__close(struct lane *l);

#endif
