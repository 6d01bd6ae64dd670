/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a reader of events must know of those before: processes, objects by name, frames of call stacks. A recording that
 * begins in the middle of a trace begins with this. Bounded: of what there is too much of, the oldest is forgotten.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "event/source.h"

struct state;

struct state *state__new(void);
void state__event(struct state *s, const struct ipct_hdr *ev); /* checked; in the order of a recording */
/* Gives what is to be known at ts_ns, as events of that time: parents before their children. */
void state__give(struct state *s, uint64_t ts_ns, event_fn fn, void *ctx);
void state__free(struct state *s);

#endif
