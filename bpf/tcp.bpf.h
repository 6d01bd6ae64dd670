/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP with both ends on this host. Bytes are known by their sequence numbers, which both ends agree on; so are
 * the two ends of a connection, whatever addresses each of them sees.
 */
#ifndef BPF_TCP_H
#define BPF_TCP_H

#include "fingerprint.bpf.h"
#include "inet.bpf.h"
#include "unix.bpf.h"

#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7
#define TCP_LISTEN_STATE 10

/*
 * Of each connection: the peer's struct sock (0: not on this host, or not seen yet), and where the sequence numbers of both
 * directions began. snd is the first byte's number, or one less: only the end that sent SYN counts it as acknowledged.
 */
struct tcp_end {
	__u64 peer;
	__u32 snd, rcv;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* struct sock * */
	__type(value, struct tcp_end);
} tcp_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, __u64); /* snd << 32 | rcv, and (snd + 1) << 32 | rcv */
	__type(value, __u64); /* struct sock * */
} tcp_seqs SEC(".maps");

/* What existed before the trace has been looked at: an end whose peer is not known has it elsewhere. */
volatile bool seeded = false;

static __always_inline __u64 tcp__seq_key(__u32 snd, __u32 rcv)
{
	return (__u64)snd << 32 | rcv;
}

/* The end whose numbers are ours the other way round; 0: none. */
static __always_inline __u64 tcp__find_peer(__u64 sk, const struct tcp_end *end)
{
	for (__u32 d = 0; d < 2; d++) {
		__u64 key = tcp__seq_key(end->rcv, end->snd + d);
		__u64 *other = bpf_map_lookup_elem(&tcp_seqs, &key);

		if (other)
			return *other;
	}
	/* A socket that is connected to itself: sequence numbers of both directions are one. */
	return end->rcv - end->snd <= 1 ? sk : 0;
}

static __always_inline void tcp__object(__u64 sk, __u64 peer, const struct tcp_end *end, __u8 what)
{
	struct {
		struct ipct_object ob;
		struct ipct_inet_name name;
	} *ev = emit__reserve(IPCT_KIND_OBJECT, sizeof(*ev), IPCT_MECH_TCP, 0);

	if (!ev)
		return;
	__builtin_memset((char *)ev + sizeof(ev->ob.h), 0, sizeof(*ev) - sizeof(ev->ob.h));
	ev->ob.h.pid = ev->ob.h.tid = 0; /* connections are made in interrupts, too */
	ev->ob.key = sk;
	ev->ob.peer_key = peer;
	ev->ob.rd_addr = end->rcv;
	ev->ob.wr_addr = end->snd;
	ev->ob.fill_bytes = IPCT_OBJECT_FILL_UNKNOWN;
	ev->ob.capacity = READ(sk, struct sock, sk_rcvbuf);
	ev->ob.what = what;
	ev->ob.fd = -1;
	ev->ob.name_len = sizeof(ev->name);
	inet__fill_name(&ev->name, sk);
	emit__submit(ev);
}

/* Remembers a connection's end, joins it with the other one, tells the collector. Returns the peer. */
static __noinline __u64 tcp__learn(__u64 sk, __u8 what)
{
	struct tcp_end end = {}, *other;
	__u64 key;

	end.snd = READ(sk, struct tcp_sock, snd_una) - (__u32)READ(sk, struct tcp_sock, bytes_acked);
	end.rcv = READ(sk, struct tcp_sock, rcv_nxt) - (__u32)READ(sk, struct tcp_sock, bytes_received);
	end.peer = tcp__find_peer(sk, &end);
	bpf_map_update_elem(&tcp_ends, &sk, &end, BPF_ANY);
	key = tcp__seq_key(end.snd, end.rcv);
	bpf_map_update_elem(&tcp_seqs, &key, &sk, BPF_ANY);
	key = tcp__seq_key(end.snd + 1, end.rcv);
	bpf_map_update_elem(&tcp_seqs, &key, &sk, BPF_ANY);
	other = end.peer ? bpf_map_lookup_elem(&tcp_ends, &end.peer) : NULL;
	if (other)
		other->peer = sk;
	tcp__object(sk, end.peer, &end, what);
	return end.peer;
}

static __always_inline void tcp__forget(__u64 sk)
{
	struct tcp_end *end = bpf_map_lookup_elem(&tcp_ends, &sk);
	__u64 key;

	if (!end)
		return;
	key = tcp__seq_key(end->snd, end->rcv);
	bpf_map_delete_elem(&tcp_seqs, &key);
	key = tcp__seq_key(end->snd + 1, end->rcv);
	bpf_map_delete_elem(&tcp_seqs, &key);
	bpf_map_delete_elem(&tcp_ends, &sk);
}

static __always_inline bool tcp__has_numbers(__u64 sk)
{
	__u8 state = READ(sk, struct sock, __sk_common.skc_state);

	return state != TCP_SYN_SENT && state != TCP_SYN_RECV && state != TCP_CLOSE &&
	       state != TCP_LISTEN_STATE;
}

/* An end that was there before the trace, or whose entry was lost. */
static __always_inline void tcp__scan(__u64 sk)
{
	if (!bpf_map_lookup_elem(&tcp_ends, &sk) && tcp__has_numbers(sk))
		tcp__learn(sk, IPCT_OBJECT_SCAN);
}

/*
 * Is this connection to be seen? Its peer goes to *peer. Both ends exist before a byte is taken, and before the
 * acknowledgement of one comes back; until then it is the collector that waits.
 */
static __noinline bool tcp__is_local(__u64 sk, __u64 *peer)
{
	struct tcp_end *end;

	if (!peer)
		return false;
	tcp__scan(sk);
	end = bpf_map_lookup_elem(&tcp_ends, &sk);
	*peer = end ? end->peer : 0;
	if (*peer || !seeded)
		return true;
	return READ(sk, struct tcp_sock, bytes_acked) <= 1 && READ(sk, struct tcp_sock, bytes_received) == 0;
}

static __always_inline __u32 tcp__position(__u64 sk, bool send)
{
	return send ? READ(sk, struct tcp_sock, write_seq) : READ(sk, struct tcp_sock, copied_seq);
}

static __always_inline bool tcp__is_empty(__u64 sk)
{
	return READ(sk, struct tcp_sock, copied_seq) == READ(sk, struct tcp_sock, rcv_nxt);
}

static __always_inline void tcp__enter(struct object *o, bool send)
{
	o->addr = tcp__position(o->ptr, send);
	o->was_waiting = !send && tcp__is_empty(o->ptr);
}

/*
 * The running call's part, in op->part: the bytes off..total, skb: what the call had left to send when it was last seen.
 * len counts in bytes of a part whose range is not certain.
 */
static __noinline void tcp__emit_record(const struct task_op *op, bool send, __s64 ret, __u32 flags)
{
	const struct object *o = send ? &op->out : &op->in;
	struct ipct_tcp_io *ev;
	__u64 peer = 0;

	if (!tcp__is_local(o->ptr, &peer))
		return;
	ev = emit__reserve(IPCT_KIND_TCP_IO, sizeof(*ev), IPCT_MECH_TCP, send ? IPCT_OP_SEND : IPCT_OP_RECV);
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
	if (!send && tcp__is_empty(o->ptr))
		flags |= IPCT_IO_DRAINED;
	ev->enter_ns = op->enter_ns;
	ev->sk = o->ptr;
	ev->peer_sk = peer;
	ev->s_seq = op->part.off;
	ev->e_seq = op->part.total;
	ev->bytes = op->part.len;
	ev->ret = flags & IPCT_IO_MORE ? 0 : ret;
	ev->flags = flags;
	ev->fd = send ? op->fd_out : op->fd_in;
	__builtin_memset(ev->fp, 0, sizeof(ev->fp));
	/* The buffer's front is this part's. */
	if (op->part.len && !op->part_bytes && !(flags & (IPCT_IO_MORE | IPCT_IO_URING)) &&
	    !class__is_pages(op->class))
		fingerprint__user(ev->fp, op, class__is_vectored(op->class), op->part.len);
	emit__submit(ev);
}

static __always_inline void tcp__emit(const struct task_op *op, bool send, __s64 ret, __u32 flags)
{
	__u64 peer = 0;

	if (!cfg.ledger || !tcp__is_local(send ? op->out.ptr : op->in.ptr, &peer) ||
	    !ledger__sock(op, send, ret, flags, peer))
		tcp__emit_record(op, send, ret, flags);
}

static __always_inline void tcp__begin_part(struct task_op *op, __u32 seq)
{
	op->has_part = 1;
	op->part.off = op->part.total = seq;
	op->part.skb = 0;
}

/* The part ends at op->part.total, the call goes on. */
static __always_inline void tcp__end_part(struct task_op *op, bool send, __u32 flags)
{
	op->part.len = op->part.total - op->part.off;
	if (op->part.len)
		tcp__emit(op, send, 0, flags | IPCT_IO_MORE);
	op->part_bytes += op->part.len;
}

/* Under the socket's lock, before len bytes are copied to the reader. */
static __always_inline void tcp__copied(struct task_op *op, __u64 sk, __u32 len)
{
	__u32 seq = READ(sk, struct tcp_sock, copied_seq);

	if (!op->in.mech || op->in.ptr != sk || op->msg_flags & MSG_PEEK)
		return;
	if (op->has_part && seq != op->part.total) {
		if (seq != op->part.off) /* else it was a look only, through io_uring */
			tcp__end_part(op, false, 0);
		tcp__begin_part(op, seq);
	} else if (!op->has_part) {
		tcp__begin_part(op, seq);
	}
	op->part.total = seq + len;
}

/* Under the socket's lock, before some of the `left` bytes are queued at write_seq. */
static __always_inline void tcp__queueing(struct task_op *op, __u64 sk, __u64 left)
{
	__u32 seq = READ(sk, struct tcp_sock, write_seq);
	__u64 taken;

	if (!op->out.mech || op->out.ptr != sk)
		return;
	if (!op->has_part) {
		tcp__begin_part(op, seq);
	} else {
		/* More is left than before: the next message of the same call; the last one was complete. */
		taken = left < op->part.skb ? op->part.skb - left : op->part.skb;
		if (left == op->part.skb)
			taken = 0;
		if (taken < seq - op->part.total)
			op->part.total += taken;
		else
			op->part.total = seq;
		if (op->part.total != seq) {
			tcp__end_part(op, true, 0);
			tcp__begin_part(op, seq);
		}
	}
	op->part.skb = left;
}

/* A sender goes to sleep: the reader may take what there is so far long before the call ends. */
static __always_inline void tcp__sleep(struct task_op *op)
{
	__u32 seq = op->part.total;

	if (op->has_part) {
		__u64 left = op->part.skb;

		tcp__end_part(op, true, 0);
		tcp__begin_part(op, seq);
		op->part.skb = left;
		return;
	}
	/* Before 6.16. Whoever waits for the lock has sent nothing yet. */
	if (READ(op->out.ptr, struct sock, sk_lock.owned))
		return;
	seq = READ(op->out.ptr, struct tcp_sock, write_seq);
	op->part.off = op->out.addr;
	op->part.total = seq;
	tcp__end_part(op, true, IPCT_IO_BLOCKED);
	op->out.addr = seq;
}

/* The call has ended. many: sendmmsg and recvmmsg, whose result counts messages. */
static __noinline void tcp__exit(struct task_op *op, bool send, __s64 ret, __u32 flags, bool many)
{
	struct object *o = send ? &op->out : &op->in;
	struct skb_part *part = &op->part;
	__u32 now = tcp__position(o->ptr, send), rest = 0;

	if (ret > 0 && !many && (__u64)ret > op->part_bytes)
		rest = ret - op->part_bytes;
	if (!send && ret == 1 && op->msg_flags & MSG_OOB) {
		part->off = READ(o->ptr, struct tcp_sock, urg_seq);
		part->total = part->off + 1;
		part->len = 1;
	} else if (op->has_part) {
		if (send && many)
			part->total = part->skb < now - part->total ? part->total + (__u32)part->skb : now;
		else if (!many && ret > 0)
			part->total = part->off + rest;
		part->len = ret > 0 ? part->total - part->off : 0;
	} else {
		part->off = o->addr;
		part->total = now;
		part->len = many && ret > 0 ? now - (__u32)o->addr : rest;
	}
	tcp__emit(op, send, ret, flags);
}

#endif
