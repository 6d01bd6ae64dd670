/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command behind "--": forked early, so that it inherits nothing of the tracing and its pid is known to the
 * filters, held at a gate until the probes are active, then executed as the user who called sudo.
 */
#ifndef CMD_CHILD_H
#define CMD_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "cmd/stop.h"

struct gate;

struct child {
	pid_t pid; /* 0: none */
	bool ended;
	int wait_status; /* when ended, as wait(2) gives it */
	const char *name; /* argv[0] */
	struct gate *gate; /* memory shared with it */
};

/* argv is NULL-terminated. 0, or -errno with one sentence in err. */
int child__fork(struct child *c, char **argv, const struct stop *stop, struct buf *err);
/* The terminal is somebody else's: before child__go(), /dev/null takes its place. */
void child__keep_from_terminal(struct child *c);
void child__go(struct child *c); /* opens the gate */
bool child__ended(struct child *c); /* never waits; false when there is none */
void child__signal(struct child *c, int sig); /* when it still runs */
/* Of a command that ended: its own, 128 + signal, or 126/127 with one sentence in err when it could not be run. */
int child__exit_status(const struct child *c, struct buf *err);
/* A child that still waits at the gate is ended; one that runs is left alone. */
void child__free(struct child *c);

#endif
