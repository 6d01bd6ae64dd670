/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads that overlap each other or a group of writes: all orders of the reads, and all ways in which the writes
 * can lie, that fit the samples, the times and the contents. What is the same in all of them is certain.
 */
#include <stdlib.h>
#include <string.h>

#include "model/stream_impl.h"

#define BUDGET 4000
#define WAYS_MAX 256 /* of combining the groups' plans */
#define GROUPS_MAX 8
#define FLAT_MAX (1 << 17)

struct match {
	struct pipe *pi;
	struct rd *const *rd;
	unsigned cnt;
	uint64_t hi;
	unsigned budget;
	bool use_fp;
	bool slots_only; /* offsets of where reads began may be those of the slot's former use */
	struct seg *group[GROUPS_MAX];
	unsigned group_cnt, plan[GROUPS_MAX];
	uint32_t fitting[GROUPS_MAX]; /* plans that were part of what was found, one bit each */
	/* the state of the search */
	uint32_t used;
	uint8_t order[READS_MAX];
	uint64_t sig[READS_MAX]; /* what each took, by sender */
	/* what was found */
	uint64_t found_cnt;
	uint8_t found_order[READS_MAX];
	unsigned found_plan[GROUPS_MAX];
	uint64_t found_sig[READS_MAX], found_sum[READS_MAX];
	bool sig_differs[READS_MAX], sum_differs[READS_MAX];
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
	uint8_t cand_cnt;
};

struct cursor {
	size_t at; /* chunk */
	uint64_t eaten; /* of its bytes */
};

static const struct chunk *chunk_at(const struct match *m, struct cursor c)
{
	return c.at < m->pi->p->flat.cnt ? &m->pi->p->flat.v[c.at] : NULL;
}

/* Where the next byte is: at least, or at most, for that is not known in opaque slots. */
static uint64_t next_pos(const struct match *m, struct cursor c, bool most)
{
	const struct chunk *ch = chunk_at(m, c);

	if (!ch)
		return UINT64_MAX;
	if (ch->opaque)
		return most ? ch->to : ch->from;
	return ch->from + c.eaten;
}

static bool has_byte(const struct match *m, size_t from, size_t to, uint64_t pos)
{
	for (size_t i = from; i <= to && i < m->pi->p->flat.cnt; i++) {
		const struct chunk *c = &m->pi->p->flat.v[i];

		if (!c->opaque && c->from <= pos && pos < c->to)
			return true;
	}
	return false;
}

/* Sampled read addresses are where reads end, or slots do. */
static bool is_cut(const struct match *m, struct cursor a, struct cursor b, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < 2 * m->cnt; i++) {
		const struct rd *r = m->rd[i / 2];
		uint64_t x = i % 2 ? r->e : r->s;

		if (!(x % SLOT_BYTES) || (m->slots_only && !(i % 2)) || x <= from || x >= to ||
		    r->flags & (OP_F_PAGES | OP_F_NOENTRY))
			continue;
		if (has_byte(m, a.at, b.at, x))
			return true;
	}
	return false;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
}

/* The read takes its bytes from *c on. false: it cannot */
static bool consume(struct match *m, const struct rd *r, struct cursor *c, uint64_t *sig)
{
	struct cursor start = *c;
	const struct chunk *ch = chunk_at(m, *c);
	uint64_t left = r->bytes, from = next_pos(m, *c, false), end = 0;

	if (!ch || (ch->opaque ? ch->to : from) < (m->slots_only ? slot_down(r->s) : r->s))
		return false;
	if (m->use_fp && ch->first && !c->eaten && ch->w && fp__differ(r->fp, ch->w->fp))
		return false;
	*sig = 0;
	while (left && (ch = chunk_at(m, *c))) {
		uint64_t have = ch->bytes - c->eaten, n = left < have ? left : have;

		if (n)
			*sig += n * mix(ch->w ? (uintptr_t)ch->w->sender.party.proc : 1);
		end = ch->opaque ? ch->from : ch->from + c->eaten + n;
		left -= n;
		c->eaten += n;
		if (ch->last && c->eaten == ch->bytes) /* a message of its writer */
			*sig += mix(ch->w ? ~(uintptr_t)ch->w->sender.party.proc : 2);
		if (ch->packet || c->eaten == ch->bytes) {
			c->at++;
			c->eaten = 0;
		}
		if (ch->packet)
			break;
	}
	return !left && end <= r->e && !is_cut(m, start, *c, from, end);
}

static bool may_be_next(const struct match *m, unsigned i)
{
	for (unsigned k = 0; k < m->cnt; k++)
		if (k != i && !(m->used & 1u << k) && m->rd[k]->ts_ns < m->rd[i]->enter_ns)
			return false;
	return true;
}

static uint64_t sum_of(const struct match *m, unsigned i)
{
	uint64_t sum = 0;

	for (unsigned k = 0; k < m->cnt; k++)
		if (m->rd[k]->pid == m->rd[i]->pid)
			sum += m->sig[k];
	return sum;
}

static void save(struct match *m)
{
	bool is_first = !m->found_cnt++;

	_Static_assert(PLANS_MAX <= 32, "a bit each");
	for (unsigned g = 0; g < m->group_cnt; g++)
		m->fitting[g] |= 1u << m->plan[g];
	if (is_first) {
		memcpy(m->found_order, m->order, sizeof(m->order));
		memcpy(m->found_plan, m->plan, sizeof(m->plan));
	}
	for (unsigned i = 0; i < m->cnt; i++) {
		uint64_t sum = sum_of(m, i);

		if (is_first) {
			m->found_sig[i] = m->sig[i];
			m->found_sum[i] = sum;
			continue;
		}
		m->sig_differs[i] |= m->found_sig[i] != m->sig[i];
		m->sum_differs[i] |= m->found_sum[i] != sum;
	}
}

static void step(struct match *m, unsigned depth, struct cursor c)
{
	if (!m->budget)
		return;
	m->budget--;
	if (depth == m->cnt) {
		if (next_pos(m, c, true) >= m->hi)
			save(m);
		return;
	}
	for (unsigned i = 0; i < m->cnt; i++) {
		struct cursor next = c;

		if (m->used & 1u << i || !may_be_next(m, i) || !consume(m, m->rd[i], &next, &m->sig[i]))
			continue;
		m->used |= 1u << i;
		m->order[depth] = (uint8_t)i;
		step(m, depth + 1, next);
		m->used &= ~(1u << i);
	}
}

static bool push_chunk(struct match *m, const struct chunk *c)
{
	struct chunk piece = *c;

	if (!c->packet) {
		vec__push(&m->pi->p->flat, piece);
		return m->pi->p->flat.cnt < FLAT_MAX;
	}
	while (piece.from < c->to && m->pi->p->flat.cnt < FLAT_MAX) { /* one chunk per packet */
		uint64_t end = slot_down(piece.from) + SLOT_BYTES;

		piece.to = c->to < end ? c->to : end;
		piece.bytes = piece.to - piece.from;
		piece.last = c->last && piece.to == c->to;
		vec__push(&m->pi->p->flat, piece);
		piece.from = piece.to;
		piece.first = false;
	}
	return m->pi->p->flat.cnt < FLAT_MAX;
}

static bool flatten(struct match *m)
{
	unsigned g = 0;

	m->pi->p->flat.cnt = 0;
	for (struct link *l = m->pi->segs.next; l != &m->pi->segs; l = l->next) {
		struct seg *sg = list__entry(l, struct seg, link);
		const struct plan *pl;

		if (sg->room)
			return sg->c.from >= m->hi;
		if (!sg->g) {
			if (!push_chunk(m, &sg->c))
				return false;
		} else if (g < m->group_cnt) {
			pl = &sg->g->plans.v[m->plan[g++]];
			for (unsigned i = 0; i < pl->cnt; i++)
				push_chunk(m, &pl->chunk[i]);
		} else {
			return true;
		}
		if (sg->c.from >= m->hi)
			return true;
	}
	return true;
}

static bool next_way(struct match *m)
{
	for (unsigned i = 0; i < m->group_cnt; i++) {
		if (++m->plan[i] < m->group[i]->g->plans.cnt)
			return true;
		m->plan[i] = 0;
	}
	return false;
}

/* false: not all was tried */
static bool search(struct match *m)
{
	size_t ways = 0, steps = 0;

	m->found_cnt = 0;
	m->budget = BUDGET;
	memset(m->plan, 0, sizeof(m->plan));
	memset(m->fitting, 0, sizeof(m->fitting));
	memset(m->sig_differs, 0, sizeof(m->sig_differs));
	memset(m->sum_differs, 0, sizeof(m->sum_differs));
	do {
		if (!flatten(m))
			return true;
		step(m, 0, (struct cursor){ 0 });
		steps += m->pi->p->flat.cnt;
	} while (++ways < WAYS_MAX && steps < FLAT_MAX && m->budget && next_way(m));
	return m->budget && ways < WAYS_MAX && steps < FLAT_MAX;
}

/* false: too many */
static bool find_groups(struct match *m)
{
	bool complete = true;

	for (struct link *l = m->pi->segs.next; l != &m->pi->segs; l = l->next) {
		struct seg *sg = list__entry(l, struct seg, link);

		if (sg->c.from >= m->hi)
			break;
		if (sg->c.w)
			cand__add(m->cand, &m->cand_cnt, sg->c.w->sender.party.proc);
		if (!sg->g)
			continue;
		if (m->group_cnt == GROUPS_MAX)
			return false;
		m->group[m->group_cnt++] = sg;
		complete &= !sg->g->incomplete && sg->c.to <= m->hi;
		for (unsigned i = 0; i < sg->g->w_cnt; i++)
			cand__add(m->cand, &m->cand_cnt, sg->g->w[i]->sender.party.proc);
	}
	return complete;
}

bool pipe__match_group(struct pipe *pi, struct rd **rd, unsigned cnt, uint64_t hi, bool is_late)
{
	struct match m = { .pi = pi, .rd = rd, .cnt = cnt, .hi = hi, .use_fp = true };
	bool complete = find_groups(&m), is_odd = false;
	bool all = search(&m);

	if (!m.found_cnt && is_late) {
		m.slots_only = true;
		all = search(&m);
	}
	complete &= all;
	if (!m.found_cnt) { /* the buffers may have been overwritten before their contents were seen */
		m.use_fp = false;
		is_odd = true;
		search(&m);
	}
	if (!m.found_cnt)
		return false;
	for (unsigned g = 0; g < m.group_cnt; g++) {
		if (!complete || m.group[g]->c.to > hi)
			for (unsigned i = 0; i < m.group[g]->g->w_cnt; i++)
				m.group[g]->g->w[i]->inferred = true;
		group__settle(m.group[g]->g, m.found_plan[g], m.fitting[g]);
		group__lay(pi, m.group[g], m.found_plan[g]);
	}
	for (unsigned i = 0; i < cnt; i++) {
		unsigned k = m.found_order[i];
		struct rd *r = rd[k];

		/* What one process took in all is certain even if it is not by which of its reads. */
		r->inferred = !complete || is_odd || (m.sig_differs[k] && m.sum_differs[k]);
		if (r->inferred) {
			memcpy(r->cand, m.cand, sizeof(r->cand));
			r->cand_cnt = m.cand_cnt;
		}
	}
	for (unsigned i = 0; i < cnt; i++)
		rd__take(pi, rd[m.found_order[i]]);
	return true;
}
