/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The channel that ducts of memory carry, because memory is none: for each direction a ring of messages, one writer,
 * one reader, and a futex for the one that waits.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include "bench/duct.h"

#define SLOTS_MAX 64
#define LINE 64 /* bytes that processors move at once */

struct ring {
	_Atomic uint32_t head __attribute__((aligned(LINE))); /* messages put in; the writer's */
	_Atomic uint32_t tail __attribute__((aligned(LINE))); /* messages taken out; the reader's */
	_Atomic uint32_t reader_waits __attribute__((aligned(LINE)));
	_Atomic uint32_t writer_waits;
	_Atomic uint64_t word __attribute__((aligned(LINE)));
	uint32_t len[SLOTS_MAX] __attribute__((aligned(LINE)));
};

size_t ring__slots_bytes(const struct duct *d); /* of one direction; from size_max */
size_t ring__whole_bytes(const struct duct *d); /* of both rings and all their slots */
/* The rings at the beginning of d->area, the slots of both directions at `slots`. */
void ring__lay_out(struct duct *d, unsigned char *slots);
/* Every page, once: the first touch is no part of a measurement. */
void ring__touch(struct duct *d, int side);

/* As duct_kind's send and recv. by_kernel: process_vm_writev() copies. copy: false leaves the message where it is. */
ssize_t ring__put(struct duct *d, int side, unsigned char *data, size_t n, bool by_kernel);
ssize_t ring__take(struct duct *d, int side, unsigned char *data, size_t cap, bool copy);
/* Into the memory of the process that plays side `to`. 0 or -errno. */
int ring__copy_over(struct duct *d, int to, unsigned char *at, unsigned char *data, size_t n);

#endif
