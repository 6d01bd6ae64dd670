/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receipts collect who sent what a receive took, and become messages: one per sender.
 *
 * Messages leave in the order of their receipts as far as possible: a receipt that is done waits for older ones that
 * are open, but not longer than HOLD_NS, and not more than HOLD_MAX of them: then the open one leaves the line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/keep.h"
#include "model/model_impl.h"

#define HOLD_NS (50ull * 1000 * 1000)
#define HOLD_MAX 1024
#define SPARE_MAX 1024

struct portion { /* what one sender has in it */
	struct sender from; /* party.proc and origin NULL: unknown */
	uint64_t bytes, messages;
	enum attr attr;
	uint16_t cand_cnt;
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
};

struct receipt {
	struct receipt *next, *prev;
	struct model *m;
	struct op op;
	struct channel *channel;
	struct party dst;
	uint64_t delivered_ns;
	bool done;
	bool late; /* not in the line any more: given out as soon as it is done */
	VEC(struct portion) portions;
};

static void append(struct receipt_list *list, struct receipt *r)
{
	r->next = NULL;
	r->prev = list->tail;
	if (list->tail)
		list->tail->next = r;
	else
		list->head = r;
	list->tail = r;
}

static void unlink_from(struct receipt_list *list, struct receipt *r)
{
	if (r->prev)
		r->prev->next = r->next;
	else
		list->head = r->next;
	if (r->next)
		r->next->prev = r->prev;
	else
		list->tail = r->prev;
}

struct receipt *receipt__new(struct model *m, const struct op *op, struct channel *ch)
{
	struct receipt_queue *q = &m->receipts;
	struct receipt *r = q->spare;

	if (r) {
		q->spare = r->next;
		q->spare_cnt--;
	} else {
		r = xalloc(sizeof(*r));
	}
	r->m = m;
	r->op = *op;
	r->channel = ch ? ch : objects__channel(m, op->mech, op->obj);
	r->dst = model__party(m, op->pid, op->tid);
	r->dst.stack = op->stack;
	r->delivered_ns = 0;
	r->done = false;
	r->late = false;
	r->portions.cnt = 0;
	append(&q->line, r);
	return r;
}

const struct op *receipt__op(const struct receipt *r)
{
	return &r->op;
}

void receipt__set_op(struct receipt *r, const struct op *op)
{
	r->op = *op;
}

void receipt__set_target(struct receipt *r, const struct party *dst, uint64_t delivered_ns)
{
	r->dst = *dst;
	r->delivered_ns = delivered_ns;
}

static struct portion *portion_of(struct receipt *r, const struct sender *s)
{
	size_t i;

	for (i = 0; i < r->portions.cnt; i++) {
		struct portion *p = &r->portions.v[i];

		if (p->from.party.proc == s->party.proc && p->from.party.tid == s->party.tid &&
		    p->from.origin == s->origin)
			return p;
	}
	vec__push(&r->portions, (struct portion){ .from = *s });
	return &r->portions.v[r->portions.cnt - 1];
}

static void add_candidate(struct portion *p, struct proc *proc)
{
	uint16_t i;

	for (i = 0; i < p->cand_cnt; i++)
		if (p->cand[i] == proc)
			return;
	if (p->cand_cnt < MESSAGE_CANDIDATES_MAX)
		p->cand[p->cand_cnt++] = proc;
}

void receipt__add(struct receipt *r, const struct sender *s, uint64_t bytes, uint64_t messages,
		  enum attr attr, struct proc *const *cand, size_t cand_cnt)
{
	struct portion *p = portion_of(r, s);
	size_t i;

	p->bytes += bytes;
	p->messages += messages;
	if (attr > p->attr)
		p->attr = attr;
	if (s->sent_ns > p->from.sent_ns) {
		p->from.sent_ns = s->sent_ns;
		p->from.began_ns = s->began_ns;
		p->from.under_way = s->under_way;
		p->from.party.stack = s->party.stack;
	}
	for (i = 0; i < cand_cnt; i++)
		add_candidate(p, cand[i]);
}

void receipt__add_unknown(struct receipt *r, uint64_t bytes, uint64_t messages)
{
	static const struct sender nobody;

	receipt__add(r, &nobody, bytes, messages, ATTR_UNKNOWN, NULL, 0);
}

/*
 * A receiver that was waiting can have returned before the send did, and what a long send sends is taken piece by piece
 * while it lasts: then it took no longer than since the call.
 */
static void set_latency(struct message *msg, const struct receipt *r, const struct portion *p)
{
	uint64_t end_ns = r->op.rule == PAIR_SIGNAL ? r->delivered_ns : r->op.ts_ns;
	bool is_early = p->from.under_way || p->from.sent_ns >= end_ns;
	uint64_t from_ns = is_early ? p->from.began_ns : p->from.sent_ns;

	msg->sent_ns = p->from.sent_ns;
	if (from_ns && end_ns > from_ns)
		msg->latency_ns = end_ns - from_ns;
}

static void give_out(struct receipt *r, const struct portion *p, bool first)
{
	struct model *m = r->m;
	const struct op *op = &r->op;
	struct message msg = {
		.ts_ns = op->ts_ns,
		.mech = op->mech,
		.attr = (uint8_t)p->attr,
		.channel = channel__resolve(r->channel),
		.src = p->from.party,
		.dst = r->dst,
		.origin = p->from.origin,
		.bytes = p->bytes,
		.messages = p->messages,
		.op = op,
		.delivered_ns = r->delivered_ns,
	};

	set_latency(&msg, r, p);
	/* The wait was one, however many senders ended it. */
	if (first && (op->flags & OP_F_WAITED) && op->enter_ns && op->ts_ns > op->enter_ns)
		msg.wait_ns = op->ts_ns - op->enter_ns;
	if (p->attr == ATTR_CANDIDATES) {
		msg.candidate_cnt = p->cand_cnt;
		memcpy(msg.candidates, p->cand, p->cand_cnt * sizeof(p->cand[0]));
	}
	msg.fds = passed__of(m, op->fds_nr, &msg.fd_cnt);
	model__give_out(m, &msg);
}

static void retire(struct receipt *r)
{
	struct receipt_queue *q = &r->m->receipts;

	unlink_from(r->late ? &q->late : &q->line, r);
	if (q->spare_cnt >= SPARE_MAX) {
		vec__free(&r->portions);
		free(r);
		return;
	}
	r->next = q->spare;
	q->spare = r;
	q->spare_cnt++;
}

static void emit(struct receipt *r)
{
	size_t i;

	for (i = 0; i < r->portions.cnt; i++)
		give_out(r, &r->portions.v[i], i == 0);
	retire(r);
}

void receipts__release(struct model *m, uint64_t now_ns)
{
	struct receipt_queue *q = &m->receipts;
	struct receipt *r;

	while (q->done_cnt) {
		r = q->line.head;
		if (r->done) {
			q->done_cnt--;
			emit(r);
		} else if (q->done_cnt > HOLD_MAX || r->op.ts_ns + HOLD_NS <= now_ns) {
			unlink_from(&q->line, r);
			append(&q->late, r);
			r->late = true;
		} else {
			break;
		}
	}
}

void receipt__done(struct receipt *r)
{
	struct model *m = r->m;
	size_t i;

	for (i = 0; i < r->portions.cnt; i++) {
		struct portion *p = &r->portions.v[i];

		m->stats.unmatched_receives += !p->from.party.proc && !p->from.origin;
		m->stats.ambiguous += p->attr == ATTR_CANDIDATES;
	}
	if (r->late) {
		emit(r);
		return;
	}
	r->done = true;
	m->receipts.done_cnt++;
	receipts__release(m, m->now_ns);
}

static void keep_receipt(struct model *m, const struct receipt *r)
{
	keep__channel(r->channel);
	keep__proc(r->dst.proc);
	keep__object(m, r->op.obj);
	if (r->op.rule == PAIR_SIGNAL)
		strtab__keep(r->op.sig.cause);
	for (size_t i = 0; i < r->portions.cnt; i++) {
		const struct portion *p = &r->portions.v[i];

		keep__sender(&p->from);
		keep__procs(p->cand, p->cand_cnt);
	}
}

void receipts__keep(struct model *m)
{
	for (const struct receipt *r = m->receipts.line.head; r; r = r->next)
		keep_receipt(m, r);
	for (const struct receipt *r = m->receipts.late.head; r; r = r->next)
		keep_receipt(m, r);
}

static void free_list(struct receipt *r)
{
	while (r) {
		struct receipt *next = r->next;

		vec__free(&r->portions);
		free(r);
		r = next;
	}
}

void receipts__free(struct model *m)
{
	free_list(m->receipts.line.head);
	free_list(m->receipts.late.head);
	free_list(m->receipts.spare);
	m->receipts = (struct receipt_queue){ 0 };
}
