/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events as differences. An event is mostly like the one before of its kind and thread, so each is written as what
 * changed, in as few bytes as that takes; zstd then finds little left to do, which is what makes recording cheap.
 * A block stands alone: both sides begin with an empty memory (pack__begin).
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "event/wire.h"

#define PACK_SLOTS 64
#define PACK_WORDS 32 /* of an event, 8 bytes each; what is behind them is copied as it is */
/* The longest an event can become. */
#define PACK_EVENT_BYTES_MAX (UINT16_MAX + 1 + PACK_WORDS)
#define PACK_ROUND_BYTES_MAX 10

struct pack {
	uint64_t last[PACK_SLOTS][PACK_WORDS];
	uint64_t ts_ns, watermark_ns; /* of the event, and the round, before */
};

void pack__begin(struct pack *p);
/* Both write to `to`, which has room for the most that can come, and return how many bytes it took. */
size_t pack__event(struct pack *p, const struct ipct_hdr *ev, uint8_t *to);
/* The end of a round: everything up to watermark_ns has been seen (event_source.poll). */
size_t pack__round(struct pack *p, uint64_t watermark_ns, uint8_t *to);

struct unpacked {
	const struct ipct_hdr *ev; /* in the scratch; NULL: the end of a round */
	uint64_t watermark_ns;
};

/*
 * Takes the next from a block of `bytes` bytes. scratch: UINT16_MAX bytes, aligned for an event. Returns the bytes that it
 * took, or -EBADMSG: what is there cannot be the work of pack__event(). The event is not checked.
 */
int unpack__next(struct pack *p, const uint8_t *from, size_t bytes, void *scratch, struct unpacked *out);

#endif
