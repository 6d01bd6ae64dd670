/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place where a record's size and inner lengths are looked at; behind it, views of events are typed and
 * safe.
 */
#ifndef EVENT_CHECK_H
#define EVENT_CHECK_H

#include <stddef.h>

#include "event/wire.h"

/*
 * Checks the record at data, of which avail bytes are there. Returns the record's size in bytes, or
 * -EBADMSG (impossible lengths) or -EMSGSIZE (torn: it says it is longer than avail).
 * Kinds that this version does not know pass (and are ignored later); records shorter than their
 * struct, as older versions wrote them, must be widened with event__widen().
 */
int event__check(const void *data, size_t avail);

/* As the struct of its kind at least: ev itself when it is long enough, else a zero-filled copy in scratch. */
#define EVENT_SCRATCH_BYTES 1024
const struct ipct_hdr *event__widen(const struct ipct_hdr *ev, void *scratch);

const char *event__kind_name(unsigned int kind); /* "?" for unknown ones */

#endif
