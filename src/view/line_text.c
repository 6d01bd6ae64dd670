/* SPDX-License-Identifier: GPL-2.0 */
/* One line per message for people: columns, and remarks behind the object only where there is something to
 * say. */
#include <string.h>

#include "base/escape.h"
#include "base/signame.h"
#include "base/time.h"
#include "event/wire.h"
#include "model/graph.h"
#include "model/message.h"
#include "model/payload.h"
#include "view/label.h"
#include "view/sigword.h"
#include "view/stack_text.h"
#include "view/style.h"
#include "view/view.h"

#define COLS_TIME 15
#define COLS_MECH 14
#define COLS_PID 7
#define COLS_COMM 15
#define COLS_SIDE (COLS_PID + 1 + COLS_COMM)
#define COLS_MARK 2
#define COLS_BYTES 8
#define COLS_LATENCY 7
#define COLS_OBJECT 72
#define LISTED_MAX 3 /* candidates that are named */

#define SGR_DIM "2"
#define SGR_DOUBT "31"

/* The interface gives views no state of their own; there is one terminal. */
static struct line_text_opts options;

void line_text__set(const struct line_text_opts *opts)
{
	options = *opts;
}

static void sgr(struct buf *out, const char *params)
{
	if (options.colour)
		buf__printf(out, "\033[%sm", params);
}

static void put_time(struct buf *out, uint64_t ts_ns)
{
	sgr(out, SGR_DIM);
	time__put_wall(out, (int64_t)ts_ns + options.boot_to_wall_ns);
	sgr(out, "0");
	buf__puts(out, "  ");
}

static void put_mech(struct buf *out, uint8_t mech, const struct view_names *names)
{
	const char *name = mech ? names->mech(mech) : "-";
	size_t len = strlen(name);

	sgr(out, style__of(mech)->ansi);
	buf__puts(out, name);
	sgr(out, "0");
	for (; len < COLS_MECH; len++)
		buf__putc(out, ' ');
	buf__putc(out, ' ');
}

/* "  14488 python3        "; a side without a process says what it was; else "-": the mark tells. */
static void put_side(struct buf *out, const struct party *side, const char *origin)
{
	size_t from = out->len;

	if (side && side->proc) {
		buf__u64(out, side->proc->pid);
		label__right(out, from, COLS_PID);
		buf__putc(out, ' ');
		label__text(out, side->comm, strnlen(side->comm, sizeof(side->comm)), COLS_COMM);
	} else if (origin) {
		label__origin(out, origin);
	} else {
		buf__puts(out, "-");
		label__right(out, from, COLS_PID);
	}
	label__pad(out, from, COLS_SIDE);
}

static void put_mark(struct buf *out, uint8_t attr)
{
	const char *mark = label__attr_mark(attr);
	size_t len = strlen(mark);

	if (len)
		sgr(out, SGR_DOUBT);
	buf__puts(out, mark);
	if (len)
		sgr(out, "0");
	for (; len < COLS_MARK; len++)
		buf__putc(out, ' ');
}

static void put_object(struct buf *out, const struct channel *ch)
{
	if (ch)
		label__text(out, ch->name, strlen(ch->name), COLS_OBJECT);
	else
		buf__putc(out, '-');
}

static void put_candidates(struct buf *out, const struct message *m)
{
	size_t have = m->candidate_cnt < MESSAGE_CANDIDATES_MAX ? m->candidate_cnt : MESSAGE_CANDIDATES_MAX;
	size_t listed = have < LISTED_MAX ? have : LISTED_MAX;

	sgr(out, SGR_DOUBT);
	buf__puts(out, "  one of ");
	for (size_t i = 0; i < listed; i++) {
		if (i)
			buf__puts(out, ", ");
		label__proc(out, m->candidates[i]);
	}
	if (listed < m->candidate_cnt)
		buf__printf(out, ", +%zu", m->candidate_cnt - listed);
	sgr(out, "0");
}

static void put_signal(struct buf *out, const struct message *m)
{
	const struct op *op = m->op;
	char word[SIGWORD_BYTES];

	buf__printf(out, "  %s", sigword__code(op->sig.sig, op->sig.code, word));
	if (op->sig.cause) {
		buf__puts(out, " by ");
		label__text(out, op->sig.cause, strlen(op->sig.cause), COLS_OBJECT);
	}
	if (m->delivered_ns && op->sig.result == IPCT_SIG_DELIVERED)
		return;
	sgr(out, SGR_DOUBT);
	if (op->sig.result != IPCT_SIG_DELIVERED)
		buf__printf(out, ", %s", sigword__result(op->sig.result));
	if (!m->delivered_ns && op->sig.result != IPCT_SIG_CONTINUED)
		buf__puts(out, ", not delivered");
	sgr(out, "0");
}

/* The least priority and the type that programs without types use need no words. */
static void put_queued(struct buf *out, const struct op *op)
{
	if (op->queue.type > (op->queue.by_priority ? 0 : 1))
		buf__printf(out, op->queue.by_priority ? "  priority %lld" : "  type %lld",
			    (long long)op->queue.type);
	if (op->flags & OP_F_TRUNC)
		buf__printf(out, ", %llu bytes cut off", (unsigned long long)(op->queue.total - op->bytes));
}

/* "  fd 5 -> 7 pipe:[123]" */
static void put_fds(struct buf *out, const struct message *m)
{
	for (uint16_t i = 0; i < m->fd_cnt; i++) {
		const struct passed_fd *fd = &m->fds[i];

		buf__puts(out, i ? ", fd " : "  fd ");
		if (fd->src_fd >= 0)
			buf__i64(out, fd->src_fd);
		else
			buf__putc(out, '?');
		buf__printf(out, " -> %d ", fd->dst_fd);
		label__text(out, fd->object, strlen(fd->object), COLS_OBJECT);
	}
}

static void put_wait(struct buf *out, uint64_t wait_ns)
{
	if (wait_ns < LABEL_WAIT_NS)
		return;
	buf__puts(out, "  waited ");
	time__put_duration(out, wait_ns);
}

static void put_duration(struct buf *out, bool known, uint64_t ns)
{
	size_t from = out->len;

	if (known)
		time__put_duration(out, ns);
	else
		buf__putc(out, '-');
	label__right(out, from, COLS_LATENCY);
	buf__puts(out, "  ");
}

/* As a string where it is text, else in hex. */
static void put_payload(struct buf *out, const struct payload *p)
{
	size_t strange = 0;

	if (!p)
		return;
	for (size_t i = 0; i < p->len; i++)
		strange +=
			p->data[i] < 0x20 ? !strchr("\t\r\n", p->data[i]) || !p->data[i] : p->data[i] >= 0x7f;
	buf__puts(out, p->hashed ? "  hash " : "  ");
	if (p->hashed || strange * 4 > p->len) {
		for (size_t i = 0; i < p->len; i++)
			buf__printf(out, "%02x", p->data[i]);
	} else {
		buf__putc(out, '"');
		escape__terminal(out, (const char *)p->data, p->len);
		buf__putc(out, '"');
	}
	if (p->truncated)
		buf__puts(out, "...");
}

/* A line of its own below. */
static void put_stack(struct buf *out, const char *whose, const struct stack *st)
{
	if (!st)
		return;
	buf__printf(out, "%*s%s: ", COLS_TIME + 2, "", whose);
	stack_text__line(out, st);
	buf__putc(out, '\n');
}

static void message(struct buf *out, const struct message *m, const struct view_names *names)
{
	size_t from;

	put_time(out, m->ts_ns);
	put_mech(out, m->mech, names);
	put_mark(out, m->attr);
	put_side(out, &m->src, m->origin);
	buf__puts(out, " -> ");
	put_side(out, &m->dst, NULL);
	from = out->len;
	if (m->op && (m->op->rule == PAIR_SIGNAL || (m->op->rule == PAIR_UNITS && !m->bytes)))
		buf__putc(out, '-');
	else
		label__bytes(out, m->bytes);
	label__right(out, from, COLS_BYTES);
	buf__putc(out, ' ');
	put_duration(out, m->latency_ns != 0, m->latency_ns);
	put_object(out, m->channel);
	if (!m->messages && m->attr != ATTR_UNKNOWN) {
		buf__puts(out, "  part of a message");
	} else if (m->messages > 1) {
		buf__puts(out, "  ");
		label__count(out, m->messages, "message");
	}
	put_wait(out, m->wait_ns);
	if (m->op && m->op->rule == PAIR_SIGNAL)
		put_signal(out, m);
	if (m->op && m->op->rule == PAIR_DIRECT)
		buf__printf(out, "  %s", label__direct(m->op));
	if (m->fd_cnt)
		put_fds(out, m);
	if (m->op && m->op->rule == PAIR_QUEUE)
		put_queued(out, m->op);
	if (m->candidate_cnt)
		put_candidates(out, m);
	put_payload(out, m->payload);
	buf__putc(out, '\n');
	put_stack(out, "source", m->src.stack);
	put_stack(out, "destination", m->dst.stack);
	put_stack(out, "kernel", m->op ? m->op->kernel_stack : NULL);
}

static void put_target(struct buf *out, const struct op *op)
{
	char name[SIGNAME_BYTES];

	buf__printf(out, "  %s to %u", signame(op->sig.sig, name), op->sig.dst_pid);
	if (op->sig.result != IPCT_SIG_DELIVERED)
		buf__printf(out, ", %s", sigword__result(op->sig.result));
}

static void put_units(struct buf *out, const struct op *op)
{
	if (op->rule == PAIR_UNITS && op->units.is_sem)
		buf__printf(out, "  [%u] %+d", op->units.num, op->units.sem_op);
	if (op->rule == PAIR_UNITS && op->units.woken_pid)
		buf__printf(out, "  %u", op->units.woken_pid);
}

/* In the columns of messages: the operation where a message has its destination, the result under BYTES. */
static void op_line(struct buf *out, const struct op *op, const struct channel *ch, const struct party *task,
		    const struct view_names *names)
{
	size_t from;

	put_time(out, op->ts_ns);
	put_mech(out, op->mech, names);
	put_mark(out, ATTR_EXACT);
	if (op->rule == PAIR_SIGNAL && op->sig.from_kernel) /* the running task had no part in it */
		put_side(out, NULL, op->sig.origin);
	else
		put_side(out, task, NULL);
	buf__puts(out, "    ");
	from = out->len;
	buf__printf(out, "%*s%s", COLS_PID + 1, "", op_kind__name(op->kind));
	label__pad(out, from, COLS_SIDE);
	from = out->len;
	buf__i64(out, op->ret);
	label__right(out, from, COLS_BYTES);
	buf__putc(out, ' ');
	put_duration(out, op->enter_ns && op->enter_ns <= op->ts_ns, op->ts_ns - op->enter_ns);
	put_object(out, ch);
	if (op->rule == PAIR_SIGNAL && op->sig.dst_pid)
		put_target(out, op);
	put_units(out, op);
	if (op->kind == OP_CLOSE && close_by__name(op->arg))
		buf__printf(out, "  by %s", close_by__name(op->arg));
	if (op->rule == PAIR_DIRECT)
		buf__printf(out, "  %s", label__direct(op));
	if (op->rule == PAIR_SHARE && op->kind == OP_ATTACH)
		buf__puts(out, op->map.flags & MAP_F_WRITE ? "  read-write" : "  read-only");
	if (op->rule == PAIR_LOCK)
		buf__printf(out, "  %s %s", label__lock_kind(op->lock.kind), label__lock_type(op->lock.type));
	put_wait(out, label__op_wait_ns(op));
	put_payload(out, op->payload);
	buf__putc(out, '\n');
	put_stack(out, "stack", op->stack);
	put_stack(out, "kernel", op->kernel_stack);
}

static void lost(struct buf *out, uint8_t mech, uint64_t count, int cpu, const struct view_names *names)
{
	sgr(out, SGR_DOUBT);
	buf__puts(out, "-- lost ");
	label__count(out, count, "event");
	if (mech)
		buf__printf(out, " of %s", names->mech(mech));
	if (cpu >= 0)
		buf__printf(out, " on cpu %d", cpu);
	buf__puts(out, ": what is shown near here may be incomplete --");
	sgr(out, "0");
	buf__putc(out, '\n');
}

static void header(struct buf *out)
{
	buf__printf(out, "%-*s  %-*s %-*s%*s %-*s -> %*s %-*s%*s %*s  %s\n", COLS_TIME, "TIME", COLS_MECH,
		    "MECHANISM", COLS_MARK, "", COLS_PID, "PID", COLS_COMM, "SOURCE", COLS_PID, "PID",
		    COLS_COMM, "DESTINATION", COLS_BYTES, "BYTES", COLS_LATENCY, "LATENCY", "OBJECT");
}

const struct line_view line_view__text = {
	.name = "text",
	.header = header,
	.message = message,
	.op = op_line,
	.lost = lost,
};
