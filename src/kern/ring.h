/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One BPF ring buffer per CPU, read in a way that tells what is complete: libbpf's
 * reader does not say whether it stopped at the end or at a record that is still being written.
 */
#ifndef KERN_RING_H
#define KERN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/source.h"

struct ring {
	int map_fd;
	uint64_t bytes; /* power of two */
	volatile uint64_t *consumer; /* page that we write */
	volatile uint64_t *producer; /* page that the kernel writes */
	const uint8_t *data; /* mapped twice in a row: records never wrap */
	void *consumer_map, *producer_map;
	uint64_t last_ns; /* time of the last record taken */
	uint64_t bad; /* records that failed event__check() */
};

/* How much is taken out of each ring, when, and by whom. */
struct ring_taker {
	uint64_t now_ns; /* noted before: what is reserved later is later */
	uint64_t bytes_max; /* of the ring; then what is left waits there. UINT64_MAX: all */
	event_fn fn;
	void *ctx;
};

/* bytes: power of two, at least a page. 0 or -errno. */
int ring__open(struct ring *r, uint64_t bytes);
/*
 * Gives complete records that were reserved before the call. Returns their number; *watermark_ns: no later
 * call will give an earlier one (now_ns, unless a record is left or still being written).
 */
size_t ring__drain(struct ring *r, const struct ring_taker *t, uint64_t *watermark_ns);
uint64_t ring__used_bytes(const struct ring *r);
void ring__close(struct ring *r);

#endif
