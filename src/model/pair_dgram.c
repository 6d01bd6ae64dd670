/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams that wait in the queue of a socket (UDP): a send names the socket that it reached, a receive only the
 * socket it took from. The queue is first in, first out. Several receivers of one socket report in any order; length and
 * first bytes tell what they took. A receive without a send took what came from elsewhere: it is not shown at all.
 */
#include "model/pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "model/keep.h"
#include "model/list.h"

#define ALL_FACTOR \
	4 /* times pending_max, in all sockets: nobody says when one is closed with something in it */
#define REPORT_NS (20ull * 1000 * 1000) /* how late the report of an arrival may be behind the receive */

struct arrival {
	struct link of_socket, all; /* all: in pairing.arrivals, oldest first */
	struct socket *socket;
	struct op op;
	struct sender sender;
};

/* A receive whose datagram has not been seen. */
struct receive {
	struct link of_socket, waiting;
	struct socket *socket;
	struct op op;
};

struct socket {
	struct obj_key key;
	struct link arrivals, receives;
	size_t arrival_cnt;
	uint32_t last_tid; /* of the latest receive */
	uint64_t last_ns, other_ns; /* its time; that of the latest by another thread */
};

struct pairing {
	struct model *m;
	struct map sockets; /* key -> struct socket * */
	struct link waiting; /* receives, oldest first */
	struct link arrivals;
	size_t arrival_cnt;
	const struct arrival *match; /* of the receive that goes through model__op() now */
	enum attr attr;
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
	size_t cand_cnt;
	uint64_t next_sweep_ns;
};

static struct pairing *dgram__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	list__init(&p->waiting);
	list__init(&p->arrivals);
	return p;
}

static struct socket *socket_of(struct pairing *p, struct obj_key key)
{
	struct socket *s = map__get(&p->sockets, key.id, key.space);

	if (s)
		return s;
	s = xalloc(sizeof(*s));
	s->key = key;
	list__init(&s->arrivals);
	list__init(&s->receives);
	map__set(&p->sockets, key.id, key.space, s);
	return s;
}

static void free_arrival(struct pairing *p, struct arrival *a)
{
	list__unlink(&a->of_socket);
	list__unlink(&a->all);
	a->socket->arrival_cnt--;
	p->arrival_cnt--;
	free(a);
}

static void drop_arrival(struct pairing *p, struct arrival *a)
{
	model__stats_mut(p->m)->unmatched_sends++;
	model__channel(p->m, a->op.mech, a->op.obj)->unread_bytes += a->op.bytes;
	free_arrival(p, a);
}

static void free_receive(struct receive *r)
{
	list__unlink(&r->of_socket);
	list__unlink(&r->waiting);
	free(r);
}

/* Hashes of the same number of bytes that differ are of different bytes. */
static bool contradicts(const uint16_t a[4], const uint16_t b[4])
{
	for (int i = 0; i < 4; i++) {
		if (a[i] && b[i] && a[i] != b[i])
			return true;
	}
	return false;
}

/* Could this receive have taken this datagram? exact: with all of its bytes. */
static bool could_be(const struct op *recv, const struct op *sent, bool exact)
{
	if (!(recv->flags & OP_F_NO_ID))
		return recv->msg.id == sent->msg.id;
	if (exact ? recv->bytes != sent->bytes : recv->bytes >= sent->bytes || !(recv->flags & OP_F_TRUNC))
		return false;
	return sent->ts_ns <= recv->ts_ns + REPORT_NS && !contradicts(recv->fp, sent->fp);
}

static struct arrival *find_arrival(const struct socket *s, const struct op *op, bool exact)
{
	list__for_each(&s->arrivals, cur) {
		struct arrival *a = list__entry(cur, struct arrival, of_socket);

		if (could_be(op, &a->op, exact))
			return a;
	}
	return NULL;
}

static void add_candidate(struct pairing *p, struct proc *proc)
{
	for (size_t i = 0; i < p->cand_cnt; i++) {
		if (p->cand[i] == proc)
			return;
	}
	if (p->cand_cnt < MESSAGE_CANDIDATES_MAX)
		p->cand[p->cand_cnt++] = proc;
}

/*
 * With one receiver at a time the order decides. Else any that could be, and had arrived: it is exact when they are
 * all of one sender.
 */
static void grade(struct pairing *p, const struct socket *s, const struct arrival *match, const struct op *op,
		  bool exact)
{
	p->attr = ATTR_EXACT;
	p->cand_cnt = 0;
	if (!(op->flags & OP_F_NO_ID) || s->other_ns <= op->enter_ns)
		return;
	list__for_each(&s->arrivals, cur) {
		const struct arrival *a = list__entry(cur, struct arrival, of_socket);

		if (a->op.ts_ns <= op->ts_ns && could_be(op, &a->op, exact))
			add_candidate(p, a->sender.party.proc);
	}
	add_candidate(p, match->sender.party.proc);
	if (p->cand_cnt > 1)
		p->attr = ATTR_CANDIDATES;
}

/* Older ones that nobody took although their turn is long over. */
static void drop_overtaken(struct pairing *p, struct socket *s, const struct arrival *match,
			   const struct op *op)
{
	while (s->arrivals.next != &match->of_socket) {
		struct arrival *a = list__entry(s->arrivals.next, struct arrival, of_socket);

		if (a->op.ts_ns + model__opts(p->m)->settle_ns > op->ts_ns)
			break;
		drop_arrival(p, a);
	}
}

static bool match(struct pairing *p, struct socket *s, const struct op *op)
{
	bool exact = true;
	struct arrival *a = find_arrival(s, op, true);
	struct op recv = *op;

	if (!a) {
		exact = false;
		a = find_arrival(s, op, false);
	}
	if (!a)
		return false;
	grade(p, s, a, op, exact);
	drop_overtaken(p, s, a, op);
	recv.obj = a->op.obj;
	p->match = a;
	model__op(p->m, &recv);
	p->match = NULL;
	if (a->op.bytes > op->bytes)
		model__channel(p->m, op->mech, recv.obj)->discarded_bytes += a->op.bytes - op->bytes;
	free_arrival(p, a);
	return true;
}

static void note_receiver(struct socket *s, const struct op *op)
{
	if (s->last_tid != op->tid) {
		s->other_ns = s->last_ns;
		s->last_tid = op->tid;
	}
	s->last_ns = op->ts_ns;
}

/* What a receive took says of what its operation is: until then, there is none. */
static bool dgram__defer(struct pairing *p, const struct op *op)
{
	struct socket *s;
	struct receive *r;

	if (op->kind != OP_RECV || p->match)
		return false;
	if ((op->flags & OP_F_PEEK) || op->ret < 0)
		return true;
	s = socket_of(p, op->peer);
	note_receiver(s, op);
	if (match(p, s, op))
		return true;
	r = xalloc(sizeof(*r));
	r->op = *op;
	r->socket = s;
	list__append(&s->receives, &r->of_socket);
	list__append(&p->waiting, &r->waiting);
	return true;
}

static void arrived(struct pairing *p, const struct op *op)
{
	struct socket *s = socket_of(p, op->peer);
	struct arrival *a;

	if (op->flags & OP_F_TRUNC) { /* its queue was full */
		model__stats_mut(p->m)->unmatched_sends++;
		model__channel(p->m, op->mech, op->obj)->discarded_bytes += op->bytes;
		return;
	}
	a = xalloc(sizeof(*a));
	a->op = *op;
	a->socket = s;
	a->sender = model__sender(p->m, op);
	list__append(&s->arrivals, &a->of_socket);
	list__append(&p->arrivals, &a->all);
	if (++p->arrival_cnt > model__opts(p->m)->pending_max * ALL_FACTOR)
		drop_arrival(p, list__entry(p->arrivals.next, struct arrival, all));
	if (++s->arrival_cnt > model__opts(p->m)->pending_max)
		drop_arrival(p, list__entry(s->arrivals.next, struct arrival, of_socket));
	list__for_each(&s->receives, cur) {
		struct receive *r = list__entry(cur, struct receive, of_socket);
		struct op recv = r->op;

		if (!could_be(&recv, op, true) && !could_be(&recv, op, false))
			continue;
		free_receive(r);
		match(p, s, &recv);
		break;
	}
}

static void taken(struct pairing *p, const struct op *op)
{
	struct receipt *r = receipt__new(p->m, op, NULL);

	receipt__add(r, &p->match->sender, op->bytes, 1, p->attr, p->cand, p->cand_cnt);
	receipt__done(r);
}

static void dgram__op(struct pairing *p, const struct op *op)
{
	if (op->kind == OP_SEND)
		arrived(p, op);
	else if (op->kind == OP_RECV && p->match)
		taken(p, op);
}

static void drop_waiting(struct pairing *p, uint64_t until_ns)
{
	while (!list__empty(&p->waiting)) {
		struct receive *r = list__entry(p->waiting.next, struct receive, waiting);

		if (r->op.ts_ns > until_ns)
			break;
		free_receive(r);
	}
}

/* Sockets of which nothing is known any more. */
static void sweep(struct pairing *p, uint64_t before_ns)
{
	VEC(struct socket *) idle = { 0 };

	map__for_each(&p->sockets, slot) {
		struct socket *s = slot->val;

		if (list__empty(&s->arrivals) && list__empty(&s->receives) && s->last_ns < before_ns)
			vec__push(&idle, s);
	}
	for (size_t i = 0; i < idle.cnt; i++) {
		map__del(&p->sockets, idle.v[i]->key.id, idle.v[i]->key.space);
		free(idle.v[i]);
	}
	vec__free(&idle);
}

static void dgram__advance(struct pairing *p, uint64_t now_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;

	if (now_ns < settle_ns)
		return;
	drop_waiting(p, now_ns - REPORT_NS);
	if (now_ns < p->next_sweep_ns)
		return;
	p->next_sweep_ns = now_ns + settle_ns;
	sweep(p, now_ns - settle_ns);
}

static void dgram__finish(struct pairing *p, uint64_t now_ns)
{
	(void)now_ns;
	drop_waiting(p, UINT64_MAX);
	map__for_each(&p->sockets, slot) {
		struct socket *s = slot->val;

		list__for_each(&s->arrivals, cur)
			drop_arrival(p, list__entry(cur, struct arrival, of_socket));
	}
}

static void dgram__free(struct pairing *p)
{
	dgram__finish(p, UINT64_MAX);
	map__for_each(&p->sockets, slot)
		free(slot->val);
	map__free(&p->sockets);
	free(p);
}

static void dgram__keep(struct pairing *p)
{
	map__for_each(&p->sockets, slot) {
		const struct socket *s = slot->val;

		keep__object(p->m, s->key);
		list__for_each(&s->arrivals, cur) {
			const struct arrival *a = list__entry(cur, struct arrival, of_socket);

			keep__sender(&a->sender);
			keep__object(p->m, a->op.obj);
		}
	}
}

const struct pair_ops pair_dgram = {
	.name = "dgram",
	.new = dgram__new,
	.free = dgram__free,
	.op = dgram__op,
	.defer = dgram__defer,
	.advance = dgram__advance,
	.finish = dgram__finish,
	.keep = dgram__keep,
};
