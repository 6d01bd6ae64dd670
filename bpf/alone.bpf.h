/* SPDX-License-Identifier: GPL-2.0 */
/* Operations on sockets that no system call of ours shows. */
#ifndef BPF_ALONE_H
#define BPF_ALONE_H

#include "demand.bpf.h"
#include "filter.bpf.h"
#include "tcp.bpf.h"
#include "udp.bpf.h"
#include "unix.bpf.h"

/*
 * Outside any call of ours: io_uring, which works in the caller or in a worker thread of the same process. The
 * thread's record is free then; sock_send_length and sock_recv_length end the operation as an exit would.
 */
static __always_inline void alone__begin(struct task_op *op, bool send, __u64 sk, __u8 mech)
{
	struct object *o = send ? &op->out : &op->in;

	if (op->alone && o->mech && o->ptr == sk)
		return; /* a further skb of the same operation */
	op->in.mech = op->out.mech = 0;
	op->has_part = 0;
	op->part_bytes = 0;
	op->msg_flags = 0;
	op->compat = 0;
	/* The submission is not known. A send is seen when it is queued already, and may be received by then. */
	op->enter_ns = send ? op->alone_end_ns : clock__now();
	op->fd_in = op->fd_out = -1;
	op->alone = 1;
	o->ptr = o->key = sk;
	o->ino = sock__ino(sk);
	o->is_sock = 1;
	o->was_waiting = 0;
	o->mech = mech;
	if (mech == IPCT_MECH_TCP)
		o->addr = tcp__position(sk, send);
	if (ino__is_ignored(o->ino, 0) || !filter__wants(o))
		o->mech = 0; /* a call of another process, which nobody asked for, looks the same */
	else
		demand__missed(IPCT_DEMAND_LENGTHS, mech);
}

#endif
