/* SPDX-License-Identifier: GPL-2.0 */
/* Model to bytes. A view writes into a buffer; who holds the buffer does the I/O. */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "base/buf.h"
#include "model/model.h"

/* Names that views need and the model does not know. */
struct view_names {
	const char *(*mech)(uint8_t mech); /* "pipe" */
	const char *host, *kernel; /* may be NULL */
	const char *(*attach)(uint8_t mech); /* "tracepoint"; NULL function: not known */
	uint32_t traced; /* bit per mechanism that was traced: graph.lost names each */
	/* Of a number, on this machine, for --group; valid until the next call. NULL function or result: not known. */
	const char *(*cgroup)(uint64_t id); /* "/system.slice/cron.service" */
	const char *(*user)(uint32_t uid); /* "root" */
};

/* ---- one line per message (view/line_text.c, view/line_json.c) ---- */

struct line_view {
	const char *name; /* "text", "json" */
	void (*header)(struct buf *out); /* NULL: none */
	void (*message)(struct buf *out, const struct message *m, const struct view_names *names);
	void (*op)(struct buf *out, const struct op *op, const struct channel *ch, const struct party *task,
		   const struct view_names *names);
	void (*lost)(struct buf *out, uint8_t mech, uint64_t count, int cpu, const struct view_names *names);
	void (*end)(struct buf *out,
		    const struct model_stats *stats); /* contract's last line; NULL: said on stderr */
};
extern const struct line_view line_view__text, line_view__json;

/* The text view converts CLOCK_BOOTTIME to wall clock with this (ns to add), and colours only when told. */
struct line_text_opts {
	int64_t boot_to_wall_ns;
	bool colour;
};
void line_text__set(const struct line_text_opts *opts);

/* ---- whole graphs ---- */

struct slices;

enum graph_shape {
	SHAPE_OF_VIEW, /* programs get everything, people what they can read */
	SHAPE_BIPARTITE, /* processes and channels; what went between two processes is two links */
	SHAPE_PROCESSES, /* processes only; a link per pair of them and channel */
};

enum graph_group { BY_NONE, BY_CGROUP, BY_CONTAINER, BY_USER, BY_EXE, BY_COMM };

/* What to show of a graph, and how. All zero: everything. */
struct graph_opts {
	enum graph_shape shape;
	enum graph_group group;
	bool fold; /* workers of one kind and parent are one node, their like channels one channel */
	uint64_t top; /* only the largest flows; 0: all */
	const struct slices *slices; /* what happened when, for the page; NULL: not known */
	uint32_t slice_cnt; /* into how many to divide the time at most; 0: not at all */
	const char *hide; /* presets and patterns as hide__check() knows them; NULL: nothing */
};

struct graph_view {
	const char *name; /* "text", "dot", "json" */
	const char *summary; /* for --help */
	/* opts NULL: everything. */
	void (*render)(struct buf *out, struct graph *g, struct proc_table *procs,
		       const struct view_names *names, const struct graph_opts *opts);
	const char
		*drawn_as; /* not NULL: what render writes is for Graphviz, which makes this of it ("svg") */
};
/* All graph views, NULL-terminated. */
const struct graph_view *const *graph_view__all(void);
const struct graph_view *graph_view__by_name(const char *name); /* NULL: none */

#endif
