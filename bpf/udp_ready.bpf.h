/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which datagram has come into a socket's queue, where sk_data_ready says no more than that one has (since 6.3). As a rule it is the
 * one that this CPU passes up. Since 6.18 a CPU also queues what others left to it meanwhile; the receiver may have taken it by
 * the time that this is told.
 */
#ifndef BPF_UDP_READY_H
#define BPF_UDP_READY_H

#include "udp.bpf.h"

#define UDP_QUEUE_LOOKS 512 /* datagrams of a queue that are looked at, at most */

static __always_inline struct udp_arriving *udp__arriving(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&udp_arriving, &zero);
}

/* NULL: none that was sent here, or it is told already. */
static __always_inline struct udp_datagram *udp__untold(__u64 skb)
{
	struct udp_datagram *d = bpf_map_lookup_elem(&udp_datagrams, &skb);

	return d && !d->receiver ? d : NULL;
}

/* As udp__arrived(), where several CPUs may come upon it at the same time. Atomic results need 5.12, on arm64 5.18. */
static __always_inline bool udp__queued(__u64 skb, __u64 receiver)
{
	struct udp_datagram *d = bpf_map_lookup_elem(&udp_datagrams, &skb);
	__u64 before;

	if (!d)
		return false;
	before = d->receiver;
	if (before == receiver || __sync_val_compare_and_swap(&d->receiver, before, receiver) != before)
		return false;
	udp__tell(d, skb, receiver, 0);
	return true;
}

/* What is told has reached its socket: an skb that comes in later has its memory only. */
static __always_inline void udp__begin(__u64 skb)
{
	struct udp_datagram *d = bpf_map_lookup_elem(&udp_datagrams, &skb);

	if (d && d->receiver)
		bpf_map_delete_elem(&udp_datagrams, &skb);
}

/* This CPU is done with it, and it came into no queue: another CPU may put it there. */
static __noinline void udp__left(__u64 skb)
{
	struct udp_datagram *d = udp__untold(skb);

	if (!d)
		return;
	for (__u32 i = 0; i < UDP_LEFT_TRIES; i++) {
		__u32 key = (__u32)d->name.rport << 16 | (((skb >> 8) + i) & (UDP_LEFT_SLOTS - 1));
		__u64 *old = bpf_map_lookup_elem(&udp_left, &key);

		if (old && udp__untold(*old))
			continue;
		d->left = key;
		bpf_map_update_elem(&udp_left, &key, &skb, BPF_ANY);
		return;
	}
	emit__count_full(IPCT_MECH_UDP);
}

static __always_inline void udp__forget(__u64 skb)
{
	struct udp_datagram *d = bpf_map_lookup_elem(&udp_datagrams, &skb);

	if (!d)
		return;
	if (d->left)
		bpf_map_delete_elem(&udp_left, &d->left);
	bpf_map_delete_elem(&udp_datagrams, &skb);
}

struct udp_walk {
	__u64 skb, receiver;
};

/* The queue's head has the address of its first member, as an skb has. */
static long udp__tell_next(__u32 i, struct udp_walk *w)
{
	__u64 second = w->receiver + bpf_core_field_offset(struct sock, sk_receive_queue);

	if (w->skb == w->receiver + bpf_core_field_offset(struct udp_sock, reader_queue))
		w->skb = (__u64)READ(w->receiver, struct sock, sk_receive_queue.next);
	if (!w->skb || w->skb == second)
		return 1;
	if (udp__untold(w->skb))
		udp__queued(w->skb, w->receiver);
	w->skb = (__u64)READ(w->skb, struct sk_buff, next);
	return 0;
}

/* All behind `own` in the receiver's queue, in their order; own was taken: all. */
static __noinline void udp__tell_queued(__u64 receiver, __u64 own)
{
	struct udp_walk w = { .receiver = receiver, .skb = (__u64)READ(own, struct sk_buff, next) };

	if (!w.skb)
		w.skb = (__u64)READ(receiver, struct udp_sock, reader_queue.next);
	bpf_loop(UDP_QUEUE_LOOKS, udp__tell_next, &w, 0);
}

struct udp_search {
	struct ipct_inet_name to; /* l: what the receiver is bound to */
	__u64 oldest, oldest_ns;
	__u32 port;
};

static __always_inline bool udp__is_for(const struct udp_datagram *d, const struct udp_search *s)
{
	const __u64 *bound = (const __u64 *)s->to.laddr, *sent = (const __u64 *)d->name.raddr;

	if (d->name.rport != s->port || d->name.netns != s->to.netns)
		return false;
	return (!bound[0] && !bound[1]) || (bound[0] == sent[0] && bound[1] == sent[1]);
}

static __always_inline void udp__consider(__u64 skb, struct udp_search *s)
{
	struct udp_datagram *d = udp__untold(skb);

	if (!d || d->sent_ns >= s->oldest_ns || !udp__is_for(d, s))
		return;
	s->oldest = skb;
	s->oldest_ns = d->sent_ns;
}

static long udp__look_at_left(__u32 i, struct udp_search *s)
{
	__u32 key = s->port << 16 | (i & (UDP_LEFT_SLOTS - 1));
	__u64 *skb = bpf_map_lookup_elem(&udp_left, &key);

	if (skb)
		udp__consider(*skb, s);
	return 0;
}

/* What another CPU passed up last is not among those it left yet. */
static long udp__look_at_cpu(__u32 cpu, struct udp_search *s)
{
	__u32 zero = 0;
	struct udp_arriving *a = bpf_map_lookup_percpu_elem(&udp_arriving, &zero, cpu);

	if (!a)
		return 1;
	if (a->skb && !a->told)
		udp__consider(a->skb, s);
	return 0;
}

/* The receiver took it at once: the oldest for its address that has not been told. */
static __noinline void udp__tell_left(__u64 receiver)
{
	struct udp_search s = { .oldest_ns = ~0ull };

	inet__fill_name(&s.to, receiver);
	s.port = s.to.lport;
	bpf_loop(UDP_LEFT_SLOTS, udp__look_at_left, &s, 0);
	if (!s.oldest)
		bpf_loop(cfg.cpu_cnt, udp__look_at_cpu, &s, 0);
	if (s.oldest)
		udp__queued(s.oldest, receiver);
}

static __always_inline void udp__ready(__u64 receiver)
{
	struct udp_arriving *a = udp__arriving();
	bool own;
	__u64 last;

	if (!a)
		return;
	own = udp__queued(a->skb, receiver);
	if (own)
		a->told = 1;
	last = (__u64)READ(receiver, struct sock, sk_receive_queue.prev);
	if (last != a->skb && udp__untold(last))
		udp__tell_queued(receiver, a->skb);
	else if (!own && a->told)
		udp__tell_left(receiver);
}

#endif
