/* SPDX-License-Identifier: GPL-2.0 */
/* Message queues: System V and POSIX. */
#include "mech/tables.h"

#include <inttypes.h>
#include <stdio.h>

#define BITS (IPCT_MECH_BIT(IPCT_MECH_SYSV_MSG) | IPCT_MECH_BIT(IPCT_MECH_POSIX_MQ))

const struct hook hook_queue_calls = {
	.name = "queue_io",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

const struct hook hook_queue_messages = {
	.name = "queue_messages",
	.mechs = BITS,
	.rungs = { { RUNG_FENTRY,
		     "load_msg",
		     { "load_msg__fentry", "free_msg__fentry" },
		     .optional = true,
		     .note = "each message's identity, where it is made and freed" },
		   { RUNG_TRACEPOINT,
		     "kmalloc",
		     { "kmalloc__tracepoint", "kfree__tracepoint" },
		     .tasks_only = true,
		     .optional = true,
		     .demand = DEMAND(MESSAGES),
		     .note = "each message's identity, by its memory, from when a queue is used; needs to "
			     "read "
			     "/proc/kallsyms. Without it senders are found by the queue's rule and the "
			     "messages' first bytes" },
		   { RUNG_KPROBE,
		     "load_msg",
		     { "load_msg__kprobe", "free_msg__kprobe" },
		     .optional = true,
		     .note = "each message's identity, where it is made and freed" } },
};

const struct hook hook_queue_sleep = {
	.name = "queue_sleep",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_switch",
		     { "sched_switch__tracepoint" },
		     .optional = true,
		     .note = "who waited for a message, or for room" } },
};

static const char *const blind_mq[] = {
	"mq_notify with SIGEV_THREAD: the notification goes to the C library's helper thread by netlink",
	NULL,
};

const struct mech_desc mech_sysv_msg = { IPCT_MECH_SYSV_MSG, "sysv-msg",
					 "System V message queues: msgsnd, msgrcv with all selections",
					 NULL };
const struct mech_desc mech_posix_mq = { IPCT_MECH_POSIX_MQ, "posix-mq",
					 "POSIX message queues, with mq_notify by signal", blind_mq };

static const struct flag_pair flags[] = {
	{ IPCT_IO_PEEK, OP_F_PEEK },	   { IPCT_IO_WAITED, OP_F_WAITED }, { IPCT_IO_TRUNC, OP_F_TRUNC },
	{ IPCT_IO_DRAINED, OP_F_DRAINED }, { IPCT_IO_NO_SKB, OP_F_NO_ID },  { 0, 0 },
};

struct obj_key queue__key(uint8_t mech, uint64_t id, uint32_t space)
{
	return (struct obj_key){ .id = id, .space = (uint64_t)mech << 56 | space };
}

void queue__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_msg_io *io = (const struct ipct_msg_io *)ev;
	struct op *op = decoded__op(out, ev, io->enter_ns, io->ret);

	op->rule = PAIR_QUEUE;
	op->flags = flags__map(flags, io->flags);
	op->obj = queue__key(ev->mech, io->key, io->space);
	if (io->ret >= 0)
		op->bytes = op->kind == OP_SEND ? io->len : (uint32_t)io->ret;
	op->fd = io->fd;
	op->arg = io->msgflg;
	for (int i = 0; i < 4; i++)
		op->fp[i] = io->fp[i];
	op->queue.sent_enter_ns = io->sent_enter_ns;
	op->queue.sent_pid = io->sent_pid;
	op->queue.sent_tid = io->sent_tid;
	op->queue.type = io->type;
	op->queue.want = io->want;
	op->queue.total = io->total;
	op->queue.msgs_before = io->msgs_before;
	op->queue.msgs = io->msgs;
	op->queue.bytes = io->bytes;
	op->queue.msgs_max = io->msgs_max;
	op->queue.bytes_max = io->bytes_max;
	op->queue.by_priority = ev->mech == IPCT_MECH_POSIX_MQ;
}

void queue__decode_call(const struct ipct_call *call, struct op *op)
{
	op->obj = queue__key(op->mech, call->key, call->dev);
	/* The rule wants to know of a queue's removal; other calls mean nothing to it. */
	if (op->mech == IPCT_MECH_SYSV_MSG && op->kind == OP_UNLINK)
		op->rule = PAIR_QUEUE;
}

void queue__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	if (mech == IPCT_MECH_POSIX_MQ) {
		snprintf(buf, size, "mq:[%u:%" PRIu64 "]", (uint32_t)key.space, key.id);
		return;
	}
	snprintf(buf, size, "msg:%" PRIu64, key.id);
	ipcns__add(buf, size, (uint32_t)key.space);
}

void queue__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	struct object_info *info = decoded__object(out, &ob->h);
	const char *name = (const char *)(ob + 1) + ob->name_start;
	char *to = out->name_buf;

	info->key = queue__key(ob->h.mech, ob->key, ob->dev);
	if (!ob->name_len)
		return;
	snprintf(to, sizeof(out->name_buf), "mq:/%.*s", (int)ob->name_len, name);
	ipcns__add(to, sizeof(out->name_buf), ob->peer_ino);
	decoded__set_name(out, NULL, NULL, 0);
}
