// SPDX-License-Identifier: GPL-2.0
/*
 * Where an skb begins and ends. The allocator's tracepoint runs in the call that sends it, before anybody else knows
 * its address: so it is known which call made it, however many threads and processes send on one socket at once.
 */
#include "alone.bpf.h"

/* Process context: what an interrupt allocates, in whatever task it found, may not sleep. The same bit since 5.0. */
#define GFP_DIRECT_RECLAIM 0x400u

static __always_inline bool task__uses_uring(void)
{
	struct task_struct *task = current_task();

	return bpf_core_field_exists(task->io_uring) && READ(task, struct task_struct, io_uring);
}

static __always_inline bool op__sends_unix(const struct task_op *op)
{
	return op->class <= IPCT_SC_SENDFILE && op->out.is_sock && op->out.mech &&
	       !mech__is_inet(op->out.mech);
}

static __noinline void skb__made(__u64 skb)
{
	struct task_op *op = task_op__current(task__uses_uring());

	if (!op || !skb || (op->class && !op__sends_unix(op)))
		return;
	if (op->class && op->made_skb && !cfg.sees_queued) /* nothing else shows that it was queued */
		unix__made_part(op, unix__peer(op->out.ptr));
	op->made_skb = skb;
	op->made_ns = clock__now();
	if (!op->enter_ns && op->no_entry_time)
		op->enter_ns = op->made_ns;
	unix__note_made(op);
}

/* An argument as a number, where it is a pointer to const void: verifiers up to that of 6.12 refuse to load it. */
static __always_inline __u64 ctx__address(const unsigned long long *ctx, int i)
{
	const unsigned long long *same = ctx;

	UNKNOWN(same); /* the compiler is not to share ctx + i, which no program may load from */
	return read_word(same + i);
}

/* The same of any other; verifiers of kernels without bpf_rdonly_cast() may refuse it as well. */
static __always_inline __u64 ctx__word(const unsigned long long *ctx, int i)
{
	return cfg.has_rdonly_cast ? ctx[i] : ctx__address(ctx, i);
}

/* (call_site, ptr, cache, gfp, node). The cache of sk_buffs is never merged with others: it has a region for user copies. */
SEC("?tp_btf/kmem_cache_alloc")
int BPF_PROG(kmem_cache_alloc__tracepoint)
{
	if (!active || !(ctx__word(ctx, 3) & GFP_DIRECT_RECLAIM))
		return 0;
	if (READ(ctx__word(ctx, 2), struct kmem_cache, object_size) == bpf_core_type_size(struct sk_buff))
		skb__made(ctx__address(ctx, 1));
	return 0;
}

/* Before 5.19 (call_site, ptr, bytes, bytes, gfp, node); since 6.1 (11e9734bcb6a) part of the one above. */
SEC("?tp_btf/kmem_cache_alloc_node")
int BPF_PROG(kmem_cache_alloc_node__tracepoint)
{
	if (!active || !(ctx__word(ctx, 4) & GFP_DIRECT_RECLAIM))
		return 0;
	if (ctx__word(ctx, 2) == bpf_core_type_size(struct sk_buff))
		skb__made(ctx__address(ctx, 1));
	return 0;
}

/*
 * A splice out of a stream socket uses skbs up: nothing else shows which. What of the first one was gone before is
 * known from the entry.
 */
SEC("?tp_btf/consume_skb")
int BPF_PROG(splice_consume_skb__tracepoint, struct sk_buff *skb)
{
	struct task_op *op;
	__u64 off;

	if (!active || running__in_lane())
		return 0;
	op = task_op__current(false);
	if (!op || op->class != IPCT_SC_SPLICE || op->in.mech != IPCT_MECH_UNIX_STREAM)
		return 0;
	if (sock__mech((__u64)READ(skb, struct sk_buff, sk)) != IPCT_MECH_UNIX_STREAM)
		return 0;
	off = (__u64)skb == op->head_skb ? op->head_off : 0;
	op->head_skb = 0;
	unix__next_part(op, false);
	op->part.skb = (__u64)skb;
	op->part.peer = (__u64)READ(skb, struct sk_buff, sk);
	op->part.total = READ(skb, struct sk_buff, len);
	op->part.off = off;
	op->part.len = op->part.total - off;
	op->part.ns = unix__made_ns(op);
	return 0;
}
