/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chunks whose maker is certain: the kernel half saw the call make the skb, and tells its receiver when that was. Address
 * and time together are never seen again, so that no order of reports, no length and no guess matters: each step is
 * a look at one chunk.
 */
#include <stdlib.h>

#include "base/log.h"
#include "model/pair_message_impl.h"

static void own__free(struct pairing *p, struct own *own)
{
	map__del(&p->owned, own->id, own->made_ns);
	list__unlink(&own->of_sender);
	list__unlink(&own->of_receiver);
	own->from->own_cnt--;
	message__put_call(own->call);
	free(own);
}

void own__drop_unread(struct pairing *p, struct own *own)
{
	struct channel *ch = channel__resolve(own->channel);

	if (!own->call->counted)
		model__stats_mut(p->m)->unmatched_sends++;
	own->call->counted = true;
	if (ch && own->total != UINT64_MAX && own->total > own->taken)
		ch->unread_bytes += own->total - own->taken;
	own__free(p, own);
}

static void step(struct pairing *p)
{
	model__stats_mut(p->m)->steps++;
}

static bool own__is_used_up(const struct own *own)
{
	return own->thrown_away || (own->total != UINT64_MAX && own->taken >= own->total);
}

bool own__take(struct pairing *p, const struct op *op, struct recv_call *call, bool end)
{
	struct own *own;
	struct sender s;

	if (!op->msg.made_ns || op->flags & OP_F_NO_ID)
		return false;
	step(p);
	own = map__get(&p->owned, op->msg.id, op->msg.made_ns);
	if (!own)
		return false;
	s = own->call->sender;
	if (!own->call->closed) /* the receive returned first */
		s.sent_ns = op->ts_ns;
	receipt__add(call->receipt, &s, op->bytes, end && own->last, ATTR_EXACT, NULL, 0);
	own->total = message__total(op);
	own->taken += op->bytes;
	own->thrown_away = op->flags & (OP_F_PACKET | OP_F_TRUNC | OP_F_OOB);
	if (own__is_used_up(own))
		own__free(p, own);
	return true;
}

/* Receives that were reported before their send. */
static void take_waiting(struct pairing *p, struct own *own)
{
	struct life *life = map__get(&p->waiting, own->id, own->made_ns), *next;

	for (; life; life = next) {
		next = life->next_waiting;
		step(p);
		own->total = life->total;
		own->thrown_away = life->oob || life->packet;
		for (size_t i = 0; i < life->takes.cnt; i++)
			own->taken += life->takes.v[i].bytes;
		message__settle_own(p, life, own->call, own->last);
	}
	if (own__is_used_up(own))
		own__free(p, own);
}

void own__add(struct pairing *p, struct send_call *call, const struct op *op, struct sock *from,
	      struct sock *to)
{
	struct own *own = xalloc(sizeof(*own)), *same;

	call->ref_cnt++;
	own->call = call;
	own->from = from;
	own->to = to;
	own->channel = model__channel(p->m, op->mech, to ? to->key : from->key);
	own->id = op->msg.id;
	own->made_ns = op->msg.made_ns;
	own->total = op->flags & OP_F_NO_LEN ? UINT64_MAX : op->bytes;
	own->last = !(op->flags & OP_F_MORE) || op->flags & (OP_F_PACKET | OP_F_LAST);
	same = map__get(&p->owned, own->id, own->made_ns); /* only in a broken recording */
	if (same)
		own__drop_unread(p, same);
	map__set(&p->owned, own->id, own->made_ns, own);
	list__append(&from->owned, &own->of_sender);
	list__init(&own->of_receiver);
	if (to)
		list__append(&to->owed, &own->of_receiver);
	if (++from->own_cnt > model__opts(p->m)->pending_max)
		own__drop_unread(p, list__entry(from->owned.next, struct own, of_sender));
}

void own__match(struct pairing *p, uint64_t id, uint64_t made_ns)
{
	struct own *own = p->waiting.cnt ? map__get(&p->owned, id, made_ns) : NULL;

	step(p);
	if (own)
		take_waiting(p, own);
}

void own__wait(struct pairing *p, struct life *life)
{
	if (!life->has_id || !life->made_ns)
		return;
	life->next_waiting = map__get(&p->waiting, life->id, life->made_ns);
	map__set(&p->waiting, life->id, life->made_ns, life);
	life->listed = true;
}

void own__wait_no_more(struct pairing *p, struct life *life)
{
	struct life *head, **at = &head;

	if (!life->listed)
		return;
	life->listed = false;
	head = map__get(&p->waiting, life->id, life->made_ns);
	for (; *at != life; at = &(*at)->next_waiting)
		step(p);
	*at = life->next_waiting;
	if (head)
		map__set(&p->waiting, life->id, life->made_ns, head);
	else
		map__del(&p->waiting, life->id, life->made_ns);
}

void own__end_socket(struct pairing *p, struct sock *s, uint64_t before_ns)
{
	list__for_each(&s->owed, cur) {
		struct own *own = list__entry(cur, struct own, of_receiver);

		if (own->made_ns < before_ns)
			own__drop_unread(p, own);
	}
	list__for_each(&s->owned, cur) {
		struct own *own = list__entry(cur, struct own, of_sender);

		if (own->made_ns < before_ns)
			own__drop_unread(p, own);
	}
}
