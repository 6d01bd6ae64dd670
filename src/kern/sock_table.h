/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets that exist now, by inode number, with the contract's names and their other ends (sock_diag(7)). */
#ifndef KERN_SOCK_TABLE_H
#define KERN_SOCK_TABLE_H

#include <stdbool.h>

#include "base/map.h"
#include "base/vec.h"

struct sock_entry {
	uint8_t mech;
	uint64_t peer; /* inode number; 0: not connected, or elsewhere */
	const char *name; /* in the table's strings */
	bool waiting; /* peer is a listener that has not accepted it yet */
};

struct sock_icon { /* a connection that waits in a listener's queue */
	uint32_t client, listener; /* inode numbers */
};

struct sock_table {
	struct map by_inode; /* -> struct sock_entry * */
	VEC(struct sock_icon) icons;
	struct strtab names;
};

void sock_table__fill(struct sock_table *t); /* what the kernel does not tell is missing */
const struct sock_entry *sock_table__get(const struct sock_table *t, uint64_t inode); /* NULL: none of ours */
void sock_table__free(struct sock_table *t);

#endif
