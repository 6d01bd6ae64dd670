/* SPDX-License-Identifier: GPL-2.0 */
/* One JSON object per line: the contract's messages, operations, losses and end. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/signame.h"
#include "model/graph.h"
#include "model/message.h"
#include "model/payload.h"
#include "view/label.h"
#include "view/sigword.h"
#include "view/stack_text.h"
#include "view/view.h"

static void begin(struct json *j, struct buf *out, const char *type)
{
	*j = (struct json){ .out = out };
	json__open(j, NULL, '{');
	json__str(j, "type", type);
}

static void finish(struct json *j)
{
	json__close(j, '}');
	buf__putc(j->out, '\n');
}

static void put_proc(struct json *j, const char *key, const struct proc *p, uint32_t tid, const char *comm,
		     size_t len)
{
	json__open(j, key, '{');
	json__u64(j, "pid", p->pid);
	if (tid)
		json__u64(j, "tid", tid);
	json__strn(j, "comm", comm, len);
	json__u64(j, "start_ns", p->start_ns);
	if (p->ns_pid && p->ns_pid != p->pid)
		json__u64(j, "ns_pid", p->ns_pid);
	json__close(j, '}');
}

static void put_party(struct json *j, const char *key, const struct party *party)
{
	const struct proc *p = party ? party->proc : NULL;

	if (p)
		put_proc(j, key, p, party->tid ? party->tid : p->pid, party->comm,
			 strnlen(party->comm, sizeof(party->comm)));
	else
		json__null(j, key);
}

static void put_origin(struct json *j, const char *origin)
{
	struct buf text = { 0 };

	label__origin(&text, origin);
	json__strn(j, "origin", text.data, text.len);
	buf__free(&text);
}

static void put_signal(struct json *j, const struct op *op, bool settled, uint64_t delivered_ns)
{
	char name[SIGNAME_BYTES], word[SIGWORD_BYTES];

	json__open(j, "signal", '{');
	json__u64(j, "number", op->sig.sig);
	json__str(j, "name", signame(op->sig.sig, name));
	json__i64(j, "code", op->sig.code);
	json__str(j, "code_name", sigword__code(op->sig.sig, op->sig.code, word));
	json__str(j, "result", sigword__result(op->sig.result));
	if (op->sig.cause)
		json__str(j, "cause", op->sig.cause);
	if (settled && delivered_ns)
		json__u64(j, "delivered_ns", delivered_ns);
	else if (settled)
		json__null(j, "delivered_ns");
	json__close(j, '}');
}

static void put_payload(struct json *j, const struct payload *p)
{
	char hex[2 * 16 + 1] = "";

	if (!p)
		return;
	if (!p->hashed) {
		json__base64(j, "payload", p->data, p->len);
	} else {
		for (size_t i = 0; i < p->len && i < sizeof(hex) / 2; i++)
			snprintf(hex + 2 * i, 3, "%02x", p->data[i]);
		json__str(j, "payload_hash", hex);
	}
	if (p->truncated)
		json__bool(j, "payload_truncated", true);
}

/* Of a message in a queue: its type, or its priority. */
static void put_queued(struct json *j, const struct op *op)
{
	if (op->queue.type >= 0)
		json__i64(j, op->queue.by_priority ? "priority" : "mtype", op->queue.type);
}

/* Of a unit: which semaphore of the set, and the operation as it was asked for; who ended the wait. */
static void put_units(struct json *j, const struct op *op)
{
	if (op->units.is_sem) {
		json__open(j, "sem", '{');
		json__u64(j, "num", op->units.num);
		json__i64(j, "op", op->units.sem_op);
		json__close(j, '}');
	}
	if (op->units.waker_pid) {
		json__open(j, "woken_by", '{');
		json__u64(j, "pid", op->units.waker_pid);
		json__u64(j, "tid", op->units.waker_tid);
		json__close(j, '}');
	}
	if (op->units.woken_pid)
		json__u64(j, "target_pid", op->units.woken_pid);
}

static void put_candidates(struct json *j, const struct message *m)
{
	size_t cnt = m->candidate_cnt < MESSAGE_CANDIDATES_MAX ? m->candidate_cnt : MESSAGE_CANDIDATES_MAX;

	json__open(j, "candidates", '[');
	for (size_t i = 0; i < cnt; i++) {
		const struct proc *p = m->candidates[i];

		put_proc(j, NULL, p, 0, p->comm, strnlen(p->comm, sizeof(p->comm)));
	}
	json__close(j, ']');
	if (cnt < m->candidate_cnt)
		json__u64(j, "candidates_more", m->candidate_cnt - cnt);
}

static void put_fds(struct json *j, const struct message *m)
{
	json__open(j, "fds", '[');
	for (uint16_t i = 0; i < m->fd_cnt; i++) {
		const struct passed_fd *fd = &m->fds[i];

		json__open(j, NULL, '{');
		json__str(j, "object", fd->object);
		if (fd->src_fd >= 0)
			json__i64(j, "src_fd", fd->src_fd);
		else
			json__null(j, "src_fd");
		json__i64(j, "dst_fd", fd->dst_fd);
		if (fd->side)
			json__str(j, "access", label__fd_access(fd->side));
		json__close(j, '}');
	}
	json__close(j, ']');
}

static void put_lock(struct json *j, const struct op *op)
{
	json__open(j, "lock", '{');
	json__str(j, "kind", label__lock_kind(op->lock.kind));
	json__str(j, "type", label__lock_type(op->lock.type));
	if (op->lock.kind != LOCK_KIND_FLOCK) {
		json__u64(j, "start", op->lock.start);
		json__u64(j, "end", op->lock.end);
	}
	if (op->kind == OP_WAIT && op->lock.blocker_pid)
		json__u64(j, "blocker_pid", op->lock.blocker_pid);
	json__close(j, '}');
}

static void put_direct(struct json *j, const struct op *op)
{
	json__open(j, "ptrace", '{');
	json__str(j, "request", label__direct(op));
	json__u64(j, "target_tid", op->direct.tid);
	json__close(j, '}');
}

static void put_map(struct json *j, const struct op *op)
{
	json__open(j, "map", '{');
	json__u64(j, "addr", op->map.addr);
	json__u64(j, "bytes", op->map.len);
	json__str(j, "access", op->map.flags & MAP_F_WRITE ? "rw" : "ro");
	if (op->map.size_bytes)
		json__u64(j, "size_bytes", op->map.size_bytes);
	if (op->map.creator)
		json__u64(j, "creator_pid", op->map.creator);
	json__close(j, '}');
}

/* What the rules of shared memory, locks and ptrace add to a message or an operation. */
static void put_more(struct json *j, const struct op *op)
{
	if (op->rule == PAIR_LOCK)
		put_lock(j, op);
	else if (op->rule == PAIR_DIRECT)
		put_direct(j, op);
	else if (op->rule == PAIR_SHARE)
		put_map(j, op);
}

static void message(struct buf *out, const struct message *m, const struct view_names *names)
{
	struct json j;

	begin(&j, out, "message");
	json__u64(&j, "ts_ns", m->ts_ns);
	json__str(&j, "mech", names->mech(m->mech));
	json__str(&j, "object", m->channel ? m->channel->name : NULL);
	put_party(&j, "src", &m->src);
	put_party(&j, "dst", &m->dst);
	if (m->origin)
		put_origin(&j, m->origin);
	json__u64(&j, "bytes", m->bytes);
	json__u64(&j, "messages", m->messages);
	if (m->latency_ns)
		json__u64(&j, "latency_ns", m->latency_ns);
	else
		json__null(&j, "latency_ns");
	json__str(&j, "attr", attr__name(m->attr));
	if (m->candidate_cnt)
		put_candidates(&j, m);
	if (m->wait_ns)
		json__u64(&j, "wait_ns", m->wait_ns);
	if (m->op && m->op->rule == PAIR_SIGNAL)
		put_signal(&j, m->op, true, m->delivered_ns);
	if (m->op && m->op->rule == PAIR_QUEUE)
		put_queued(&j, m->op);
	if (m->op && m->op->rule == PAIR_UNITS)
		put_units(&j, m->op);
	if (m->op)
		put_more(&j, m->op);
	if (m->fd_cnt)
		put_fds(&j, m);
	put_payload(&j, m->payload);
	stack_text__json(&j, "stack", m->src.stack);
	stack_text__json(&j, "dst_stack", m->dst.stack);
	if (m->op)
		stack_text__json(&j, "kernel_stack", m->op->kernel_stack);
	finish(&j);
}

/* What an operation's flags say, one member each; absent means no. */
static const struct {
	uint32_t flag;
	const char *key;
} op_members[] = {
	{ OP_F_PEEK, "peek" },	     { OP_F_PACKET, "packet" },	  { OP_F_URING, "uring" },
	{ OP_F_BLOCKED, "partial" }, { OP_F_DRAINED, "drained" }, { OP_F_MORE, "more" },
	{ OP_F_TRUNC, "truncated" }, { OP_F_OOB, "oob" },	  { OP_F_FDS, "has_fds" },
};

static void op_line(struct buf *out, const struct op *op, const struct channel *ch, const struct party *task,
		    const struct view_names *names)
{
	struct json j;

	begin(&j, out, "op");
	json__u64(&j, "ts_ns", op->ts_ns);
	json__str(&j, "mech", op->mech ? names->mech(op->mech) : NULL);
	json__str(&j, "object", ch ? ch->name : NULL);
	json__str(&j, "op", op_kind__name(op->kind));
	put_party(&j, "task", task);
	json__u64(&j, "bytes", op->bytes);
	json__i64(&j, "ret", op->ret);
	json__u64(&j, "wait_ns", label__op_wait_ns(op));
	if (op->enter_ns)
		json__u64(&j, "enter_ns", op->enter_ns);
	if (op->fd >= 0)
		json__i64(&j, "fd", op->fd);
	if (op->kind == OP_CLOSE && close_by__name(op->arg))
		json__str(&j, "by", close_by__name(op->arg));
	for (size_t i = 0; i < sizeof(op_members) / sizeof(*op_members); i++) {
		if (op->flags & op_members[i].flag)
			json__bool(&j, op_members[i].key, true);
	}
	if (op->rule == PAIR_SIGNAL && op->sig.from_kernel)
		put_origin(&j, op->sig.origin);
	if (op->rule == PAIR_SIGNAL && op->sig.dst_pid)
		json__u64(&j, "target_pid", op->sig.dst_pid);
	if (op->rule == PAIR_SIGNAL)
		put_signal(&j, op, false, 0);
	put_more(&j, op);
	if (op->rule == PAIR_QUEUE)
		put_queued(&j, op);
	if (op->rule == PAIR_QUEUE && op->kind == OP_RECV && !op->queue.by_priority)
		json__i64(&j, "requested", op->queue.want);
	if (op->rule == PAIR_QUEUE && op->kind != OP_UNLINK)
		json__u64(&j, "depth_messages", op->queue.msgs);
	if (op->rule == PAIR_UNITS)
		put_units(&j, op);
	put_payload(&j, op->payload);
	stack_text__json(&j, "stack", op->stack);
	stack_text__json(&j, "kernel_stack", op->kernel_stack);
	finish(&j);
}

static void lost(struct buf *out, uint8_t mech, uint64_t count, int cpu, const struct view_names *names)
{
	struct json j;

	begin(&j, out, "lost");
	json__str(&j, "mech", mech ? names->mech(mech) : NULL);
	json__u64(&j, "count", count);
	if (cpu >= 0)
		json__i64(&j, "cpu", cpu);
	else
		json__null(&j, "cpu");
	finish(&j);
}

static void end(struct buf *out, const struct model_stats *stats)
{
	struct json j;

	begin(&j, out, "end");
	json__u64(&j, "messages", stats->messages);
	json__u64(&j, "lost", stats->lost);
	if (stats->skipped)
		json__u64(&j, "skipped", stats->skipped);
	if (stats->table_full)
		json__u64(&j, "table_full", stats->table_full);
	if (stats->ledger_full)
		json__u64(&j, "ledger_full", stats->ledger_full);
	json__u64(&j, "unmatched_sends", stats->unmatched_sends);
	json__u64(&j, "unmatched_receives", stats->unmatched_receives);
	json__open(&j, "sum", '{');
	json__u64(&j, "messages", stats->sum_messages);
	json__u64(&j, "bytes", stats->sum_bytes);
	json__close(&j, '}');
	finish(&j);
}

const struct line_view line_view__json = {
	.name = "json",
	.message = message,
	.op = op_line,
	.lost = lost,
	.end = end,
};
