/* SPDX-License-Identifier: GPL-2.0 */
#include "model/select.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "base/log.h"

struct side { /* --src or --dst */
	const char *glob; /* NULL: not a glob */
	uint32_t pid;
	bool set;
};

struct select {
	struct select_opts opts;
	bool gone[SELECT_PIDS_MAX]; /* that process ended: another one under its pid was not asked for */
	struct side src, dst;
	uint8_t mark; /* its bit in proc.selected */
	struct select *within;
};

static struct side side_of(const char *word)
{
	struct side side = { .set = word != NULL };
	unsigned long pid;
	char *end;

	if (!word)
		return side;
	pid = word[0] >= '0' && word[0] <= '9' ? strtoul(word, &end, 10) : 0;
	if (pid && !*end && pid <= UINT32_MAX)
		side.pid = (uint32_t)pid;
	else
		side.glob = word;
	return side;
}

static struct select *new_select(const struct select_opts *opts, uint8_t mark)
{
	struct select *s = xalloc(sizeof(*s));

	s->opts = *opts;
	s->src = side_of(opts->src);
	s->dst = side_of(opts->dst);
	s->mark = mark;
	return s;
}

struct select *select__new(const struct select_opts *opts)
{
	struct select *s = new_select(opts, 1);

	if (opts->within)
		s->within = new_select(opts->within, 2);
	return s;
}

struct select *select__new_second(const struct select_opts *opts)
{
	return new_select(opts, 4);
}

void select__free(struct select *s)
{
	if (s)
		free(s->within);
	free(s);
}

static bool has_pid(const struct select *s, uint32_t pid)
{
	size_t i;

	for (i = 0; i < s->opts.pid_cnt; i++)
		if (s->opts.pids[i] == pid && !s->gone[i])
			return true;
	return false;
}

static void retire_pid(struct select *s, uint32_t pid)
{
	size_t i;

	for (i = 0; i < s->opts.pid_cnt; i++)
		if (s->opts.pids[i] == pid)
			s->gone[i] = true;
}

static void mark(struct select *s, struct proc *p, const struct task_info *info)
{
	if (has_pid(s, info->pid))
		p->selected |= s->mark;
	/* Children from the fork on; the scan finds those that were there before, which do not count. */
	if (s->opts.follow && info->what == TASK_FORK && p->parent && p->parent->selected & s->mark)
		p->selected |= s->mark;
	if (p->selected & s->mark && info->what == TASK_EXIT && info->group_dead)
		retire_pid(s, info->pid);
}

void select__task(struct select *s, struct proc_table *procs, const struct task_info *info)
{
	struct proc *p = proc_table__find(procs, info->pid);

	if (!p)
		return;
	mark(s, p, info);
	if (s->within)
		mark(s->within, p, info);
}

static bool proc_chosen(const struct select *s, const struct proc *p)
{
	return p && (p->selected & s->mark || (!p->exited && has_pid(s, p->pid)));
}

static bool side_matches(const struct side *side, const struct party *party)
{
	if (!side->set)
		return true;
	if (!party->proc)
		return false;
	if (!side->glob)
		return party->proc->pid == side->pid;
	return !fnmatch(side->glob, party->comm, 0) || !fnmatch(side->glob, party->proc->comm, 0);
}

static bool mech_chosen(const struct select *s, uint8_t mech)
{
	return !s->opts.mechs || (mech < 32 && (s->opts.mechs >> mech & 1));
}

static bool owner_matches(const struct select *s, const struct proc *p)
{
	if (!p)
		return false;
	if (s->opts.have_uid && p->uid != s->opts.uid)
		return false;
	return !s->opts.have_cgroup || p->cgroup == s->opts.cgroup;
}

bool select__message(const struct select *s, const struct message *m)
{
	const struct proc *src = m->src.proc, *dst = m->dst.proc;

	if (s->within && !select__message(s->within, m))
		return false;
	if (!mech_chosen(s, m->mech) || m->bytes < s->opts.min_bytes ||
	    m->latency_ns < s->opts.min_latency_ns)
		return false;
	if (s->opts.pid_cnt && !proc_chosen(s, src) && !proc_chosen(s, dst))
		return false;
	if ((s->opts.have_uid || s->opts.have_cgroup) && !owner_matches(s, src) && !owner_matches(s, dst))
		return false;
	return side_matches(&s->src, &m->src) && side_matches(&s->dst, &m->dst);
}

/* An operation has one side only: --src or --dst may be met by it. */
bool select__op(const struct select *s, const struct op *op, const struct party *task)
{
	if (s->within && !select__op(s->within, op, task))
		return false;
	if (!mech_chosen(s, op->mech) || op->bytes < s->opts.min_bytes)
		return false;
	if (s->opts.pid_cnt && !proc_chosen(s, task->proc))
		return false;
	if ((s->opts.have_uid || s->opts.have_cgroup) && !owner_matches(s, task->proc))
		return false;
	if (!s->src.set && !s->dst.set)
		return true;
	return (s->src.set && side_matches(&s->src, task)) || (s->dst.set && side_matches(&s->dst, task));
}
