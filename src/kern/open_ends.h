/* SPDX-License-Identifier: GPL-2.0 */
/* Who has which object open now, from /proc: no tracing is needed. Names are the contract's. */
#ifndef KERN_OPEN_ENDS_H
#define KERN_OPEN_ENDS_H

#include <stdbool.h>

#include "base/map.h"
#include "base/vec.h"

enum open_role {
	OPEN_READ = 1,
	OPEN_WRITE = 2,
	OPEN_BOTH = 3,
	OPEN_LAST_SENDER,
	OPEN_LAST_RECEIVER,
	OPEN_CREATOR,
	OPEN_LAST_USER, /* of one of the set's semaphores */
	OPEN_LOCK_SHARED,
	OPEN_LOCK_EXCLUSIVE,
	OPEN_LOCK_WAITS
};
const char *open_role__name(enum open_role role); /* as in graphs: "read", "write", "readwrite", ... */

struct open_end {
	uint32_t pid;
	int32_t fd; /* -1: no descriptor */
	uint8_t role; /* enum open_role */
	uint8_t mech;
	bool memory; /* attached memory: role tells the access */
	bool waiting; /* a connection that its peer, a listener, has not accepted yet */
	uint64_t id; /* of the object, or of this end of a socket */
	uint64_t peer; /* the other end's id; 0: everyone with the same id */
	const char *name; /* in the table's strings */
};

struct open_ends {
	VEC(struct open_end) all; /* by pid, descriptor */
	struct map first_by_id; /* id -> index + 1 */
	struct map by_fd; /* pid, descriptor -> index + 1 */
	VEC(uint32_t) next_same; /* index + 1 of the next end with the same id; 0: none */
	struct strtab names;
};

/* What cannot be read (without root: other users' processes) is missing. */
void open_ends__scan(struct open_ends *e);
const struct open_end *open_ends__find(const struct open_ends *e, uint32_t pid,
				       int fd); /* NULL: none of ours */
/*
 * Calls fn for the ends that could give `end` what it waits for: of readers the writers, of one side of a socket
 * the other. sends: it waits for room, the other way round.
 */
void open_ends__others(const struct open_ends *e, const struct open_end *end, bool sends,
		       void (*fn)(void *ctx, const struct open_end *other), void *ctx);
/*
 * Descriptors on their way in the queue of a socket: sent, and not received yet. UINT64_MAX: it is no UNIX socket, or the
 * kernel does not tell (before 5.7).
 */
uint64_t open_end__fds_in_flight(const struct open_end *end);
void open_ends__free(struct open_ends *e);

#endif
