/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Descriptors that travel: the sender's is joined with the receiver's by the open file, which is the same on both
 * sides and cannot be freed meanwhile, and by the sender's socket. What a receive brought is kept by number, for the message that
 * the receive becomes later; of the last KEPT_MAX receives with descriptors, so memory is bounded.
 */
#include "model/passed.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/keep.h"
#include "model/model_impl.h"

#define KEPT_MAX 4096
#define FLIGHTS_MAX 16384 /* (file, socket) pairs on their way */
#define SENDS_MAX 64 /* of one file on one socket, unreceived */

struct sent {
	struct proc *proc;
	uint32_t tid;
	int32_t fd;
};

struct flight {
	VEC(struct sent) sends; /* oldest first */
};

struct batch { /* what one receive brought */
	uint32_t nr;
	uint64_t first_ns;
	VEC(struct passed_fd) fds;
};

struct last_send { /* of one thread, to take back when its sendmsg fails */
	struct last_send *next;
	uint64_t file, sock, enter_ns;
};

struct passed {
	struct map flights; /* (file, socket) -> struct flight * */
	struct map batches; /* tid -> struct batch *: not claimed yet */
	struct map last_sends; /* tid -> struct last_send *, the newest first */
	VEC(struct batch *) kept; /* by nr modulo KEPT_MAX */
	uint32_t next_nr;
};

static struct passed *passed_of(struct model *m)
{
	if (!m->passed) {
		m->passed = xalloc(sizeof(*m->passed));
		m->passed->next_nr = 1;
	}
	return m->passed;
}

static void forget_last_sends(struct passed *p, uint32_t tid)
{
	struct last_send *l = map__del(&p->last_sends, tid, 0), *next;

	for (; l; l = next) {
		next = l->next;
		free(l);
	}
}

static void free_flight(struct flight *f)
{
	vec__free(&f->sends);
	free(f);
}

static void forget_flights(struct passed *p)
{
	map__for_each(&p->flights, slot)
		free_flight(slot->val);
	map__free(&p->flights);
}

static void sent(struct model *m, struct passed *p, const struct pass_info *info)
{
	struct flight *f = map__get(&p->flights, info->file, info->sock.id);
	struct last_send *last = xalloc(sizeof(*last)), *before;

	if (!f) {
		if (p->flights.cnt >= FLIGHTS_MAX)
			forget_flights(p); /* messages that nobody ever takes */
		f = xalloc(sizeof(*f));
		map__set(&p->flights, info->file, info->sock.id, f);
	}
	if (f->sends.cnt == SENDS_MAX)
		memmove(f->sends.v, f->sends.v + 1, --f->sends.cnt * sizeof(f->sends.v[0]));
	vec__push(&f->sends, ((struct sent){ .proc = model__party(m, info->pid, info->tid).proc,
					     .tid = info->tid,
					     .fd = info->fd }));
	last->file = info->file;
	last->sock = info->sock.id;
	last->enter_ns = info->enter_ns;
	before = map__get(&p->last_sends, info->tid, 0);
	if (before && before->enter_ns != info->enter_ns)
		forget_last_sends(p, info->tid);
	last->next = map__del(&p->last_sends, info->tid, 0);
	map__set(&p->last_sends, info->tid, 0, last);
}

static void drop_flight(struct passed *p, uint64_t file, uint64_t sock)
{
	struct flight *f = map__del(&p->flights, file, sock);

	if (f)
		free_flight(f);
}

/* The thread's sendmsg failed: its newest entries go. */
static void failed(struct passed *p, const struct pass_info *info)
{
	for (struct last_send *l = map__get(&p->last_sends, info->tid, 0); l; l = l->next) {
		struct flight *f = map__get(&p->flights, l->file, l->sock);

		for (size_t i = f ? f->sends.cnt : 0; i > 0; i--) {
			if (f->sends.v[i - 1].tid != info->tid)
				continue;
			memmove(&f->sends.v[i - 1], &f->sends.v[i],
				(f->sends.cnt - i) * sizeof(f->sends.v[0]));
			f->sends.cnt--;
			break;
		}
		if (f && !f->sends.cnt)
			drop_flight(p, l->file, l->sock);
	}
	forget_last_sends(p, info->tid);
}

static struct sent take(struct passed *p, const struct pass_info *info)
{
	struct flight *f = map__get(&p->flights, info->file, info->peer_sock.id);
	struct sent s = { .fd = -1 };

	if (!f || !f->sends.cnt)
		return s;
	s = f->sends.v[0];
	if (info->peek)
		return s;
	memmove(f->sends.v, f->sends.v + 1, --f->sends.cnt * sizeof(f->sends.v[0]));
	if (!f->sends.cnt)
		drop_flight(p, info->file, info->peer_sock.id);
	return s;
}

static const char *name_of(struct model *m, const struct pass_info *info)
{
	struct channel *ch = model__channel(m, info->obj_mech, info->obj);

	if (ch)
		return ch->name;
	return strtab__intern(&m->graph.names, info->name_len ? info->name : "?", info->name_len ?: 1);
}

static struct batch *batch_of(struct passed *p, const struct pass_info *info)
{
	struct batch *b = map__get(&p->batches, info->tid, 0);

	if (b)
		return b;
	b = xalloc(sizeof(*b));
	b->first_ns = info->ts_ns;
	map__set(&p->batches, info->tid, 0, b);
	return b;
}

/* Who has a descriptor of an object is an end of it, even if it never uses it. */
static void put_end(struct model *m, const struct pass_info *info)
{
	static const char *const roles[] = { NULL, "read", "write", "readwrite" };
	struct channel *ch = model__channel(m, info->obj_mech, info->obj);
	struct end *end;

	if (!ch || !info->side || info->side > 3)
		return;
	end = graph__end(&m->graph, model__party(m, info->pid, info->tid).proc, ch, roles[info->side],
			 info->side != 1);
	if (!end->first_ns)
		end->first_ns = info->ts_ns;
	end->last_ns = info->ts_ns;
}

static void received(struct model *m, struct passed *p, const struct pass_info *info)
{
	struct sent from = { .fd = info->from_fd };
	struct batch *b = batch_of(p, info);

	if (info->what == PASS_TAKEN)
		from.proc = info->from_pid ? model__party(m, info->from_pid, info->from_pid).proc : NULL;
	else
		from = take(p, info);
	put_end(m, info);
	if (b->fds.cnt < PASSED_FDS_MAX)
		vec__push(&b->fds, ((struct passed_fd){ .object = name_of(m, info),
							.src = from.proc,
							.src_fd = from.fd,
							.dst_fd = info->fd,
							.side = info->side }));
}

static struct op op_of(const struct pass_info *info)
{
	struct op op = { .ts_ns = info->ts_ns,
			 .pid = info->pid,
			 .tid = info->tid,
			 .kind = OP_PASS,
			 .mech = info->mech,
			 .rule = PAIR_NONE,
			 .obj = info->obj,
			 .fd = info->fd,
			 .fd2 = -1 };

	return op;
}

/* As a raw operation of its own; its channel is that of what is passed. */
static void show_op(struct model *m, const struct pass_info *info)
{
	struct party task = model__party(m, info->pid, info->tid);
	struct op op = op_of(info);

	if (m->sink.op)
		m->sink.op(m->sink.ctx, &op, model__channel(m, info->obj_mech, info->obj), &task);
}

/* pidfd_getfd is a message by itself: a descriptor goes from the one process to the other. */
static void taken(struct model *m, const struct pass_info *info)
{
	struct op op = op_of(info);

	op.rule = PAIR_DIRECT;
	op.obj = (struct obj_key){ .id = info->from_pid,
				   .space = info->from_pid ? (uint64_t)info->mech << 56 : 0 };
	op.direct.pid = op.direct.tid = info->from_pid;
	op.fds_nr = passed__claim(m, &op);
	model__op(m, &op);
}

void passed__feed(struct model *m, const struct pass_info *info)
{
	struct passed *p = passed_of(m);

	switch (info->what) {
	case PASS_SENT:
		sent(m, p, info);
		break;
	case PASS_FAILED:
		failed(p, info);
		return;
	case PASS_RECEIVED:
	case PASS_TAKEN:
		received(m, p, info);
		break;
	default:
		return;
	}
	if (info->what == PASS_TAKEN)
		taken(m, info);
	else
		show_op(m, info);
}

static void free_batch(struct batch *b)
{
	if (b)
		vec__free(&b->fds);
	free(b);
}

uint32_t passed__claim(struct model *m, const struct op *op)
{
	struct passed *p = m->passed;
	struct batch *b = p ? map__del(&p->batches, op->tid, 0) : NULL;
	uint32_t nr = 0;

	/* Of an earlier receive whose record was lost. */
	if (b && b->first_ns >= op->enter_ns) {
		nr = b->nr = p->next_nr++;
		if (!p->next_nr)
			p->next_nr = 1;
		if (p->kept.cnt < KEPT_MAX) {
			vec__push(&p->kept, b);
		} else {
			free_batch(p->kept.v[nr % KEPT_MAX]);
			p->kept.v[nr % KEPT_MAX] = b;
		}
		return nr;
	}
	free_batch(b);
	return nr;
}

const struct passed_fd *passed__of(const struct model *m, uint32_t nr, uint16_t *cnt)
{
	const struct passed *p = m->passed;

	*cnt = 0;
	if (!nr || !p)
		return NULL;
	for (size_t i = 0; i < 2; i++) { /* pushed from 0 on, then replaced by nr modulo KEPT_MAX */
		size_t at = i ? nr % KEPT_MAX : nr - 1u;

		if (at < p->kept.cnt && p->kept.v[at]->nr == nr) {
			*cnt = (uint16_t)p->kept.v[at]->fds.cnt;
			return p->kept.v[at]->fds.v;
		}
	}
	return NULL;
}

void passed__exited(struct model *m, uint32_t tid)
{
	struct passed *p = m->passed;

	if (!p)
		return;
	forget_last_sends(p, tid);
	free_batch(map__del(&p->batches, tid, 0));
}

static void keep_names(const struct batch *b)
{
	for (size_t i = 0; i < b->fds.cnt; i++)
		strtab__keep(b->fds.v[i].object);
}

void passed__keep(struct model *m)
{
	struct passed *p = m->passed;

	if (!p)
		return;
	map__for_each(&p->flights, slot) {
		const struct flight *f = slot->val;

		for (size_t i = 0; i < f->sends.cnt; i++)
			keep__proc(f->sends.v[i].proc);
	}
	map__for_each(&p->batches, slot)
		keep_names(slot->val);
	for (size_t i = 0; i < p->kept.cnt; i++)
		keep_names(p->kept.v[i]);
}

static void resolve_batch(struct batch *b)
{
	for (size_t i = 0; i < b->fds.cnt; i++)
		b->fds.v[i].src = proc__resolve(b->fds.v[i].src);
}

/* Who sent what was received is not kept: the message that tells it has been given out for long. */
void passed__follow(struct model *m)
{
	struct passed *p = m->passed;

	if (!p)
		return;
	map__for_each(&p->batches, slot)
		resolve_batch(slot->val);
	for (size_t i = 0; i < p->kept.cnt; i++)
		resolve_batch(p->kept.v[i]);
}

void passed__free(struct model *m)
{
	struct passed *p = m->passed;

	if (!p)
		return;
	forget_flights(p);
	map__for_each(&p->batches, slot)
		free_batch(slot->val);
	map__free(&p->batches);
	for (size_t i = 0; i < p->kept.cnt; i++)
		free_batch(p->kept.v[i]);
	while (p->last_sends.cnt) {
		map__for_each(&p->last_sends, slot) {
			forget_last_sends(p, (uint32_t)slot->lo);
			break;
		}
	}
	map__free(&p->last_sends);
	vec__free(&p->kept);
	free(p);
	m->passed = NULL;
}
