/* SPDX-License-Identifier: GPL-2.0 */
/* Which bytes of the stream each read took. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

static struct rd *new_rd(struct pipe *pi, const struct op *op)
{
	struct pairing *p = pi->p;
	struct link *l = spares__take(&p->spare_reads);
	struct rd *r = l ? list__entry(l, struct rd, link) : xalloc(sizeof(*r));

	list__init(&r->link);
	r->receipt = receipt__new(p->m, op, NULL);
	r->e = pipe__pos(pi, op->stream.addr_e);
	r->s = op->flags & OP_F_NOENTRY ? pi->r_end : pipe__pos(pi, op->stream.addr_s);
	if (r->s > r->e)
		r->s = pi->r_end < r->e ? pi->r_end : r->e;
	r->bytes = op->bytes;
	r->enter_ns = op->enter_ns;
	r->ts_ns = op->ts_ns;
	r->flags = op->flags;
	r->pid = op->pid;
	memcpy(r->fp, op->fp, sizeof(r->fp));
	r->inferred = false;
	r->cand_cnt = 0;
	return r;
}

static void give(struct rd *r, const struct chunk *c, uint64_t bytes, bool ends)
{
	const struct wr *w = c->w;
	bool is_doubtful, is_inferred;
	enum attr attr;

	if (!w) {
		receipt__add_unknown(r->receipt, bytes, 0);
		return;
	}
	is_doubtful = w->cand_cnt || r->cand_cnt > 1;
	is_inferred = w->inferred || r->inferred;
	attr = is_doubtful ? ATTR_CANDIDATES : is_inferred ? ATTR_INFERRED : ATTR_EXACT;
	receipt__add(r->receipt, &w->sender, bytes, ends && c->last, attr, w->cand, w->cand_cnt);
	if (is_doubtful)
		receipt__add(r->receipt, &w->sender, 0, 0, attr, r->cand, r->cand_cnt);
}

static void discard(struct pipe *pi, uint64_t bytes)
{
	struct channel *ch = bytes ? model__channel(pi->p->m, pi->mech, pi->key) : NULL;

	if (ch)
		ch->discarded_bytes += bytes;
}

/* What is left of the packet that c begins with. */
static uint64_t packet_bytes(const struct chunk *c)
{
	uint64_t end = slot_down(c->from) + SLOT_BYTES;

	return c->to < end ? c->to - c->from : end - c->from;
}

/* Takes up to `want` bytes of sg; returns how many. */
static uint64_t take_seg(struct pipe *pi, struct rd *r, struct seg *sg, uint64_t want)
{
	struct chunk *c = &sg->c;
	uint64_t limit = c->packet ? packet_bytes(c) : c->bytes;
	uint64_t n = want < limit ? want : limit;
	uint64_t skip = c->packet ? limit : n;

	give(r, c, n, skip == c->bytes);
	discard(pi, skip - n);
	if (skip == c->bytes) {
		line__remove(pi, sg);
		return n;
	}
	c->bytes -= skip;
	if (!c->opaque)
		c->from += skip;
	c->first = false;
	return n;
}

/* An elastic piece of which nothing is known: what is missing is from there. */
static void pass_elastic(struct pipe *pi, const struct rd *r, struct seg *sg)
{
	if (sg->c.to <= r->e) {
		line__remove(pi, sg);
		return;
	}
	sg->c.from = r->e;
	sg->room = sg->c.to - r->e;
}

void rd__take(struct pipe *pi, struct rd *r)
{
	uint64_t left = r->bytes;

	r->inferred |= r->s < pi->shaky_to;
	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);
		bool is_packet = sg->c.packet;

		if (!left || sg->c.from >= r->e)
			break;
		if (sg->room) {
			pass_elastic(pi, r, sg);
			continue;
		}
		left -= take_seg(pi, r, sg, left);
		if (is_packet)
			break;
	}
	if (left)
		receipt__add_unknown(r->receipt, left, 0);
	receipt__done(r->receipt);
	if (r->e > pi->r_end)
		pi->r_end = r->e;
	list__unlink(&r->link);
	if (!spares__give(&pi->p->spare_reads, &r->link))
		free(r);
}

/* Alone between its samples: it took just what lies there. */
static bool fits_alone(const struct pipe *pi, struct rd *r)
{
	uint64_t left = r->bytes;
	const struct link *l = pi->segs.next;
	const struct seg *sg;

	if (!pipe__reaches(pi, r->e) || l == &pi->segs)
		return false;
	sg = list__entry(l, struct seg, link);
	/* A writer that has just taken the slot again shows what it held before: only the slot is certain. */
	if (sg->room || sg->g || (sg->c.opaque ? sg->c.to : sg->c.from) < slot_down(r->s))
		return false;
	if (sg->c.first && sg->c.w && fp__differ(r->fp, sg->c.w->fp))
		r->inferred = true;
	for (; l != &pi->segs; l = l->next) {
		uint64_t bytes;

		sg = list__entry(l, struct seg, link);
		if (sg->room || sg->g || sg->c.from >= r->e)
			return !left && sg->c.from >= r->e;
		bytes = sg->c.packet ? packet_bytes(&sg->c) : sg->c.bytes;
		if (sg->c.packet)
			return left <= bytes && slot_down(sg->c.from) + SLOT_BYTES >= r->e;
		if (left < bytes)
			return sg->c.opaque || sg->c.from + left == r->e;
		left -= bytes;
		if (!left && sg->c.to >= r->e)
			return sg->c.to <= r->e || sg->c.opaque;
	}
	return !left;
}

void rd__pend(struct pipe *pi, struct rd *r)
{
	struct link *l = pi->reads.prev;

	while (l != &pi->reads && list__entry(l, struct rd, link)->s > r->s)
		l = l->prev;
	list__insert(l->next, &r->link);
}

void pipe__add_read(struct pipe *pi, const struct op *op)
{
	struct rd *r = new_rd(pi, op);

	crowd__meet(&pi->readers, op);
	if (!pi->read_cnt && op->ts_ns >= pi->readers.until_ns && fits_alone(pi, r)) {
		rd__take(pi, r);
		return;
	}
	rd__pend(pi, r);
	pi->read_cnt++;
}

struct comp {
	struct rd *rd[READS_MAX];
	unsigned cnt;
	uint64_t lo, hi, last_ns, bytes;
	bool is_full; /* there may be more */
};

static void join(struct comp *c, struct rd *r)
{
	c->rd[c->cnt++] = r;
	c->bytes += r->bytes;
	if (r->e > c->hi)
		c->hi = r->e;
	if (r->ts_ns > c->last_ns)
		c->last_ns = r->ts_ns;
}

static void end_at(struct comp *c, uint64_t pos)
{
	c->hi = pos;
	for (unsigned i = 0; i < c->cnt; i++)
		if (c->rd[i]->e > pos)
			c->rd[i]->e = pos;
}

/* A group of writes that the reads so far end in the middle of. */
static bool is_in_group(const struct pipe *pi, uint64_t hi)
{
	for (struct link *l = pi->segs.next; l != &pi->segs; l = l->next) {
		const struct seg *sg = list__entry(l, struct seg, link);

		if (sg->c.from >= hi)
			break;
		if (sg->g && sg->c.to > hi)
			return true;
	}
	return false;
}

/*
 * The first reads that overlap each other, or a group of writes: up to where just as many bytes lie as all reads took that
 * may have begun before. false: more have to come
 */
static bool component(const struct pipe *pi, struct comp *c)
{
	struct gauge gauge = { pi->segs.next, 0 };
	uint64_t before;

	c->cnt = 0;
	c->hi = c->last_ns = c->bytes = 0;
	c->lo = list__entry(pi->reads.next, struct rd, link)->s;
	for (struct link *l = pi->reads.next; l != &pi->reads && c->cnt < READS_MAX; l = l->next) {
		struct rd *r = list__entry(l, struct rd, link);

		if (c->cnt && r->s >= c->hi && !is_in_group(pi, c->hi))
			return true;
		if (c->cnt && r->s < c->hi && gauge__move(pi, &gauge, r->s, &before) && before == c->bytes) {
			end_at(c, r->s);
			return true;
		}
		join(c, r);
	}
	return c->cnt == READS_MAX || !is_in_group(pi, c->hi);
}

static bool has_groups(const struct pipe *pi, uint64_t hi)
{
	for (struct link *l = pi->segs.next; l != &pi->segs; l = l->next) {
		const struct seg *sg = list__entry(l, struct seg, link);

		if (sg->c.from >= hi)
			break;
		if (sg->g)
			return true;
	}
	return false;
}

/* Nothing else will come: each takes what lies there, in the order of their places. */
static void take_anyhow(struct pipe *pi, struct comp *c)
{
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
	uint8_t cand_cnt = 0;
	bool sure;

	line__drop_before(pi, c->lo);
	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);

		if (sg->c.from >= c->hi)
			break;
		for (unsigned i = 0; sg->g && i < sg->g->w_cnt; i++)
			cand__add(cand, &cand_cnt, sg->g->w[i]->sender.party.proc);
		if (sg->c.w)
			cand__add(cand, &cand_cnt, sg->c.w->sender.party.proc);
		if (sg->g) {
			for (unsigned i = 0; i < sg->g->w_cnt; i++)
				sg->g->w[i]->inferred = true;
			group__lay(pi, sg, 0);
		}
	}
	sure = c->cnt == 1 && cand_cnt <= 1 && line__stretch(pi, c->hi, c->bytes);
	for (unsigned i = 0; i < c->cnt; i++) {
		struct rd *r = c->rd[i];

		r->inferred = !sure;
		if (!sure && cand_cnt > 1) {
			memcpy(r->cand, cand, sizeof(cand));
			r->cand_cnt = cand_cnt;
		}
		rd__take(pi, r);
	}
	pi->read_cnt -= c->cnt;
	if (!sure)
		pipe__doubt(pi, slot_up(c->hi));
}

static uint64_t tried(const struct pipe *pi, const struct comp *c)
{
	return (c->hi * 0x9e3779b97f4a7c15ull) ^ (pi->w_end * 31) ^ (uint64_t)c->cnt << 58 ^ c->bytes ^
	       (uint64_t)is_overdue(pi, c->last_ns, GRACE_NS) << 57;
}

static bool match(struct pipe *pi, struct comp *c, bool complete)
{
	bool some;

	if (!pipe__reaches(pi, c->hi))
		return false;
	if (complete &&
	    is_overdue(pi, c->last_ns, GRACE_NS)) /* what is missing is nobody's who will report */
		line__stretch(pi, c->hi, c->bytes);
	some = complete && c->cnt == 1 && fits_alone(pi, c->rd[0]);
	if (some)
		rd__take(pi, c->rd[0]);
	else if (complete && (c->cnt > 1 || has_groups(pi, c->hi)))
		some = pipe__match_group(pi, c->rd, c->cnt, c->hi, is_overdue(pi, c->last_ns, GRACE_NS));
	if (some)
		pi->read_cnt -= c->cnt;
	return some;
}

bool pipe__match_reads(struct pipe *pi, bool force)
{
	uint64_t settle_ns = model__opts(pi->p->m)->settle_ns,
		 wait_ns = pi->is_lossy ? 2 * GRACE_NS : settle_ns;
	bool some = false, complete, late;
	struct comp c;

	while (pi->read_cnt) {
		complete = component(pi, &c);
		late = force || is_overdue(pi, c.last_ns, wait_ns);
		if (!force && !is_ripe(pi, &pi->readers, c.last_ns, GRACE_NS))
			break;
		if (!late && tried(pi, &c) == pi->tried_r)
			break;
		pi->tried_r = tried(pi, &c);
		if (c.cnt > 1 && pipe__narrow_reads(pi, c.hi))
			continue;
		if (match(pi, &c, complete || late)) {
			some = true;
		} else if (late) {
			take_anyhow(pi, &c);
			force = false;
			some = true;
		} else {
			break;
		}
	}
	return some;
}
