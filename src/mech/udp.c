/* SPDX-License-Identifier: GPL-2.0 */
/* UDP between processes of this host. */
#include "mech/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mech/inet.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_UDP)

const struct hook hook_udp_calls = {
	.name = "udp_io",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

const struct hook hook_udp_sent = {
	.name = "udp_sent",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "net_dev_queue",
		     { "net_dev_queue__tracepoint" },
		     .note = "each datagram's identity where it is sent" } },
};

const struct hook hook_udp_arrived = {
	.name = "udp_arrived",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sk_data_ready",
		     { "udp_data_ready__tracepoint", "netif_receive_skb__tracepoint" },
		     .note = "which socket each datagram reaches" },
		   { RUNG_TRACEPOINT,
		     "consume_skb",
		     { "consume_skb__tracepoint", "netif_receive_skb__tracepoint" },
		     .note = "before Linux 6.3: datagrams show when they are taken" } },
};

const struct hook hook_udp_dropped = {
	.name = "udp_dropped",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "udp_fail_queue_rcv_skb",
		     { "udp_fail_queue_rcv_skb__tracepoint" },
		     .optional = true,
		     .note = "datagrams that found their receiver's queue full" } },
};

const struct hook hook_udp_freed = {
	.name = "udp_freed",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "kfree_skb",
		     { "kfree_skb__tracepoint" },
		     .optional = true,
		     .note = "datagrams that were thrown away on their way" } },
};

const struct hook hook_udp_uring = {
	.name = "udp_uring",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sock_recv_length",
		     { "sock_send_length__tracepoint", "sock_recv_length__tracepoint" },
		     .optional = true,
		     .demand = DEMAND(LENGTHS),
		     .note = "receives by io_uring, and each datagram of recvmmsg (since Linux 6.3), from "
			     "when they are used" } },
};

static const char *const blind[] = {
	"datagrams from or to other hosts are not shown: that is no IPC",
	"datagrams that nobody listens for are not shown",
	"datagrams sent many at once (UDP_SEGMENT) or in IP fragments may lose their sender",
	NULL,
};

const struct mech_desc mech_udp = { IPCT_MECH_UDP, "udp", "UDP datagrams between sockets of this host",
				    blind };

static const struct flag_pair flags[] = {
	{ IPCT_IO_PEEK, OP_F_PEEK },	   { IPCT_IO_URING, OP_F_URING }, { IPCT_IO_WAITED, OP_F_WAITED },
	{ IPCT_IO_DRAINED, OP_F_DRAINED }, { IPCT_IO_TRUNC, OP_F_TRUNC }, { 0, 0 },
};

static struct obj_key flow_key(uint64_t flow)
{
	return (struct obj_key){ .id = flow, .space = (uint64_t)IPCT_MECH_UDP << 56 };
}

/* A socket is where datagrams wait; it is no object of its own. */
static struct obj_key socket_key(uint64_t ino)
{
	return (struct obj_key){ .id = ino, .space = (uint64_t)IPCT_MECH_UDP << 56 | 1 };
}

void udp__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_udp_io *io = (const struct ipct_udp_io *)ev;
	struct op *op = decoded__op(out, ev, io->enter_ns, io->ret);

	op->rule = PAIR_DGRAM;
	op->flags = flags__map(flags, io->flags) | (io->skb ? 0 : OP_F_NO_ID);
	op->obj = io->flow ? flow_key(io->flow) : (struct obj_key){ 0 };
	op->peer = socket_key(io->receiver);
	op->bytes = io->ret < 0 ? 0 : io->bytes;
	op->fd = io->fd;
	op->msg.id = io->skb;
	op->msg.total = io->bytes;
	for (int i = 0; i < 4; i++)
		op->fp[i] = io->fp[i];
}

void udp__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	struct object_info *info = decoded__object(out, &ob->h);
	struct ipct_inet_name name = { 0 };

	info->key = flow_key(ob->key);
	memcpy(&name, (const char *)(ob + 1) + ob->name_start,
	       ob->name_len < sizeof(name) ? ob->name_len : sizeof(name));
	inet__write_name(out->name_buf, sizeof(out->name_buf), "udp", &name);
	decoded__set_name(out, NULL, NULL, 0);
}

void udp__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "udp:[flow %" PRIx64 "]", key.id & 0xffffffff);
}
