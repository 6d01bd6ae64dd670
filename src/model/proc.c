/* SPDX-License-Identifier: GPL-2.0 */
#include "model/proc.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FOLDED_OTHERS "(others)"

struct task { /* a thread other than the leader; the leader's comm is its process's */
	uint32_t pid;
	char comm[16];
};

static void count_task(const struct proc_table *t, uint32_t pid, int by)
{
	struct proc *p = proc_table__find(t, pid);

	if (p)
		p->task_cnt += (uint32_t)by;
}

static void drop_task(struct proc_table *t, uint32_t tid)
{
	struct task *task = map__del(&t->tasks, tid, 0);

	if (task)
		count_task(t, task->pid, -1);
	free(task);
}

/* Exits of threads may have been lost, so all that still claim this process go with it. */
static void drop_tasks_of(struct proc_table *t, uint32_t pid)
{
	const struct proc *p = proc_table__find(t, pid);
	VEC(uint32_t) tids = { 0 };
	size_t i;

	if (!p || !p->task_cnt)
		return;
	map__for_each(&t->tasks, slot) {
		if (((struct task *)slot->val)->pid == pid)
			vec__push(&tids, (uint32_t)slot->lo);
	}
	for (i = 0; i < tids.cnt; i++)
		drop_task(t, tids.v[i]);
	vec__free(&tids);
}

static struct proc *add_proc(struct proc_table *t, uint32_t pid)
{
	struct proc *p = xalloc(sizeof(*p));

	p->pid = pid;
	p->exe = xstrndup("", 0);
	p->id = (uint32_t)t->all.cnt;
	p->serial = ++t->serial;
	vec__push(&t->all, p);
	return p;
}

static struct proc *new_proc(struct proc_table *t, uint32_t pid)
{
	struct proc *p = add_proc(t, pid);

	map__set(&t->by_pid, pid, 0, p);
	return p;
}

static void mark_exited(struct proc_table *t, struct proc *p, uint64_t ts_ns)
{
	if (!p->exited) {
		p->exited = true;
		p->exit_ns = ts_ns;
		t->exited_cnt++;
	}
	drop_tasks_of(t, p->pid);
}

/*
 * The process that a task record is about. A different start time is a different process that
 * got the same pid; a fork always makes a new one, even when the old one was known by its pid only.
 */
static struct proc *proc_of(struct proc_table *t, const struct task_info *info)
{
	struct proc *p = proc_table__find(t, info->pid);
	bool same;

	if (!p)
		return new_proc(t, info->pid);
	if (p->known && p->start_ns && info->start_ns)
		same = p->start_ns == info->start_ns;
	else
		same = !(info->what == TASK_FORK && info->tid == info->pid);
	if (same)
		return p;
	mark_exited(t, p, info->ts_ns);
	return new_proc(t, info->pid);
}

static void set_string(char **to, const char *from, size_t len)
{
	free(*to);
	*to = xstrndup(from ? from : "", from ? len : 0);
}

static void set_args(struct proc *p, const char *args, size_t len)
{
	free(p->args);
	p->args = NULL;
	p->args_len = 0;
	if (!args || !len)
		return;
	p->args = xalloc(len + 1);
	memcpy(p->args, args, len);
	p->args_len = len;
}

static void set_comm(char *to, const char *from)
{
	memcpy(to, from, 15);
	to[15] = 0;
}

static void set_thread_comm(struct proc_table *t, const struct task_info *info)
{
	struct task *task = map__get(&t->tasks, info->tid, 0);

	if (!task) {
		task = xalloc(sizeof(*task));
		map__set(&t->tasks, info->tid, 0, task);
	} else {
		count_task(t, task->pid, -1);
	}
	task->pid = info->pid;
	count_task(t, task->pid, 1);
	set_comm(task->comm, info->comm);
}

static void add_orphan(struct proc_table *t, struct proc *p)
{
	p->next_orphan = map__set(&t->orphans, p->ppid, 0, p);
}

/* The scan meets children before their parents where pids have wrapped. */
static void adopt_orphans(struct proc_table *t, struct proc *parent)
{
	struct proc *next;

	for (struct proc *p = map__del(&t->orphans, parent->pid, 0); p; p = next) {
		next = p->next_orphan;
		p->next_orphan = NULL;
		if (!p->exited && p != parent)
			p->parent = parent;
	}
}

static void set_parent(struct proc_table *t, struct proc *p, const struct task_info *info)
{
	struct proc *parent;

	p->ppid = info->ppid;
	parent = info->ppid ? proc_table__find(t, info->ppid) : NULL;
	p->parent = parent != p ? parent : NULL;
	if (info->ppid && !p->parent)
		add_orphan(t, p);
	if (info->what == TASK_SCAN)
		adopt_orphans(t, p);
}

static void set_ids(struct proc *p, const struct task_info *info)
{
	p->cgroup = info->cgroup;
	p->uid = info->uid;
	p->pidns = info->pidns;
	p->ns_pid = info->ns_pid;
	p->ipcns = info->ipcns;
}

static void learn(struct proc_table *t, struct proc *p, const struct task_info *info)
{
	bool partial = info->what == TASK_EXIT || info->what == TASK_RENAME;

	if (!p->known || !partial)
		set_ids(p, info);
	if (!p->known) {
		p->known = true;
		p->start_ns = info->start_ns;
		set_parent(t, p, info);
		set_comm(p->comm, info->comm);
	}
	if (info->what == TASK_EXIT)
		return;
	if (!p->start_ns)
		p->start_ns = info->start_ns;
	if (info->tid == info->pid)
		set_comm(p->comm, info->comm);
	else
		set_thread_comm(t, info);
	if (info->exe_len)
		set_string(&p->exe, info->exe, info->exe_len);
	if (info->args_len)
		set_args(p, info->args, info->args_len);
}

/* A forked process runs its parent's program until it execs. */
static void inherit(struct proc *p)
{
	if (!p->parent || p->exe[0])
		return;
	set_string(&p->exe, p->parent->exe, strlen(p->parent->exe));
	set_args(p, p->parent->args, p->parent->args_len);
}

void proc_table__feed(struct proc_table *t, const struct task_info *info)
{
	struct proc *p;

	if (!info->pid)
		return;
	p = proc_of(t, info);
	learn(t, p, info);
	switch (info->what) {
	case TASK_FORK:
		if (info->tid == info->pid)
			inherit(p);
		break;
	case TASK_EXEC:
		/* The thread that called it is the leader now, all others are gone (de_thread() in fs/exec.c). */
		drop_tasks_of(t, p->pid);
		set_comm(p->comm, info->comm);
		break;
	case TASK_EXIT:
		if (info->tid != info->pid)
			drop_task(t, info->tid);
		if (!info->group_dead)
			break;
		p->exit_code = info->exit_code;
		mark_exited(t, p, info->ts_ns);
		break;
	default:
		break;
	}
}

struct proc *proc_table__get(struct proc_table *t, uint32_t pid)
{
	struct proc *p;

	if (!pid)
		return NULL;
	p = proc_table__find(t, pid);
	return p ? p : new_proc(t, pid);
}

static bool starts_at(const struct proc *p, uint64_t start_ns)
{
	return !start_ns || !p->start_ns || p->start_ns == start_ns;
}

/* One that had the pid before; NULL: none. */
static struct proc *former(const struct proc_table *t, uint32_t pid, uint64_t start_ns)
{
	for (size_t i = t->all.cnt; i-- > 0;)
		if (t->all.v[i]->pid == pid && t->all.v[i]->start_ns == start_ns)
			return t->all.v[i];
	return NULL;
}

struct proc *proc_table__at(struct proc_table *t, uint32_t pid, uint64_t start_ns, const char *comm)
{
	struct proc *p = proc_table__find(t, pid);

	if (!p)
		p = new_proc(t, pid);
	else if (!starts_at(p, start_ns))
		p = former(t, pid, start_ns) ?: add_proc(t, pid);
	if (!p->start_ns)
		p->start_ns = start_ns;
	if (!p->comm[0])
		set_comm(p->comm, comm);
	return p;
}

struct proc *proc_table__find(const struct proc_table *t, uint32_t pid)
{
	return map__get(&t->by_pid, pid, 0);
}

const char *proc_table__comm(const struct proc_table *t, uint32_t pid, uint32_t tid)
{
	static const char none[16];
	const struct task *task = tid != pid ? map__get(&t->tasks, tid, 0) : NULL;
	const struct proc *p;

	if (task && task->pid == pid)
		return task->comm;
	p = proc_table__find(t, pid);
	return p ? p->comm : none;
}

static void free_proc(struct proc *p)
{
	free(p->exe);
	free(p->args);
	free(p);
}

#define FOLDED_MAX 1024 /* nodes that ended processes are folded into; they choose their names themselves */

/* What those that are folded into one have in common, as bytes without padding. */
struct kind {
	uint64_t cgroup;
	uint32_t uid, pidns;
	char comm[16];
	uint64_t selected;
};

static struct proc *folded_of(struct proc_table *t, struct kind kind)
{
	uintptr_t key = (uintptr_t)strtab__find(&t->kinds, (const char *)&kind, sizeof(kind));
	struct proc *p = key ? map__get(&t->folded, key, 0) : NULL;

	if (p)
		return p;
	if (t->folded.cnt >= FOLDED_MAX && (kind.cgroup || strcmp(kind.comm, FOLDED_OTHERS) != 0))
		return folded_of(t, (struct kind){ .comm = FOLDED_OTHERS, .selected = kind.selected });
	p = add_proc(t, 0);
	p->exited = true;
	p->cgroup = kind.cgroup;
	p->uid = kind.uid;
	p->pidns = kind.pidns;
	p->selected = (uint8_t)kind.selected;
	set_comm(p->comm, kind.comm);
	key = (uintptr_t)strtab__intern(&t->kinds, (const char *)&kind, sizeof(kind));
	map__set(&t->folded, key, 0, p);
	p->folded_nr = (uint32_t)t->folded.cnt;
	return p;
}

void proc_table__fold(struct proc_table *t, struct proc *p)
{
	struct kind kind = { .cgroup = p->cgroup, .uid = p->uid, .pidns = p->pidns, .selected = p->selected };

	memcpy(kind.comm, p->comm, strnlen(p->comm, sizeof(kind.comm) - 1));
	p->merged = folded_of(t, kind);
	p->merged->folded_cnt++;
	p->merged->known |= p->known;
	if (p->exit_ns > p->merged->exit_ns)
		p->merged->exit_ns = p->exit_ns;
}

void proc_table__drop_merged(struct proc_table *t)
{
	size_t kept = 0;

	map__free(&t->orphans);
	for (size_t i = 0; i < t->all.cnt; i++)
		t->all.v[i]->parent = proc__resolve(t->all.v[i]->parent);
	for (size_t i = 0; i < t->all.cnt; i++) {
		struct proc *p = t->all.v[i];

		if (!p->merged) {
			p->id = (uint32_t)kept;
			t->all.v[kept++] = p;
			if (p->ppid && !p->parent && !p->exited)
				add_orphan(t, p);
			continue;
		}
		if (proc_table__find(t, p->pid) == p) {
			drop_tasks_of(t, p->pid);
			map__del(&t->by_pid, p->pid, 0);
		}
		t->exited_cnt--;
		free_proc(p);
	}
	t->all.cnt = kept;
}

void proc_table__free(struct proc_table *t)
{
	size_t i;

	for (i = 0; i < t->all.cnt; i++)
		free_proc(t->all.v[i]);
	vec__free(&t->all);
	map__free(&t->folded);
	strtab__free(&t->kinds);
	map__for_each(&t->tasks, slot)
		free(slot->val);
	map__free(&t->tasks);
	map__free(&t->orphans);
	map__free(&t->by_pid);
}
