/* SPDX-License-Identifier: GPL-2.0 */
/* Which processes are one side of a table's line. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/meter_table.h"
#include "model/proc.h"

#define GROUP_BIT (1u << 31) /* of side.id; others are serials of processes */

struct group_key {
	uint64_t lo, hi;
};

struct side_group {
	struct side side;
	struct group_key key;
	struct map procs; /* serial -> those counted */
};

static struct group_key by_process(const struct proc *p)
{
	return (struct group_key){ p->serial, 0 };
}

static struct group_key by_command(const struct proc *p)
{
	struct group_key key;
	char comm[sizeof(p->comm)] = "";

	memcpy(comm, p->comm, strnlen(p->comm, sizeof(comm)));
	memcpy(&key, comm, sizeof(key));
	return key;
}

static struct group_key by_user(const struct proc *p)
{
	return (struct group_key){ p->uid, 1 };
}

static struct group_key by_cgroup(const struct proc *p)
{
	return (struct group_key){ p->cgroup, 2 };
}

static struct group_key by_container(const struct proc *p)
{
	return (struct group_key){ p->pidns, 3 };
}

static const struct {
	const char *name;
	struct group_key (*key)(const struct proc *p);
} group_rows[GROUP_CNT] = {
	[GROUP_NONE] = { "none", by_process },
	[GROUP_COMMAND] = { "command", by_command },
	[GROUP_USER] = { "user", by_user },
	[GROUP_CGROUP] = { "cgroup", by_cgroup },
	[GROUP_CONTAINER] = { "container", by_container },
};

const char *table_group__name(enum table_group group)
{
	return group_rows[group].name;
}

bool table_group__same(enum table_group group, const struct proc *a, const struct proc *b)
{
	struct group_key ka, kb;

	if (!a || !b)
		return a == b;
	ka = group_rows[group].key(a);
	kb = group_rows[group].key(b);
	return ka.lo == kb.lo && ka.hi == kb.hi;
}

static uint64_t origin_number(struct meter_table *t, const char *origin)
{
	size_t i;

	if (!origin)
		return 0;
	for (i = 0; i < t->origins.cnt; i++)
		if (!strcmp(t->origins.v[i], origin))
			return i + 1;
	vec__push(&t->origins, origin);
	return i + 1;
}

static struct group_key key_of(struct meter_table *t, const struct proc *proc, const char *origin)
{
	if (proc)
		return group_rows[t->opts.group].key(proc);
	return (struct group_key){ origin_number(t, origin), UINT64_MAX };
}

static struct side_group *group_of(struct meter_table *t, struct proc *proc, const char *origin)
{
	struct group_key key = key_of(t, proc, origin);
	struct side_group *g = map__get(&t->groups, key.lo, key.hi);

	if (g)
		return g;
	g = xalloc(sizeof(*g));
	g->side = (struct side){ .id = GROUP_BIT | ++t->last_side, .proc = proc, .origin = origin };
	g->key = key;
	vec__push(&t->all_groups, g);
	map__set(&t->groups, key.lo, key.hi, g);
	return g;
}

/* Each process is a group of its own, and nothing has to be remembered of it. */
static bool is_alone(const struct meter_table *t, const struct proc *proc)
{
	return proc && t->opts.group == GROUP_NONE;
}

struct side meter_table__side(struct meter_table *t, struct proc *proc, const char *origin)
{
	struct side_group *g;

	if (is_alone(t, proc))
		return (struct side){ .id = proc->serial, .proc = proc, .proc_cnt = 1 };
	g = group_of(t, proc, origin);
	/* Those that it stands for were counted when they lived. */
	if (proc && (!proc->folded_cnt || !g->side.proc_cnt) && !map__set(&g->procs, proc->serial, 0, proc))
		g->side.proc_cnt++;
	return g->side;
}

void meter_table__update_side(struct meter_table *t, struct side *side)
{
	if (side->id && !is_alone(t, side->proc))
		*side = group_of(t, side->proc, side->origin)->side;
}

static void free_group(struct side_group *g)
{
	map__free(&g->procs);
	free(g);
}

static void forget_merged(struct side_group *g)
{
	struct map left = { 0 };

	map__for_each(&g->procs, slot)
		if (!((const struct proc *)slot->val)->merged)
			map__set(&left, slot->lo, 0, slot->val);
	map__free(&g->procs);
	g->procs = left;
	g->side.proc = proc__resolve(g->side.proc);
}

void meter_table__follow(struct meter_table *t)
{
	map__free(&t->groups);
	for (size_t i = 0; i < t->all_groups.cnt; i++) {
		struct side_group *g = t->all_groups.v[i];

		forget_merged(g);
		map__set(&t->groups, g->key.lo, g->key.hi, g);
	}
}

void meter_table__forget_groups(struct meter_table *t)
{
	for (size_t i = 0; i < t->all_groups.cnt; i++)
		free_group(t->all_groups.v[i]);
	vec__free(&t->all_groups);
	map__free(&t->groups);
}
