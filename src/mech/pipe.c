/* SPDX-License-Identifier: GPL-2.0 */
/* Pipes and FIFOs. */
#include "mech/tables.h"

#include <inttypes.h>
#include <stdio.h>

#define BITS (IPCT_MECH_BIT(IPCT_MECH_PIPE) | IPCT_MECH_BIT(IPCT_MECH_FIFO))

const struct hook hook_pipe_calls = {
	.name = "pipe_io",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

const struct hook hook_pipe_unlock = {
	.name = "pipe_unlock",
	.mechs = BITS,
	.rungs = { { RUNG_FENTRY,
		     "mutex_unlock",
		     { "mutex_unlock__fentry" },
		     .optional = true,
		     .hint = true,
		     .note = "where each read and write ended, seen under the pipe's own lock" },
		   { RUNG_KPROBE,
		     "mutex_unlock",
		     { "mutex_unlock__kprobe" },
		     .optional = true,
		     .hint = true,
		     .note = "where each read and write ended, seen under the pipe's own lock" } },
};

const struct hook hook_pipe_sleep = {
	.name = "pipe_sleep",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_switch",
		     { "sched_switch__tracepoint" },
		     .optional = true,
		     .note = "where readers and writers that slept go on, and which parts of a long write "
			     "lie where" } },
};

const struct hook hook_pipe_lock = {
	.name = "pipe_lock",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "contention_end",
		     { "contention_begin__tracepoint", "contention_end__tracepoint" },
		     .tasks_only = true,
		     .optional = true,
		     .hint = true,
		     .note = "where readers and writers that meet at the pipe's lock go on (since Linux "
			     "5.19)" } },
};

#define KERNEL_WRITES_NOTE "what the kernel itself writes: a core dump for its handler, autofs, 9p"

/* clang-format off: one a line */
const struct hook hook_pipe_kernel_writes = {
	.name = "pipe_kernel_writes",
	.mechs = BITS,
	.rungs = { { RUNG_FENTRY,
		     "__kernel_write_iter",
		     { "__kernel_write_iter_begins__fentry", "__kernel_write_iter_ends__fentry" },
		     .optional = true,
		     .note = KERNEL_WRITES_NOTE },
		   { RUNG_FENTRY,
		     "__kernel_write",
		     { "__kernel_write_begins__fentry", "__kernel_write_ends__fentry",
		       "kernel_write_begins__fentry", "kernel_write_ends__fentry" },
		     .optional = true,
		     .note = KERNEL_WRITES_NOTE " (as before Linux 6.1)",
		     .also = { "kernel_write" } },
		   { RUNG_KPROBE,
		     "__kernel_write_iter",
		     { "__kernel_write_iter_begins__kprobe", "__kernel_write_iter_ends__kprobe" },
		     .optional = true,
		     .note = KERNEL_WRITES_NOTE },
		   { RUNG_KPROBE,
		     "__kernel_write",
		     { "__kernel_write_begins__kprobe", "__kernel_write_ends__kprobe",
		       "kernel_write_begins__kprobe", "kernel_write_ends__kprobe" },
		     .optional = true,
		     .note = KERNEL_WRITES_NOTE " (as before Linux 6.1)",
		     .also = { "kernel_write" } } },
};
/* clang-format on */

const struct hook hook_pipe_uring_submit = {
	.name = "pipe_uring_submit",
	.mechs = BITS,
	.rungs = URING_SUBMIT_RUNGS,
};

const struct hook hook_pipe_uring_complete = {
	.name = "pipe_uring_complete",
	.mechs = BITS,
	.rungs = URING_COMPLETE_RUNGS,
};

static const char *const blind[] = {
	"on tracepoints: bytes that the kernel itself writes (a core dump to a pipe handler) have no known "
	"sender",
	NULL,
};

const struct mech_desc mech_pipe = { IPCT_MECH_PIPE, "pipe",
				     "anonymous pipes: read, write, splice, tee, vmsplice, sendfile", blind };
const struct mech_desc mech_fifo = { IPCT_MECH_FIFO, "fifo", "named pipes", blind };

/* flags of the wire and of the model that mean the same */
static const struct flag_pair flags[] = {
	{ IPCT_IO_PEEK, OP_F_PEEK },
	{ IPCT_IO_PACKET, OP_F_PACKET },
	{ IPCT_IO_PAGES, OP_F_PAGES },
	{ IPCT_IO_URING, OP_F_URING },
	{ IPCT_IO_WAITED, OP_F_WAITED },
	{ IPCT_IO_BLOCKED, OP_F_BLOCKED },
	{ IPCT_IO_DRAINED, OP_F_DRAINED },
	{ IPCT_IO_NOENTRY, OP_F_NOENTRY },
	{ 0, 0 },
};

struct obj_key pipe__key(uint8_t mech, uint64_t ino, uint32_t dev)
{
	return (struct obj_key){ .id = ino, .space = (uint64_t)mech << 56 | dev };
}

void pipe__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_pipe_io *io = (const struct ipct_pipe_io *)ev;
	struct op *op = decoded__op(out, ev, io->enter_ns, io->ret);

	op->rule = PAIR_STREAM;
	op->flags = flags__map(flags, io->flags);
	op->obj = pipe__key(ev->mech, io->key, io->dev);
	op->bytes = io->ret > 0 ? io->ret : 0;
	op->fd = io->fd;
	op->stream.addr_s = io->s_addr;
	op->stream.addr_e = io->e_addr;
	for (int i = 0; i < 4; i++)
		op->fp[i] = io->fp[i];
}

void pipe__decode_call(const struct ipct_call *call, struct op *op)
{
	op->obj = pipe__key(op->mech, call->key, call->dev);
}

void pipe__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	if (mech == IPCT_MECH_PIPE)
		snprintf(buf, size, "pipe:[%" PRIu64 "]", key.id);
	else
		snprintf(buf, size, "fifo:[%u:%" PRIu64 "]", (uint32_t)key.space, key.id);
}

void pipe__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	struct object_info *info = decoded__object(out, &ob->h);
	const char *name = (const char *)(ob + 1) + ob->name_start;

	info->key = pipe__key(ob->h.mech, ob->key, ob->dev);
	info->rd_addr = ob->rd_addr;
	info->wr_addr = ob->wr_addr;
	info->rebased = ob->what == IPCT_OBJECT_REBASE;
	if (ob->h.mech == IPCT_MECH_FIFO && ob->name_len) {
		decoded__set_name(out, "fifo:", name, ob->name_len);
		return;
	}
	pipe__object_name(ob->h.mech, info->key, out->name_buf, sizeof(out->name_buf));
	decoded__set_name(out, NULL, NULL, 0);
}
