/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What UNIX, TCP and UDP workloads have in common: a socket pair that all share, or one
 * named socket to which each writer connects (stream, seqpacket) or sends (datagrams).
 */
#ifndef WORKLOAD_SOCKET_H
#define WORKLOAD_SOCKET_H

#include <sys/socket.h>

#include "workload/engine.h"

struct scene {
	int domain, type;
	bool named; /* not a pair */
	bool lossy; /* the kernel may drop what does not fit: keep below its limits */
	struct sockaddr_storage addr; /* named */
	socklen_t addr_len;
	int fd[ROLE_CNT]; /* by role: ends of the pair; named: [ROLE_READER] is the listening or bound socket */
	char name[OBJECT_NAME_LEN];
	/* After a writer connected: for names that depend on it. May be NULL. */
	void (*connected)(struct worker *w);
};

/* r->priv is the scene; fd[] are closed afterwards. The caller made fd[] and fills name or parts.name. */
int scene__go(struct run *r, void (*name)(struct run *r, uint32_t reader, uint32_t writer, char *name));
int scene__check(struct run *r); /* options that do not fit together */

#endif
