/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UNIX sockets in the fast lane: read, write, send and recv. What is known of the call stays with the CPU that it runs on
 * (running.bpf.h), where those who see its skbs find it without a look-up; its end is one function.
 */
#ifndef BPF_SOCK_LANE_H
#define BPF_SOCK_LANE_H

#include "filter.bpf.h"
#include "lane_ring.bpf.h"
#include "unix.bpf.h"

/*
 * Of a file that is a socket. False: not for the lane. Not inline, as its variables would take the registers from the way of
 * pipes, which is in the same program.
 */
static __noinline bool sock_lane__enter(struct running *r, __u64 file, __u8 class, struct pt_regs *regs)
{
	bool send = class == IPCT_SC_WRITE || class == IPCT_SC_SENDTO;
	struct task_op *op = &r->op;
	struct object *o = send ? &op->out : &op->in;
	__u8 mech;

	if (!cfg.sees_made) /* then more has to be found out */
		return false;
	if (!object__from_sock(o, file) || mech__is_inet(o->mech))
		return false;
	mech = o->mech;
	task_op__begin(op, class, false);
	if (!object__is_wanted(o, file, object__ino(o, READ(file, struct file, f_inode)), mech) ||
	    !filter__wants(o)) {
		o->mech = 0;
		return true;
	}
	op->fd_in = send ? -1 : (__s32)SYSARG0(regs);
	op->fd_out = send ? (__s32)SYSARG0(regs) : -1;
	op->buf = SYSARG1(regs);
	op->cnt = SYSARG2(regs);
	op->msg_flags = class == IPCT_SC_RECVFROM ? SYSARG3(regs) : 0;
	o->was_waiting = !send && unix__queue_is_empty(o->ptr);
	op->in_sock_lane = 1;
	/* Where a message tells when it was made, its sender's entry tells nothing more, nor does that of who need not wait. */
	op->no_entry_time = !o->was_waiting && !captures_anything();
	op->enter_ns = op->no_entry_time ? 0 : clock__now();
	r->entered = ENTERED_HERE;
	return true;
}

/* Of whatever descriptor it is. */
static __always_inline bool sock_lane__enter_fd(struct running *r, __u8 class, struct pt_regs *regs)
{
	__u64 file = file__of((struct task_struct *)r->task, SYSARG0(regs));

	if (cfg.sees_made && (!file || !file__is_sock(file)))
		return true; /* an error */
	return sock_lane__enter(r, file, class, regs);
}

/* False: that is not possible here, or there is no room. */
static __always_inline bool sock_lane__tell(struct running *r, bool send, __s64 ret, __u32 flags)
{
	struct ipct_sock_io *ev = &r->sock_io;
	bool done;

	if (!cfg.lane_slots || !running__claim(&r->in_lane))
		return false;
	emit__name(&ev->h, IPCT_KIND_SOCK_IO, sizeof(*ev), send ? r->op.out.mech : r->op.in.mech,
		   send ? IPCT_OP_SEND : IPCT_OP_RECV);
	unix__fill_record(ev, &r->op, send, ret, flags);
	done = lane_ring__output(&ev->h, sizeof(*ev));
	running__give_back(&r->in_lane);
	return done;
}

/* Not static: the verifier looks at it by itself. */
__noinline int sock_lane__exit(__s64 ret)
{
	struct running *r = running__here();
	__u32 flags;
	bool send;

	if (!r)
		return 0;
	send = r->op.out.mech != 0;
	flags = unix__end(&r->op, send, ret, false, false, true);
	if (!ledger__sock(&r->op, send, ret, flags, r->op.part.peer) && !sock_lane__tell(r, send, ret, flags))
		unix__emit_record(&r->op, send, ret, flags);
	r->op.class = IPCT_SC_NONE;
	r->entered = ENTERED_NONE;
	return 0;
}

#endif
