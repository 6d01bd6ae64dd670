/* SPDX-License-Identifier: GPL-2.0 */
/* UNIX stream, datagram and seqpacket sockets. */
#include "mech/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BITS                                                                          \
	(IPCT_MECH_BIT(IPCT_MECH_UNIX_STREAM) | IPCT_MECH_BIT(IPCT_MECH_UNIX_DGRAM) | \
	 IPCT_MECH_BIT(IPCT_MECH_UNIX_SEQPACKET))

const struct hook hook_unix_calls = {
	.name = "unix_io",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

const struct hook hook_unix_sent = {
	.name = "unix_sent",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sk_data_ready",
		     { "sk_data_ready__tracepoint" },
		     .tasks_only = true,
		     .optional = true,
		     .note = "each message's identity where it is queued; without it (before Linux 6.3) "
			     "threads that "
			     "send on one socket at the same time cannot be told apart" } },
};

const struct hook hook_unix_received = {
	.name = "unix_received",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "skb_copy_datagram_iovec",
		     { "skb_copy_datagram_iovec__tracepoint" },
		     .note = "each message's identity where it is taken" } },
};

const struct hook hook_unix_made = {
	.name = "unix_made",
	.mechs = BITS,
	.rungs = { { RUNG_FENTRY,
		     "sock_alloc_send_pskb",
		     { "sock_alloc_send_pskb__fentry" },
		     .optional = true,
		     .hint = true,
		     .note = "which call made a message" },
		   { RUNG_TRACEPOINT,
		     "kmem_cache_alloc_node",
		     { "kmem_cache_alloc_node__tracepoint" },
		     .tasks_only = true,
		     .arg_cnt = 6,
		     .optional = true,
		     .hint = true,
		     .note = "which call made a message" },
		   { RUNG_TRACEPOINT,
		     "kmem_cache_alloc",
		     { "kmem_cache_alloc__tracepoint" },
		     .tasks_only = true,
		     .arg_cnt = 5,
		     .of_skbs = true,
		     .optional = true,
		     .hint = true,
		     .note = "which call made a message; without it tasks that send on one socket at the "
			     "same "
			     "time cannot always be told apart" },
		   { RUNG_KPROBE,
		     "sock_alloc_send_pskb",
		     { "sock_alloc_send_pskb__kprobe" },
		     .optional = true,
		     .hint = true,
		     .note = "which call made a message" } },
};

const struct hook hook_unix_spliced = {
	.name = "unix_spliced",
	.mechs = IPCT_MECH_BIT(IPCT_MECH_UNIX_STREAM),
	.rungs = { { RUNG_TRACEPOINT,
		     "consume_skb",
		     { "splice_consume_skb__tracepoint" },
		     .tasks_only = true,
		     .optional = true,
		     .demand = DEMAND(SPLICES),
		     .note = "what splice takes out of a socket, from when that is done" } },
};

const struct hook hook_unix_uring = {
	.name = "unix_uring",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sock_send_length",
		     { "sock_send_length__tracepoint", "sock_recv_length__tracepoint" },
		     .optional = true,
		     .demand = DEMAND(LENGTHS),
		     .note = "sends and receives by io_uring (since Linux 6.3), from when it is used" } },
};

static const char *const blind[] = {
	"data that BPF programs redirect from socket to socket (sockmap) passes unseen",
	NULL,
};

const struct mech_desc mech_unix_stream = { IPCT_MECH_UNIX_STREAM, "unix-stream",
					    "connected UNIX stream sockets", blind };
const struct mech_desc mech_unix_dgram = { IPCT_MECH_UNIX_DGRAM, "unix-dgram", "UNIX datagram sockets",
					   blind };
const struct mech_desc mech_unix_seqpacket = { IPCT_MECH_UNIX_SEQPACKET, "unix-seqpacket",
					       "connected UNIX sockets that keep records", blind };

static const struct flag_pair flags[] = {
	{ IPCT_IO_PEEK, OP_F_PEEK },
	{ IPCT_IO_URING, OP_F_URING },
	{ IPCT_IO_WAITED, OP_F_WAITED },
	{ IPCT_IO_DRAINED, OP_F_DRAINED },
	{ IPCT_IO_MORE, OP_F_MORE },
	{ IPCT_IO_NO_SKB, OP_F_NO_ID },
	{ IPCT_IO_TRUNC, OP_F_TRUNC },
	{ IPCT_IO_FDS, OP_F_FDS },
	{ IPCT_IO_NOENTRY, OP_F_NOENTRY },
	{ IPCT_IO_OOB, OP_F_OOB },
	{ IPCT_IO_OWN_SKB, OP_F_OWN_ID },
	{ IPCT_IO_NO_LEN, OP_F_NO_LEN },
	{ IPCT_IO_END, OP_F_END },
	{ IPCT_IO_MSG_END, OP_F_LAST },
	{ 0, 0 },
};

/* A struct sock is one object from before accept() gives it an inode until it is freed. */
struct obj_key unix__key(uint64_t sk)
{
	return (struct obj_key){ .id = sk, .space = sk ? (uint64_t)IPCT_MECH_UNIX_STREAM << 56 : 0 };
}

void unix__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_sock_io *io = (const struct ipct_sock_io *)ev;
	struct op *op = decoded__op(out, ev, io->enter_ns, io->ret);

	op->rule = PAIR_MESSAGE;
	op->flags = flags__map(flags, io->flags);
	if (ev->mech != IPCT_MECH_UNIX_STREAM)
		op->flags |= OP_F_PACKET;
	op->obj = unix__key(io->sk);
	op->peer = unix__key(io->peer_sk);
	op->bytes = io->ret < 0 ? 0 : io->skb_len;
	op->fd = io->fd;
	op->msg.id = io->skb;
	op->msg.made_ns = io->skb_ns;
	op->msg.off = io->skb_off;
	op->msg.total = io->skb_total;
	for (int i = 0; i < 4; i++)
		op->fp[i] = io->fp[i];
}

void unix__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "unix:[sock %" PRIx64 "]", key.id & 0xffffffff);
}

void unix__name_unbound(uint32_t a, uint32_t b, char *buf, size_t size)
{
	if (a && b)
		snprintf(buf, size, "unix:[%u<->%u]", a < b ? a : b, a < b ? b : a);
	else
		snprintf(buf, size, "unix:[%u]", a);
}

/*
 * An abstract name is any bytes. NULs inside show as '@', as in /proc/net/unix; those at the end, which programs
 * leave that pass the whole sockaddr, are left out.
 */
static void name_abstract(const char *name, size_t len, struct decoded *out)
{
	char *nul;

	while (len && !name[len - 1])
		len--;
	decoded__set_name(out, "unix:@", name, len);
	while ((nul = memchr(out->name_buf, '\0', out->object.name_len)))
		*nul = '@';
}

void unix__decode_call(const struct ipct_call *call, struct op *op)
{
	op->rule = PAIR_MESSAGE;
	op->obj = unix__key(call->key);
	op->peer = unix__key(call->peer_key);
}

void unix__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	struct object_info *info = decoded__object(out, &ob->h);
	const char *name = (const char *)(ob + 1) + ob->name_start;

	info->key = unix__key(ob->key);
	info->peer = unix__key(ob->peer_key);
	info->nr = ob->ino;
	if (!ob->name_len) {
		unix__name_unbound(ob->ino, ob->peer_ino, out->name_buf, sizeof(out->name_buf));
		decoded__set_name(out, NULL, NULL, 0);
	} else if (name[0]) {
		decoded__set_name(out, "unix:", name,
				  strnlen(name, ob->name_len)); /* paths may carry their NUL */
	} else {
		name_abstract(name + 1, ob->name_len - 1, out);
	}
}
