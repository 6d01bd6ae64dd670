/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP between sockets of this host. A datagram is known by its skb from the sender's device queue to the receiver's
 * socket; who takes it from there is known by the queue's order, or before 6.3 by the skb.
 */
#ifndef BPF_UDP_H
#define BPF_UDP_H

#include "demand.bpf.h"
#include "fingerprint.bpf.h"
#include "inet.bpf.h"
#include "unix.bpf.h"

/* A datagram between its sender and a socket's queue. */
struct udp_datagram {
	__u64 sent_ns;
	__u64 receiver; /* struct sock * that it was last seen at */
	__u32 pid, tid;
	__u32 bytes;
	__u32 left; /* its key in udp_left; 0: none */
	__u16 fp[4];
	struct ipct_inet_name name; /* l: from, r: to */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* struct sk_buff * */
	__type(value, struct udp_datagram);
} udp_datagrams SEC(".maps");

/* The pairs of addresses whose name has been told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u8);
} udp_flows SEC(".maps");

/* What a CPU is passing up to its protocol, or passed up last. */
struct udp_arriving {
	__u64 skb;
	__u64 told; /* that it reached a socket */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct udp_arriving);
} udp_arriving SEC(".maps");

/*
 * Since 6.18 (b650bf0977d3) a CPU that finds another one busy with a socket's queue leaves its datagram to that one. These are
 * kept by port until they are told.
 */
#define UDP_LEFT_SLOTS 256
#define UDP_LEFT_TRIES 8

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32); /* port << 16 | slot, never 0 */
	__type(value, __u64); /* struct sk_buff * */
} udp_left SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct udp_datagram);
} udp_scratch SEC(".maps");

static __always_inline __u64 udp__mix(const __u8 addr[16], __u16 port)
{
	const __u64 *w = (const __u64 *)addr;
	__u64 h = (w[0] ^ (w[1] >> 7) ^ (w[1] << 57) ^ port) * 0x9e3779b97f4a7c15ull;

	h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ull;
	return h ^ (h >> 32);
}

/* The same for both directions; never 0. */
static __always_inline __u64 udp__flow(const struct ipct_inet_name *n)
{
	return (udp__mix(n->laddr, n->lport) + udp__mix(n->raddr, n->rport) + n->netns) | 1;
}

/* As numbers: the verifier does not let pointers be subtracted. */
static __always_inline __u64 skb__head(__u64 skb)
{
	return read_word((void *)(skb + bpf_core_field_offset(struct sk_buff, head)));
}

static __always_inline __u64 skb__front(__u64 skb)
{
	return read_word((void *)(skb + bpf_core_field_offset(struct sk_buff, data)));
}

#define IP_OFFSET 0x1fff

/* Both IP versions begin with their number; options do not matter, the transport header is known. */
static __always_inline bool udp__read_headers(struct udp_datagram *d, __u64 skb)
{
	__u64 head = skb__head(skb);
	__u64 ip = head + READ(skb, struct sk_buff, network_header);
	__u64 udp = head + READ(skb, struct sk_buff, transport_header);
	__u16 ports[4] = {}, offset = 0;
	__u8 first = 0;

	bpf_probe_read_kernel(&first, 1, (void *)ip);
	if (first >> 4 == 4) {
		d->name.family = AF_INET;
		bpf_probe_read_kernel(&offset, sizeof(offset), (void *)(ip + 6));
		if (be16(offset) & IP_OFFSET) /* a fragment without the header */
			return false;
		bpf_probe_read_kernel(d->name.laddr, 4, (void *)(ip + 12));
		bpf_probe_read_kernel(d->name.raddr, 4, (void *)(ip + 16));
	} else if (first >> 4 == 6) {
		d->name.family = AF_INET6;
		bpf_probe_read_kernel(d->name.laddr, 16, (void *)(ip + 8));
		bpf_probe_read_kernel(d->name.raddr, 16, (void *)(ip + 24));
	} else {
		return false;
	}
	bpf_probe_read_kernel(ports, sizeof(ports), (void *)udp);
	d->name.lport = ports[0];
	d->name.rport = ports[1];
	d->bytes = be16(ports[2]) - 8;
	return true;
}

/* Of the payload as far as it lies in the linear part; the rest of larger datagrams lies in pages. */
static __always_inline void udp__fingerprint(struct udp_datagram *d, __u64 skb)
{
	__u64 head = skb__head(skb), data = skb__front(skb);
	__u64 payload = head + READ(skb, struct sk_buff, transport_header) + 8;
	__u64 end = data + READ(skb, struct sk_buff, len) - READ(skb, struct sk_buff, data_len);
	__u64 w[2] = {}, len = payload < end ? end - payload : 0;

	if (len > d->bytes)
		len = d->bytes;
	if (len >= 16)
		bpf_probe_read_kernel(w, 16, (void *)payload);
	else if (len >= 8)
		bpf_probe_read_kernel(w, 8, (void *)payload);
	else if (len >= 4)
		bpf_probe_read_kernel(w, 4, (void *)payload);
	else if (len)
		bpf_probe_read_kernel(w, 1, (void *)payload);
	fingerprint__fill(d->fp, w, len);
}

/* In the sender, when its datagram goes to a device. */
static __always_inline void udp__sent(__u64 skb, __u64 sk)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 zero = 0;
	struct udp_datagram *d = bpf_map_lookup_elem(&udp_scratch, &zero);

	if (!d)
		return;
	__builtin_memset(d, 0, sizeof(*d));
	if (!udp__read_headers(d, skb))
		return;
	d->name.netns = inet__netns(sk);
	d->sent_ns = clock__now();
	d->pid = id >> 32;
	d->tid = (__u32)id;
	udp__fingerprint(d, skb);
	bpf_map_update_elem(&udp_datagrams, &skb, d, BPF_ANY);
}

static __always_inline void udp__announce(const struct udp_datagram *d, __u64 flow)
{
	struct {
		struct ipct_object ob;
		struct ipct_inet_name name;
	} * ev;
	__u8 one = 1;

	if (bpf_map_lookup_elem(&udp_flows, &flow))
		return;
	ev = emit__reserve(IPCT_KIND_OBJECT, sizeof(*ev), IPCT_MECH_UDP, 0);
	if (!ev)
		return;
	__builtin_memset((char *)ev + sizeof(ev->ob.h), 0, sizeof(*ev) - sizeof(ev->ob.h));
	ev->ob.h.pid = ev->ob.h.tid = 0;
	ev->ob.key = flow;
	ev->ob.what = IPCT_OBJECT_NEW;
	ev->ob.fd = -1;
	ev->ob.name_len = sizeof(ev->name);
	ev->name = d->name;
	emit__submit(ev);
	bpf_map_update_elem(&udp_flows, &flow, &one, BPF_ANY);
}

/* The datagram is in the receiver's queue, or (flags: TRUNC) was thrown away because that is full. */
static __noinline int udp__tell(struct udp_datagram *d, __u64 skb, __u64 receiver, __u32 flags)
{
	struct ipct_udp_io *ev;
	__u32 ino;
	__u64 flow;

	if (!d)
		return 0;
	if (d->left)
		bpf_map_delete_elem(&udp_left, &d->left);
	ino = sock__ino(receiver);
	if (!ino || ino__is_ignored(ino, 0))
		return 0;
	flow = udp__flow(&d->name);
	udp__announce(d, flow);
	ev = emit__reserve(IPCT_KIND_UDP_IO, sizeof(*ev), IPCT_MECH_UDP, IPCT_OP_SEND);
	if (!ev)
		return 0;
	ev->h.pid = d->pid;
	ev->h.tid = d->tid;
	ev->enter_ns = d->sent_ns;
	ev->flow = flow;
	ev->receiver = ino;
	ev->skb = skb;
	ev->bytes = d->bytes;
	ev->ret = d->bytes;
	ev->flags = flags;
	ev->fd = -1;
	__builtin_memcpy(ev->fp, d->fp, sizeof(ev->fp));
	emit__submit(ev);
	return 0;
}

static __always_inline bool udp__arrived(__u64 skb, __u64 receiver, __u32 flags)
{
	struct udp_datagram *d = bpf_map_lookup_elem(&udp_datagrams, &skb);

	if (!d || d->receiver == receiver)
		return false;
	d->receiver = receiver;
	udp__tell(d, skb, receiver, flags);
	return true;
}

static __always_inline bool udp__is_empty(__u64 sk)
{
	return READ(sk, struct sock, sk_receive_queue.qlen) == 0 &&
	       READ(sk, struct udp_sock, reader_queue.qlen) == 0;
}

static __always_inline void udp__enter(struct object *o, bool send)
{
	o->was_waiting = !send && udp__is_empty(o->ptr);
}

#define UDP_IOVECS_MAX 4

/* A buffer that is full may have been too small. */
static __always_inline bool udp__may_be_cut(const struct task_op *op, __s64 ret)
{
	__u64 room = 0;

	if (!op->class || op->class == IPCT_SC_RECVMMSG || class__is_pages(op->class))
		return true;
	if (!class__is_vectored(op->class))
		return (__u64)ret >= op->cnt;
	if (op->cnt > UDP_IOVECS_MAX)
		return true;
	for (__u32 i = 0; i < UDP_IOVECS_MAX && i < op->cnt; i++) {
		if (op->compat) {
			struct iovec32 v = {};

			bpf_probe_read_user(&v, sizeof(v), (void *)(op->buf + i * sizeof(v)));
			room += v.len;
		} else {
			struct iovec64 v = {};

			bpf_probe_read_user(&v, sizeof(v), (void *)(op->buf + i * sizeof(v)));
			room += v.len;
		}
	}
	return (__u64)ret >= room;
}

/* One datagram was taken, or the call failed. skb: 0 where it is not known. */
static __noinline void udp__received(struct task_op *op, __u64 skb, __s64 ret, __u32 flags)
{
	const struct object *o = &op->in;
	struct ipct_udp_io *ev;

	ev = emit__reserve(IPCT_KIND_UDP_IO, sizeof(*ev), IPCT_MECH_UDP, IPCT_OP_RECV);
	if (!ev)
		return;
	if (op->msg_flags & MSG_PEEK)
		flags |= IPCT_IO_PEEK;
	if (op->compat)
		flags |= IPCT_IO_COMPAT;
	if (o->was_waiting)
		flags |= IPCT_IO_WAITED;
	if (udp__is_empty(o->ptr))
		flags |= IPCT_IO_DRAINED;
	ev->enter_ns = op->enter_ns;
	ev->flow = 0;
	ev->receiver = o->ino;
	ev->skb = skb;
	ev->bytes = ret > 0 ? ret : 0;
	ev->ret = ret;
	ev->flags = flags;
	ev->fd = op->fd_in;
	__builtin_memset(ev->fp, 0, sizeof(ev->fp));
	if (op->class == IPCT_SC_RECVMSG)
		msghdr__load(op, op->buf);
	if (ret >= 0 && udp__may_be_cut(op, ret))
		ev->flags |= IPCT_IO_TRUNC;
	if (ret > 0 && op->class && op->class != IPCT_SC_RECVMMSG && !class__is_pages(op->class))
		fingerprint__user(ev->fp, op, class__is_vectored(op->class), ret);
	emit__submit(ev);
}

/* The call has ended. recvmmsg has told each of its datagrams already. */
static __always_inline void udp__exit(struct task_op *op, bool send, __s64 ret, bool many)
{
	/* Until it was seen how each of them ends. */
	if (!send && many && demand__is_possible(IPCT_DEMAND_LENGTHS) && ret > op->ended_cnt)
		emit__count_lost_by(IPCT_MECH_UDP, ret - op->ended_cnt);
	if (!send && !(many && ret > 0))
		udp__received(op, op->has_part ? op->part.skb : 0, ret, 0);
}

#endif
