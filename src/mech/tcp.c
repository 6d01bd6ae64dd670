/* SPDX-License-Identifier: GPL-2.0 */
/* TCP between processes of this host. */
#include "mech/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mech/inet.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_TCP)

const struct hook hook_tcp_calls = {
	.name = "tcp_io",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

const struct hook hook_tcp_connected = {
	.name = "tcp_connected",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "inet_sock_set_state",
		     { "inet_sock_set_state__tracepoint", "tcp_destroy_sock__tracepoint" },
		     .note = "which connections have both ends on this host" } },
};

const struct hook hook_tcp_received = {
	.name = "tcp_received",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "skb_copy_datagram_iovec",
		     { "skb_copy_datagram_iovec__tracepoint" },
		     .note = "which bytes a receiver takes" } },
};

const struct hook hook_tcp_queued = {
	.name = "tcp_queued",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "tcp_sendmsg_locked",
		     { "tcp_sendmsg_locked__tracepoint" },
		     .optional = true,
		     .note = "which bytes are a sender's; without it (before Linux 6.16) those that send on "
			     "one "
			     "socket at the same time may not be told apart" } },
};

const struct hook hook_tcp_sleep = {
	.name = "tcp_sleep",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_switch",
		     { "sched_switch__tracepoint" },
		     .optional = true,
		     .note = "what a blocked sender has sent so far" } },
};

const struct hook hook_tcp_uring = {
	.name = "tcp_uring",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sock_send_length",
		     { "sock_send_length__tracepoint", "sock_recv_length__tracepoint" },
		     .optional = true,
		     .demand = DEMAND(LENGTHS),
		     .note = "sends and receives by io_uring (since Linux 6.3), from when it is used" } },
};

static const char *const blind[] = {
	"connections whose other end is on another host are not shown: that is no IPC",
	"data taken without copying (TCP_ZEROCOPY_RECEIVE) or redirected by BPF programs (sockmap) passes "
	"unseen",
	"under kernel TLS the encrypted bytes are counted, and who took them is not known",
	NULL,
};

const struct mech_desc mech_tcp = { IPCT_MECH_TCP, "tcp", "TCP connections with both ends on this host",
				    blind };

static const struct flag_pair flags[] = {
	{ IPCT_IO_PEEK, OP_F_PEEK },	   { IPCT_IO_URING, OP_F_URING },     { IPCT_IO_WAITED, OP_F_WAITED },
	{ IPCT_IO_BLOCKED, OP_F_BLOCKED }, { IPCT_IO_DRAINED, OP_F_DRAINED }, { IPCT_IO_MORE, OP_F_MORE },
	{ IPCT_IO_NOENTRY, OP_F_NOENTRY }, { IPCT_IO_OOB, OP_F_OOB },	      { 0, 0 },
};

struct obj_key tcp__key(uint64_t sk)
{
	return (struct obj_key){ .id = sk, .space = sk ? (uint64_t)IPCT_MECH_TCP << 56 : 0 };
}

void tcp__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_tcp_io *io = (const struct ipct_tcp_io *)ev;
	struct op *op = decoded__op(out, ev, io->enter_ns, io->ret);

	op->rule = PAIR_SEQ;
	op->flags = flags__map(flags, io->flags);
	op->obj = tcp__key(io->sk);
	op->peer = tcp__key(io->peer_sk);
	op->bytes = io->ret < 0 ? 0 : io->bytes;
	op->fd = io->fd;
	op->stream.addr_s = io->s_seq;
	op->stream.addr_e = io->e_seq;
	for (int i = 0; i < 4; i++)
		op->fp[i] = io->fp[i];
}

void tcp__decode_call(const struct ipct_call *call, struct op *op)
{
	op->rule = PAIR_SEQ; /* nothing moves, but whether it is to be seen is that rule's knowledge */
	op->obj = tcp__key(call->key);
	op->peer = tcp__key(call->peer_key);
}

void tcp__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	struct object_info *info = decoded__object(out, &ob->h);
	struct ipct_inet_name name = { 0 };

	info->key = tcp__key(ob->key);
	info->peer = tcp__key(ob->peer_key);
	info->sequenced = true;
	memcpy(&name, (const char *)(ob + 1) + ob->name_start,
	       ob->name_len < sizeof(name) ? ob->name_len : sizeof(name));
	inet__write_name(out->name_buf, sizeof(out->name_buf), "tcp", &name);
	decoded__set_name(out, NULL, NULL, 0);
}

void tcp__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "tcp:[sock %" PRIx64 "]", key.id & 0xffffffff);
}
