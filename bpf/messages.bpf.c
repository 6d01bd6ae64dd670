// SPDX-License-Identifier: GPL-2.0
/*
 * The fentry and kprobe rungs of what gives a message its identity: the functions that make it and free it, where the tracepoint
 * rung has the allocator's tracepoints (skb.bpf.c, queue.bpf.c, whose bodies these are). No other allocation of the host runs a
 * program then, no symbol table is needed, and nothing is missed where the allocator has a path without tracepoint.
 */

/* Makes each skb that a UNIX socket sends: same arguments in 5.8 to 7.3, and always called, never inlined. */
SEC("?fexit/sock_alloc_send_pskb")
int BPF_PROG(sock_alloc_send_pskb__fentry, struct sock *sk, unsigned long header_len, unsigned long data_len,
	     int noblock, int *errcode, int max_page_order, struct sk_buff *skb)
{
	if (active && skb && READ(sk, struct sock, __sk_common.skc_family) == AF_UNIX)
		skb__made((__u64)skb);
	return 0;
}

/* Nobody else sends between this and the queue in a call of ours: what the socket is, the call's record knows. */
SEC("?kretprobe/sock_alloc_send_pskb")
int sock_alloc_send_pskb__kprobe(struct pt_regs *ctx)
{
	if (active)
		skb__made(PT_REGS_RC(ctx));
	return 0;
}

/* An address, or an error as a number. */
#define MAX_ERRNO 4095

static __always_inline bool is_address(__u64 result)
{
	return result && result < (__u64)-MAX_ERRNO;
}

/* Both kinds of queue: ipc/msgutil.c. */
SEC("?fexit/load_msg")
int BPF_PROG(load_msg__fentry, const void *src, size_t bytes, void *msg)
{
	if (active && is_address((__u64)msg))
		msg__allocated((__u64)msg);
	return 0;
}

SEC("?fentry/free_msg")
int BPF_PROG(free_msg__fentry, void *msg)
{
	if (active)
		msg__freed((__u64)msg);
	return 0;
}

SEC("?kretprobe/load_msg")
int load_msg__kprobe(struct pt_regs *ctx)
{
	if (active && is_address(PT_REGS_RC(ctx)))
		msg__allocated(PT_REGS_RC(ctx));
	return 0;
}

SEC("?kprobe/free_msg")
int free_msg__kprobe(struct pt_regs *ctx)
{
	if (active)
		msg__freed(PT_REGS_PARM1(ctx));
	return 0;
}
