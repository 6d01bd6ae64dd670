/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that are blocked in a system call now, and what it waits for, from /proc: no tracing is needed. */
#ifndef KERN_BLOCKED_H
#define KERN_BLOCKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define BLOCKED_FDS_MAX 64

enum blocked_for { /* names in blocked_for__name() */
		   BLOCKED_DATA,
		   BLOCKED_ROOM,
		   BLOCKED_UNITS, /* a semaphore or futex */
		   BLOCKED_CHILD,
		   BLOCKED_LOCK,
		   BLOCKED_SIGNAL,
		   BLOCKED_TIME,
		   BLOCKED_OTHER,
		   BLOCKED_FOR_CNT,
};
const char *blocked_for__name(enum blocked_for what);

struct blocked {
	uint32_t pid, tid;
	const char *call; /* static: "read" */
	uint8_t what; /* enum blocked_for */
	int32_t fds[BLOCKED_FDS_MAX]; /* any of them ends the wait */
	bool sends[BLOCKED_FDS_MAX]; /* it waits for room there */
	uint32_t fd_cnt;
	uint8_t mech; /* of object, which has no descriptor; 0: none */
	char object[32]; /* "msg:65536" */
	uint32_t child_pid; /* BLOCKED_CHILD: that one; 0: any */
	bool timed; /* the call has a timeout: the wait ends by itself */
	uint64_t since_ns; /* CLOCK_BOOTTIME of its last run; 0: the kernel does not tell */
};

struct blocked_clock; /* how the scheduler's clock of each CPU stands */

struct blocked_clock *blocked_clock__new(void);
void blocked_clock__free(struct blocked_clock *c);

/* All threads of pid (0: of every process but this one). clock may be NULL: then since_ns stays 0. */
void blocked__scan(uint32_t pid, const struct blocked_clock *clock,
		   void (*fn)(void *ctx, const struct blocked *b), void *ctx);

#endif
