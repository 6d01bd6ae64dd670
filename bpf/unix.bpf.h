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
 * of two receives the later one may be reported first. A table of sets that nobody locks: a hash table of the kernel
 * took longer than all else that a send costs. What is overwritten was left unread for long.
 */
#define MADE_SETS 32768
#define MADE_WAYS 4

struct made_set {
	struct {
		__u64 check; /* address ^ ns: what two CPUs have written at the same time is neither's */
		__u64 ns;
	} way[MADE_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MADE_SETS);
	__type(key, __u32);
	__type(value, struct made_set);
} made_skbs SEC(".maps");

static __always_inline struct made_set *made_set__of(__u64 skb)
{
	__u32 at = (skb * 0x9e3779b97f4a7c15ULL) >> 32 & (MADE_SETS - 1); /* Fibonacci hashing */

	return bpf_map_lookup_elem(&made_skbs, &at);
}

/* An address read back from memory is a number to the verifier, which lets nobody calculate with pointers. */
#define AS_NUMBER(word) (*(volatile __u64 *)&(word))

/* op->made_skb, in place of what was at that address before, or of the oldest. */
static __always_inline void unix__note_made(const struct task_op *op)
{
	__u64 skb = AS_NUMBER(op->made_skb), ns = op->made_ns;
	struct made_set *set = made_set__of(skb);
	__u64 oldest_ns = ~0ULL;
	__u32 at = 0;

	if (!set)
		return;
	for (__u32 i = 0; i < MADE_WAYS; i++) {
		__u64 then_ns = set->way[i].ns;

		if ((set->way[i].check ^ then_ns) == skb)
			then_ns = 0;
		if (then_ns < oldest_ns) {
			oldest_ns = then_ns;
			at = i;
		}
	}
	at &= MADE_WAYS - 1;
	set->way[at].check = skb ^ ns;
	set->way[at].ns = ns;
}

/* When op->part's skb was made; 0: not known. */
static __always_inline __u64 unix__made_ns(const struct task_op *op)
{
	__u64 skb = AS_NUMBER(op->part.skb);
	struct made_set *set = made_set__of(skb);

	if (!set)
		return 0;
	for (__u32 i = 0; i < MADE_WAYS; i++) {
		__u64 ns = set->way[i].ns;

		if ((set->way[i].check ^ ns) == skb)
			return ns;
	}
	return 0;
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

/* All but the header: op->part; ret counts only without IPCT_IO_MORE in flags. */
static __always_inline void unix__fill_record(struct ipct_sock_io *ev, const struct task_op *op, bool send,
					      __s64 ret, __u32 flags)
{
	const struct object *o = send ? &op->out : &op->in;
	const struct skb_part *part = &op->part;

	if (op->msg_flags & MSG_PEEK)
		flags |= IPCT_IO_PEEK;
	if (op->msg_flags & MSG_OOB)
		flags |= IPCT_IO_OOB;
	if (op->compat)
		flags |= IPCT_IO_COMPAT;
	if (o->was_waiting)
		flags |= IPCT_IO_WAITED;
	if (!op->enter_ns && !op->no_entry_time)
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
}

static __noinline void unix__emit_record(const struct task_op *op, bool send, __s64 ret, __u32 flags)
{
	__u8 mech = send ? op->out.mech : op->in.mech;
	struct ipct_sock_io *ev;

	ev = emit__reserve(IPCT_KIND_SOCK_IO, sizeof(*ev), mech, send ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return;
	unix__fill_record(ev, op, send, ret, flags);
	if (!ev->enter_ns && op->no_entry_time)
		ev->enter_ns = ev->h.ts_ns;
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
	if (part->flags & IPCT_IO_OWN_SKB)
		part->total = part->len;
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
 * took from the queue meanwhile, or the first were used up before that showed.
 */
static __always_inline bool unix__splice_rest(struct task_op *op, __s64 ret)
{
	__u64 sk = op->in.ptr, skb = (__u64)READ(sk, struct sock, sk_receive_queue.next);
	__u64 rest = ret - op->part_bytes - (op->has_part ? op->part.len : 0);
	__u32 consumed;

	if (!rest)
		return true;
	if (op->unseen_parts || unix__queue_is_empty(sk))
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
	op->part.ns = unix__made_ns(op);
	return true;
}

/*
 * The call has ended: completes its last part, and gives its record's flags. many: sendmmsg and recvmmsg, whose result
 * counts messages. in_lane: a plain call (sock_lane.bpf.h).
 */
static __always_inline __u32 unix__end(struct task_op *op, bool send, __s64 ret, bool iov, bool many,
				       const bool in_lane)
{
	struct object *o = send ? &op->out : &op->in;
	struct skb_part *part = &op->part;
	bool bytes_known = ret > 0 && !many;
	__u32 flags = 0;

	if (send && op->made_skb && ret >= 0 && !cfg.sees_queued)
		unix__made_part(op, unix__peer(o->ptr));
	if (!in_lane && !send && bytes_known && op->class == IPCT_SC_SPLICE && !unix__splice_rest(op, ret)) {
		unix__next_part(op, false);
		part->flags = IPCT_IO_NO_SKB;
		part->peer = unix__peer(o->ptr);
	}
	if (!op->has_part) {
		__builtin_memset(part, 0, sizeof(*part));
		part->flags = IPCT_IO_NO_SKB;
		part->peer = unix__peer(o->ptr);
		if (op->told)
			flags |= IPCT_IO_END;
	}
	/* What the queue said of its length may be another skb's; what the call returned is sure. */
	if (send && bytes_known && part->flags & IPCT_IO_OWN_SKB && !op->len_gap)
		part->flags |= IPCT_IO_NO_LEN;
	if (bytes_known)
		unix__set_rest(op, ret);
	if (!in_lane && send && bytes_known && !op->part_bytes && !(part->flags & IPCT_IO_OWN_SKB))
		fingerprint__user(part->fp, op, iov, ret);
	if (!send && !(op->msg_flags & MSG_PEEK) && unix__queue_is_empty(o->ptr))
		flags |= IPCT_IO_DRAINED;
	if (!send && bytes_known && o->mech != IPCT_MECH_UNIX_STREAM && part->total > part->off + part->len)
		flags |= IPCT_IO_TRUNC;
	return flags;
}

static __always_inline void unix__exit(struct task_op *op, bool send, __s64 ret, bool iov, bool many)
{
	unix__emit(op, send, ret, unix__end(op, send, ret, iov, many, false));
}

#endif
