/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast lane: read() and write(), which are most of all calls. Files of other kinds leave at once; pipes are dealt with
 * here in one piece, UNIX sockets in sock_lane.bpf.h; the rest goes the common way (syscalls.bpf.c).
 */
#ifndef BPF_LANE_H
#define BPF_LANE_H

#include "filter.bpf.h"
#include "lane_ring.bpf.h"
#include "ledger_lane.bpf.h"
#include "pipe.bpf.h"
#include "sock_lane.bpf.h"

#define S_IFREG 0100000
#define S_IFDIR 0040000

static __always_inline void lane__begin(struct running *r, struct object *o, bool write, __u64 buf, __u64 cnt)
{
	struct task_op *op = &r->op;
	struct pipe_state s;

	task_op__begin_pipe(op, write ? IPCT_SC_WRITE : IPCT_SC_READ);
	op->buf = buf;
	op->cnt = cnt;
	o->addr = pipe__sample(o->ptr, write, &s);
	o->was_waiting = write ? s.head - s.tail >= s.max_usage : s.head == s.tail;
	op->exclusive = pipe__is_exclusive((struct task_struct *)r->task, o, write);
	if (UNLIKELY(write && !op->exclusive))
		*pipe__crowded(o->ptr) = 1;
	/* What need not wait, wakes nobody and has its side for itself: the end tells as much as the entry. */
	op->no_entry_time = op->exclusive && !o->was_waiting && !captures_anything() &&
			    !(write && s.head == s.tail && pipe__has_waiting_reader(o->ptr));
	op->enter_ns = op->no_entry_time ? 0 : clock__now();
}

/* False: not for the lane. */
static __always_inline bool lane__enter(struct running *r, bool write, struct pt_regs *regs)
{
	__s32 fd = SYSARG0(regs);
	struct object *o = write ? &r->op.out : &r->op.in;
	__u64 file = file__of((struct task_struct *)r->task, fd);
	struct inode *inode;
	umode_t mode;

	r->entered = ENTERED_NONE;
	if (UNLIKELY(!file))
		return true;
	inode = READ(file, struct file, f_inode);
	mode = READ(inode, struct inode, i_mode) & S_IFMT;
	if (mode == S_IFREG || mode == S_IFDIR)
		return true;
	if (mode == S_IFSOCK)
		return sock_lane__enter(r, file, write ? IPCT_SC_WRITE : IPCT_SC_READ, regs);
	if (mode != S_IFIFO || cfg.filter)
		return false;
	r->op.in.mech = r->op.out.mech = 0;
	r->op.fd_in = write ? -1 : fd;
	r->op.fd_out = write ? fd : -1;
	object__from_pipe(o, inode);
	if (UNLIKELY(!object__is_wanted(o, file, o->key, o->mech)))
		return true;
	lane__begin(r, o, write, SYSARG1(regs), SYSARG2(regs));
	r->entered = ENTERED_HERE;
	return true;
}

/* False: that is not possible for this one, or there is no room. */
static __always_inline bool lane__tell(struct running *r, bool write, __s64 ret)
{
	struct task_op *op = &r->op;
	struct object *o = write ? &op->out : &op->in;
	__u32 cpu = bpf_get_smp_processor_id();
	struct ipct_lane_slot *slot;
	struct pipe_state s;
	__u64 seq, ids;

	if (!cfg.lane_slots || UNLIKELY(o->key >> 32 || (ret > 0 && !pipe__knows_bytes(op, o, write))))
		return false;
	/* One that was preempted may have taken longer than the slot can tell. */
	if (cfg.preempted && op->enter_ns && clock__now() - op->enter_ns > (__u32)-1)
		return false;
	if (!running__claim(&r->in_lane))
		return false;
	slot = lane_ring__reserve(cpu, 1, &seq) ? lane_ring__slot(cpu, seq) : NULL;
	if (UNLIKELY(!slot)) {
		running__give_back(&r->in_lane);
		return false;
	}
	slot->ts_ns = clock__now();
	slot->s_addr = o->addr;
	slot->e_addr = pipe__sample(o->ptr, write, &s);
	if (UNLIKELY(op->has_end))
		slot->e_addr = op->held_end;
	slot->flags = pipe__io_flags(op, o, &s, write) | (write ? IPCT_LANE_WRITE : 0) |
		      (o->mech == IPCT_MECH_FIFO ? IPCT_LANE_FIFO : 0);
	slot->took_ns = op->no_entry_time ? 0 : slot->ts_ns - op->enter_ns;
	ids = READ_TWO(r->task, struct task_struct, pid, tgid);
	slot->pid = ids >> 32;
	slot->tid = ids;
	slot->key = o->key;
	slot->dev = o->dev;
	slot->ret = ret;
	slot->fd = write ? op->fd_out : op->fd_in;
	lane_ring__submit(slot, seq);
	running__give_back(&r->in_lane);
	return true;
}

static __always_inline bool lane__begins(struct running *r, __u8 class, struct pt_regs *regs)
{
	bool write = class == IPCT_SC_WRITE;

	switch (class) {
	case IPCT_SC_READ:
	case IPCT_SC_WRITE:
		return ledger_lane__is_on() ? ledger_lane__enter(r, write, SYSARG0(regs))
					    : lane__enter(r, write, regs);
	case IPCT_SC_SENDTO:
	case IPCT_SC_RECVFROM:
		return sock_lane__enter_fd(r, class, regs);
	}
	return false;
}

/* One that is preempted while it fills r->op keeps that for itself: the next one goes the common way. */
static __always_inline bool lane__take(struct running *r, __u8 class, struct pt_regs *regs)
{
	bool taken;

	if (!running__claim(&r->filling))
		return false;
	taken = lane__begins(r, class, regs);
	running__give_back(&r->filling);
	return taken;
}

static __always_inline void lane__exit(struct running *r, __s64 ret)
{
	bool write = r->op.class == IPCT_SC_WRITE;

	if (r->op.in_sock_lane) {
		sock_lane__exit(ret);
		return;
	}
	if (ledger_lane__is_on() && running__claim(&r->in_lane)) {
		ledger_lane__exit(r, ret);
		running__give_back(&r->in_lane);
		return;
	}
	if (!ledger__pipe(&r->op, write, ret, 0) && !lane__tell(r, write, ret))
		pipe__emit_record(&r->op, write, ret, 0, false);
	r->op.class = IPCT_SC_NONE;
	r->entered = ENTERED_NONE;
}

#endif
