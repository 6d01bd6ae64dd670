/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes with sequence numbers (TCP): each operation says which numbers its bytes have, and both ends agree on them. So
 * bytes are paired by number; neither order nor time matters, and what was sent before the trace is known by having no sender.
 *
 * Operations on ends whose other end is not known (yet) wait: it may be on another host, and then there is nothing to show.
 */
#include "model/pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/keep.h"
#include "model/seq_impl.h"

#define OVERLAP_NS (50ull * 1000 * 1000) /* how long overlapping sends wait for each other */
#define ECHO_NS (1000ull * 1000 * 1000) /* how long bytes of a terminal wait for a writer */

struct deferred {
	struct link all;
	struct op op;
};

static struct pairing *seq__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	list__init(&p->conns);
	list__init(&p->overlapping);
	list__init(&p->waiting);
	list__init(&p->deferred);
	return p;
}

static struct seq_end *find_end(struct pairing *p, struct obj_key key)
{
	return map__get(&p->ends, key.id, key.space);
}

static struct seq_end *end_of(struct pairing *p, struct obj_key key)
{
	struct seq_end *end = find_end(p, key);

	if (end)
		return end;
	end = xalloc(sizeof(*end));
	end->key = key;
	map__set(&p->ends, key.id, key.space, end);
	return end;
}

static void free_conn(struct conn *c)
{
	lane__end(&c->lane[0]);
	lane__end(&c->lane[1]);
	list__unlink(&c->all);
	list__unlink(&c->overlapping);
	free(c);
}

static void detach(struct seq_end *end, uint64_t now_ns)
{
	struct conn *c = end->conn;

	if (!c)
		return;
	end->conn = NULL;
	if (c->end[0] == end)
		c->end[0] = NULL;
	if (c->end[1] == end)
		c->end[1] = NULL;
	c->changed_ns = now_ns;
	if (!c->end[0] && !c->end[1])
		free_conn(c);
}

static void replay(struct pairing *p, struct obj_key key)
{
	list__for_each(&p->deferred, cur) {
		struct deferred *d = list__entry(cur, struct deferred, all);

		if (d->op.obj.id != key.id || d->op.obj.space != key.space)
			continue;
		list__unlink(&d->all);
		model__op(p->m, &d->op);
		free(d);
	}
}

static void join(struct pairing *p, uint8_t mech, struct obj_key a, struct obj_key b, uint64_t now_ns)
{
	struct seq_end *ea = end_of(p, a), *eb = end_of(p, b);
	struct conn *c;

	if (ea->conn)
		return;
	c = xalloc(sizeof(*c));
	c->changed_ns = now_ns;
	list__append(&p->conns, &c->all);
	list__init(&c->overlapping);
	lane__init(&c->lane[0], p, mech, b);
	lane__init(&c->lane[1], p, mech, a);
	ea->conn = c;
	ea->side = 0;
	c->end[0] = ea;
	if (!eb->conn) { /* else that address is another connection's by now, or this one is connected to itself */
		eb->conn = c;
		eb->side = 1;
		c->end[1] = eb;
	}
	replay(p, a);
	if (eb != ea)
		replay(p, b);
}

static void drop_deferred(struct pairing *p, const struct obj_key *key, uint64_t until_ns)
{
	list__for_each(&p->deferred, cur) {
		struct deferred *d = list__entry(cur, struct deferred, all);

		if (d->op.ts_ns > until_ns ||
		    (key && (d->op.obj.id != key->id || d->op.obj.space != key->space)))
			continue;
		list__unlink(&d->all);
		free(d);
	}
}

static void seq__object(struct pairing *p, const struct object_info *info)
{
	struct seq_end *end = find_end(p, info->key);

	if (!info->sequenced)
		return;
	if (!info->scanned) { /* a new connection, maybe at the address of an old one */
		if (end)
			detach(end, info->ts_ns);
		drop_deferred(p, &info->key, info->ts_ns);
	}
	if (info->peer.id)
		join(p, info->mech, info->key, info->peer, info->ts_ns);
}

/*
 * Whether the two are not each other's: the memory of one that is gone may be another's by now. A call that began before a
 * connection was made, or lost an end, may be of an older one.
 */
static bool is_stale(const struct seq_end *end, struct obj_key peer, uint64_t enter_ns)
{
	const struct seq_end *other;

	if (!end || !end->conn || enter_ns < end->conn->changed_ns)
		return false;
	other = end->conn->end[!end->side];
	if (!other) /* connected to itself */
		other = end;
	return other->key.id != peer.id || other->key.space != peer.space;
}

static bool seq__defer(struct pairing *p, const struct op *op)
{
	struct seq_end *end = find_end(p, op->obj), *other;
	struct deferred *d;

	if (op->peer.id) {
		other = find_end(p, op->peer);
		if (is_stale(end, op->peer, op->enter_ns))
			detach(end, op->enter_ns);
		if (is_stale(other, op->obj, op->enter_ns))
			detach(other, op->enter_ns);
	}
	if (end && end->conn)
		return false;
	if (op->peer.id) {
		join(p, op->mech, op->obj, op->peer, op->enter_ns);
		return false;
	}
	d = xalloc(sizeof(*d));
	d->op = *op;
	list__append(&p->deferred, &d->all);
	return true;
}

/* ---- sends ---- */

static struct sent *sent_of(struct pairing *p, const struct op *op)
{
	struct sent *call = map__get(&p->sends, op->tid, op->obj.id);

	if (call && call->enter_ns == op->enter_ns)
		return call;
	if (call) { /* its end was lost */
		map__del(&p->sends, op->tid, op->obj.id);
		sent__release_tail(call, false);
		sent__put(call);
	}
	call = xalloc(sizeof(*call));
	call->sender = model__sender(p->m, op);
	call->enter_ns = op->enter_ns;
	call->tid = op->tid;
	call->ref_cnt = 1; /* the table's */
	map__set(&p->sends, op->tid, op->obj.id, call);
	return call;
}

static void note_sender(struct lane *l, const struct op *op)
{
	if (l->last_tid != op->tid) {
		l->other_ns = l->last_ns;
		l->last_tid = op->tid;
	}
	l->last_ns = op->ts_ns;
}

static void claim(struct lane *l, struct sent *call, const struct op *op)
{
	uint64_t s = lane__position(l, (uint32_t)op->stream.addr_s),
		 e = lane__position(l, (uint32_t)op->stream.addr_e);
	/* What a sleeping sender has sent so far is certain if nobody else sent meanwhile. */
	bool guessed = (op->flags & OP_F_BLOCKED) && l->other_ns > op->enter_ns;

	if (op->flags & OP_F_COOKED)
		guessed = true;
	if (e < s + op->bytes) /* the first send made the connection, too */
		s = e - op->bytes;
	if (e - s == op->bytes) {
		lane__note_claim(l, s, e);
		lane__claim(l, call, s, e, guessed ? ATTR_INFERRED : ATTR_EXACT, NULL, 0);
	} else {
		struct overlap o = {
			.call = call, .s = s, .e = e, .n = op->bytes, .ts_ns = op->ts_ns, .guessed = guessed
		};

		memcpy(o.fp, op->fp, sizeof(o.fp));
		lane__add_overlap(l, &o);
	}
	lane__settle_overlaps(l, false);
}

static void send(struct pairing *p, struct lane *l, const struct op *op)
{
	struct sent *call = sent_of(p, op);

	call->ts_ns = call->sender.sent_ns = op->ts_ns;
	call->closed = !(op->flags & OP_F_MORE);
	call->sender.under_way = !call->closed;
	call->ref_cnt++;
	if (call->closed || op->bytes)
		sent__release_tail(call, !op->bytes);
	note_sender(l, op);
	if (op->flags & OP_F_DRAINED)
		lane__begin_anew(l, lane__position(l, (uint32_t)op->stream.addr_s));
	if (op->bytes)
		claim(l, call, op);
	if (call->closed) {
		map__del(&p->sends, op->tid, op->obj.id);
		sent__put(call);
	}
	sent__put(call);
}

/* ---- receives ---- */

static struct taken *taken_of(struct pairing *p, const struct op *op)
{
	struct taken *t = map__get(&p->recvs, op->tid, op->obj.id);

	if (t && t->enter_ns == op->enter_ns)
		return t;
	if (t) { /* its end was lost */
		map__del(&p->recvs, op->tid, op->obj.id);
		taken__put(t);
	}
	t = xalloc(sizeof(*t));
	t->enter_ns = op->enter_ns;
	t->pending = 1; /* the table's */
	map__set(&p->recvs, op->tid, op->obj.id, t);
	return t;
}

static void receive(struct pairing *p, struct lane *l, const struct op *op)
{
	struct taken *t;
	uint64_t s, e;

	if (op->flags & OP_F_PEEK)
		return;
	t = taken_of(p, op);
	if (op->bytes) {
		s = lane__position(l, (uint32_t)op->stream.addr_s);
		e = lane__position(l, (uint32_t)op->stream.addr_e);
		if (t->receipt)
			receipt__set_op(t->receipt, op);
		else
			t->receipt = receipt__new(p->m, op, NULL);
		/* One number more is the end of the stream. */
		lane__take(l, t, s, s + op->bytes, e - s > op->bytes + 1 || op->flags & OP_F_COOKED,
			   op->flags & OP_F_ECHO, op->ts_ns);
	}
	if (op->flags & OP_F_MORE)
		return;
	map__del(&p->recvs, op->tid, op->obj.id);
	taken__put(t);
}

static void seq__op(struct pairing *p, const struct op *op)
{
	struct seq_end *end = find_end(p, op->obj);

	if (op->ts_ns > p->now_ns)
		p->now_ns = op->ts_ns;
	if (!end || !end->conn)
		return;
	if (op->kind == OP_SEND) {
		struct lane *l = &end->conn->lane[end->side];

		send(p, l, op);
		if (l->overlaps.cnt && list__empty(&end->conn->overlapping))
			list__append(&p->overlapping, &end->conn->overlapping);
	} else if (op->kind == OP_RECV) {
		/* A socket that is connected to itself has one direction only. */
		receive(p, &end->conn->lane[end->conn->lane[0].to.id == end->key.id ? 0 : !end->side], op);
	}
}

/* ---- time ---- */

static void settle_overlaps(struct pairing *p)
{
	list__for_each(&p->overlapping, cur) {
		struct conn *c = list__entry(cur, struct conn, overlapping);
		bool some = false;

		for (int i = 0; i < 2; i++) {
			struct lane *l = &c->lane[i];

			if (l->overlaps.cnt && l->overlaps.v[0].ts_ns + OVERLAP_NS <= p->now_ns)
				lane__settle_overlaps(l, true);
			some |= l->overlaps.cnt;
		}
		if (!some)
			list__unlink(&c->overlapping);
	}
}

static void give_up_wants(struct pairing *p, uint64_t until_ns)
{
	while (!list__empty(&p->waiting)) {
		struct want *w = list__entry(p->waiting.next, struct want, waiting);

		if (w->ts_ns > until_ns)
			break;
		want__give_up(w);
	}
}

/* Writers report what they have written before they sleep, so echo shows soon. */
static void give_out_echo(struct pairing *p, uint64_t until_ns)
{
	list__for_each(&p->waiting, cur) {
		struct want *w = list__entry(cur, struct want, waiting);

		if (w->ts_ns > until_ns)
			break;
		if (w->echo)
			want__give_up(w);
	}
}

/* A call that is silent for long sleeps, or its end was lost: who took its last byte so far need not wait longer. */
static void release_tails(struct pairing *p, uint64_t until_ns)
{
	map__for_each(&p->sends, slot) {
		struct sent *call = slot->val;

		if (call->ts_ns <= until_ns)
			sent__release_tail(call, false);
	}
}

static void seq__advance(struct pairing *p, uint64_t now_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns, old_ns;

	if (now_ns > p->now_ns)
		p->now_ns = now_ns;
	if (now_ns < settle_ns)
		return;
	old_ns = now_ns - settle_ns;
	settle_overlaps(p);
	give_out_echo(p, now_ns - ECHO_NS);
	give_up_wants(p, old_ns);
	if (now_ns < p->next_sweep_ns)
		return;
	p->next_sweep_ns = now_ns + settle_ns;
	release_tails(p, old_ns);
	drop_deferred(p, NULL, old_ns);
	list__for_each(&p->conns, cur) {
		lane__drop_old(&list__entry(cur, struct conn, all)->lane[0], old_ns);
		lane__drop_old(&list__entry(cur, struct conn, all)->lane[1], old_ns);
	}
}

static void seq__finish(struct pairing *p, uint64_t now_ns)
{
	(void)now_ns;
	map__for_each(&p->ends, slot)
		detach(slot->val, UINT64_MAX);
	release_tails(p, UINT64_MAX);
	map__for_each(&p->recvs, slot)
		taken__put(slot->val);
	map__free(&p->recvs);
	drop_deferred(p, NULL, UINT64_MAX);
}

static void seq__free(struct pairing *p)
{
	seq__finish(p, UINT64_MAX);
	map__for_each(&p->sends, slot)
		sent__put(slot->val);
	map__for_each(&p->ends, slot)
		free(slot->val);
	map__free(&p->sends);
	map__free(&p->ends);
	free(p);
}

static void keep_lane(struct model *m, const struct lane *l)
{
	if (!list__empty(&l->segs) || !list__empty(&l->wants))
		keep__object(m, l->to);
	list__for_each(&l->segs, cur) {
		const struct seg *sg = list__entry(cur, struct seg, of_lane);

		keep__sender(&sg->call->sender);
		keep__procs(sg->cand, sg->cand_cnt);
	}
	for (size_t i = 0; i < l->overlaps.cnt; i++)
		keep__sender(&l->overlaps.v[i].call->sender);
}

static void seq__keep(struct pairing *p)
{
	list__for_each(&p->conns, cur) {
		const struct conn *c = list__entry(cur, struct conn, all);

		keep_lane(p->m, &c->lane[0]);
		keep_lane(p->m, &c->lane[1]);
	}
	map__for_each(&p->sends, slot)
		keep__sender(&((const struct sent *)slot->val)->sender);
	list__for_each(&p->deferred, cur)
		keep__object(p->m, list__entry(cur, struct deferred, all)->op.obj);
}

const struct pair_ops pair_seq = {
	.name = "seq",
	.new = seq__new,
	.free = seq__free,
	.op = seq__op,
	.defer = seq__defer,
	.object = seq__object,
	.advance = seq__advance,
	.finish = seq__finish,
	.keep = seq__keep,
};
