/* SPDX-License-Identifier: GPL-2.0 */
/* UNIX sockets: one record per skb and call. */
#ifndef BPF_UNIX_H
#define BPF_UNIX_H

#include "emit.bpf.h"
#include "file.bpf.h"
#include "fingerprint.bpf.h"

#define MSG_PEEK 0x2
#define MSG_OOB 0x1

static __always_inline __u64 unix__peer(__u64 sk)
{
	return sk ? (__u64)READ(sk, struct unix_sock, peer) : 0;
}

static __always_inline bool unix__queue_is_empty(__u64 sk)
{
	return READ(sk, struct sock, sk_receive_queue.qlen) == 0;
}

/* Emits op->part; ret counts only without IPCT_IO_MORE in flags. */
static __noinline void unix__emit(const struct task_op *op, bool send, __s64 ret, __u32 flags)
{
	const struct object *o = send ? &op->out : &op->in;
	const struct skb_part *part = &op->part;
	struct ipct_sock_io *ev;

	ev = emit__reserve(IPCT_KIND_SOCK_IO, sizeof(*ev), o->mech, send ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return;
	if (op->msg_flags & MSG_PEEK)
		flags |= IPCT_IO_PEEK;
	if (op->msg_flags & MSG_OOB)
		flags |= IPCT_IO_OOB;
	if (op->compat)
		flags |= IPCT_IO_COMPAT;
	if (o->was_waiting)
		flags |= IPCT_IO_WAITED;
	if (!op->enter_ns)
		flags |= IPCT_IO_NOENTRY;
	ev->enter_ns = op->enter_ns;
	ev->sk = o->ptr;
	ev->peer_sk = part->peer;
	ev->skb = part->skb;
	ev->skb_off = part->off;
	ev->skb_len = part->len;
	ev->skb_total = part->total;
	ev->ret = flags & IPCT_IO_MORE ? 0 : ret;
	ev->ino = o->ino;
	ev->peer_ino = sock__ino(part->peer);
	ev->flags = flags | part->flags;
	ev->fd = send ? op->fd_out : op->fd_in;
	__builtin_memcpy(ev->fp, part->fp, sizeof(ev->fp));
	emit__submit(ev);
}

/* A further skb begins within the call: the one before is complete. */
static __always_inline void unix__next_part(struct task_op *op, bool send)
{
	if (op->has_part) {
		unix__emit(op, send, 0, IPCT_IO_MORE);
		op->part_bytes += op->part.len;
	}
	__builtin_memset(&op->part, 0, sizeof(op->part));
	op->has_part = 1;
}

/* The call has ended. many: sendmmsg and recvmmsg, whose result counts messages. */
static __always_inline void unix__exit(struct task_op *op, bool send, __s64 ret, bool iov, bool many)
{
	struct object *o = send ? &op->out : &op->in;
	struct skb_part *part = &op->part;
	bool bytes_known = ret > 0 && !many;
	__u32 flags = 0;

	if (!op->has_part) {
		__builtin_memset(part, 0, sizeof(*part));
		part->flags = IPCT_IO_NO_SKB;
		part->peer = unix__peer(o->ptr);
	}
	if ((part->flags & IPCT_IO_NO_SKB) && bytes_known)
		part->len = ret - op->part_bytes;
	if (send && bytes_known && !op->part_bytes)
		fingerprint__user(part->fp, op, iov, ret);
	if (!send && !(op->msg_flags & MSG_PEEK) && unix__queue_is_empty(o->ptr))
		flags |= IPCT_IO_DRAINED;
	if (!send && bytes_known && o->mech != IPCT_MECH_UNIX_STREAM && part->total > part->off + part->len)
		flags |= IPCT_IO_TRUNC;
	unix__emit(op, send, ret, flags);
}

#endif
