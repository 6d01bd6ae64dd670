/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Message queues where messages cannot be followed: a receive is given to the first send that the queue's rule
 * allows. Sends are ordered as far as their calls do not overlap; type, length and the first bytes tell others
 * apart. Senders of different processes that remain are candidates. A receive waits a little, as the send may return after it.
 */
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "model/pair_queue_impl.h"

#define SET_MAX 64

struct set {
	struct queued *v[SET_MAX];
	size_t cnt;
};

void queue__wait(struct pairing *p, struct queue *q, struct receipt *r)
{
	struct waiting *w = xalloc(sizeof(*w));

	w->receipt = r;
	list__append(&q->waiting, &w->of_queue);
	if (list__empty(&q->all))
		list__append(&p->with_waiting, &q->all);
}

static bool same_start(const struct queued *m, const struct op *op)
{
	for (int i = 0; i < 4; i++) {
		if (m->fp[i] && op->fp[i] && m->fp[i] != op->fp[i])
			return false;
	}
	return true;
}

static bool fits(const struct queued *m, const struct op *op)
{
	bool cut = op->flags & OP_F_TRUNC;

	if (m->enter_ns >= op->ts_ns || !same_start(m, op))
		return false;
	if (op->queue.type >= 0 && m->type >= 0 && m->type != op->queue.type)
		return false;
	/* Whether a message was truncated is not known here: a longer one may have been. */
	return m->bytes == op->bytes || (m->bytes > op->bytes && (cut || !op->queue.by_priority));
}

/* Is a certainly taken before b by a receive that could have either? */
static bool precedes(const struct queued *a, const struct queued *b, const struct op *op)
{
	if (op->queue.by_priority && a->type != b->type)
		return a->type > b->type && a->sender.sent_ns <= op->enter_ns;
	return a->sender.sent_ns < b->enter_ns;
}

/*
 * The smaller, the likelier: a message that was followed would have been named, and those of the received length are
 * likelier than longer ones that were cut.
 */
static int rank(const struct queued *m, const struct op *op)
{
	return 2 * m->followed + (m->bytes != op->bytes);
}

static void collect(const struct queue *q, const struct op *op, struct set *set)
{
	int best = INT_MAX;

	set->cnt = 0;
	list__for_each(&q->sent, cur) {
		const struct queued *m = list__entry(cur, struct queued, of_queue);

		if (fits(m, op) && rank(m, op) < best)
			best = rank(m, op);
	}
	list__for_each(&q->sent, cur) {
		struct queued *m = list__entry(cur, struct queued, of_queue);

		if (set->cnt < SET_MAX && fits(m, op) && rank(m, op) == best)
			set->v[set->cnt++] = m;
	}
}

/* Receives under way at the same time, reported later, that may have been earlier. */
static size_t count_rivals(const struct queue *q, const struct op *op)
{
	size_t cnt = 0;

	list__for_each(&q->waiting, cur) {
		const struct waiting *w = list__entry(cur, struct waiting, of_queue);
		const struct op *other = receipt__op(w->receipt);

		cnt += other != op && other->enter_ns < op->ts_ns;
	}
	return cnt;
}

/* Those that as many others go before as rivals may have taken. The first of them is the one to be chosen. */
static void keep_first(struct set *set, const struct op *op, size_t rival_cnt)
{
	size_t least = SIZE_MAX;
	struct set all = *set;

	set->cnt = 0;
	for (size_t i = 0; i < all.cnt; i++) {
		size_t before = 0;

		for (size_t j = 0; j < all.cnt; j++)
			before += precedes(all.v[j], all.v[i], op);
		if (before > rival_cnt)
			continue;
		set->v[set->cnt++] = all.v[i];
		if (before < least) {
			set->v[set->cnt - 1] = set->v[0];
			set->v[0] = all.v[i];
			least = before;
		}
	}
}

static void add_proc(struct proc **procs, uint16_t *cnt, struct proc *proc)
{
	for (uint16_t i = 0; i < *cnt; i++) {
		if (procs[i] == proc)
			return;
	}
	if (*cnt < MESSAGE_CANDIDATES_MAX)
		procs[(*cnt)++] = proc;
}

/* What is not chosen now may have been taken here all the same. */
static void give(struct pairing *p, struct receipt *r, struct set *set, enum attr attr)
{
	struct proc *procs[MESSAGE_CANDIDATES_MAX];
	struct queued *m = set->v[0];
	uint16_t cnt = 0;

	for (size_t i = 0; i < set->cnt; i++) {
		add_proc(procs, &cnt, set->v[i]->sender.party.proc);
		for (uint16_t d = 0; d < set->v[i]->doubt_cnt; d++)
			add_proc(procs, &cnt, set->v[i]->doubt[d]);
	}
	if (cnt > 1)
		attr = ATTR_CANDIDATES;
	for (size_t i = 1; i < set->cnt && cnt > 1; i++) {
		for (uint16_t c = 0; c < cnt; c++)
			add_proc(set->v[i]->doubt, &set->v[i]->doubt_cnt, procs[c]);
	}
	receipt__add(r, &m->sender, receipt__op(r)->bytes, 1, attr, procs, cnt > 1 ? cnt : 0);
	queue__drop_sent(p, m);
}

static void settle_one(struct pairing *p, struct queue *q, struct receipt *r)
{
	const struct op *op = receipt__op(r);
	struct set set;
	bool old;

	collect(q, op, &set);
	keep_first(&set, op, count_rivals(q, op));
	/* What lay there before the trace is taken first, unless the receiver asked for something else. */
	old = q->backlog && (!set.cnt || (!op->queue.want && !op->queue.by_priority));
	if (old || !set.cnt) {
		q->backlog -= old;
		receipt__add_unknown(r, op->bytes, 1);
	} else {
		give(p, r, &set, q->backlog ? ATTR_INFERRED : ATTR_EXACT);
	}
	if (op->flags & OP_F_DRAINED)
		q->backlog = 0;
	receipt__done(r);
}

void queue__settle(struct pairing *p, struct queue *q, uint64_t until_ns)
{
	list__for_each(&q->waiting, cur) {
		struct waiting *w = list__entry(cur, struct waiting, of_queue);

		if (receipt__op(w->receipt)->ts_ns > until_ns)
			return;
		settle_one(p, q, w->receipt);
		list__unlink(&w->of_queue);
		free(w);
	}
	list__unlink(&q->all);
}
