/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of several CPUs, merged by time: rows of copies. An event leaves when
 * the watermark has passed it, so nothing earlier can come behind it. Events of equal time leave in the order in
 * which they were pushed. Memory is reused, and given back some releases after it was last needed; nothing is allocated
 * per event in the steady state.
 */
#ifndef EVENT_ORDER_H
#define EVENT_ORDER_H

#include "event/source.h"

struct order;

struct order *order__new(void);
void order__push(struct order *o, const struct ipct_hdr *ev); /* copied */
/*
 * Gives fn the events with ts_ns <= watermark_ns, in order of time, but not more than `max`. UINT64_MAX, SIZE_MAX: all.
 * Returns how many.
 */
size_t order__release(struct order *o, uint64_t watermark_ns, size_t max, event_fn fn, void *ctx);
size_t order__pending(const struct order *o);
size_t order__held_bytes(const struct order *o); /* memory, in use or kept for reuse */
void order__free(struct order *o);

#endif
