// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints that show each skb: the identity of a message, on both sides. They fire inside the system call, or
 * inside io_uring, where no call of ours is under way.
 */
#include "again.bpf.h"
#include "alone.bpf.h"

static __always_inline void skb__fingerprint(__u16 fp[4], __u64 skb)
{
	__u32 linear = READ(skb, struct sk_buff, len) - READ(skb, struct sk_buff, data_len);
	__u64 data = (__u64)READ(skb, struct sk_buff, data);
	__u64 w[2] = {}, len = linear;

	if (len >= 16)
		bpf_probe_read_kernel(w, 16, (void *)data);
	else if (len >= 8)
		bpf_probe_read_kernel(w, 8, (void *)data);
	else if (len >= 4)
		bpf_probe_read_kernel(w, 4, (void *)data);
	else if (len)
		bpf_probe_read_kernel(w, 1, (void *)data);
	fingerprint__fill(fp, w, len);
}

/*
 * The socket whose queue has this skb of a stream at its head, where it stays while it is copied; 0: it is further
 * behind, which only MSG_PEEK reads. The sender tells no more whom it was connected to once it is closed.
 */
static __always_inline __u64 stream__receiver(__u64 skb, __u64 sender)
{
	__u64 sk =
		(__u64)READ(skb, struct sk_buff, prev) - bpf_core_field_offset(struct sock, sk_receive_queue);
	__u64 peer = unix__peer(sender);

	if (peer)
		return sk == peer ? sk : 0;
	return sock__mech(sk) == IPCT_MECH_UNIX_STREAM ? sk : 0;
}

static __always_inline void alone__begin_recv(struct task_op *op, __u64 skb, __u64 sender, __u8 mech)
{
	__u64 sk = mech == IPCT_MECH_UNIX_STREAM ? stream__receiver(skb, sender) : unix__peer(sender);

	if (!sk && op->alone && op->in.mech && op->has_part)
		op->msg_flags = MSG_PEEK;
	else
		alone__begin(op, false, sk, mech); /* datagrams: the end corrects it */
}

static __always_inline void alone__end(__u64 sk, int ret, int msg_flags, bool send)
{
	__u8 mech;
	struct task_op *op;
	struct object *o;

	if (running__in_lane())
		return;
	mech = sock__mech(sk);
	if (!mech || !wanted(mech) || task__is_tracer())
		return;
	if (mech == IPCT_MECH_UDP && send)
		return; /* seen where it arrives */
	op = task_op__current(mech == IPCT_MECH_UDP);
	if (op && mech == IPCT_MECH_UDP && op->class == IPCT_SC_RECVMMSG && op->in.ptr == sk && ret >= 0) {
		op->ended_cnt++;
		udp__received(op, 0, ret, 0);
		return;
	}
	if (op && send && op->class == IPCT_SC_SENDMMSG && op->out.ptr == sk)
		unix__end_message(op, ret);
	if (!op || op->class)
		return;
	o = send ? &op->out : &op->in;
	if (!op->alone || !o->mech)
		alone__begin(op, send, sk, mech);
	o->ptr = o->key = sk;
	if (o->mech == IPCT_MECH_TCP) {
		op->msg_flags = msg_flags;
		if (!op->has_part && ret > 0) /* seen for the first time: it must have been alone */
			o->addr = tcp__position(sk, send) - (__u32)ret;
		tcp__exit(op, send, ret, IPCT_IO_URING, false);
	} else if (o->mech == IPCT_MECH_UDP) {
		op->msg_flags = msg_flags;
		udp__received(op, 0, ret, IPCT_IO_URING);
	} else if (o->mech) {
		op->msg_flags = msg_flags;
		if (!op->has_part) {
			__builtin_memset(&op->part, 0, sizeof(op->part));
			op->part.flags = IPCT_IO_NO_SKB;
			op->part.peer = unix__peer(sk);
		}
		if (op->part.flags & IPCT_IO_NO_SKB && ret > 0)
			op->part.len = ret - op->part_bytes;
		unix__emit(op, send, ret, IPCT_IO_URING);
	}
	op->alone = 0;
	op->made_skb = 0;
	op->alone_end_ns = clock__now();
	op->in.mech = op->out.mech = 0;
}

/*
 * What a queue's skb tells: its sender; 0: it was taken out of the queue meanwhile, so that its memory may be another's. Who
 * takes it out clears its links (__skb_unlink()).
 */
static __always_inline __u64 part__look(struct skb_part *part, __u64 skb)
{
	__u64 sender, fp;
	__u32 len;

	len = READ(skb, struct sk_buff, len);
	fp = (__u64)READ(unix__cb(skb), struct unix_skb_parms, fp);
	sender = (__u64)READ(skb, struct sk_buff, sk);
	barrier();
	if (!READ(skb, struct sk_buff, next))
		return 0;
	part->len = part->total = len;
	if (fp)
		part->flags |= IPCT_IO_FDS;
	return sender;
}

/* Fills part from the tail of the receiver's queue: what was just queued, if sender's; 0: it is gone already. */
static __always_inline __u64 part__from_tail(struct skb_part *part, __u64 receiver)
{
	part->skb = (__u64)READ(receiver, struct sock, sk_receive_queue.prev);
	return unix__queue_is_empty(receiver) ? 0 : part__look(part, part->skb);
}

#define QUEUE_LOOK_MAX 4 /* others may have queued theirs meanwhile */

/* The part is the skb that this call made; if it is still in the queue, so is its length. Gives its sender; 0: not there. */
static __always_inline __u64 part__from_queue(struct skb_part *part, const struct task_op *op, __u64 receiver)
{
	__u64 end = receiver + bpf_core_field_offset(struct sock, sk_receive_queue);
	__u64 skb = (__u64)READ(receiver, struct sock, sk_receive_queue.prev);

	part->skb = op->made_skb;
	part->ns = op->made_ns;
	part->flags = IPCT_IO_OWN_SKB | IPCT_IO_NO_LEN;
	for (int i = 0; i < QUEUE_LOOK_MAX && skb && skb != end; i++) {
		if (skb == part->skb) {
			__u64 sender = part__look(part, skb);

			if (sender)
				part->flags &= ~IPCT_IO_NO_LEN;
			return sender;
		}
		skb = (__u64)READ(skb, struct sk_buff, prev);
	}
	return 0;
}

/* Runs in the sender, just after its skb was queued (since 6.3: 40e0b0908142). */
static __always_inline void skb__queued(const struct sock *receiver)
{
	struct skb_part part = {};
	struct task_op *op;
	__u64 sk, own;
	__u8 mech;

	if (!active)
		return;
	mech = sock__mech((__u64)receiver);
	if (!mech || !wanted(mech) || task__is_tracer())
		return;
	if (mech__is_inet(mech))
		return;
	if (READ(receiver, struct sock, __sk_common.skc_state) == TCP_LISTEN)
		return; /* a connection, not data */
	op = task_op__current(true);
	if (!op)
		return;
	own = op->made_skb;
	sk = own ? part__from_queue(&part, op, (__u64)receiver) : part__from_tail(&part, (__u64)receiver);
	if (!op->class)
		alone__begin(op, true, unix__peer((__u64)receiver) ?: sk, mech);
	if (!op->out.mech || !op->out.is_sock)
		return;
	unix__next_part(op, true);
	op->made_skb = 0;
	if (own || sk == op->out.ptr)
		op->part = part;
	else
		op->part.flags =
			IPCT_IO_NO_SKB; /* the reader was faster, or another sender came in between */
	op->part.peer = (__u64)receiver;
}

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(sk_data_ready__tracepoint, const struct sock *receiver)
{
	skb__queued(receiver);
	again__ran(IPCT_AGAIN_QUEUED, (__u64)receiver);
	return 0;
}

SEC("?tp_btf/sk_data_ready")
int BPF_PROG(sk_data_ready_again__tracepoint, const struct sock *receiver)
{
	if (again__was_left_out(IPCT_AGAIN_QUEUED, (__u64)receiver))
		skb__queued(receiver);
	return 0;
}

/* Runs in the receiver, under its queue's lock, before the bytes are copied. */
static __always_inline void skb__copied(const struct sk_buff *skb, int len)
{
	struct skb_part part = {};
	struct task_op *op;
	__u64 sender;
	__u8 mech;

	if (!active)
		return;
	sender = (__u64)READ(skb, struct sk_buff, sk);
	mech = sender ? sock__mech(sender) : 0;
	if (!mech || !wanted(mech) || task__is_tracer())
		return;
	if (mech__is_inet(mech)) {
		op = mech == IPCT_MECH_TCP ? task_op__current(true) : NULL;
		if (!op)
			return;
		if (!op->class)
			alone__begin(op, false, sender, mech); /* it is the receiver's, there */
		tcp__copied(op, sender, len);
		return;
	}
	part.skb = (__u64)skb;
	part.peer = sender;
	part.len = len;
	part.total = READ(skb, struct sk_buff, len);
	if (mech == IPCT_MECH_UNIX_STREAM)
		part.off = READ(unix__cb((__u64)skb), struct unix_skb_parms, consumed);
	if (READ(unix__cb((__u64)skb), struct unix_skb_parms, fp))
		part.flags = IPCT_IO_FDS;
	if (!part.off && !cfg.sees_made)
		skb__fingerprint(part.fp, (__u64)skb);
	op = task_op__current(true);
	if (!op)
		return;
	if (!op->class)
		alone__begin_recv(op, (__u64)skb, sender, mech);
	if (!op->in.mech || !op->in.is_sock)
		return;
	unix__next_part(op, false);
	op->part = part;
	op->part.ns = unix__made_ns(op);
}

SEC("?tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(skb_copy_datagram_iovec__tracepoint, const struct sk_buff *skb, int len)
{
	skb__copied(skb, len);
	again__ran(IPCT_AGAIN_COPIED, (__u64)skb);
	return 0;
}

SEC("?tp_btf/skb_copy_datagram_iovec")
int BPF_PROG(skb_copy_datagram_iovec_again__tracepoint, const struct sk_buff *skb, int len)
{
	if (again__was_left_out(IPCT_AGAIN_COPIED, (__u64)skb))
		skb__copied(skb, len);
	return 0;
}

/* Since 6.3, with sock_recv_length. */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(sock_send_length__tracepoint, struct sock *sk, int ret)
{
	if (active)
		alone__end((__u64)sk, ret, 0, true);
	return 0;
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(sock_recv_length__tracepoint, struct sock *sk, int ret, int flags)
{
	if (active)
		alone__end((__u64)sk, ret, flags, false);
	return 0;
}
