/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names for call stacks. They are found while tracing, when a place is seen first: later its process may have ended and its
 * file may be gone. So a recording has all names, and shows them on any machine.
 */
#ifndef CMD_STACKS_H
#define CMD_STACKS_H

#include "event/source.h"

/* Gives what inner gives, with frames in place of addresses. kernel: stacks of the kernel come, too. Does not own inner; freed with its close(). */
struct event_source *stacks__new(struct event_source *inner, bool kernel);

#endif
