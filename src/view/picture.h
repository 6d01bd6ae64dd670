/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A graph as nodes and links only, for formats that know nothing else. The shape decides what a channel is: a node,
 * a link, or (readable) the one or the other by how many partners it has.
 */
#ifndef VIEW_PICTURE_H
#define VIEW_PICTURE_H

#include "view/sorted.h"

enum picture_shape {
	PICTURE_EVERYTHING, /* as the JSON graph: channels with their ends, and what flows join directly */
	PICTURE_READABLE, /* a channel between two processes is a link; any other a node with a link per end */
	PICTURE_BIPARTITE, /* every channel is a node */
	PICTURE_PROCESSES, /* no channel is a node */
};

enum node_kind { NODE_PROCESS, NODE_CHANNEL, NODE_KERNEL, NODE_UNKNOWN, NODE_KIND_CNT };
enum link_kind { LINK_END, LINK_FLOW, LINK_SHARE, LINK_PARENT, LINK_KIND_CNT };

struct node {
	enum node_kind kind;
	const char *id; /* unique in each format's escaping; raw bytes */
	const struct proc *proc; /* NODE_PROCESS */
	const struct channel *channel; /* NODE_CHANNEL */
	const char *mech; /* of the channel */
	uint32_t members; /* how many it stands for; 1: itself */
	bool takes_part; /* false: here as a parent only */
	const char *group; /* NULL: none */
};

struct link {
	enum link_kind kind;
	uint32_t nr; /* among those of equal id */
	const char *id; /* unique, the same in two graphs of the same things */
	size_t from, to; /* indices in nodes */
	const struct channel *channel; /* NULL: LINK_PARENT */
	const char *mech, *role, *origin; /* NULL: has none */
	const char *from_mode, *to_mode; /* LINK_SHARE */
	const char *attr; /* LINK_FLOW, and LINK_END where flows tell; NULL: not known */
	bool doubt; /* something of it is not exact */
	bool waits; /* somebody waited long enough for people to see */
	uint64_t messages, bytes, errors, wait_ns, first_ns, last_ns;
	uint64_t p50_ns, p99_ns, max_ns; /* 0: not known */
	const struct hist *latency; /* NULL: not known */
};

struct picture {
	struct sorted sorted;
	VEC(struct node) nodes; /* kernel, unknown, processes, channels */
	VEC(struct link) links; /* ends, flows, shares, parents */
	VEC(const char *) groups; /* in order of their names */
	struct strtab texts;
	struct map by_id; /* while it is made */
};

/* What the options ask for, where they do not ask for a shape: usual. */
void picture__init(struct picture *p, const struct graph *g, const struct proc_table *procs,
		   const struct view_names *names, const struct graph_opts *opts, enum picture_shape usual);
void picture__free(struct picture *p);
/* "postgres", "nginx \xc3\x97 8", "pipe:[12]", "8 pipes": what people read; raw bytes. */
void picture__put_label(struct buf *out, const struct node *n);
/* "12 messages, 3.4KB", and the latency on a line of its own. */
void picture__put_traffic(struct buf *out, const struct link *l, const char *newline);
const char *node_kind__name(enum node_kind kind);
const char *link_kind__name(enum link_kind kind);
/* Title, losses and what was left out: what a picture must say about itself, one line each, raw bytes. */
void picture__put_notes(struct buf *out, const struct picture *p, const struct graph *g,
			const struct view_names *names, const char *newline);

#endif
