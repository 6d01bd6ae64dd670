/* SPDX-License-Identifier: GPL-2.0 */
/* What TCP and UDP share: whose socket it is, and its addresses. */
#ifndef BPF_INET_H
#define BPF_INET_H

#include "emit.bpf.h"
#include "file.bpf.h"

static __always_inline bool mech__is_inet(__u8 mech)
{
	return mech == IPCT_MECH_TCP || mech == IPCT_MECH_UDP;
}

/* IPv6 sockets with IPv4 peers have ::ffff:a.b.c.d: both ends are to have one name. */
static __always_inline bool inet__is_mapped(const __u8 a[16])
{
	const __u32 *w = (const __u32 *)a;

	return !w[0] && !w[1] && a[8] == 0 && a[9] == 0 && a[10] == 0xff && a[11] == 0xff;
}

static __always_inline __u16 be16(__u16 host)
{
	return __builtin_bswap16(host);
}

static __always_inline __u32 inet__netns(__u64 sk)
{
	struct net *net = READ(sk, struct sock, __sk_common.skc_net.net);
	__u32 inum = net ? READ(net, struct net, ns.inum) : 0;

	return inum == cfg.netns ? 0 : inum;
}

/* The addresses that a socket is bound and connected to. */
static __always_inline void inet__fill_name(struct ipct_inet_name *n, __u64 sk)
{
	__builtin_memset(n, 0, sizeof(*n));
	n->family = READ(sk, struct sock, __sk_common.skc_family);
	n->lport = be16(READ(sk, struct sock, __sk_common.skc_num));
	n->rport = READ(sk, struct sock, __sk_common.skc_dport);
	n->netns = inet__netns(sk);
	if (n->family == AF_INET6) {
		bpf_probe_read_kernel(
			n->laddr, 16,
			(void *)(sk + bpf_core_field_offset(struct sock, __sk_common.skc_v6_rcv_saddr)));
		bpf_probe_read_kernel(
			n->raddr, 16,
			(void *)(sk + bpf_core_field_offset(struct sock, __sk_common.skc_v6_daddr)));
		if (!inet__is_mapped(n->raddr))
			return;
		__builtin_memset(n->laddr, 0, 16);
		__builtin_memset(n->raddr, 0, 16);
		n->family = AF_INET;
	}
	*(__u32 *)n->laddr = READ(sk, struct sock, __sk_common.skc_rcv_saddr);
	*(__u32 *)n->raddr = READ(sk, struct sock, __sk_common.skc_daddr);
}

#endif
