// SPDX-License-Identifier: GPL-2.0
/* Where TCP connections begin and end, and where their bytes stand under the socket's lock. */
#include "alone.bpf.h"

/* Often in an interrupt: whoever runs has nothing to do with it. The numbers are set already, the state is not. */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state__tracepoint, const struct sock *sk, int old, int new)
{
	if (active && new == TCP_ESTABLISHED && sock__mech((__u64)sk) == IPCT_MECH_TCP)
		tcp__learn((__u64)sk, IPCT_OBJECT_NEW);
	return 0;
}

SEC("?tp_btf/tcp_destroy_sock")
int BPF_PROG(tcp_destroy_sock__tracepoint, struct sock *sk)
{
	if (active)
		tcp__forget((__u64)sk);
	return 0;
}

/* Since 6.16: for each piece that a call queues. */
SEC("?tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_sendmsg_locked__tracepoint, const struct sock *sk, const struct msghdr *msg)
{
	struct task_op *op;

	if (!active || task__is_tracer())
		return 0;
	op = task_op__current(true);
	if (!op)
		return 0;
	if (!op->class)
		alone__begin(op, true, (__u64)sk, IPCT_MECH_TCP);
	tcp__queueing(op, (__u64)sk, READ(msg, struct msghdr, msg_iter.count));
	return 0;
}
