/* SPDX-License-Identifier: GPL-2.0 */
/* UNIX sockets: one record per skb and call. */
#ifndef BPF_UNIX_H
#define BPF_UNIX_H

#include "emit.bpf.h"
#include "file.bpf.h"
#include "fingerprint.bpf.h"
#include "ledger.bpf.h"

#define MSG_PEEK 0x2
#define MSG_OOB 0x1

/*
 * When an skb was made that a call of ours sends: with its address, its identity. Addresses alone are reused at once, and
 * of two receives the later one may be reported first. What is evicted here was left unread for long.
 */
#define MADE_SKBS_MAX 65536

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MADE_SKBS_MAX);
	__type(key, __u64); /* struct sk_buff * */
	__type(value, __u64);
} made_skbs SEC(".maps");

/* 0: not known. */
static __always_inline __u64 unix__made_ns(__u64 skb)
{
	__u64 *ns = bpf_map_lookup_elem(&made_skbs, &skb);

	return ns ? *ns : 0;
}

static __always_inline __u64 unix__peer(__u64 sk)
{
	return sk ? (__u64)READ(sk, struct unix_sock, peer) : 0;
}

static __always_inline __u64 unix__cb(__u64 skb)
{
	return skb + bpf_core_field_offset(struct sk_buff, cb);
}

static __always_inline bool unix__queue_is_empty(__u64 sk)
{
	return READ(sk, struct sock, sk_receive_queue.qlen) == 0;
}

/* Emits op->part; ret counts only without IPCT_IO_MORE in flags. */
static __noinline void unix__emit_record(const struct task_op *op, bool send, __s64 ret, __u32 flags)
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
	ev->skb_ns = part->ns;
	emit__submit(ev);
}

static __always_inline void unix__emit(const struct task_op *op, bool send, __s64 ret, __u32 flags)
{
	if (!ledger__sock(op, send, ret, flags, op->part.peer))
		unix__emit_record(op, send, ret, flags);
}

/* What of the first skb in the queue is gone already. */
static __always_inline void unix__enter_splice(struct task_op *op)
{
	__u64 skb = (__u64)READ(op->in.ptr, struct sock, sk_receive_queue.next);

	op->head_skb = 0;
	if (unix__queue_is_empty(op->in.ptr))
		return;
	op->head_skb = skb;
	op->head_off = READ(unix__cb(skb), struct unix_skb_parms, consumed);
}

/* The part is complete, and the call goes on. */
static __always_inline void unix__tell_part(struct task_op *op, bool send, __u32 flags)
{
	unix__emit(op, send, 0, IPCT_IO_MORE | flags);
	op->part_bytes += op->part.len;
	op->len_gap |= !!(op->part.flags & IPCT_IO_NO_LEN);
	op->told = 1;
	op->has_part = 0;
}

/* A further skb begins within the call: the one before is complete. */
static __always_inline void unix__next_part(struct task_op *op, bool send)
{
	if (op->has_part)
		unix__tell_part(op, send, 0);
	__builtin_memset(&op->part, 0, sizeof(op->part));
	op->has_part = 1;
}

/* The next part is the skb that this call made. */
static __always_inline void unix__made_part(struct task_op *op, __u64 receiver)
{
	unix__next_part(op, true);
	op->part.skb = op->made_skb;
	op->part.ns = op->made_ns;
	op->part.peer = receiver;
	op->part.flags = IPCT_IO_OWN_SKB | IPCT_IO_NO_LEN;
	op->made_skb = 0;
}

/* How many bytes the call moved that its parts do not tell: those of a part without skb, or without length. */
static __always_inline void unix__set_rest(struct task_op *op, __s64 ret)
{
	struct skb_part *part = &op->part;

	if (!(part->flags & (IPCT_IO_NO_SKB | IPCT_IO_NO_LEN)) || op->len_gap || ret < (__s64)op->part_bytes)
		return;
	part->len = ret - op->part_bytes;
	part->flags &= ~IPCT_IO_NO_LEN;
}

/* sendmmsg has sent one of its messages. */
static __always_inline void unix__end_message(struct task_op *op, int ret)
{
	struct skb_part *part = &op->part;

	if (ret < 0 || !op->has_part)
		return;
	if (part->flags & IPCT_IO_NO_LEN && op->msg_from + ret >= op->part_bytes) {
		part->len = op->msg_from + ret - op->part_bytes;
		part->flags &= ~IPCT_IO_NO_LEN;
	}
	unix__tell_part(op, true, IPCT_IO_MSG_END);
	op->msg_from = op->part_bytes;
}

/*
 * splice shows only those skbs that it used up; the last one it may have left at the head of the queue. False: others
 * took from the queue meanwhile.
 */
static __always_inline bool unix__splice_rest(struct task_op *op, __s64 ret)
{
	__u64 sk = op->in.ptr, skb = (__u64)READ(sk, struct sock, sk_receive_queue.next);
	__u64 rest = ret - op->part_bytes - (op->has_part ? op->part.len : 0);
	__u32 consumed;

	if (!rest)
		return true;
	if (unix__queue_is_empty(sk))
		return false;
	consumed = READ(unix__cb(skb), struct unix_skb_parms, consumed);
	if (consumed < rest)
		return false;
	unix__next_part(op, false);
	op->part.skb = skb;
	op->part.peer = (__u64)READ(skb, struct sk_buff, sk);
	op->part.total = READ(skb, struct sk_buff, len);
	op->part.off = consumed - rest;
	op->part.len = rest;
	op->part.ns = unix__made_ns(skb);
	return true;
}

/* The call has ended. many: sendmmsg and recvmmsg, whose result counts messages. */
static __always_inline void unix__exit(struct task_op *op, bool send, __s64 ret, bool iov, bool many)
{
	struct object *o = send ? &op->out : &op->in;
	struct skb_part *part = &op->part;
	bool bytes_known = ret > 0 && !many;
	__u32 flags = 0;

	if (send && op->made_skb && ret >= 0 && !cfg.sees_queued)
		unix__made_part(op, unix__peer(o->ptr));
	if (!send && bytes_known && op->class == IPCT_SC_SPLICE)
		unix__splice_rest(op, ret);
	if (!op->has_part) {
		__builtin_memset(part, 0, sizeof(*part));
		part->flags = IPCT_IO_NO_SKB;
		part->peer = unix__peer(o->ptr);
		if (op->told)
			flags |= IPCT_IO_END;
	}
	if (bytes_known)
		unix__set_rest(op, ret);
	if (send && bytes_known && !op->part_bytes && !(part->flags & IPCT_IO_OWN_SKB))
		fingerprint__user(part->fp, op, iov, ret);
	if (!send && !(op->msg_flags & MSG_PEEK) && unix__queue_is_empty(o->ptr))
		flags |= IPCT_IO_DRAINED;
	if (!send && bytes_known && o->mech != IPCT_MECH_UNIX_STREAM && part->total > part->off + part->len)
		flags |= IPCT_IO_TRUNC;
	unix__emit(op, send, ret, flags);
}

#endif
