// SPDX-License-Identifier: GPL-2.0
/*
 * What a call moved, from its caller's memory, when the call ends. Loaded only with --payload, and before
 * syscalls.bpf.c: programs run in the order in which they were attached, so the call's record is still there.
 */
#include "emit.bpf.h"
#include "fingerprint.bpf.h"
#include "task.bpf.h"

#define PAYLOAD_IOVECS_MAX 1024 /* UIO_MAXIOV */
#define PAYLOAD_MASK (IPCT_PAYLOAD_MAX - 1)

/* Where the bytes of a call lie, and how many it moved. */
struct payload_from {
	__u64 addr; /* of the bytes, or of iovecs */
	__u64 iovecs; /* 0: addr are the bytes */
	__u64 total;
	__u64 left; /* not looked at yet */
	__u32 at; /* how much is kept so far */
	__u32 compat;
};

struct payload_scratch {
	struct payload_from from; /* in memory, so that the verifier need not follow it through the loop */
	struct ipct_payload ev;
	/* Twice what is kept: where a piece begins and how long it is are bounded one by one. */
	__u8 bytes[2 * IPCT_PAYLOAD_MAX];
};

/* One per CPU; too large for a map of that kind. The collector sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct payload_scratch);
} payloads SEC(".maps");

static __always_inline struct payload_scratch *payload__scratch(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&payloads, &cpu);
}

static __always_inline void payload__iovec(const struct payload_from *from, __u32 i, struct iovec64 *v)
{
	struct iovec32 v32 = {};

	if (!from->iovecs) {
		v->base = from->addr;
		v->len = from->total;
	} else if (!from->compat) {
		bpf_probe_read_user(v, sizeof(*v), (void *)(from->addr + i * sizeof(*v)));
	} else {
		bpf_probe_read_user(&v32, sizeof(v32), (void *)(from->addr + i * sizeof(v32)));
		v->base = v32.base;
		v->len = v32.len;
	}
}

/* Keeps what lies in one iovec; returns 0 when there is no more to do. Global: verified by itself, once, not in each round. */
__noinline int payload__step(__u32 i)
{
	struct payload_scratch *s = payload__scratch();
	struct iovec64 v = {};
	__u32 at, len;

	if (!s || !s->from.left || (i && i >= s->from.iovecs))
		return 0;
	payload__iovec(&s->from, i, &v);
	if (v.len > s->from.left)
		v.len = s->from.left;
	at = s->from.at;
	if (at >= cfg.payload_bytes || at > PAYLOAD_MASK)
		return 0;
	len = cfg.payload_bytes - at;
	if (v.len < len)
		len = v.len;
	if (len > IPCT_PAYLOAD_MAX)
		return 0;
	if (len && bpf_probe_read_user(s->bytes + at, len, (void *)v.base))
		return 0;
	s->from.at = at + len;
	s->from.left -= v.len;
	return 1;
}

static __always_inline void payload__emit(const struct task_op *op, struct payload_scratch *s, bool send)
{
	__u8 mech = send && op->out.mech ? op->out.mech : op->in.mech;
	__u32 len;

	s->from.at = 0;
	s->from.left = s->from.total;
	for (__u32 i = 0; i < PAYLOAD_IOVECS_MAX; i++)
		if (!payload__step(i))
			break;
	len = s->from.at;
	if (!len || len > IPCT_PAYLOAD_MAX)
		return;
	s->ev.enter_ns = op->enter_ns;
	s->ev.total = s->from.total;
	s->ev.len = len;
	s->ev.flags = len < s->from.total ? IPCT_PAYLOAD_TRUNC : 0;
	s->ev.pad0 = 0;
	emit__header(&s->ev.h, IPCT_KIND_PAYLOAD, sizeof(s->ev) + len, mech,
		     send ? IPCT_OP_SEND : IPCT_OP_RECV);
	emit__output(&s->ev, sizeof(s->ev) + len, mech);
}

/* False: the call moved nothing that its caller's memory shows (by pages, or not at all). */
static __always_inline bool payload__find(struct task_op *op, __s64 ret, struct payload_from *from)
{
	struct task_op header;

	if (ret < 0)
		return false;
	from->addr = op->buf;
	from->compat = op->compat;
	from->total = ret;
	from->iovecs = 0;
	switch (op->class) {
	case IPCT_SC_READ:
	case IPCT_SC_WRITE:
	case IPCT_SC_SENDTO:
	case IPCT_SC_RECVFROM:
	case IPCT_SC_MSGRCV:
	case IPCT_SC_MQ_RECEIVE:
		return ret > 0;
	case IPCT_SC_MSGSND:
	case IPCT_SC_MQ_SEND:
		from->total = op->cnt;
		return op->cnt > 0;
	case IPCT_SC_READV:
	case IPCT_SC_WRITEV:
	case IPCT_SC_SENDMSG:
		from->iovecs = op->cnt;
		return ret > 0;
	case IPCT_SC_RECVMSG:
		header.compat = op->compat;
		msghdr__load(&header, op->buf);
		from->addr = header.buf;
		from->iovecs = header.cnt;
		return ret > 0;
	}
	return false;
}

static __always_inline bool payload__is_send(__u8 class)
{
	return class == IPCT_SC_WRITE || class == IPCT_SC_WRITEV || class == IPCT_SC_SENDTO ||
	       class == IPCT_SC_SENDMSG || class == IPCT_SC_MSGSND || class == IPCT_SC_MQ_SEND;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(payload__tracepoint, struct pt_regs *regs, long ret)
{
	struct payload_scratch *s;
	struct task_op *op;

	if (!active)
		return 0;
	op = task_op__current(false);
	s = payload__scratch();
	if (!op || !s || !op->class || (!op->in.mech && !op->out.mech))
		return 0;
	if (payload__find(op, ret, &s->from))
		payload__emit(op, s, payload__is_send(op->class));
	return 0;
}
