/* SPDX-License-Identifier: GPL-2.0 */
/* For tests of sockets: sockets 1 and 2 send, 50 and 51 receive; processes are 100 + socket, the reader is one. */
#ifndef TESTS_SOCK_KIT_H
#define TESTS_SOCK_KIT_H

#include "model_kit.h"
#include "suite.h"

#define MECH 10
#define READER 900
#define SETTLE (200 * MS)

static inline struct op send_op(uint64_t enter_ns, uint64_t ts_ns, uint64_t sock, uint64_t id, uint64_t bytes)
{
	struct op op = { .enter_ns = enter_ns,
			 .ts_ns = ts_ns,
			 .pid = 100 + (uint32_t)sock,
			 .tid = 100 + (uint32_t)sock,
			 .kind = OP_SEND,
			 .mech = MECH,
			 .rule = PAIR_MESSAGE,
			 .obj = kit__key(sock),
			 .peer = kit__key(50),
			 .bytes = bytes,
			 .ret = (int64_t)bytes };

	op.msg.id = id;
	op.flags = id ? 0 : OP_F_NO_ID;
	return op;
}

static inline struct op recv_op(uint64_t enter_ns, uint64_t ts_ns, uint64_t peer, uint64_t id, uint64_t bytes)
{
	struct op op = { .enter_ns = enter_ns,
			 .ts_ns = ts_ns,
			 .pid = READER,
			 .tid = READER,
			 .kind = OP_RECV,
			 .mech = MECH,
			 .rule = PAIR_MESSAGE,
			 .obj = kit__key(50),
			 .peer = kit__key(peer),
			 .bytes = bytes,
			 .ret = (int64_t)bytes };

	op.msg.id = id;
	op.msg.total = (uint32_t)bytes;
	op.flags = id ? 0 : OP_F_NO_ID;
	return op;
}

static inline void do_send(struct kit *k, uint64_t enter_ns, uint64_t ts_ns, uint64_t sock, uint64_t id,
			   uint64_t bytes)
{
	struct op op = send_op(enter_ns, ts_ns, sock, id, bytes);

	model__op(k->m, &op);
}

static inline void do_recv(struct kit *k, uint64_t enter_ns, uint64_t ts_ns, uint64_t peer, uint64_t id,
			   uint64_t bytes)
{
	struct op op = recv_op(enter_ns, ts_ns, peer, id, bytes);

	model__op(k->m, &op);
}

static inline void do_part(struct kit *k, struct op op, uint32_t off, uint32_t total, uint32_t flags)
{
	op.msg.off = off;
	op.msg.total = total;
	op.flags |= flags;
	model__op(k->m, &op);
}

static inline void expect(const struct kit *k, size_t i, uint32_t src, uint64_t bytes, uint64_t messages,
			  uint8_t attr)
{
	const struct message *m = &k->got[i].m;

	ck_assert_uint_lt(i, k->cnt);
	ck_assert_uint_eq(m->src.proc ? m->src.proc->pid : 0, src);
	ck_assert_uint_eq(m->bytes, bytes);
	ck_assert_uint_eq(m->messages, messages);
	ck_assert_uint_eq(m->attr, attr);
	ck_assert_uint_eq(m->dst.proc->pid, READER);
}

static inline void send_as(struct kit *k, uint32_t pid, struct op op, uint16_t print)
{
	op.pid = op.tid = pid;
	op.fp[0] = print;
	model__op(k->m, &op);
}

static inline void recv_print(struct kit *k, struct op op, uint16_t print)
{
	op.fp[0] = print;
	model__op(k->m, &op);
}

#endif
