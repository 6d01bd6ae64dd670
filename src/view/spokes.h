/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same graph with fewer lines, for pictures: a channel between two processes is an edge, any other
 * channel a node with one spoke per process and direction.
 */
#ifndef VIEW_SPOKES_H
#define VIEW_SPOKES_H

#include "base/map.h"
#include "base/vec.h"
#include "view/picture.h"

struct spoke {
	const struct channel *channel;
	const struct proc *proc; /* NULL: the kernel, or unknown when origin is NULL */
	const char *origin;
	const char *role; /* NULL: none is known */
	bool to_channel;
	bool from_end; /* totals are an end's; flows then only add to latency and doubt */
	bool doubt; /* something over it is not exact */
	bool attr_known;
	uint8_t attr; /* the worst of its flows */
	uint64_t messages, bytes, errors, wait_ns, p99_ns;
};

struct spokes {
	VEC(struct spoke *) all; /* by order of the sorted graph */
	struct map by_key;
	bool *is_node; /* by channel.id: a node with spokes; else its flows are edges */
};

void spokes__init(struct spokes *sp, const struct sorted *s, enum picture_shape shape);
void spokes__free(struct spokes *sp);
/* Any line between this channel's node and this process. */
bool spokes__has(const struct spokes *sp, const struct channel *ch, const struct proc *proc);

#endif
