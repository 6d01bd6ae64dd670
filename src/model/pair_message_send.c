/* SPDX-License-Identifier: GPL-2.0 */
/* The sending half of the rule for socket messages: records of a call become its parts. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/pair_message_impl.h"

/*
 * A call this short is one skb: unix_stream_sendmsg() splits at half of sk_sndbuf, which
 * is SOCK_MIN_SNDBUF (more than 4,096 bytes) at least. An skb of another length is not its own.
 */
#define UNSPLIT_BYTES 1984

static struct send_call *open_call(struct pairing *p, const struct op *op)
{
	return p->send_calls.cnt ? map__get(&p->send_calls, op->tid, op->obj.id) : NULL;
}

static void unlist(struct pairing *p, struct send_call *call, const struct op *op)
{
	map__del(&p->send_calls, op->tid, op->obj.id);
	call->listed = false;
	message__put_call(call);
}

/* The caller's reference; the table has one of its own while further parts are to come. */
static struct send_call *send_call_of(struct pairing *p, const struct op *op)
{
	struct send_call *call = open_call(p, op);

	if (call && call->enter_ns == op->enter_ns) {
		call->ref_cnt++;
		return call;
	}
	if (call) /* its last part was lost */
		unlist(p, call, op);
	call = xalloc(sizeof(*call));
	call->ref_cnt = 1;
	call->sender = model__sender(p->m, op);
	call->enter_ns = op->enter_ns;
	call->tid = op->tid;
	if (!(op->flags & OP_F_MORE))
		return call;
	call->ref_cnt++;
	call->listed = true;
	map__set(&p->send_calls, op->tid, op->obj.id, call);
	return call;
}

static void close_send(struct pairing *p, struct send_call *call, const struct op *op)
{
	call->closed = true;
	call->sender.sent_ns = op->ts_ns;
	call->sender.under_way = false;
	if (call->listed)
		unlist(p, call, op);
}

/* The call's own length says that the skb it saw was another's. sendmmsg gives a count of messages instead, 1 for one. */
static bool names_another(const struct send_call *call, const struct op *op)
{
	uint64_t ret = op->ret > 0 ? (uint64_t)op->ret : 0;

	if ((op->flags & (OP_F_MORE | OP_F_NO_ID)) || call->part_cnt || ret <= 1 || ret == op->bytes)
		return false;
	return ret < op->bytes || ret <= UNSPLIT_BYTES || (op->flags & OP_F_PACKET);
}

/* How long a part is that did not see its chunk. UINT64_MAX: not known; 0: there is none. */
static uint64_t hidden_bytes(const struct send_call *call, const struct op *op)
{
	uint64_t ret = op->ret > 0 ? (uint64_t)op->ret : 0;

	if (op->flags & OP_F_MORE)
		return op->bytes ? op->bytes : UINT64_MAX;
	/* More than the call sent: it saw chunks of others before, and what it has left is not known. */
	if (call->gap || (ret && op->bytes > ret))
		return UINT64_MAX;
	if (op->flags & OP_F_PACKET)
		return op->bytes || !ret ? op->bytes : UINT64_MAX;
	if (ret > call->sent_bytes && op->bytes)
		return ret - call->sent_bytes;
	return op->bytes ? op->bytes : (ret && !call->part_cnt ? UINT64_MAX : 0);
}

static void add_hidden(struct pairing *p, struct send_call *call, const struct op *op, struct sock *from,
		       struct sock *to)
{
	uint64_t bytes = hidden_bytes(call, op);
	int64_t i, cnt = 1;
	struct part *part;

	if (!bytes && (!(op->flags & OP_F_PACKET) || op->ret < 0))
		return;
	/* Before Linux 6.3 all that is seen of sendmmsg is how many messages it sent. */
	if (bytes == UINT64_MAX && !(op->flags & OP_F_MORE) && !call->part_cnt && op->ret > 1)
		cnt = op->ret < 1024 ? op->ret : 1024;
	for (i = 0; i < cnt; i++) {
		part = message__add_part(p, call, op, from, to, bytes);
		part->one_chunk |= bytes <= UNSPLIT_BYTES;
	}
}

static void add_seen(struct pairing *p, struct send_call *call, const struct op *op, struct sock *from,
		     struct sock *to)
{
	uint64_t before = call->sent_bytes, ret = op->ret > 0 ? (uint64_t)op->ret : 0;
	struct op rest = *op;
	struct part *part;

	if (names_another(call, op)) {
		part = message__add_part(p, call, op, from, to, ret);
		part__deny_id(part);
		return;
	}
	part = message__add_part(p, call, op, from, to, op->bytes);
	part->loose = part->idx || (op->flags & OP_F_MORE);
	part->suspect = part->maybe_one = ret == 1 && op->bytes != 1;
	if ((op->flags & (OP_F_MORE | OP_F_PACKET)) || call->gap || ret <= before + op->bytes)
		return;
	rest.flags |= OP_F_NO_ID | OP_F_MORE;
	memset(rest.fp, 0, sizeof(rest.fp));
	part = message__add_part(p, call, &rest, from, to, ret - before - op->bytes);
	part->idx--; /* somewhere in the call, not behind its last part */
}

/* The maker of the chunk is certain, or this is but the end of a call. */
static void send_own(struct pairing *p, struct send_call *call, const struct op *op, struct sock *from,
		     struct sock *to)
{
	bool made = op->flags & OP_F_OWN_ID && op->ret >= 0;

	if (made) {
		own__add(p, call, op, from, to);
		p->sees_owners = true;
	}
	if (!(op->flags & OP_F_MORE))
		close_send(p, call, op);
	message__put_call(call);
	if (made)
		own__match(p, op->msg.id, op->msg.made_ns);
}

void message__send(struct pairing *p, const struct op *op)
{
	struct sock *from = message__sock(p, op->obj), *to = message__sock(p, op->peer);
	struct send_call *call;

	if (!from || (op->ret < 0 && !open_call(p, op)))
		return;
	call = send_call_of(p, op);
	if (op->flags & (OP_F_OWN_ID | OP_F_END)) {
		send_own(p, call, op, from, to);
		return;
	}
	from->shared |= from->sender_tid && from->sender_tid != op->tid;
	from->sender_tid = op->tid;
	if (op->ret >= 0 && (op->flags & OP_F_NO_ID))
		add_hidden(p, call, op, from, to);
	else if (op->ret >= 0)
		add_seen(p, call, op, from, to);
	if (!(op->flags & OP_F_MORE))
		close_send(p, call, op);
	message__put_call(call);
	if (!list__empty(&from->lives))
		message__match_new(p, from, op);
}
