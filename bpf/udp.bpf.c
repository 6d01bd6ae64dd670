// SPDX-License-Identifier: GPL-2.0
/* Where datagrams leave their sender and reach a socket. */
#include "udp.bpf.h"
#include "filter.bpf.h"

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
	__u32 zero = 0;
	__u64 *arriving;

	if (!active)
		return 0;
	arriving = bpf_map_lookup_elem(&udp_arriving, &zero);
	if (arriving)
		*arriving = (__u64)skb;
	udp__passed((__u64)skb);
	return 0;
}

static __always_inline __u64 arriving_skb(void)
{
	__u32 zero = 0;
	__u64 *arriving = bpf_map_lookup_elem(&udp_arriving, &zero);

	return arriving ? *arriving : 0;
}

/*
 * Since 6.3. What this CPU passes up has been queued; since 6.18 so may have been others, that
 * other CPUs left to this one: then this runs once for each of them.
 */
SEC("?tp_btf/sk_data_ready")
int BPF_PROG(udp_data_ready__tracepoint, const struct sock *receiver)
{
	if (!active || sock__mech((__u64)receiver) != IPCT_MECH_UDP)
		return 0;
	if (udp__arrived(arriving_skb(), (__u64)receiver, 0))
		return 0;
	if (!udp__arrived((__u64)READ(receiver, struct sock, sk_receive_queue.prev), (__u64)receiver, 0))
		udp__arrived_from_elsewhere((__u64)receiver);
	return 0;
}

SEC("?tp_btf/udp_fail_queue_rcv_skb")
int BPF_PROG(udp_fail_queue_rcv_skb__tracepoint, int err, struct sock *receiver)
{
	if (active)
		udp__arrived(arriving_skb(), (__u64)receiver, IPCT_IO_TRUNC);
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
