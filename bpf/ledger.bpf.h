/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ledger: sums per process and channel end, kept here so that they are right whatever the rings lose. Each operation
 * that moves data comes by with one line, ledger__<kind>(), which says true where the operation is to make no record. What
 * counts as a message, an error or waiting is what src/model/ends.c makes of the records.
 */
#ifndef BPF_LEDGER_H
#define BPF_LEDGER_H

#include "emit.bpf.h"
#include "file.bpf.h"

#include "ipctrace/ledger.h"

/* enum ipct_ledger_state; read once per operation, so that it is either counted in the map of a time or makes a record. */
volatile __u32 ledger_state = 0;

struct ledger_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* the collector sets it */
	__type(key, struct ipct_ledger_key);
	__type(value, struct ipct_ledger_row);
};

struct ledger_map ledger_first SEC(".maps"), ledger_second SEC(".maps");

/* A new row's beginning: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipct_ledger_row);
} ledger_blank SEC(".maps");

/* Rows that found no room; what they were to count went to the rings. */
volatile __u64 ledger_full_cnt = 0;

/* One operation. */
struct ledger_entry {
	struct ipct_ledger_key k;
	__u64 messages, bytes, wait_ns;
	__u32 errors;
	__u32 peer_ino;
};

static __always_inline __u32 ledger__state(void)
{
	if (cfg.ledger == IPCT_LEDGER_SUMMARY)
		return ledger_state | IPCT_LEDGER_COUNTS | IPCT_LEDGER_ONLY;
	return ledger_state;
}

static __always_inline struct ipct_ledger_row *ledger__row(const struct ipct_ledger_key *k, __u32 state)
{
	if (state & IPCT_LEDGER_SECOND)
		return bpf_map_lookup_elem(&ledger_second, k);
	return bpf_map_lookup_elem(&ledger_first, k);
}

/* The row's process is the running one; what was set for it there is set twice at worst, and the same. */
static __always_inline void ledger__sign(struct ipct_ledger_row *row)
{
	struct task_struct *task = current_task(), *leader = READ(task, struct task_struct, group_leader);

	row->start_ns = READ(leader, struct task_struct, start_boottime);
	bpf_get_current_comm(row->comm, sizeof(row->comm));
}

static __noinline struct ipct_ledger_row *ledger__new_row(const struct ipct_ledger_key *k, __u32 state)
{
	struct ipct_ledger_row *row;
	__u32 zero = 0;

	row = bpf_map_lookup_elem(&ledger_blank, &zero);
	if (!row)
		return NULL;
	if (state & IPCT_LEDGER_SECOND)
		bpf_map_update_elem(&ledger_second, k, row, BPF_NOEXIST);
	else
		bpf_map_update_elem(&ledger_first, k, row, BPF_NOEXIST);
	row = ledger__row(k, state);
	if (row && k->pid == bpf_get_current_pid_tgid() >> 32)
		ledger__sign(row);
	return row;
}

/* No room for the row: the operation goes to the rings as a sum of its own, so that nothing is missing. */
static __noinline int ledger__overflow(const struct ledger_entry *e, __u32 state)
{
	struct ipct_sum *ev;

	__sync_fetch_and_add(&ledger_full_cnt, 1);
	ev = emit__reserve(IPCT_KIND_SUM, sizeof(*ev), e->k.mech, e->k.op);
	if (!ev)
		return 0;
	ev->h.pid = ev->h.tid = e->k.pid;
	ev->start_ns = 0;
	ev->key = e->k.key;
	ev->queue = e->k.queue;
	ev->messages = e->messages;
	ev->bytes = e->bytes;
	ev->errors = e->errors;
	ev->wait_ns = e->wait_ns;
	ev->sub = e->k.sub;
	ev->space = e->k.space;
	ev->peer_ino = e->peer_ino;
	ev->flags = IPCT_SUM_NO_ROW | (state & IPCT_LEDGER_ONLY ? 0 : IPCT_SUM_BESIDE);
	__builtin_memset(ev->comm, 0, sizeof(ev->comm));
	emit__submit(ev);
	return 0;
}

static __noinline int ledger__add(const struct ledger_entry *e, __u32 state)
{
	struct ipct_ledger_row *row = ledger__row(&e->k, state);

	if (!row)
		row = ledger__new_row(&e->k, state);
	if (!row)
		return ledger__overflow(e, state);
	if (e->peer_ino && !row->peer_ino)
		row->peer_ino = e->peer_ino;
	__sync_fetch_and_add(&row->messages, e->messages);
	__sync_fetch_and_add(&row->bytes, e->bytes);
	if (e->errors)
		__sync_fetch_and_add(&row->errors, e->errors);
	if (e->wait_ns)
		__sync_fetch_and_add(&row->wait_ns, e->wait_ns);
	return 0;
}

#define EINTR 4
#define EAGAIN 11
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

static __always_inline bool ledger__is_error(__s64 ret)
{
	return ret < 0 && ret != -EAGAIN && ret != -EINTR &&
	       !(ret <= -ERESTARTSYS && ret >= -ERESTART_RESTARTBLOCK);
}

static __always_inline __u64 ledger__waited(const struct task_op *op, bool waited)
{
	__u64 now_ns;

	if (!waited || !op->enter_ns)
		return 0;
	now_ns = clock__now();
	return now_ns > op->enter_ns ? now_ns - op->enter_ns : 0;
}

/* A read or write of a pipe. */
static __noinline bool ledger__count_pipe(const struct task_op *op, bool write, __s64 ret, __u32 flags)
{
	const struct object *o = write ? &op->out : &op->in;
	struct ledger_entry e = {};
	__u32 state = ledger__state();

	if (!(state & IPCT_LEDGER_COUNTS))
		return false;
	if (flags & IPCT_IO_BLOCKED)
		return state & IPCT_LEDGER_ONLY;
	e.k.key = o->key;
	e.k.sub = o->dev;
	e.k.pid = bpf_get_current_pid_tgid() >> 32;
	e.k.mech = o->mech;
	e.k.op = write ? IPCT_OP_SEND : IPCT_OP_RECV;
	if (ret > 0 && !(flags & IPCT_IO_PEEK)) {
		e.messages = 1;
		e.bytes = ret;
	}
	e.errors = ledger__is_error(ret);
	e.wait_ns = ledger__waited(op, o->was_waiting);
	ledger__add(&e, state);
	return state & IPCT_LEDGER_ONLY;
}

static __always_inline bool ledger__pipe(const struct task_op *op, bool write, __s64 ret, __u32 flags)
{
	return cfg.ledger && ledger__count_pipe(op, write, ret, flags);
}

/* The same in no system call: by io_uring, where who submitted it did it, or by the kernel. pid_write: pid << 1 | write. */
static __noinline bool ledger__count_request(const struct object *o, __u64 pid_write, __s64 ret)
{
	struct ledger_entry e = {};
	__u32 state = ledger__state();

	if (!(state & IPCT_LEDGER_COUNTS))
		return false;
	e.k.key = o->key;
	e.k.sub = o->dev;
	e.k.pid = pid_write >> 1;
	e.k.mech = o->mech;
	e.k.op = pid_write & 1 ? IPCT_OP_SEND : IPCT_OP_RECV;
	e.messages = ret > 0;
	e.bytes = ret > 0 ? ret : 0;
	e.errors = ledger__is_error(ret);
	ledger__add(&e, state);
	return state & IPCT_LEDGER_ONLY;
}

static __always_inline bool ledger__request(const struct object *o, __u32 pid, bool write, __s64 ret)
{
	return cfg.ledger && ledger__count_request(o, (__u64)pid << 1 | write, ret);
}

/* Calls whose result counts messages are known by their parts, others by their result. */
static __always_inline void ledger__set_moved(struct ledger_entry *e, const struct task_op *op, __s64 ret,
					      __u32 flags)
{
	bool many = op->class == IPCT_SC_SENDMMSG || op->class == IPCT_SC_RECVMMSG;
	bool last = !(flags & IPCT_IO_MORE),
	     is_packet = e->k.mech != IPCT_MECH_UNIX_STREAM && e->k.mech != IPCT_MECH_TCP;
	bool moved;

	if (last)
		e->errors = ledger__is_error(ret);
	if (flags & IPCT_IO_PEEK || (last && ret < 0) || flags & IPCT_IO_END)
		return;
	if (many) {
		moved = op->part.len || (is_packet && !(op->part.flags & IPCT_IO_NO_SKB));
		e->bytes = op->part.len;
		e->messages = moved && (last || is_packet || flags & IPCT_IO_MSG_END);
	} else if (last) {
		moved = ret > 0 || (is_packet && !(op->part.flags & IPCT_IO_NO_SKB));
		e->bytes = ret;
		e->messages = moved;
	}
}

/* A send or receive on a socket, or a part of it; what is sent lies with the peer. */
static __noinline bool ledger__count_sock(const struct task_op *op, bool send, __s64 ret, __u32 flags,
					  __u64 peer)
{
	const struct object *o = send ? &op->out : &op->in;
	struct ledger_entry e = {};
	__u32 state = ledger__state();

	if (!(state & IPCT_LEDGER_COUNTS))
		return false;
	if (op->msg_flags & 0x2) /* MSG_PEEK */
		flags |= IPCT_IO_PEEK;
	e.k.key = o->ptr;
	e.k.queue = send ? peer : o->ptr;
	e.k.sub = o->ino;
	e.k.pid = bpf_get_current_pid_tgid() >> 32;
	e.k.mech = o->mech;
	e.k.op = send ? IPCT_OP_SEND : IPCT_OP_RECV;
	e.peer_ino = sock__ino(peer);
	ledger__set_moved(&e, op, ret, flags);
	if (!(flags & IPCT_IO_MORE))
		e.wait_ns = ledger__waited(op, o->was_waiting);
	if (e.messages || e.bytes || e.errors || e.wait_ns)
		ledger__add(&e, state);
	return state & IPCT_LEDGER_ONLY;
}

static __always_inline bool ledger__sock(const struct task_op *op, bool send, __s64 ret, __u32 flags,
					 __u64 peer)
{
	return cfg.ledger && ledger__count_sock(op, send, ret, flags, peer);
}

/* A message to or from a System V or POSIX queue. */
static __noinline bool ledger__count_queue(const struct task_op *op, bool send, __s64 ret, bool peek)
{
	struct ledger_entry e = {};
	__u32 state = ledger__state();

	if (!(state & IPCT_LEDGER_COUNTS))
		return false;
	e.k.key = op->in.key;
	e.k.sub = op->in.dev;
	e.k.pid = bpf_get_current_pid_tgid() >> 32;
	e.k.mech = op->in.mech;
	e.k.op = send ? IPCT_OP_SEND : IPCT_OP_RECV;
	if (ret >= 0 && !peek) {
		e.messages = 1;
		e.bytes = send ? op->cnt : (__u64)ret;
	}
	e.errors = ledger__is_error(ret);
	e.wait_ns = ledger__waited(op, op->msg.slept);
	ledger__add(&e, state);
	return state & IPCT_LEDGER_ONLY;
}

static __always_inline bool ledger__queue(const struct task_op *op, bool send, __s64 ret, bool peek)
{
	return cfg.ledger && ledger__count_queue(op, send, ret, peek);
}

#endif
