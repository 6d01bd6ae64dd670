/* SPDX-License-Identifier: GPL-2.0 */
/* The inside of a session: for session.c and session_begin.c only. */
#ifndef CMD_SESSION_IMPL_H
#define CMD_SESSION_IMPL_H

#include "cmd/child.h"
#include "cmd/input.h"
#include "cmd/saver.h"
#include "cmd/session.h"
#include "cmd/stop.h"

struct session {
	const struct options *opts;
	struct stop stop;
	struct child child;
	struct kern *kern; /* NULL: a recording is read */
	struct input *input; /* NULL: the kernel is traced */
	struct saver *saver; /* NULL: nothing is recorded */
	struct event_source *stacks; /* NULL: call stacks are not captured */
	struct event_source *redact; /* NULL: contents are not captured, or may be seen */
	struct event_source *source; /* of whichever of them comes last */
	struct pipeline *pipeline; /* NULL: events are recorded, not looked at */
	struct view_names names;
	struct session_clock clock;
	bool asked_to_write; /* SIGUSR1 came after the rings were read */
	bool command_ended; /* by itself, and not because the session was over */
	bool input_ended; /* the recording was read to its end */
	bool hurries; /* it runs at a higher priority than nice, which was its own */
	int nice;
	bool damaged; /* the recording that was read is not whole */
};

#endif
