// SPDX-License-Identifier: GPL-2.0
/* Where datagrams leave their sender and reach a socket. */
#include "filter.bpf.h"
#include "udp_ready.bpf.h"

/* In the sender, unless its datagram had to wait for an address (then in an interrupt). */
SEC("?tp_btf/net_dev_queue")
int BPF_PROG(net_dev_queue__tracepoint, struct sk_buff *skb)
{
	__u64 sk;

	if (!active)
		return 0;
	sk = (__u64)READ(skb, struct sk_buff, sk);
	if (sk && sock__mech(sk) == IPCT_MECH_UDP && !task__is_tracer())
		udp__sent((__u64)skb, sk);
	return 0;
}

SEC("?tp_btf/netif_receive_skb")
int BPF_PROG(netif_receive_skb__tracepoint, struct sk_buff *skb)
{
	struct udp_arriving *a = active ? udp__arriving() : NULL;

	if (!a)
		return 0;
	if (cfg.sees_udp_ready && a->skb && !a->told)
		udp__left(a->skb);
	udp__begin((__u64)skb);
	a->skb = (__u64)skb;
	a->told = 0;
	return 0;
}

/* Since 6.3. What this CPU passes up has been queued, or what others left to it: then this runs once for each. */
SEC("?tp_btf/sk_data_ready")
int BPF_PROG(udp_data_ready__tracepoint, const struct sock *receiver)
{
	if (active && sock__mech((__u64)receiver) == IPCT_MECH_UDP)
		udp__ready((__u64)receiver);
	return 0;
}

SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(udp_fail_queue_rcv_skb__tracepoint, int err, struct sock *receiver)
{
	struct udp_arriving *a = active ? udp__arriving() : NULL;

	if (a && udp__arrived(a->skb, (__u64)receiver, IPCT_IO_TRUNC))
		a->told = 1;
	return 0;
}

/* Thrown away, before or after it reached a socket. */
SEC("?tp_btf/kfree_skb")
int BPF_PROG(kfree_skb__tracepoint, struct sk_buff *skb)
{
	if (active)
		udp__forget((__u64)skb);
	return 0;
}

/* Before 6.3: in the receiver, when it has copied the datagram. */
SEC("?tp_btf/consume_skb")
int BPF_PROG(consume_skb__tracepoint, struct sk_buff *skb)
{
	struct task_op *op;
	__u64 id = (__u64)skb;

	if (!active || !bpf_map_lookup_elem(&udp_datagrams, &id))
		return 0;
	op = task_op__current(false);
	if (!op || !op->class || op->in.mech != IPCT_MECH_UDP)
		return 0;
	udp__arrived(id, op->in.ptr, 0);
	op->has_part = 1;
	op->part.skb = id;
	if (op->class == IPCT_SC_RECVMMSG) {
		struct udp_datagram *d = bpf_map_lookup_elem(&udp_datagrams, &id);

		udp__received(op, id, d ? d->bytes : 0, 0);
	}
	bpf_map_delete_elem(&udp_datagrams, &id);
	return 0;
}
