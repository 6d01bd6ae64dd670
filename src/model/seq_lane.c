/* SPDX-License-Identifier: GPL-2.0 */
/* One direction of a connection: what was sent and not taken, what was taken and nobody sent, by position. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/seq_impl.h"

void lane__init(struct lane *l, struct pairing *p, uint8_t mech, struct obj_key to)
{
	l->p = p;
	l->mech = mech;
	l->to = to;
	list__init(&l->segs);
	list__init(&l->wants);
}

/* Sequence numbers are 32 bits wide, and less than 2^31 bytes are on the way. */
uint64_t lane__position(struct lane *l, uint32_t seq)
{
	uint64_t pos;

	if (!l->ref)
		l->ref = (1ull << 32) + seq;
	pos = l->ref + (uint64_t)(int64_t)(int32_t)(seq - (uint32_t)l->ref);
	if (pos > l->ref)
		l->ref = pos;
	return pos;
}

void sent__put(struct sent *call)
{
	if (--call->ref_cnt == 0)
		free(call);
}

void taken__put(struct taken *t)
{
	if (--t->pending)
		return;
	if (t->receipt)
		receipt__done(t->receipt);
	free(t);
}

void sent__release_tail(struct sent *call, bool count_tail)
{
	struct taken *t = call->tail;

	if (!t)
		return;
	call->tail = NULL;
	if (count_tail)
		receipt__add(t->receipt, &call->sender, 0, 1, ATTR_EXACT, NULL, 0);
	taken__put(t);
}

static void free_seg(struct lane *l, struct seg *sg)
{
	list__unlink(&sg->of_lane);
	l->seg_cnt--;
	sent__put(sg->call);
	free(sg);
}

static struct seg *new_seg(struct lane *l, struct sent *call, uint64_t s, uint64_t e)
{
	struct seg *sg = xalloc(sizeof(*sg));

	sg->s = s;
	sg->e = e;
	sg->call = call;
	sg->ts_ns = call->ts_ns;
	call->ref_cnt++;
	l->seg_cnt++;
	return sg;
}

/* The bytes s..e of sg are t's. Frees sg when nothing is left of it. */
static void give(struct lane *l, struct seg *sg, struct taken *t, uint64_t s, uint64_t e, bool inferred)
{
	struct sent *call = sg->call;
	enum attr attr = inferred && sg->attr < ATTR_INFERRED ? ATTR_INFERRED : sg->attr;
	bool last = e == call->end;

	receipt__add(t->receipt, &call->sender, e - s, last && call->closed, attr, sg->cand, sg->cand_cnt);
	if (last && !call->closed) {
		sent__release_tail(call, false);
		call->tail = t;
		t->pending++;
	}
	if (s > sg->s && e < sg->e) {
		struct seg *rest = new_seg(l, call, e, sg->e);

		rest->attr = sg->attr;
		rest->gone = sg->gone;
		rest->ts_ns = sg->ts_ns;
		rest->cand_cnt = sg->cand_cnt;
		memcpy(rest->cand, sg->cand, sizeof(rest->cand));
		list__insert(sg->of_lane.next, &rest->of_lane);
		sg->e = s;
	} else if (s > sg->s) {
		sg->e = s;
	} else if (e < sg->e) {
		sg->s = e;
	} else {
		free_seg(l, sg);
	}
}

static void add_want(struct lane *l, struct taken *t, uint64_t s, uint64_t e, bool inferred, bool echo,
		     uint64_t ts_ns)
{
	struct want *w = xalloc(sizeof(*w));
	struct link *before = &l->p->waiting;

	*w = (struct want){
		.lane = l, .s = s, .e = e, .ts_ns = ts_ns, .inferred = inferred, .echo = echo, .taken = t
	};
	t->pending++;
	list__append(&l->wants, &w->of_lane);
	/* Nearly always the latest; what is left of an older one goes back to its place. */
	while (before->prev != &l->p->waiting &&
	       list__entry(before->prev, struct want, waiting)->ts_ns > ts_ns)
		before = before->prev;
	list__insert(before, &w->waiting);
}

void lane__take(struct lane *l, struct taken *t, uint64_t s, uint64_t e, bool inferred, bool echo,
		uint64_t ts_ns)
{
	if (e > l->taken_end)
		l->taken_end = e;
	list__for_each(&l->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, of_lane);
		uint64_t end = sg->e < e ? sg->e : e;

		if (sg->e <= s)
			continue;
		if (sg->s >= e || s >= e)
			break;
		if (sg->s > s) {
			add_want(l, t, s, sg->s, inferred, echo, ts_ns);
			s = sg->s;
		}
		give(l, sg, t, s, end, inferred);
		s = end;
	}
	if (s < e)
		add_want(l, t, s, e, inferred, echo, ts_ns);
}

static void free_want(struct want *w)
{
	struct taken *t = w->taken;

	list__unlink(&w->of_lane);
	list__unlink(&w->waiting);
	free(w);
	taken__put(t);
}

void want__give_up(struct want *w)
{
	static const struct sender echo = { .origin = "echo" };

	if (w->echo)
		receipt__add(w->taken->receipt, &echo, w->e - w->s, 0, ATTR_INFERRED, NULL, 0);
	else
		receipt__add_unknown(w->taken->receipt, w->e - w->s, 0);
	free_want(w);
}

static void add_candidate(struct seg *sg, struct proc *proc)
{
	for (size_t i = 0; i < sg->cand_cnt; i++) {
		if (sg->cand[i] == proc)
			return;
	}
	if (sg->cand_cnt < MESSAGE_CANDIDATES_MAX)
		sg->cand[sg->cand_cnt++] = proc;
}

/* Two calls say that the same bytes are theirs: one of them was guessed. */
static void dispute(struct seg *sg, const struct sent *rival)
{
	if (sg->call->sender.party.proc == rival->sender.party.proc)
		return;
	sg->attr = ATTR_CANDIDATES;
	add_candidate(sg, sg->call->sender.party.proc);
	add_candidate(sg, rival->sender.party.proc);
}

static void insert_seg(struct lane *l, struct link *before, struct sent *call, uint64_t s, uint64_t e,
		       enum attr attr, struct proc *const *cand, size_t cand_cnt)
{
	struct seg *sg = new_seg(l, call, s, e);

	sg->attr = attr;
	for (size_t i = 0; i < cand_cnt; i++)
		add_candidate(sg, cand[i]);
	list__insert(before, &sg->of_lane);
}

/* Whoever waits for bytes of s..e asks again. */
static void serve(struct lane *l, uint64_t s, uint64_t e)
{
	struct link due;

	list__init(&due);
	list__for_each(&l->wants, cur) {
		struct want *w = list__entry(cur, struct want, of_lane);

		if (w->s >= e || w->e <= s)
			continue;
		list__unlink(&w->of_lane);
		list__append(&due, &w->of_lane);
	}
	list__for_each(&due, cur) {
		struct want *w = list__entry(cur, struct want, of_lane);

		lane__take(l, w->taken, w->s, w->e, w->inferred, w->echo, w->ts_ns);
		free_want(w);
	}
}

void lane__claim(struct lane *l, struct sent *call, uint64_t s, uint64_t e, enum attr attr,
		 struct proc *const *cand, size_t cand_cnt)
{
	struct link *cur = l->segs.next;
	uint64_t from = s;

	if (e > call->end)
		call->end = e;
	/* The new one is mostly behind all others. */
	if (!list__empty(&l->segs) && list__entry(l->segs.prev, struct seg, of_lane)->e <= s)
		cur = &l->segs;
	for (; cur != &l->segs && s < e; cur = cur->next) {
		struct seg *sg = list__entry(cur, struct seg, of_lane);

		if (sg->e <= s)
			continue;
		if (sg->s >= e)
			break;
		if (sg->s > s)
			insert_seg(l, cur, call, s, sg->s, attr, cand, cand_cnt);
		dispute(sg, call);
		s = sg->e;
	}
	if (s < e)
		insert_seg(l, cur, call, s, e, attr, cand, cand_cnt);
	serve(l, from, e);
	if (l->seg_cnt > model__opts(l->p->m)->pending_max)
		lane__drop_old(l, UINT64_MAX);
}

static void discard(struct lane *l, struct seg *sg)
{
	model__channel(l->p->m, l->mech, l->to)->discarded_bytes += sg->e - sg->s;
	free_seg(l, sg);
}

void lane__begin_anew(struct lane *l, uint64_t s)
{
	list__for_each(&l->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, of_lane);

		sg->gone = true;
		if (sg->e > s)
			discard(l, sg);
	}
	l->claim_cnt = 0;
}

static void drop_unread(struct lane *l, struct seg *sg)
{
	if (!sg->call->counted)
		model__stats_mut(l->p->m)->unmatched_sends++;
	sg->call->counted = true;
	model__channel(l->p->m, l->mech, l->to)->unread_bytes += sg->e - sg->s;
	free_seg(l, sg);
}

void lane__drop_old(struct lane *l, uint64_t before_ns)
{
	list__for_each(&l->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, of_lane);

		if (before_ns != UINT64_MAX &&
		    ((sg->e > l->taken_end && !sg->gone) || sg->ts_ns >= before_ns))
			continue;
		if (sg->gone)
			discard(l, sg);
		else
			drop_unread(l, sg);
	}
}

void lane__end(struct lane *l)
{
	lane__settle_overlaps(l, true);
	while (!list__empty(&l->wants))
		want__give_up(list__entry(l->wants.next, struct want, of_lane));
	lane__drop_old(l, UINT64_MAX);
	vec__free(&l->overlaps);
}
