/* SPDX-License-Identifier: GPL-2.0 */
/* eventfds: a message is a write whose value the reader took; with EFD_SEMAPHORE, a unit. */
#include <errno.h>
#include <stdio.h>

#include "mech/tables.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_EVENTFD)

const struct hook hook_eventfd_calls = {
	.name = "eventfd_io",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

const struct hook hook_eventfd_wake = {
	.name = "eventfd_wake",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_waking",
		     { "unit_waking__tracepoint" },
		     .optional = true,
		     .note = "who woke a blocked reader" } },
};

const struct hook hook_eventfd_uring_submit = {
	.name = "eventfd_uring_submit",
	.mechs = BITS,
	.rungs = URING_SUBMIT_RUNGS,
};

const struct hook hook_eventfd_uring_complete = {
	.name = "eventfd_uring_complete",
	.mechs = BITS,
	.rungs = URING_COMPLETE_RUNGS,
};

static const char *const blind[] = {
	"what the kernel itself adds (asynchronous I/O, KVM, vhost) shows as kernel(eventfd_signal) when it "
	"is read, not when it is added",
	"who waits for an eventfd with poll or epoll and never reads it",
	NULL,
};

const struct mech_desc mech_eventfd = { IPCT_MECH_EVENTFD, "eventfd",
					"eventfd counters: who wrote the value that a reader took", blind };

static struct obj_key key_of(uint64_t ctx, uint32_t id)
{
	return (struct obj_key){ .id = ctx, .space = (uint64_t)IPCT_MECH_EVENTFD << 56 | id };
}

void eventfd__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "eventfd:[%u]", (uint32_t)key.space);
}

static uint8_t act_of(const struct ipct_eventfd_io *io)
{
	if (io->ret <= 0 || io->flags & IPCT_UNIT_NO_VALUE || !io->value)
		return UNITS_NOTHING;
	if (io->h.op == IPCT_OP_SEND)
		return UNITS_POST;
	return io->flags & IPCT_UNIT_ONE ? UNITS_TAKE : UNITS_TAKE_ALL;
}

void eventfd__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_eventfd_io *io = (const struct ipct_eventfd_io *)ev;
	struct op *op = units__decode(out, ev, io->enter_ns, &io->waker, io->ret);
	bool nowait = io->flags & IPCT_UNIT_NOWAIT;

	op->obj = key_of(io->c.key, io->c.num);
	op->fd = io->fd;
	op->units.act = act_of(io);
	op->units.amount = io->value;
	op->units.value = io->count;
	op->units.whole = !(io->flags & IPCT_UNIT_ONE);
	op->bytes = op->units.act != UNITS_NOTHING ? sizeof(io->value) : 0;
	if (io->waker.wake_ns && io->ret > 0 && !(io->flags & IPCT_UNIT_URING))
		op->units.lo_ns = io->waker.wake_ns; /* it looked again then */
	if (io->waker.wake_ns || (!nowait && io->ret == -EINTR))
		op->flags |= OP_F_WAITED;
	if (io->flags & IPCT_UNIT_URING)
		op->flags |= OP_F_URING;
}

void eventfd__decode_call(const struct ipct_call *call, struct op *op)
{
	op->obj = key_of(call->key, call->ino);
}

void eventfd__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	struct object_info *info = decoded__object(out, &ob->h);

	info->key = key_of(ob->key, ob->ino);
	info->fresh = ob->what == IPCT_OBJECT_NEW;
	info->base = info->fresh || ob->what == IPCT_OBJECT_BASE;
	info->pid = ob->h.tid;
	eventfd__object_name(ob->h.mech, info->key, out->name_buf, sizeof(out->name_buf));
	decoded__set_name(out, NULL, NULL, 0);
}
