/* SPDX-License-Identifier: GPL-2.0 */
/* Shared memory, as the objects see it: who has one, how, and since when; from that, who shares it with whom. */
#include <stdlib.h>

#include "base/log.h"
#include "model/share_impl.h"

struct shared *shared__of(struct pairing *p, const struct op *op)
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

void shared__learn(struct pairing *p, struct shared *o, const struct op *op)
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

struct channel *shared__channel(struct pairing *p, struct shared *o)
{
	if (!o->channel)
		o->channel = model__channel(p->m, o->mech, o->key);
	return channel__resolve(o->channel);
}

/* A file that nobody has had writable is none. */
static bool is_memory(const struct shared *o)
{
	return !o->is_file || o->written;
}

void shared__tell_state(struct pairing *p, struct shared *o)
{
	struct channel *ch;
	bool shown = false;

	if (!is_memory(o))
		return;
	ch = shared__channel(p, o);
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
	if (o->channel)
		shared__tell_state(p, o);
	map__del(&p->objects, o->key.id, o->key.space);
	shared__free(o);
}

void shared__free(struct shared *o)
{
	vec__free(&o->who);
	free(o);
}

void shared__set_removed(struct pairing *p, struct shared *o)
{
	o->removed = true;
	forget_if_idle(p, o);
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
	struct channel *ch = shared__channel(p, o);
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
	struct channel *ch = shared__channel(p, o);
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
		put_end(p, shared__channel(p, o), a, ts_ns);
}

void shared__add(struct pairing *p, struct shared *o, struct proc *proc, bool writable, bool scanned,
		 uint64_t ts_ns)
{
	struct attached *a = attached_of(o, proc);

	if (!a) {
		vec__push(&o->who,
			  ((struct attached){ .proc = proc, .since_ns = ts_ns, .scanned = scanned }));
		a = &o->who.v[o->who.cnt - 1];
	}
	if (!a->seg_cnt++ && !writable) {
		if (is_memory(o))
			join_all(p, o, a, ts_ns);
		if (!scanned && !o->is_file && !a->has_end)
			put_end(p, shared__channel(p, o), a, ts_ns);
	}
	if (writable)
		became_writable(p, o, a, ts_ns);
}

void shared__drop(struct pairing *p, struct shared *o, struct proc *proc, uint64_t ts_ns)
{
	struct attached *a = attached_of(o, proc);

	if (!a || --a->seg_cnt)
		return;
	if (is_memory(o))
		part_all(p, o, a, ts_ns);
	*a = o->who.v[--o->who.cnt];
	o->detached_ns = ts_ns;
	forget_if_idle(p, o);
}

void shared__add_part(struct shared *o, const struct proc *proc)
{
	attached_of(o, proc)->seg_cnt++;
}

void shared__set_writable(struct pairing *p, struct shared *o, const struct proc *proc, uint64_t ts_ns)
{
	became_writable(p, o, attached_of(o, proc), ts_ns);
}
