/* SPDX-License-Identifier: GPL-2.0 */
/* Events to the model's terms: what is common to all mechanisms, and who decodes which kind. */
#include <stdio.h>
#include <string.h>

#include "mech/tables.h"

#define IPCNS_INITIAL 0xefffffffu /* PROC_IPC_INIT_INO in include/linux/proc_ns.h */

uint32_t flags__map(const struct flag_pair *pairs, uint32_t wire)
{
	uint32_t model = 0;

	for (; wire && pairs->wire; pairs++) {
		if (wire & pairs->wire)
			model |= pairs->model;
	}
	return model;
}

struct op *decoded__op(struct decoded *out, const struct ipct_hdr *ev, uint64_t enter_ns, int64_t ret)
{
	struct op *op = &out->op;

	out->what = DECODED_OP;
	memset(op, 0, sizeof(*op));
	op->ts_ns = ev->ts_ns;
	op->enter_ns = enter_ns;
	op->pid = ev->pid;
	op->tid = ev->tid;
	op->kind = ev->op; /* enum op_kind and enum ipct_op are the same list: see the assertions below */
	op->mech = ev->mech;
	op->ret = ret;
	op->fd = -1;
	op->fd2 = -1;
	return op;
}

#define IPCT_X(sym, num, name) \
	_Static_assert((int)IPCT_OP_##sym == (int)OP_##sym, "wire and model agree on " name);
IPCT_OP_LIST(IPCT_X)
#undef IPCT_X
_Static_assert((int)IPCT_CLOSE_EXIT == (int)CLOSE_BY_EXIT && CLOSE_BY_CNT == CLOSE_BY_EXIT + 1,
	       "wire and model agree on what closes");

struct object_info *decoded__object(struct decoded *out, const struct ipct_hdr *ev)
{
	const struct ipct_object *ob = (const struct ipct_object *)ev;
	struct object_info *info = &out->object;

	out->what = DECODED_OBJECT;
	*info = (struct object_info){
		.ts_ns = ev->ts_ns,
		.mech = ev->mech,
		.scanned = ob->what == IPCT_OBJECT_SCAN,
		.listener = ob->listener,
		.fill_bytes = ob->fill_bytes,
		.fill_msgs = ob->fill_msgs,
		.capacity_bytes = ob->capacity,
		.pid = ev->pid,
		.side = ob->side,
	};
	return info;
}

void decoded__set_name(struct decoded *out, const char *prefix, const char *bytes, size_t len)
{
	size_t at = prefix ? strlen(prefix) : strlen(out->name_buf);

	if (prefix) {
		memcpy(out->name_buf, prefix, at);
		if (len > sizeof(out->name_buf) - at)
			len = sizeof(out->name_buf) - at;
		memcpy(out->name_buf + at, bytes, len);
		at += len;
	}
	out->object.name = out->name_buf;
	out->object.name_len = at;
}

void ipcns__add(char *buf, size_t size, uint32_t ipcns)
{
	size_t len = strlen(buf);

	if (ipcns && ipcns != IPCNS_INITIAL)
		snprintf(buf + len, size - len, "@%u", ipcns);
}

/* What a record means whose kind all mechanisms share. Those that have no row are told of as sockets are. */
static const struct {
	void (*call)(const struct ipct_call *call, struct op *op); /* the common part of op is there */
	void (*object)(const struct ipct_object *ob, struct decoded *out);
} by_mech[IPCT_MECH_CNT] = {
	[IPCT_MECH_PIPE] = { pipe__decode_call, pipe__decode_object },
	[IPCT_MECH_FIFO] = { pipe__decode_call, pipe__decode_object },
	[IPCT_MECH_SYSV_MSG] = { queue__decode_call, NULL },
	[IPCT_MECH_POSIX_MQ] = { queue__decode_call, queue__decode_object },
	[IPCT_MECH_SYSV_SHM] = { NULL, shm__decode_object },
	[IPCT_MECH_POSIX_SHM] = { NULL, shm__decode_object },
	[IPCT_MECH_POSIX_SEM] = { NULL, posix_sem__decode_object },
	[IPCT_MECH_FLOCK] = { NULL, flock__decode_object },
	[IPCT_MECH_EVENTFD] = { eventfd__decode_call, eventfd__decode_object },
	[IPCT_MECH_TCP] = { tcp__decode_call, tcp__decode_object },
	[IPCT_MECH_UDP] = { NULL, udp__decode_object },
	[IPCT_MECH_PTY] = { pty__decode_call, NULL },
};

static void decode_call(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_call *call = (const struct ipct_call *)ev;
	struct op *op = decoded__op(out, ev, call->enter_ns, call->ret);

	op->rule = PAIR_NONE;
	op->fd = call->fd;
	op->fd2 = call->fd2;
	op->arg = ev->op == IPCT_OP_CLOSE ? call->by : call->arg;
	if (ev->mech < IPCT_MECH_CNT && by_mech[ev->mech].call)
		by_mech[ev->mech].call(call, op);
	else
		unix__decode_call(call, op);
}

static void decode_object(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_object *ob = (const struct ipct_object *)ev;

	if (ev->mech < IPCT_MECH_CNT && by_mech[ev->mech].object)
		by_mech[ev->mech].object(ob, out);
	else
		unix__decode_object(ob, out);
}

static void decode_lost(const struct ipct_hdr *ev, struct decoded *out)
{
	out->what = DECODED_LOST;
	out->lost = ((const struct ipct_lost *)ev)->count;
	out->skipped = ((const struct ipct_lost *)ev)->why == IPCT_LOST_SKIPPED;
	out->full = ((const struct ipct_lost *)ev)->why == IPCT_LOST_TABLE_FULL;
	out->op.mech = ev->mech;
	out->op.ts_ns = ev->ts_ns;
}

void mech__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	static void (*const by_kind[])(const struct ipct_hdr *, struct decoded *) = {
		[IPCT_KIND_TASK] = task__decode,
		[IPCT_KIND_OBJECT] = decode_object,
		[IPCT_KIND_CALL] = decode_call,
		[IPCT_KIND_PIPE_IO] = pipe__decode,
		[IPCT_KIND_SOCK_IO] = unix__decode,
		[IPCT_KIND_SIGGEN] = signal__decode_generated,
		[IPCT_KIND_SIGDLV] = signal__decode_delivered,
		[IPCT_KIND_LOST] = decode_lost,
		[IPCT_KIND_FUTEX] = posix_sem__decode_futex,
		[IPCT_KIND_MSG_IO] = queue__decode,
		[IPCT_KIND_MAP] = shm__decode,
		[IPCT_KIND_LOCK] = flock__decode,
		[IPCT_KIND_PTRACE] = ptrace__decode,
		[IPCT_KIND_PASS] = pass__decode,
		[IPCT_KIND_SEM_OP] = units__decode_sem_op,
		[IPCT_KIND_WAKE] = units__decode_wake,
		[IPCT_KIND_EVENTFD_IO] = eventfd__decode,
		[IPCT_KIND_TCP_IO] = tcp__decode,
		[IPCT_KIND_UDP_IO] = udp__decode,
		[IPCT_KIND_TTY_IO] = pty__decode,
		[IPCT_KIND_SUM] = sum__decode,
	};

	out->what = DECODED_NOTHING;
	if (ev->kind < sizeof(by_kind) / sizeof(by_kind[0]) && by_kind[ev->kind])
		by_kind[ev->kind](ev, out);
}
