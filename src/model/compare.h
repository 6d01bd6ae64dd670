/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between two graphs. Processes and channels are matched by role, because pids and inode numbers differ from
 * run to run: a process's role is its program and name, a channel's is its name without what the kernel numbered.
 */
#ifndef MODEL_COMPARE_H
#define MODEL_COMPARE_H

#include "model/graph.h"

enum change { CHANGE_NONE, CHANGE_NEW, CHANGE_GONE, CHANGE_MORE, CHANGE_LESS, CHANGE_SLOWER, CHANGE_FASTER };
const char *change__name(enum change change);

struct compare_sums {
	uint64_t processes, objects; /* how many share the role */
	uint64_t messages, bytes;
	uint64_t p50_ns, p99_ns; /* latency */
};

enum compare_kind { COMPARE_PROCESS, COMPARE_CHANNEL, COMPARE_FLOW };

struct compare_row {
	enum compare_kind kind;
	uint8_t mech; /* channels, flows */
	const char *src, *dst; /* roles; process: src; a flow from the kernel: src "kernel(child)" */
	const char *channel; /* role; process: NULL */
	struct compare_sums side[2]; /* old, new */
	struct hist latency[2];
	bool there[2];
	enum change change;
};

struct compare {
	VEC(struct compare_row *) rows; /* in order of kind, then names */
	size_t change_cnt; /* rows whose change is not CHANGE_NONE */
	struct map by_key;
	struct strtab names;
};

struct compare *compare__new(void);
/* side: 0 old, 1 new. Copies what it needs. */
void compare__add(struct compare *c, int side, const struct graph *g, const struct proc_table *procs);
/*
 * After both: decides about each row. A flow whose messages or bytes (or median latency, where that counts) became more
 * than factor times as much, or less than one factor-th, has changed.
 */
void compare__judge(struct compare *c, double factor, bool latency);
void compare__free(struct compare *c);

#endif
