/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UNIX sockets: sends and receives, one record per chunk of a call. Here receives are put together from their
 * records, in pair_message_send.c sends; pair_message_match.c decides whose chunk a receiver took.
 *
 * What one receiving call took becomes one receipt, given out when all its chunks have found their sender.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/keep.h"
#include "model/pair_message_impl.h"

#define GRACE_DIVISOR 100

static struct pairing *message__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	p->grace_ns = model__opts(m)->settle_ns / GRACE_DIVISOR;
	list__init(&p->young);
	list__init(&p->old);
	return p;
}

static void finish_recv(struct recv_call *call)
{
	if (!call->closed || call->pending)
		return;
	if (call->receipt) {
		receipt__set_op(call->receipt, &call->op);
		receipt__done(call->receipt);
	}
	free(call);
}

static void close_recv(struct pairing *p, struct recv_call *call)
{
	if (p->recv_calls.cnt && map__get(&p->recv_calls, call->op.tid, call->op.obj.id) == call)
		map__del(&p->recv_calls, call->op.tid, call->op.obj.id);
	call->closed = true;
	finish_recv(call);
}

static struct recv_call *recv_call_of(struct pairing *p, const struct op *op)
{
	struct recv_call *call = p->recv_calls.cnt ? map__get(&p->recv_calls, op->tid, op->obj.id) : NULL;
	uint64_t bytes;

	if (call && call->op.enter_ns != op->enter_ns) { /* its last part was lost */
		close_recv(p, call);
		call = NULL;
	}
	if (!call) {
		call = xalloc(sizeof(*call));
		call->op = *op;
		if (op->flags & OP_F_MORE)
			map__set(&p->recv_calls, op->tid, op->obj.id, call);
		return call;
	}
	bytes = call->op.bytes + op->bytes;
	call->op = *op;
	call->op.bytes = bytes;
	return call;
}

static void deliver(const struct life *life, const struct take *take)
{
	struct receipt *r = take->call->receipt;
	struct sender s;

	if (life->state == LIFE_UNKNOWN) {
		receipt__add_unknown(r, take->bytes, take->end);
		return;
	}
	s = life->call->sender;
	if (!life->call->closed) /* the receive returned first */
		s.sent_ns = take->call->op.ts_ns;
	receipt__add(r, &s, take->bytes, take->end && life->finishes, life->attr, life->cand, life->cand_cnt);
}

void message__resolved(struct pairing *p, struct life *life)
{
	struct sock *to = life->to;
	size_t i;

	for (i = 0; i < life->takes.cnt; i++) {
		struct recv_call *call = life->takes.v[i].call;

		deliver(life, &life->takes.v[i]);
		call->pending--;
		finish_recv(call);
	}
	vec__free(&life->takes);
	if (life->ended)
		message__end_life(life);
	message__apply_drained(p, to);
}

/* Is it what lay in the queue when the trace began? A send that was seen and began later proves that nothing of it is left. */
static bool is_backlog(struct sock *to, const struct life *life)
{
	bool claimed = false;

	if (!to->backlog_msgs && !to->backlog_bytes)
		return false;
	list__for_each(&to->incoming, cur) {
		const struct part *part = list__entry(cur, struct part, of_receiver);

		if (!part->has_id || part->id != life->id || part->from != life->from)
			continue;
		claimed = true;
		if (part->enter_ns >= to->scan_ns) {
			to->backlog_msgs = 0;
			to->backlog_bytes = 0;
			return false;
		}
	}
	if (to->backlog_msgs)
		to->backlog_bytes = --to->backlog_msgs ? to->backlog_bytes : 0;
	else
		to->backlog_bytes -= life->total < to->backlog_bytes ? life->total : to->backlog_bytes;
	return !claimed;
}

static bool continues(const struct life *life, const struct op *op, const struct sock *from)
{
	return life && !(op->flags & (OP_F_NO_ID | OP_F_OOB)) && life->from == from &&
	       life->id == op->msg.id && op->msg.off == life->next_off;
}

static void take_from(struct life *life, struct recv_call *call, const struct op *op, bool end)
{
	struct take take = { .call = call, .bytes = op->bytes, .end = end };

	life->next_off += op->bytes;
	life->there_ns = end ? op->enter_ns : op->ts_ns;
	if (life->state != LIFE_OPEN) {
		deliver(life, &take);
		return;
	}
	vec__push(&life->takes, take);
	call->pending++;
}

static void meet(struct pairing *p, struct life *life, const struct op *op)
{
	struct sock *to = life->to;

	if ((op->flags & OP_F_WAITED) && op->enter_ns > to->scan_ns)
		to->backlog_msgs = to->backlog_bytes = 0;
	if (life->has_id)
		message__refute_claims(p, life);
	if (!p->sees_owners && is_backlog(to, life))
		message__settle_unknown(p, life);
	else
		message__match_life(p, life);
}

static bool takes_all(const struct op *op, uint64_t total)
{
	if (op->flags & (OP_F_TRUNC | OP_F_OOB | OP_F_NO_ID | OP_F_PACKET))
		return true;
	return total == UINT64_MAX || op->msg.off + op->bytes >= total;
}

static void note_discarded(struct pairing *p, const struct op *op, uint64_t total)
{
	uint64_t seen = op->msg.off + op->bytes;

	if ((op->flags & (OP_F_TRUNC | OP_F_PACKET)) && total != UINT64_MAX && total > seen)
		model__channel(p->m, op->mech, op->obj)->discarded_bytes += total - seen;
}

static void take_chunk(struct pairing *p, const struct op *op, struct sock *to, struct recv_call *call)
{
	struct sock *from = message__sock(p, op->peer);
	struct life *life = to->current;
	bool fresh, end;

	if (!from)
		from = message__sock(p, to->last_from);
	if (!call->receipt)
		call->receipt = receipt__new(p->m, op, NULL);
	if (!from) {
		receipt__add_unknown(call->receipt, op->bytes, 1);
		return;
	}
	to->last_from = from->key;
	if (own__take(p, op, call, takes_all(op, message__total(op)))) {
		note_discarded(p, op, message__total(op));
		if (life)
			message__end_life(life);
		return;
	}
	fresh = !continues(life, op, from);
	if (fresh) {
		if (life && !(op->flags & OP_F_OOB))
			message__end_life(life);
		life = message__add_life(p, op, from, to);
		life->next_off = op->msg.off;
	}
	note_discarded(p, op, life->total);
	end = takes_all(op, life->total);
	take_from(life, call, op, end);
	if (fresh && !end)
		to->current = life;
	if (fresh)
		life->ended = end;
	else if (end)
		message__end_life(life);
	if (fresh)
		meet(p, life, op);
}

static void receive(struct pairing *p, const struct op *op)
{
	struct sock *to = message__sock(p, op->obj);
	struct recv_call *call;

	if (!to || (op->flags & OP_F_PEEK))
		return;
	call = recv_call_of(p, op);
	call->pending++; /* it lives until we are done with it */
	if (op->ret >= 0 && (op->bytes || !(op->flags & OP_F_NO_ID)))
		take_chunk(p, op, to, call);
	if (op->flags & OP_F_DRAINED) {
		to->drained_ns = op->ts_ns;
		to->drained_enter_ns = op->enter_ns;
		to->backlog_msgs = to->backlog_bytes = 0;
	}
	call->pending--;
	if (!(op->flags & OP_F_MORE))
		close_recv(p, call);
	message__apply_drained(p, to);
}

/*
 * Sockets are known by their addresses, which are used again: socket() and socketpair() make one, and connect() the one
 * that accept() will return.
 */
static void begin_socket(struct pairing *p, const struct op *op)
{
	struct obj_key key = op->kind == OP_CREATE ? op->obj : op->peer;
	struct sock *s = map__get(&p->socks, key.id, key.space);

	if (!s)
		return;
	own__end_socket(p, s, op->enter_ns);
	list__for_each(&s->incoming, cur) {
		struct part *part = list__entry(cur, struct part, of_receiver);

		if (part->ts_ns < op->enter_ns)
			message__drop_unread(p, part);
	}
	if (s->scan_ns < op->enter_ns)
		s->backlog_msgs = s->backlog_bytes = 0;
}

static void message__op(struct pairing *p, const struct op *op)
{
	if (op->ts_ns > p->now_ns)
		p->now_ns = op->ts_ns;
	if (op->kind == OP_SEND)
		message__send(p, op);
	else if (op->kind == OP_RECV)
		receive(p, op);
	else if (op->ret >= 0 && (op->kind == OP_CREATE || op->kind == OP_CONNECT))
		begin_socket(p, op);
}

static void message__object(struct pairing *p, const struct object_info *info)
{
	uint64_t fill = info->fill_bytes == UINT64_MAX ? 0 : info->fill_bytes;
	struct sock *s;

	if (!info->scanned || (!fill && !info->fill_msgs))
		return;
	s = message__sock(p, info->key);
	if (!s)
		return;
	s->scan_ns = info->ts_ns;
	s->backlog_msgs = info->fill_msgs;
	s->backlog_bytes = fill;
	/* What was sent before the look is part of it; without identity it cannot be told from the rest. */
	list__for_each(&s->incoming, cur) {
		struct part *part = list__entry(cur, struct part, of_receiver);

		if (!part->has_id && part->ts_ns <= info->ts_ns)
			part->stale = true;
	}
}

static void message__lost(struct pairing *p, uint64_t ts_ns, uint8_t mech)
{
	p->lost_ns[mech] = ts_ns;
}

/* A task may sleep between two parts of one call: what it has taken so far need not wait for the rest. */
static void close_old_calls(struct pairing *p, uint64_t before_ns)
{
	VEC(struct recv_call *) old = { 0 };
	VEC(struct map_slot) sent = { 0 };
	size_t i;

	map__for_each(&p->recv_calls, slot) {
		struct recv_call *call = slot->val;

		if (call->op.ts_ns <= before_ns)
			vec__push(&old, call);
	}
	map__for_each(&p->send_calls, slot) {
		const struct send_call *call = slot->val;

		if (call->ref_cnt == 1 && call->sender.sent_ns <= before_ns)
			vec__push(&sent, *slot);
	}
	for (i = 0; i < old.cnt; i++)
		close_recv(p, old.v[i]);
	for (i = 0; i < sent.cnt; i++)
		message__put_call(map__del(&p->send_calls, sent.v[i].lo, sent.v[i].hi));
	vec__free(&old);
	vec__free(&sent);
}

static void end_grace(struct pairing *p, struct life *life)
{
	struct sock *from = life->from;
	struct link *next = life->of_sender.next;
	size_t open_cnt = from->life_cnt;

	life->past_grace = true;
	list__unlink(&life->waiting);
	list__append(&p->old, &life->waiting);
	message__match_life(p, life);
	if (from->life_cnt == open_cnt || next == &from->lives)
		return;
	/* It may have been in the way of later ones: of claims, or of those past their own grace. */
	if (from->id_cnt || list__entry(next, struct life, of_sender)->past_grace)
		message__match_sender(p, from);
}

static void end_wait(struct pairing *p, struct life *life)
{
	struct sock *from = life->from;

	message__settle(p, life);
	if (!list__empty(&from->sent))
		message__match_sender(p, from);
}

static struct life *first(struct link *lives)
{
	return list__empty(lives) ? NULL : list__entry(lives->next, struct life, waiting);
}

static void message__advance(struct pairing *p, uint64_t now_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;
	struct life *life;

	if (now_ns > p->now_ns)
		p->now_ns = now_ns;
	while ((life = first(&p->young)) && life->ts_ns + p->grace_ns <= now_ns)
		end_grace(p, life);
	while ((life = first(&p->old)) && life->ts_ns + settle_ns <= now_ns)
		end_wait(p, life);
	if (now_ns < p->next_sweep_ns)
		return;
	p->next_sweep_ns = now_ns + settle_ns;
	close_old_calls(p, now_ns > settle_ns ? now_ns - settle_ns : 0);
	message__sweep(p);
}

static void end_partial(struct pairing *p, struct sock *s)
{
	struct life *life = s->current;

	if (!life)
		return;
	if (life->total != UINT64_MAX && life->total > life->next_off)
		model__channel(p->m, life->mech, s->key)->unread_bytes += life->total - life->next_off;
	message__end_life(life);
}

static void message__finish(struct pairing *p, uint64_t now_ns)
{
	struct life *life;

	while ((life = first(&p->young)))
		end_grace(p, life);
	while ((life = first(&p->old)))
		end_wait(p, life);
	close_old_calls(p, UINT64_MAX);
	map__for_each(&p->socks, slot) {
		struct sock *s = slot->val;

		end_partial(p, s);
		list__for_each(&s->sent, cur)
			message__drop_unread(p, list__entry(cur, struct part, of_sender));
		list__for_each(&s->owned, cur)
			own__drop_unread(p, list__entry(cur, struct own, of_sender));
	}
}

static void message__free(struct pairing *p)
{
	message__finish(p, UINT64_MAX);
	map__for_each(&p->send_calls, slot)
		message__put_call(slot->val);
	map__for_each(&p->socks, slot)
		free(slot->val);
	map__free(&p->send_calls);
	map__free(&p->recv_calls);
	map__free(&p->owned);
	map__free(&p->waiting);
	map__free(&p->socks);
	free(p);
}

static void keep_life(const struct life *life)
{
	if (life->call)
		keep__sender(&life->call->sender);
	keep__procs(life->cand, life->cand_cnt);
}

static void keep_sock(struct model *m, const struct sock *s)
{
	keep__object(m, s->key);
	list__for_each(&s->sent, cur) {
		const struct part *part = list__entry(cur, struct part, of_sender);

		keep__sender(&part->call->sender);
		keep__procs(part->doubt, part->doubt_cnt);
	}
	list__for_each(&s->owned, cur) {
		const struct own *own = list__entry(cur, struct own, of_sender);

		keep__sender(&own->call->sender);
		keep__channel(own->channel);
	}
	list__for_each(&s->lives, cur)
		keep_life(list__entry(cur, struct life, of_sender));
	if (s->current)
		keep_life(s->current);
}

static void message__keep(struct pairing *p)
{
	map__for_each(&p->socks, slot)
		keep_sock(p->m, slot->val);
	map__for_each(&p->send_calls, slot)
		keep__sender(&((const struct send_call *)slot->val)->sender);
}

const struct pair_ops pair_message = {
	.name = "message",
	.new = message__new,
	.free = message__free,
	.op = message__op,
	.object = message__object,
	.lost = message__lost,
	.advance = message__advance,
	.finish = message__finish,
	.keep = message__keep,
};
