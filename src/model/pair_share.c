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
#include <string.h>

#include "base/log.h"
#include "model/keep.h"

struct segment {
	uint64_t addr, end;
	struct shared *object;
	bool writable;
};

struct space { /* one process's memory */
	struct proc *proc;
	VEC(struct segment) segs; /* by address, not overlapping */
};

struct attached {
	struct proc *proc;
	uint32_t seg_cnt;
	bool writable; /* at some time */
	bool scanned; /* from before the trace */
	bool has_end; /* in the graph */
	uint64_t since_ns;
};

struct shared { /* an object */
	struct obj_key key;
	struct channel *channel; /* of the name that it had when first used; may be merged: resolve */
	uint8_t mech;
	bool is_file; /* an ordinary one */
	bool is_segment; /* System V: lives on alone */
	bool written; /* somebody has or had it writable */
	bool removed;
	uint64_t size_bytes, detached_s, detached_ns;
	struct proc *creator; /* NULL: not known */
	uint32_t creator_pid;
	VEC(struct attached) who;
};

struct pairing {
	struct model *m;
	struct map spaces; /* pid -> struct space * */
	struct map objects; /* key -> struct shared * */
	struct map shares; /* pair of processes, channel -> struct share * */
};

static struct pairing *share__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	return p;
}

static struct space *space_of(struct pairing *p, uint32_t pid)
{
	struct space *s = map__get(&p->spaces, pid, 0);

	if (s)
		return s;
	s = xalloc(sizeof(*s));
	s->proc = model__party(p->m, pid, pid).proc;
	map__set(&p->spaces, pid, 0, s);
	return s;
}

static struct shared *object_of(struct pairing *p, const struct op *op)
{
	struct shared *o = map__get(&p->objects, op->obj.id, op->obj.space);

	if (o)
		return o;
	o = xalloc(sizeof(*o));
	o->key = op->obj;
	o->mech = op->mech;
	o->is_file = op->map.flags & MAP_F_FILE;
	o->is_segment = op->map.flags & MAP_F_SEGMENT;
	map__set(&p->objects, o->key.id, o->key.space, o);
	return o;
}

static struct channel *channel_of(struct pairing *p, struct shared *o)
{
	if (!o->channel)
		o->channel = model__channel(p->m, o->mech, o->key);
	return channel__resolve(o->channel);
}

static bool counts(const struct shared *o)
{
	return !o->is_file || o->written;
}

static void tell_state(struct pairing *p, struct shared *o)
{
	struct channel *ch = channel_of(p, o);
	bool shown = false;

	for (size_t i = 0; i < o->who.cnt; i++)
		shown |= o->who.v[i].has_end;
	if (shown && o->creator && !o->creator->exited)
		graph__end(model__graph(p->m), o->creator, ch, "owner", true);
	ch->memory.known = true;
	ch->memory.size_bytes = o->size_bytes;
	ch->memory.attached = o->who.cnt;
	ch->memory.creator_pid = o->creator_pid;
	ch->memory.creator_gone = o->creator_pid && (!o->creator || o->creator->exited);
	ch->memory.detached_ns = o->detached_ns;
	ch->memory.detached_s = o->detached_s;
	ch->memory.left_behind = o->is_segment && !o->removed && !o->who.cnt && ch->memory.creator_gone;
}

/* A file's inode number is free for another when nobody has it; a segment stays. */
static void forget_if_idle(struct pairing *p, struct shared *o)
{
	if (o->who.cnt || (o->is_segment && !o->removed))
		return;
	if (counts(o) && o->channel)
		tell_state(p, o);
	map__del(&p->objects, o->key.id, o->key.space);
	vec__free(&o->who);
	free(o);
}

/* ---- shares ---- */

static const char *mode_of(const struct attached *a)
{
	return a->writable ? "rw" : "ro";
}

/* Objects that have one name after the other (a shm_open() name used again) have one link. */
static struct share *share_of(struct pairing *p, struct shared *o, const struct attached *a,
			      const struct attached *b, bool make)
{
	struct channel *ch = channel_of(p, o);
	const struct attached *x = a->proc->id < b->proc->id ? a : b, *y = x == a ? b : a;
	uint64_t lo = proc__pair(x->proc, y->proc);
	struct share *s = map__get(&p->shares, lo, o->channel->serial);
	struct graph *g = model__graph(p->m);

	if (s || !make)
		return s;
	s = xalloc(sizeof(*s));
	s->a = x->proc;
	s->b = y->proc;
	s->channel = ch;
	s->a_mode = mode_of(x);
	s->b_mode = mode_of(y);
	vec__push(&g->shares, s);
	map__set(&p->shares, lo, o->channel->serial, s);
	return s;
}

static void set_mode(struct share *s, const struct attached *a)
{
	if (!a->writable)
		return;
	if (s->a == a->proc)
		s->a_mode = "rw";
	else
		s->b_mode = "rw";
}

static void put_end(struct pairing *p, struct channel *ch, struct attached *a, uint64_t ts_ns)
{
	struct end *end = graph__end(model__graph(p->m), a->proc, ch, a->writable ? "attach-rw" : "attach-ro",
				     a->writable);

	if (!end->first_ns)
		end->first_ns = a->since_ns;
	end->last_ns = ts_ns;
	a->has_end = true;
}

static void join(struct pairing *p, struct shared *o, struct attached *a, struct attached *b, uint64_t ts_ns)
{
	struct channel *ch = channel_of(p, o);
	struct share *s;

	if (a->proc == b->proc)
		return;
	s = share_of(p, o, a, b, true);
	if (!s->from_ns)
		s->from_ns = ts_ns;
	s->until_ns = 0;
	set_mode(s, a);
	set_mode(s, b);
	if (!a->has_end)
		put_end(p, ch, a, ts_ns);
	if (!b->has_end)
		put_end(p, ch, b, ts_ns);
}

static void join_all(struct pairing *p, struct shared *o, struct attached *a, uint64_t ts_ns)
{
	for (size_t i = 0; i < o->who.cnt; i++)
		join(p, o, a, &o->who.v[i], ts_ns);
}

static void part_all(struct pairing *p, struct shared *o, const struct attached *a, uint64_t ts_ns)
{
	for (size_t i = 0; i < o->who.cnt; i++) {
		const struct attached *b = &o->who.v[i];
		struct share *s = b->proc == a->proc ? NULL : share_of(p, o, a, b, false);

		if (s)
			s->until_ns = ts_ns;
	}
}

/* The first who can write makes a file a channel between all who have it. */
static void became_written(struct pairing *p, struct shared *o, uint64_t ts_ns)
{
	if (o->written)
		return;
	o->written = true;
	if (!o->is_file)
		return;
	for (size_t i = 0; i < o->who.cnt; i++)
		join_all(p, o, &o->who.v[i], ts_ns);
}

static struct attached *attached_of(struct shared *o, const struct proc *proc)
{
	for (size_t i = 0; i < o->who.cnt; i++)
		if (o->who.v[i].proc == proc)
			return &o->who.v[i];
	return NULL;
}

static void became_writable(struct pairing *p, struct shared *o, struct attached *a, uint64_t ts_ns)
{
	if (a->writable)
		return;
	a->writable = true;
	a->has_end = false;
	became_written(p, o, ts_ns);
	if (o->who.cnt > 1)
		join_all(p, o, a, ts_ns);
	else if (!a->scanned && !o->is_file)
		put_end(p, channel_of(p, o), a, ts_ns);
}

/* One more segment of o in proc. */
static void add_one(struct pairing *p, struct shared *o, struct proc *proc, bool writable, bool scanned,
		    uint64_t ts_ns)
{
	struct attached *a = attached_of(o, proc);

	if (!a) {
		vec__push(&o->who,
			  ((struct attached){ .proc = proc, .since_ns = ts_ns, .scanned = scanned }));
		a = &o->who.v[o->who.cnt - 1];
	}
	if (!a->seg_cnt++ && !writable) {
		if (counts(o))
			join_all(p, o, a, ts_ns);
		if (!scanned && !o->is_file && !a->has_end)
			put_end(p, channel_of(p, o), a, ts_ns);
	}
	if (writable)
		became_writable(p, o, a, ts_ns);
}

static void drop_one(struct pairing *p, struct shared *o, struct proc *proc, uint64_t ts_ns)
{
	struct attached *a = attached_of(o, proc);

	if (!a || --a->seg_cnt)
		return;
	if (counts(o))
		part_all(p, o, a, ts_ns);
	*a = o->who.v[--o->who.cnt];
	o->detached_ns = ts_ns;
	forget_if_idle(p, o);
}

/* ---- segments ---- */

static void insert(struct space *s, size_t at, struct segment seg)
{
	vec__push(&s->segs, seg);
	memmove(&s->segs.v[at + 1], &s->segs.v[at], (s->segs.cnt - 1 - at) * sizeof(seg));
	s->segs.v[at] = seg;
}

static void erase(struct space *s, size_t at)
{
	s->segs.cnt--;
	memmove(&s->segs.v[at], &s->segs.v[at + 1], (s->segs.cnt - at) * sizeof(s->segs.v[0]));
}

/* Segments begin and end at addr afterwards, none lies across it. */
static void split(struct space *s, uint64_t addr)
{
	for (size_t i = 0; i < s->segs.cnt && s->segs.v[i].addr < addr; i++) {
		struct segment upper = s->segs.v[i];

		if (upper.end <= addr)
			continue;
		s->segs.v[i].end = addr;
		upper.addr = addr;
		upper.object = s->segs.v[i].object;
		attached_of(upper.object, s->proc)->seg_cnt++;
		insert(s, i + 1, upper);
		return;
	}
}

/* only: NULL for whatever lies there. */
static void unmap(struct pairing *p, struct space *s, uint64_t addr, uint64_t end, const struct shared *only,
		  uint64_t ts_ns)
{
	size_t i = 0;

	split(s, addr);
	split(s, end);
	while (i < s->segs.cnt) {
		struct segment seg = s->segs.v[i];

		if (seg.addr < addr || seg.addr >= end || (only && seg.object != only)) {
			i++;
			continue;
		}
		erase(s, i);
		drop_one(p, seg.object, s->proc, ts_ns);
	}
}

static void map_segment(struct pairing *p, struct space *s, struct segment seg, bool scanned, uint64_t ts_ns)
{
	size_t at = 0;

	/* First the new one: an object whose only mapping is replaced by itself is not left in between. */
	add_one(p, seg.object, s->proc, seg.writable, scanned, ts_ns);
	unmap(p, s, seg.addr, seg.end, NULL, ts_ns);
	while (at < s->segs.cnt && s->segs.v[at].addr < seg.addr)
		at++;
	insert(s, at, seg);
}

static void drop_space(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	struct space *s = map__get(&p->spaces, pid, 0);

	if (!s)
		return;
	unmap(p, s, 0, UINT64_MAX, NULL, ts_ns);
	map__del(&p->spaces, pid, 0);
	vec__free(&s->segs);
	free(s);
}

/* ---- operations ---- */

static void learn(struct pairing *p, struct shared *o, const struct op *op)
{
	if (op->map.size_bytes)
		o->size_bytes = op->map.size_bytes;
	if (op->map.detached_s)
		o->detached_s = op->map.detached_s;
	if (!op->map.creator || o->creator_pid)
		return;
	o->creator_pid = op->map.creator;
	o->creator = proc_table__find(model__procs(p->m), op->map.creator);
	if (o->creator && o->creator->exited)
		o->creator = NULL;
}

static void attach(struct pairing *p, const struct op *op)
{
	struct segment seg = { .addr = op->map.addr, .end = op->map.addr + op->map.len };

	if (op->ret < 0 || seg.end <= seg.addr)
		return;
	seg.object = object_of(p, op);
	seg.writable = op->map.flags & MAP_F_WRITE;
	learn(p, seg.object, op);
	map_segment(p, space_of(p, op->pid), seg, op->map.flags & MAP_F_SCAN, op->ts_ns);
}

static void change_access(struct pairing *p, const struct op *op)
{
	struct space *s = map__get(&p->spaces, op->pid, 0);
	uint64_t end = op->map.addr + op->map.len;

	if (!s || !(op->map.flags & MAP_F_WRITE))
		return; /* who could write once may have */
	split(s, op->map.addr);
	split(s, end);
	for (size_t i = 0; i < s->segs.cnt; i++) {
		struct segment *seg = &s->segs.v[i];

		if (seg->addr < op->map.addr || seg->addr >= end)
			continue;
		seg->writable = true;
		became_writable(p, seg->object, attached_of(seg->object, s->proc), op->ts_ns);
	}
}

static void created(struct pairing *p, const struct op *op)
{
	struct shared *o = object_of(p, op);

	learn(p, o, op);
	if (op->kind == OP_CREATE && o->creator)
		graph__end(model__graph(p->m), o->creator, channel_of(p, o), "owner", true)->first_ns =
			op->ts_ns;
}

static void removed(struct pairing *p, const struct op *op)
{
	struct shared *o = map__get(&p->objects, op->obj.id, op->obj.space);

	if (!o || op->ret < 0)
		return;
	o->removed = true;
	forget_if_idle(p, o);
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
	unmap(p, s, op->map.addr, op->map.addr + op->map.len, only, op->ts_ns);
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
	struct space *from = map__get(&p->spaces, leader ? info->ptid : info->ppid, 0), *to;

	drop_space(p, info->pid, info->ts_ns); /* of an earlier process, if its end was lost */
	if (!from || info->shares_mm)
		return;
	to = space_of(p, info->pid);
	for (size_t i = 0; i < from->segs.cnt; i++) {
		struct segment seg = from->segs.v[i];

		vec__push(&to->segs, seg);
		add_one(p, seg.object, to->proc, seg.writable, false, info->ts_ns);
	}
}

static void share__task(struct pairing *p, const struct task_info *info)
{
	if (info->what == TASK_FORK && info->pid == info->tid)
		forked(p, info);
	else if (info->what == TASK_EXEC)
		drop_space(p, info->pid, info->ts_ns);
}

static void share__task_exit(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	drop_space(p, pid, ts_ns);
}

/* ---- the end ---- */

static void share__finish(struct pairing *p, uint64_t now_ns)
{
	map__for_each(&p->objects, slot) {
		struct shared *o = slot->val;

		if (counts(o))
			tell_state(p, o);
	}
}

static void share__free(struct pairing *p)
{
	map__for_each(&p->spaces, slot) {
		struct space *s = slot->val;

		vec__free(&s->segs);
		free(s);
	}
	map__for_each(&p->objects, slot) {
		struct shared *o = slot->val;

		vec__free(&o->who);
		free(o);
	}
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
