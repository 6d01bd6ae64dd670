/* SPDX-License-Identifier: GPL-2.0 */
/* eventfds: what was added to the counter, what was taken from it. */
#ifndef BPF_EVENTFD_H
#define BPF_EVENTFD_H

#include "fingerprint.bpf.h"
#include "unit.bpf.h"

#define EFD_SEMAPHORE 1
#define O_NONBLOCK_FLAG 04000

static __always_inline __u64 eventfd__count(__u64 ctx)
{
	return READ(ctx, struct eventfd_ctx, count);
}

static __always_inline void eventfd__counter(struct ipct_counter *c, const struct object *o)
{
	c->key = o->ptr;
	c->off = 0;
	c->dev = 0;
	c->num = o->ino;
}

/* The value that was read or written. */
static __always_inline bool eventfd__read_value(__u64 *value, const struct task_op *op, bool iov)
{
	__u64 addr = op->buf;

	if (iov && op->compat) {
		__u32 base = 0;

		bpf_probe_read_user(&base, sizeof(base), (void *)addr);
		addr = base;
	} else if (iov) {
		bpf_probe_read_user(&addr, sizeof(addr), (void *)addr);
	}
	return bpf_probe_read_user(value, sizeof(*value), (void *)addr) == 0;
}

static __noinline int eventfd__emit(const struct task_op *op, bool write, __s64 ret, __u64 value, __u32 flags)
{
	const struct object *o = write ? &op->out : &op->in;
	struct ipct_eventfd_io *ev;

	ev = emit__reserve(IPCT_KIND_EVENTFD_IO, sizeof(*ev), IPCT_MECH_EVENTFD,
			   write ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return 0;
	ev->enter_ns = op->enter_ns;
	eventfd__counter(&ev->c, o);
	ev->waker = op->unit.waker;
	ev->value = value;
	ev->count = eventfd__count(o->ptr);
	ev->ret = ret;
	ev->fd = write ? op->fd_out : op->fd_in;
	ev->flags = flags;
	ev->pad0 = 0;
	if (READ(o->ptr, struct eventfd_ctx, flags) & EFD_SEMAPHORE)
		ev->flags |= IPCT_UNIT_ONE;
	if (o->f_flags & O_NONBLOCK_FLAG)
		ev->flags |= IPCT_UNIT_NOWAIT;
	if (op->compat)
		ev->flags |= IPCT_UNIT_COMPAT;
	emit__submit(ev);
	return 0;
}

static __noinline int eventfd__exit(const struct task_op *op, bool write, __s64 ret, bool iov)
{
	__u64 value = 0;
	__u32 flags = 0;

	if (ret > 0 && !eventfd__read_value(&value, op, iov))
		flags = IPCT_UNIT_NO_VALUE;
	return eventfd__emit(op, write, ret, value, flags);
}

#endif
