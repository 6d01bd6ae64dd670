/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SIGINT and SIGTERM as requests to end cleanly. They are blocked and read from a descriptor, so none is missed
 * and none interrupts anything; after the first, a second one ends the program at once.
 */
#ifndef CMD_STOP_H
#define CMD_STOP_H

#include <signal.h>
#include <stdbool.h>

struct stop {
	int fd; /* signalfd; -1: not begun */
	sigset_t old_mask;
	struct sigaction old_int, old_term;
	int sig; /* the first one that came; 0: none yet */
	bool usr1; /* came, and nobody asked yet */
	bool from_terminal; /* then every process in the foreground got it, too */
};

/* usr1: SIGUSR1 is a request, too: stop__take_usr1(). 0 or -errno. */
int stop__begin(struct stop *s, bool usr1);
bool stop__asked(struct stop *s); /* never waits; stays true */
bool stop__take_usr1(struct stop *s); /* after stop__asked(): SIGUSR1 came since the last call */
void stop__restore(const struct stop *s); /* in a child, before exec: as if we had never been */
void stop__end(struct stop *s);

#endif
