/* SPDX-License-Identifier: GPL-2.0 */
/* Sums of the ledger: the object's identity in them is that of the mechanism's own records. */
#include <stdio.h>
#include <string.h>

#include "mech/tables.h"

static struct obj_key pipe_object(const struct ipct_sum *s)
{
	return pipe__key(s->h.mech, s->key, s->sub);
}

static struct obj_key unix_object(const struct ipct_sum *s)
{
	return unix__key(s->key);
}

static struct obj_key unix_queue(const struct ipct_sum *s)
{
	return unix__key(s->queue);
}

static struct obj_key tcp_object(const struct ipct_sum *s)
{
	return tcp__key(s->key);
}

static struct obj_key tcp_queue(const struct ipct_sum *s)
{
	return tcp__key(s->queue);
}

static struct obj_key queue_object(const struct ipct_sum *s)
{
	return queue__key(s->h.mech, s->key, s->sub);
}

struct sum_row {
	struct obj_key (*object)(const struct ipct_sum *s);
	struct obj_key (*queue)(const struct ipct_sum *s); /* where what is sent lies until it is received */
	bool is_stream; /* bytes move, in whatever pieces */
	bool has_ino; /* sub and peer_ino tell apart what has the same key one after the other */
};

static const struct sum_row rows[IPCT_MECH_CNT] = {
	[IPCT_MECH_PIPE] = { pipe_object, pipe_object, .is_stream = true },
	[IPCT_MECH_FIFO] = { pipe_object, pipe_object, .is_stream = true },
	[IPCT_MECH_SYSV_MSG] = { queue_object, queue_object },
	[IPCT_MECH_POSIX_MQ] = { queue_object, queue_object },
	[IPCT_MECH_UNIX_STREAM] = { unix_object, unix_queue, .is_stream = true, .has_ino = true },
	[IPCT_MECH_UNIX_DGRAM] = { unix_object, unix_queue, .has_ino = true },
	[IPCT_MECH_UNIX_SEQPACKET] = { unix_object, unix_queue, .has_ino = true },
	[IPCT_MECH_TCP] = { tcp_object, tcp_queue, .is_stream = true },
};

void sum__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_sum *s = (const struct ipct_sum *)ev;
	const struct sum_row *row = ev->mech < IPCT_MECH_CNT ? &rows[ev->mech] : NULL;
	struct sum_info *info = &out->sum;
	bool mark = s->flags & (IPCT_SUM_SWITCH | IPCT_SUM_DONE);

	if (!mark && (!row || !row->object || !ev->pid))
		return;
	out->what = DECODED_SUM;
	*info = (struct sum_info){
		.ts_ns = ev->ts_ns,
		.start_ns = s->start_ns,
		.pid = ev->pid,
		.mech = ev->mech,
		.kind = ev->op,
		.beside = s->flags & IPCT_SUM_BESIDE,
		.switched = s->flags & IPCT_SUM_SWITCH,
		.done = s->flags & IPCT_SUM_DONE,
		.no_row = s->flags & IPCT_SUM_NO_ROW,
		.messages = s->messages,
		.bytes = s->bytes,
		.errors = s->errors,
		.wait_ns = s->wait_ns,
	};
	memcpy(info->comm, s->comm, sizeof(info->comm) - 1);
	if (mark)
		return;
	info->is_stream = row->is_stream;
	info->obj = row->object(s);
	info->queue = row->queue(s);
	if (row->has_ino) {
		bool sends = info->kind == OP_SEND;

		info->obj_nr = s->sub;
		info->queue_nr = sends ? s->peer_ino : s->sub;
		unix__name_unbound(s->sub, s->peer_ino, out->name_buf, sizeof(out->name_buf));
		info->name = out->name_buf;
	}
}
