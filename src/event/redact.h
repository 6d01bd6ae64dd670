/* SPDX-License-Identifier: GPL-2.0 */
/* A source that gives what inner gives, but of payloads only their sizes and hashes: contents go no further. */
#ifndef EVENT_REDACT_H
#define EVENT_REDACT_H

#include "event/source.h"

/* The key is new for each call, so hashes tell what is equal within one trace, and cannot be looked up. Freed with its close(). */
struct event_source *redact__new(struct event_source *inner);

#endif
