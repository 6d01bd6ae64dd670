/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Message queues, System V and POSIX. Where the kernel half follows each message, a receive names the call that
 * sent it, and nothing has to be guessed: what remains is to remember when that call returned. A receive
 * that names none took a message from before the trace. Where messages cannot be followed, or were not yet (OP_F_NO_ID), the
 * queue's rule decides: pair_queue_rule.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/keep.h"
#include "model/pair_queue_impl.h"

#define GRACE_DIVISOR 100
#define SENT_MAX_FACTOR 64 /* times pending_max, in all queues; the kernel bounds each queue */
#define QUEUES_MAX 1024 /* then empty ones are forgotten: POSIX queues do not say when they are gone */
#define EARLY_SETTLES 30 /* a thread that was stopped between sending and returning may return much later */

static struct pairing *queue__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	p->grace_ns = model__opts(m)->settle_ns / GRACE_DIVISOR;
	p->sent_max = model__opts(m)->pending_max * SENT_MAX_FACTOR;
	list__init(&p->early_all);
	list__init(&p->sent);
	list__init(&p->with_waiting);
	return p;
}

static struct queue *queue_of(struct pairing *p, struct obj_key key)
{
	struct queue *q = map__get(&p->queues, key.id, key.space);

	if (q)
		return q;
	q = xalloc(sizeof(*q));
	q->key = key;
	list__init(&q->sent);
	list__init(&q->waiting);
	list__init(&q->all);
	map__set(&p->queues, key.id, key.space, q);
	return q;
}

void queue__drop_sent(struct pairing *p, struct queued *m)
{
	if (map__get(&p->by_call, m->tid, m->enter_ns) == m)
		map__del(&p->by_call, m->tid, m->enter_ns);
	list__unlink(&m->of_queue);
	list__unlink(&m->all);
	p->sent_cnt--;
	free(m);
}

static void drop_early(struct pairing *p, struct early *e)
{
	map__del(&p->early, e->tid, e->enter_ns);
	list__unlink(&e->all);
	free(e);
}

static void count_unread(struct pairing *p, const struct queued *m)
{
	struct channel *ch = model__channel(p->m, m->queue->key.space >> 56, m->queue->key);

	if (ch)
		ch->unread_bytes += m->bytes;
	model__stats_mut(p->m)->unmatched_sends++;
}

static void sent(struct pairing *p, struct queue *q, const struct op *op)
{
	struct early *early = map__get(&p->early, op->tid, op->enter_ns);
	struct queued *m;

	if (early) { /* its receiver was faster */
		drop_early(p, early);
		return;
	}
	m = xalloc(sizeof(*m));
	m->queue = q;
	m->sender = model__sender(p->m, op);
	m->enter_ns = op->enter_ns;
	m->tid = op->tid;
	m->type = op->queue.type;
	m->bytes = op->bytes;
	memcpy(m->fp, op->fp, sizeof(m->fp));
	list__append(&q->sent, &m->of_queue);
	list__append(&p->sent, &m->all);
	m->followed = !(op->flags & OP_F_NO_ID);
	if (m->followed)
		map__set(&p->by_call, m->tid, m->enter_ns, m);
	if (++p->sent_cnt <= p->sent_max)
		return;
	m = list__entry(p->sent.next, struct queued, all);
	count_unread(p, m);
	queue__drop_sent(p, m);
}

/* The send has not returned: its thread is in the call still, or died in it. */
static struct sender sender_under_way(struct pairing *p, const struct op *op)
{
	struct sender s = { .party = model__party(p->m, op->queue.sent_pid, op->queue.sent_tid),
			    .sent_ns = op->ts_ns,
			    .began_ns = op->queue.sent_enter_ns,
			    .under_way = true };
	struct early *e = xalloc(sizeof(*e));

	e->ts_ns = op->ts_ns;
	e->tid = op->queue.sent_tid;
	e->enter_ns = op->queue.sent_enter_ns;
	list__append(&p->early_all, &e->all);
	map__set(&p->early, e->tid, e->enter_ns, e);
	return s;
}

static void received(struct pairing *p, struct queue *q, const struct op *op)
{
	struct receipt *r = receipt__new(p->m, op, NULL);
	struct queued *m;
	struct sender s;

	if (op->flags & OP_F_NO_ID) {
		queue__wait(p, q, r);
		return;
	}
	if (!op->queue.sent_pid) {
		receipt__add_unknown(r, op->bytes, 1);
		receipt__done(r);
		return;
	}
	m = map__get(&p->by_call, op->queue.sent_tid, op->queue.sent_enter_ns);
	s = m ? m->sender : sender_under_way(p, op);
	if (m)
		queue__drop_sent(p, m);
	receipt__add(r, &s, op->bytes, 1, ATTR_EXACT, NULL, 0);
	if (op->queue.total > op->bytes)
		model__channel(p->m, op->mech, op->obj)->discarded_bytes += op->queue.total - op->bytes;
	receipt__done(r);
}

static void note_depth(struct pairing *p, const struct op *op)
{
	struct channel *ch = model__channel(p->m, op->mech, op->obj);
	uint32_t most = op->queue.msgs > op->queue.msgs_before ? op->queue.msgs : op->queue.msgs_before;

	if (!ch)
		return;
	ch->depth_messages = op->queue.msgs;
	ch->depth_bytes = op->queue.bytes;
	if (op->queue.bytes_max)
		ch->capacity_bytes = op->queue.bytes_max;
	if (op->queue.msgs_max)
		ch->capacity_messages = op->queue.msgs_max;
	if (most > ch->depth_messages_max)
		ch->depth_messages_max = most;
}

static void free_queue(struct pairing *p, struct queue *q)
{
	map__del(&p->queues, q->key.id, q->key.space);
	list__unlink(&q->all);
	free(q);
}

/* What lay in a removed queue went with it. */
static void discard(struct pairing *p, struct queue *q)
{
	struct channel *ch = model__channel(p->m, q->key.space >> 56, q->key);

	queue__settle(p, q, UINT64_MAX);
	list__for_each(&q->sent, cur) {
		struct queued *m = list__entry(cur, struct queued, of_queue);

		if (ch)
			ch->discarded_bytes += m->bytes;
		model__stats_mut(p->m)->unmatched_sends++;
		queue__drop_sent(p, m);
	}
	if (ch)
		ch->depth_messages = ch->depth_bytes = 0;
	free_queue(p, q);
	p->removed_cnt--;
}

static void queue__op(struct pairing *p, const struct op *op)
{
	struct queue *q = queue_of(p, op->obj);

	if (op->kind == OP_UNLINK) {
		/* Receivers that took something before may not have returned yet. */
		if (op->ret >= 0 && !q->removed_ns) {
			q->removed_ns = op->ts_ns;
			p->removed_cnt++;
		}
		return;
	}
	if (q->removed_ns && op->enter_ns > q->removed_ns && op->ret >= 0) { /* another one of the same id */
		discard(p, q);
		q = queue_of(p, op->obj);
	}
	note_depth(p, op);
	if (!q->seen_ns) {
		q->seen_ns = op->enter_ns;
		q->backlog = op->queue.msgs_before;
	}
	if (op->ret < 0 || (op->flags & OP_F_PEEK))
		return;
	/* It was under way already then, and so may have been counted. */
	if (op->kind == OP_SEND && op->enter_ns < q->seen_ns && q->backlog)
		q->backlog--;
	if (op->kind == OP_SEND)
		sent(p, q, op);
	else if (op->kind == OP_RECV)
		received(p, q, op);
}

static void discard_removed(struct pairing *p, uint64_t until_ns)
{
	VEC(struct queue *) gone = { 0 };

	if (!p->removed_cnt)
		return;
	map__for_each(&p->queues, slot) {
		struct queue *q = slot->val;

		if (q->removed_ns && q->removed_ns <= until_ns)
			vec__push(&gone, q);
	}
	for (size_t i = 0; i < gone.cnt; i++)
		discard(p, gone.v[i]);
	vec__free(&gone);
}

static void queue__advance(struct pairing *p, uint64_t now_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;

	list__for_each(&p->with_waiting, cur)
		queue__settle(p, list__entry(cur, struct queue, all), now_ns - p->grace_ns);
	list__for_each(&p->early_all, cur) {
		struct early *e = list__entry(cur, struct early, all);

		if (e->ts_ns + settle_ns * EARLY_SETTLES > now_ns)
			break;
		drop_early(p, e);
	}
	if (now_ns > settle_ns)
		discard_removed(p, now_ns - settle_ns);
}

static void queue__finish(struct pairing *p, uint64_t now_ns)
{
	list__for_each(&p->with_waiting, cur)
		queue__settle(p, list__entry(cur, struct queue, all), UINT64_MAX);
	discard_removed(p, UINT64_MAX);
	list__for_each(&p->sent, cur)
		count_unread(p, list__entry(cur, struct queued, all));
}

static void queue__free(struct pairing *p)
{
	map__for_each(&p->queues, slot) {
		struct queue *q = slot->val;

		list__for_each(&q->waiting, cur)
			free(list__entry(cur, struct waiting, of_queue));
		free(q);
	}
	list__for_each(&p->sent, cur)
		free(list__entry(cur, struct queued, all));
	list__for_each(&p->early_all, cur)
		free(list__entry(cur, struct early, all));
	map__free(&p->queues);
	map__free(&p->by_call);
	map__free(&p->early);
	free(p);
}

/* What it held when it was seen first will be seen again at its next operation. */
static void drop_idle(struct pairing *p)
{
	VEC(struct queue *) idle = { 0 };

	map__for_each(&p->queues, slot) {
		struct queue *q = slot->val;

		if (list__empty(&q->sent) && list__empty(&q->waiting) && !q->removed_ns)
			vec__push(&idle, q);
	}
	for (size_t i = 0; i < idle.cnt; i++)
		free_queue(p, idle.v[i]);
	vec__free(&idle);
}

static void queue__keep(struct pairing *p)
{
	if (p->queues.cnt > QUEUES_MAX)
		drop_idle(p);
	map__for_each(&p->queues, slot)
		keep__object(p->m, ((const struct queue *)slot->val)->key);
	list__for_each(&p->sent, cur) {
		const struct queued *m = list__entry(cur, struct queued, all);

		keep__sender(&m->sender);
		keep__procs(m->doubt, m->doubt_cnt);
	}
}

const struct pair_ops pair_queue = {
	.name = "queue",
	.new = queue__new,
	.free = queue__free,
	.op = queue__op,
	.advance = queue__advance,
	.finish = queue__finish,
	.keep = queue__keep,
};
