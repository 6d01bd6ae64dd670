/* SPDX-License-Identifier: GPL-2.0 */
/* Which messages the user asked for: the exact filter behind -p, -s, -d, -f, --uid, --cgroup, --min-*. */
#ifndef MODEL_SELECT_H
#define MODEL_SELECT_H

#include "model/message.h"
#include "model/proc.h"

#define SELECT_PIDS_MAX 64

struct select_opts {
	uint32_t pids[SELECT_PIDS_MAX]; /* either side; empty: any */
	size_t pid_cnt;
	bool follow; /* and their children, from the moment of fork on */
	const char *src, *dst; /* a pid in decimal, or a glob over the command name; NULL: any. Both hold. */
	bool have_uid, have_cgroup;
	uint32_t uid;
	uint64_t cgroup;
	uint64_t min_latency_ns, min_bytes;
	uint32_t mechs; /* bits by mechanism number; 0: all */
	const struct select_opts
		*within; /* of what that one selects; NULL: of everything. Copied, but one deep only */
};

struct select;

struct select *select__new(const struct select_opts *opts); /* copied; src, dst must stay valid */
/* The same, for a second filter beside another one: each keeps its own marks at processes. */
struct select *select__new_second(const struct select_opts *opts);
/* Call for every task record, after proc_table__feed(): marks chosen processes (proc.selected) and, with follow, their children. */
void select__task(struct select *s, struct proc_table *procs, const struct task_info *info);
bool select__message(const struct select *s, const struct message *m);
bool select__op(const struct select *s, const struct op *op, const struct party *task);
void select__free(struct select *s);

#endif
