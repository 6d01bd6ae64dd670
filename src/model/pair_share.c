/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared memory: who has what mapped, and therefore shares it with whom.
 *
 * Each process is a list of segments (addresses that show an object), trimmed by whatever is mapped or unmapped over
 * them, copied by fork, dropped by exec and exit. A process is attached to an object while it has a segment of
 * it; two that are attached at the same time share it. An ordinary file is memory between processes only once somebody maps it
 * writable: before, nobody can tell anybody anything by it (libraries' caches, locales, ...).
 */
#include <stdlib.h>

#include "base/log.h"
#include "model/keep.h"
#include "model/share_impl.h"

static struct pairing *share__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	return p;
}

/* ---- operations ---- */

static void attach(struct pairing *p, const struct op *op)
{
	struct segment seg = { .addr = op->map.addr, .end = op->map.addr + op->map.len };

	if (op->ret < 0 || seg.end <= seg.addr)
		return;
	seg.object = shared__of(p, op);
	seg.writable = op->map.flags & MAP_F_WRITE;
	shared__learn(p, seg.object, op);
	space__map(p, space__of(p, op->pid), seg, op->map.flags & MAP_F_SCAN, op->ts_ns);
}

static void change_access(struct pairing *p, const struct op *op)
{
	struct space *s = map__get(&p->spaces, op->pid, 0);

	if (s && op->map.flags & MAP_F_WRITE) /* who could write once may have */
		space__set_writable(p, s, op->map.addr, op->map.addr + op->map.len, op->ts_ns);
}

static void created(struct pairing *p, const struct op *op)
{
	struct shared *o = shared__of(p, op);

	shared__learn(p, o, op);
	if (op->kind == OP_CREATE && o->creator)
		graph__end(model__graph(p->m), o->creator, shared__channel(p, o), "owner", true)->first_ns =
			op->ts_ns;
}

static void removed(struct pairing *p, const struct op *op)
{
	struct shared *o = map__get(&p->objects, op->obj.id, op->obj.space);

	if (o && op->ret >= 0)
		shared__set_removed(p, o);
}

static void detach(struct pairing *p, const struct op *op)
{
	struct space *s = map__get(&p->spaces, op->pid, 0);
	struct shared *only = NULL;

	if (!s || op->ret < 0)
		return;
	if (op->map.flags & MAP_F_ONE_OBJECT) {
		only = map__get(&p->objects, op->obj.id, op->obj.space);
		if (!only)
			return;
	}
	space__unmap(p, s, op->map.addr, op->map.addr + op->map.len, only, op->ts_ns);
}

static void share__op(struct pairing *p, const struct op *op)
{
	switch (op->kind) {
	case OP_ATTACH:
		attach(p, op);
		break;
	case OP_DETACH:
		detach(p, op);
		break;
	case OP_CONTROL:
		change_access(p, op);
		break;
	case OP_CREATE:
	case OP_OPEN:
		created(p, op);
		break;
	case OP_UNLINK:
		removed(p, op);
		break;
	}
}

/* A child has what its parent has, at the same addresses, unless it works in its parent's memory. */
static void forked(struct pairing *p, const struct task_info *info)
{
	/* With CLONE_PARENT, ppid is not who forked; ptid is a thread of it. */
	bool leader = proc_table__find(model__procs(p->m), info->ptid) != NULL;
	const struct space *from = map__get(&p->spaces, leader ? info->ptid : info->ppid, 0);

	space__drop(p, info->pid, info->ts_ns); /* of an earlier process, if its end was lost */
	if (from && !info->shares_mm)
		space__copy(p, space__of(p, info->pid), from, info->ts_ns);
}

static void share__task(struct pairing *p, const struct task_info *info)
{
	if (info->what == TASK_FORK && info->pid == info->tid)
		forked(p, info);
	else if (info->what == TASK_EXEC)
		space__drop(p, info->pid, info->ts_ns);
}

static void share__task_exit(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	space__drop(p, pid, ts_ns);
}

/* ---- the end ---- */

static void share__finish(struct pairing *p, uint64_t now_ns)
{
	map__for_each(&p->objects, slot)
		shared__tell_state(p, slot->val);
}

static void share__free(struct pairing *p)
{
	map__for_each(&p->spaces, slot)
		space__free(slot->val);
	map__for_each(&p->objects, slot)
		shared__free(slot->val);
	map__free(&p->spaces);
	map__free(&p->objects);
	map__free(&p->shares);
	free(p);
}

static void share__keep(struct pairing *p)
{
	map__for_each(&p->spaces, slot)
		keep__proc(((const struct space *)slot->val)->proc);
	map__for_each(&p->objects, slot) {
		const struct shared *o = slot->val;

		keep__object(p->m, o->key);
		keep__channel(o->channel);
		keep__proc(o->creator);
		for (size_t i = 0; i < o->who.cnt; i++)
			keep__proc(o->who.v[i].proc);
	}
}

static bool is_folded(const struct share *s)
{
	return s->a->merged || s->b->merged || channel__resolve(s->channel)->folded_cnt;
}

/* One who ended shares nothing again. */
static void share__follow(struct pairing *p)
{
	struct map kept = { 0 };

	map__for_each(&p->shares, slot)
		if (!is_folded(slot->val))
			map__set(&kept, slot->lo, slot->hi, slot->val);
	map__free(&p->shares);
	p->shares = kept;
}

const struct pair_ops pair_share = {
	.name = "share",
	.new = share__new,
	.free = share__free,
	.op = share__op,
	.task = share__task,
	.task_exit = share__task_exit,
	.finish = share__finish,
	.keep = share__keep,
	.follow = share__follow,
};
