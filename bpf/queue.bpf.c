// SPDX-License-Identifier: GPL-2.0
/*
 * Which call sent a queue message. Both kinds of queue make a message in load_msg(), in the sender, and free it in
 * free_msg(), in the receiver (ipc/msgutil.c): the allocator's tracepoints say so, with the caller's address, which
 * tells these few calls from all others at once. In between the message's address is its identity.
 */
#include "queue.bpf.h"

#define MSGS_MAX 32768 /* in all queues together */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MSGS_MAX);
	__type(key, __u64); /* struct msg_msg * */
	__type(value, struct msg_sent);
} sent_msgs SEC(".maps");

static __always_inline bool class__sends_msg(__u8 class)
{
	return class == IPCT_SC_MSGSND || class == IPCT_SC_MQ_SEND;
}

static __noinline void msg__allocated(__u64 msg)
{
	struct task_op *op = task_op__current(false);
	struct msg_sent sent = {};
	__u64 id;

	/* Behind the first piece, which is the message, come further ones for its body. */
	if (!op || !class__sends_msg(op->class) || op->msg.has_msg || !msg)
		return;
	op->msg.has_msg = 1;
	/* The type has been read by the kernel just before: its page is there now. */
	if (op->class == IPCT_SC_MSGSND && op->msg.type < 0)
		op->msg.type = queue__load_type(op);
	id = bpf_get_current_pid_tgid();
	sent.enter_ns = op->enter_ns;
	sent.type = op->msg.type;
	sent.pid = id >> 32;
	sent.tid = (__u32)id;
	sent.len = op->cnt;
	if (bpf_map_update_elem(&sent_msgs, &msg, &sent, BPF_ANY))
		emit__count_full(op->in.mech);
}

static __noinline void msg__freed(__u64 msg)
{
	struct msg_sent *sent = bpf_map_lookup_elem(&sent_msgs, &msg);
	struct task_op *op;

	if (!sent)
		return;
	op = task_op__current(false);
	if (op && (op->class == IPCT_SC_MSGRCV || op->class == IPCT_SC_MQ_RECEIVE))
		op->msg.sent = *sent;
	bpf_map_delete_elem(&sent_msgs, &msg);
}

/*
 * The arguments behind the second differ between kernels, and the second, const void *, is refused by verifiers
 * before 6.16: it is read from the context's memory.
 */
static __always_inline __u64 ctx__pointer(const unsigned long long *ctx)
{
	return read_word(ctx + 1);
}

SEC("?tp_btf/kmalloc")
int BPF_PROG(kmalloc__tracepoint, unsigned long call_site)
{
	if (call_site - cfg.msg_alloc < cfg.msg_alloc_bytes && active)
		msg__allocated(ctx__pointer(ctx));
	return 0;
}

SEC("?tp_btf/kfree")
int BPF_PROG(kfree__tracepoint, unsigned long call_site)
{
	if (call_site - cfg.msg_free < cfg.msg_free_bytes && active)
		msg__freed(ctx__pointer(ctx));
	return 0;
}
