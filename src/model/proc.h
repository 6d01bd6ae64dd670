/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes and threads over time. Identity is (pid, start time); a pid names
 * the process that has it at the moment of the event.
 */
#ifndef MODEL_PROC_H
#define MODEL_PROC_H

#include "base/map.h"
#include "base/vec.h"
#include "model/op.h"

struct proc {
	/* What each operation looks at stands together. */
	uint32_t pid;
	uint32_t serial; /* of all that there ever were, from 1: for keys that last */
	struct proc *merged; /* about to be freed: its history went there (proc__resolve) */
	char comm[16];
	uint32_t task_cnt; /* its threads in proc_table.tasks */
	uint32_t ppid;
	uint64_t start_ns;
	uint64_t exit_ns; /* 0: alive */
	uint64_t cgroup;
	uint32_t uid, pidns, ns_pid, ipcns;
	int32_t exit_code;
	bool exited;
	bool known; /* false: seen only by its pid in an operation, no task record came */
	bool kept; /* scratch of model/forget.c */
	bool counted; /* scratch of cmd/summary.c */
	uint8_t selected; /* scratch for filters: chosen by --pid/--follow, a bit per filter */
	struct proc *parent; /* NULL: not known */
	struct proc *next_orphan; /* in proc_table.orphans */
	char *exe; /* never NULL; "" when not known */
	char *args; /* NUL-separated, args_len bytes; NULL when not known */
	size_t args_len;
	uint32_t id; /* dense: index in proc_table.all, until the next of model_sink.moved */
	uint32_t
		folded_cnt; /* > 0: no process, but what so many with this comm, uid, cgroup and pidns left that ended; pid is 0 */
	uint32_t folded_nr; /* which of those it is, from 1 */
};

/* Whom p's history is told of. NULL gives NULL. */
static inline struct proc *proc__resolve(struct proc *p)
{
	return p && p->merged ? p->merged : p;
}

/* For keys of tables: a process, or 0 for none; and two of them in this order. */
static inline uint64_t proc__number(const struct proc *p)
{
	return p ? p->serial : 0;
}

static inline uint64_t proc__pair(const struct proc *a, const struct proc *b)
{
	return proc__number(a) << 32 | proc__number(b);
}

struct proc_table {
	struct map by_pid; /* pid -> struct proc *, the current one */
	struct map tasks; /* tid -> struct task * (comm of threads) */
	VEC(struct proc *) all; /* in order of appearance, the exited ones too */
	struct map
		folded; /* what they have in common, of kinds -> struct proc *: who stands for those that ended */
	struct strtab kinds;
	uint32_t serial; /* the last one given */
	struct map
		orphans; /* pid -> struct proc *, the first of those whose parent has it, and was not known yet */
	size_t exited_cnt; /* of all: ended, and not folded */
};

void proc_table__feed(struct proc_table *t, const struct task_info *info);
/* The process that has this pid now; makes an unknown one when no task record came. Never NULL for pid != 0. */
struct proc *proc_table__get(struct proc_table *t, uint32_t pid);
/*
 * The process of that pid and start time (0: not known, the present one), which may have ended; made when no task record
 * came, under comm.
 */
struct proc *proc_table__at(struct proc_table *t, uint32_t pid, uint64_t start_ns, const char *comm);
struct proc *proc_table__find(const struct proc_table *t, uint32_t pid); /* NULL: none */
/* comm of a thread now; falls back to its process's. Returns comm (16 bytes, NUL-terminated). */
const char *proc_table__comm(const struct proc_table *t, uint32_t pid, uint32_t tid);
/*
 * p, which ended, will be told of as one with all that had its comm, user, cgroup and pid namespace: sets p->merged. proc_table__drop_merged() frees it, when nobody
 * points to it any more; then the others have other ids.
 */
void proc_table__fold(struct proc_table *t, struct proc *p);
void proc_table__drop_merged(struct proc_table *t);
void proc_table__free(struct proc_table *t);

#endif
