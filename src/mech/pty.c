/* SPDX-License-Identifier: GPL-2.0 */
/* Pseudoterminals, both directions. */
#include "mech/tables.h"

#include <inttypes.h>
#include <stdio.h>

#define BITS IPCT_MECH_BIT(IPCT_MECH_PTY)

const struct hook hook_pty_calls = {
	.name = "pty_io",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

const struct hook hook_pty_sleep = {
	.name = "pty_sleep",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_switch",
		     { "sched_switch__tracepoint" },
		     .optional = true,
		     .note = "what a blocked writer has written so far" } },
};

static const char *const blind[] = {
	"unless the terminal is raw, bytes change on their way: who wrote them is inferred from their amount",
	"bytes put in by ioctl(TIOCSTI), and reads and writes by io_uring",
	"the terminal that ipctrace itself writes to",
	NULL,
};

const struct mech_desc mech_pty = { IPCT_MECH_PTY, "pty", "pseudoterminals, both directions", blind };

static const struct flag_pair flags[] = {
	{ IPCT_IO_WAITED, OP_F_WAITED },
	{ IPCT_IO_BLOCKED, OP_F_COOKED },
	{ IPCT_IO_DRAINED, OP_F_DRAINED },
	{ IPCT_IO_MORE, OP_F_MORE },
	{ IPCT_IO_COOKED, OP_F_COOKED },
	{ IPCT_IO_ECHO, OP_F_ECHO },
	{ 0, 0 },
};

/* Says the name, too: both sides have the same. */
static struct obj_key key_of(uint64_t tty, uint32_t devpts, uint32_t index)
{
	return (struct obj_key){ .id = tty,
				 .space = (uint64_t)IPCT_MECH_PTY << 56 |
					  (uint64_t)(devpts & 0xffffff) << 32 | index };
}

void pty__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_tty_io *io = (const struct ipct_tty_io *)ev;
	struct op *op = decoded__op(out, ev, io->enter_ns, io->ret);

	op->rule = PAIR_SEQ;
	op->flags = flags__map(flags, io->flags);
	op->obj = key_of(io->tty, io->devpts, io->index);
	op->peer = key_of(io->link, io->devpts, io->index);
	op->bytes = io->bytes;
	op->fd = io->fd;
	op->stream.addr_s = io->s_pos;
	op->stream.addr_e = io->e_pos;
}

void pty__decode_call(const struct ipct_call *call, struct op *op)
{
	op->rule = PAIR_NONE;
	op->obj = key_of(call->key, call->dev, call->ino);
}

void pty__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	uint32_t index = (uint32_t)key.space, devpts = key.space >> 32 & 0xffffff;

	if (devpts)
		snprintf(buf, size, "pty:/dev/pts/%u@%u:%u", index - 1, devpts >> 20, devpts & 0xfffff);
	else
		snprintf(buf, size, "pty:/dev/pts/%u", index - 1);
}
