/* SPDX-License-Identifier: GPL-2.0 */
/* Where events come from: the running kernel (kern/) or a file (store/). From here on both are the same. */
#ifndef EVENT_SOURCE_H
#define EVENT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/wire.h"

typedef void (*event_fn)(void *ctx, const struct ipct_hdr *ev);

struct event_source {
	/*
	 * Waits at most timeout_ms for events and gives each, checked, to fn; in no order of time
	 * but that of the watermark. Sets *watermark_ns: nothing earlier than that will come any more.
	 * Returns the number of events, 0 after the time, -ENODATA at the end of a file, other -errno.
	 */
	int (*poll)(struct event_source *s, int timeout_ms, event_fn fn, void *ctx, uint64_t *watermark_ns);
	void (*close)(struct event_source *s);
};

#endif
