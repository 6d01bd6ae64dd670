/* SPDX-License-Identifier: GPL-2.0 */
/* Birth and death of what the rule for socket messages keeps. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/pair_message_impl.h"

struct sock *message__sock(struct pairing *p, struct obj_key key)
{
	struct sock *s;

	if (!key.id && !key.space)
		return NULL;
	s = map__get(&p->socks, key.id, key.space);
	if (s)
		return s;
	s = xalloc(sizeof(*s));
	s->key = key;
	list__init(&s->sent);
	list__init(&s->lives);
	list__init(&s->incoming);
	list__init(&s->owned);
	list__init(&s->owed);
	map__set(&p->socks, key.id, key.space, s);
	return s;
}

void message__put_call(struct send_call *call)
{
	if (--call->ref_cnt == 0)
		free(call);
}

struct part *message__add_part(struct pairing *p, struct send_call *call, const struct op *op,
			       struct sock *from, struct sock *to, uint64_t bytes)
{
	struct part *part = xalloc(sizeof(*part));

	call->ref_cnt++;
	if (bytes == UINT64_MAX)
		call->gap = true;
	else
		call->sent_bytes += bytes;
	part->call = call;
	part->from = from;
	part->to = to;
	part->idx = call->part_cnt++;
	part->id = op->msg.id;
	part->has_id = !(op->flags & OP_F_NO_ID);
	part->one_chunk = part->has_id || (op->flags & OP_F_PACKET) || bytes == UINT64_MAX;
	part->last = !(op->flags & OP_F_MORE) || (op->flags & OP_F_PACKET);
	part->mech = op->mech;
	part->enter_ns = op->enter_ns;
	part->ts_ns = op->ts_ns;
	part->bytes = part->left = bytes;
	memcpy(part->fp, op->fp, sizeof(part->fp));
	from->id_cnt += part->has_id;
	if (to)
		to->incoming_id_cnt += part->has_id;
	if (!op->enter_ns)
		from->span_ns = UINT64_MAX;
	else if (op->ts_ns - op->enter_ns > from->span_ns)
		from->span_ns = op->ts_ns - op->enter_ns;
	list__append(&from->sent, &part->of_sender);
	if (to)
		list__append(&to->incoming, &part->of_receiver);
	else
		list__init(&part->of_receiver);
	if (++from->sent_cnt > model__opts(p->m)->pending_max)
		message__drop_unread(p, list__entry(from->sent.next, struct part, of_sender));
	return part;
}

void message__drop_part(struct part *part)
{
	part__deny_id(part);
	list__unlink(&part->of_sender);
	list__unlink(&part->of_receiver);
	part->from->sent_cnt--;
	message__put_call(part->call);
	free(part);
}

void message__drop_unread(struct pairing *p, struct part *part)
{
	struct obj_key key = part->to ? part->to->key : part->from->key;

	if (!part->call->counted)
		model__stats_mut(p->m)->unmatched_sends++;
	part->call->counted = true;
	if (!part->stale && part->left != UINT64_MAX)
		model__channel(p->m, part->mech, key)->unread_bytes += part->left;
	message__drop_part(part);
}

uint64_t message__total(const struct op *op)
{
	if (op->flags & OP_F_NO_ID)
		return op->bytes;
	if (op->msg.total)
		return op->msg.total;
	/* Without a length the chunk was empty, or all of it was taken, or nobody knows. */
	return op->flags & OP_F_TRUNC ? UINT64_MAX : op->msg.off + op->bytes;
}

struct life *message__add_life(struct pairing *p, const struct op *op, struct sock *from, struct sock *to)
{
	struct life *life = xalloc(sizeof(*life));

	life->from = from;
	life->to = to;
	life->id = op->msg.id;
	life->has_id = !(op->flags & OP_F_NO_ID);
	life->oob = op->flags & OP_F_OOB;
	life->packet = op->flags & (OP_F_PACKET | OP_F_TRUNC);
	life->made_ns = op->msg.made_ns;
	life->mech = op->mech;
	life->ts_ns = op->ts_ns;
	life->enter_ns = op->enter_ns;
	if (op->flags & OP_F_WAITED)
		life->not_before_ns = op->enter_ns;
	life->total = message__total(op);
	if (life->has_id && op->msg.off == 0)
		memcpy(life->fp, op->fp, sizeof(life->fp));
	list__init(&life->of_sender);
	list__init(&life->waiting);
	to->open_cnt++;
	list__append(&from->lives, &life->of_sender);
	list__append(&p->young, &life->waiting);
	own__wait(p, life);
	from->life_cnt++;
	if (from->life_cnt > model__opts(p->m)->pending_max)
		message__settle(p, list__entry(from->lives.next, struct life, of_sender));
	return life;
}

static void free_life(struct life *life)
{
	if (life->call)
		message__put_call(life->call);
	vec__free(&life->takes);
	free(life);
}

void message__end_life(struct life *life)
{
	if (life->to->current == life)
		life->to->current = NULL;
	life->ended = true;
	if (life->state != LIFE_OPEN)
		free_life(life);
}

static bool is_idle(const struct sock *s)
{
	return list__empty(&s->sent) && list__empty(&s->lives) && list__empty(&s->incoming) && !s->current &&
	       list__empty(&s->owned) && list__empty(&s->owed) && !s->open_cnt && !s->backlog_bytes &&
	       !s->backlog_msgs;
}

/* What is stale longer than any receive may be late will never be taken. */
static void drop_stale(struct pairing *p, struct sock *s)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;

	list__for_each(&s->sent, cur) {
		struct part *part = list__entry(cur, struct part, of_sender);

		if (part->stale && part->ts_ns + settle_ns <= p->now_ns)
			message__drop_unread(p, part);
	}
}

void message__sweep(struct pairing *p)
{
	VEC(struct sock *) idle = { 0 };
	size_t i;

	map__for_each(&p->socks, slot) {
		struct sock *s = slot->val;

		drop_stale(p, s);
		if (is_idle(s))
			vec__push(&idle, s);
	}
	for (i = 0; i < idle.cnt; i++) {
		map__del(&p->socks, idle.v[i]->key.id, idle.v[i]->key.space);
		free(idle.v[i]);
	}
	vec__free(&idle);
}
