/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads that overlap each other, or writes whose order is open.
 *
 * Reads with both samples in [lo, hi) took all of it when they took as many bytes as lie there. Every order of them over
 * every order of the writes is tried; what all that remain agree on is certain.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

#define ITEMS_MAX 192
#define GUESSES_MAX 4
#define WAYS_MAX 256 /* combinations of guesses */
#define SENDERS_MAX 16

struct item {
	const struct seg *sg;
	uint64_t from, len;
};

struct outcome { /* bytes by receiving read (the first of its process) and sender */
	uint64_t bytes[GROUP_MAX][SENDERS_MAX];
	uint64_t start[GROUP_MAX];
	uint8_t seq[GROUP_MAX];
	unsigned way[GUESSES_MAX];
};

struct match {
	struct pipe *pi;
	uint64_t lo, hi;
	struct rd *reads[GROUP_MAX];
	unsigned cnt;
	struct guess *guess[GUESSES_MAX];
	unsigned guess_cnt;
	bool alive[GUESSES_MAX][PLANS_MAX];
	unsigned way[GUESSES_MAX];
	struct item item[ITEMS_MAX];
	unsigned item_cnt;
	struct proc *sender[SENDERS_MAX];
	unsigned sender_cnt;
	struct outcome cur, best;
	unsigned used; /* mask */
	unsigned found_cnt;
	bool found_here;
	bool differ;
	bool is_open; /* there may be more reads, or other ways */
};

static unsigned sender_of(struct match *m, struct proc *proc)
{
	unsigned i;

	for (i = 0; i < m->sender_cnt; i++)
		if (m->sender[i] == proc)
			return i;
	if (i == SENDERS_MAX) {
		m->is_open = true;
		return 0;
	}
	m->sender[m->sender_cnt++] = proc;
	return i;
}

static unsigned row_of(const struct match *m, unsigned read)
{
	for (unsigned i = 0; i < read; i++)
		if (m->reads[i]->pid == m->reads[read]->pid)
			return i;
	return read;
}

static bool collect(struct match *m)
{
	m->item_cnt = 0;
	for (struct link *l = m->pi->segs.next; l != &m->pi->segs; l = l->next) {
		const struct seg *sg = list__entry(l, struct seg, link);
		uint64_t from = sg->from > m->lo ? sg->from : m->lo;
		uint64_t to = sg->to < m->hi ? sg->to : m->hi;

		if (sg->from >= m->hi)
			break;
		if (sg->to <= m->lo)
			continue;
		if (m->item_cnt == ITEMS_MAX)
			return false;
		m->item[m->item_cnt++] = (struct item){ sg, from, sg->opaque ? sg->bytes : to - from };
	}
	return true;
}

static void leaf(struct match *m)
{
	m->found_here = true;
	memcpy(m->cur.way, m->way, sizeof(m->way));
	if (!m->found_cnt++)
		m->best = m->cur;
	else if (memcmp(m->best.bytes, m->cur.bytes, sizeof(m->cur.bytes)) != 0)
		m->differ = true;
}

/* How much read i takes of item it from off on; *skip also counts what is thrown away. */
static uint64_t take_of(const struct item *it, uint64_t off, uint64_t want, uint64_t *skip)
{
	uint64_t room = it->len - off;
	uint64_t n;

	if (it->sg->packet) {
		uint64_t packet = slot_down(it->from + off) + SLOT_BYTES - it->from - off;

		room = packet < room ? packet : room;
	}
	n = want < room ? want : room;
	*skip = it->sg->packet ? room : n;
	return n;
}

static void order(struct match *m, unsigned depth, unsigned idx, uint64_t off);

static void try_read(struct match *m, unsigned depth, unsigned i, unsigned idx, uint64_t off)
{
	const struct rd *r = m->reads[i];
	const struct item *it = &m->item[idx];
	uint64_t left = r->bytes, end = 0, skip = 0;
	struct outcome before = m->cur;
	bool is_packet = false;

	m->cur.start[i] = it->from + (it->sg->opaque ? 0 : off);
	m->cur.seq[depth] = (uint8_t)i;
	if (!(r->flags & OP_F_PAGES) && (m->cur.start[i] < r->s ||
					  (!off && it->from == it->sg->from && !rd__agrees(r, it->sg))))
		goto out;
	while (left && idx < m->item_cnt && !is_packet) {
		it = &m->item[idx];
		is_packet = it->sg->packet;
		left -= take_of(it, off, left, &skip);
		m->cur.bytes[row_of(m, i)][sender_of(m, it->sg->w->sender.party.proc)] += skip;
		off += skip;
		end = it->from + off;
		if (it->sg->opaque)
			end = off < it->len ? it->sg->from + 1 : it->sg->to;
		if (off == it->len) {
			idx++;
			off = 0;
		}
	}
	if (!(r->flags & OP_F_PAGES) && !m->pi->is_odd && marks__cut(&m->pi->r_marks, m->cur.start[i], end))
		goto out;
	if (left || end > (r->flags & OP_F_PAGES ? slot_up(r->e) : r->e))
		goto out;
	m->used |= 1u << i;
	order(m, depth + 1, idx, off);
	m->used &= ~(1u << i);
out:
	m->cur = before;
}

static void order(struct match *m, unsigned depth, unsigned idx, uint64_t off)
{
	if (depth == m->cnt) {
		if (idx == m->item_cnt)
			leaf(m);
		return;
	}
	for (unsigned i = 0; i < m->cnt && idx < m->item_cnt; i++)
		if (!(m->used & 1u << i))
			try_read(m, depth, i, idx, off);
}

static void try_way(struct match *m)
{
	uint64_t have = 0, want = 0;
	bool packets = false;

	for (unsigned i = 0; i < m->guess_cnt; i++)
		guess__lay(m->pi, m->guess[i], m->way[i]);
	m->found_here = false;
	if (!collect(m))
		m->is_open = true;
	for (unsigned i = 0; i < m->item_cnt; i++) {
		have += m->item[i].len;
		packets |= m->item[i].sg->packet;
	}
	for (unsigned i = 0; i < m->cnt; i++)
		want += m->reads[i]->bytes;
	if (have == want || packets)
		order(m, 0, 0, 0);
	else if (have > want)
		m->is_open = true;
	for (unsigned i = 0; i < m->guess_cnt; i++) {
		guess__lift(m->pi, m->guess[i]);
		m->alive[i][m->way[i]] |= m->found_here;
	}
}

static bool next_way(struct match *m)
{
	for (unsigned i = 0; i < m->guess_cnt; i++) {
		if (++m->way[i] < m->guess[i]->plans.cnt)
			return true;
		m->way[i] = 0;
	}
	return false;
}

static bool find_guesses(struct match *m)
{
	size_t ways = 1;

	for (struct link *l = m->pi->guesses.next; l != &m->pi->guesses; l = l->next) {
		struct guess *g = list__entry(l, struct guess, link);

		if (g->hi <= m->lo || g->lo >= m->hi)
			continue;
		if (m->guess_cnt == GUESSES_MAX)
			return false;
		m->guess[m->guess_cnt++] = g;
		ways *= g->plans.cnt;
	}
	return ways <= WAYS_MAX;
}

/* What reads took of a guess narrows it down. */
static void narrow(struct match *m, unsigned i, bool is_sure)
{
	struct guess *g = m->guess[i];
	uint64_t from = g->eaten > g->lo ? g->eaten : g->lo;
	bool is_prefix = m->lo <= slot_up(from);
	size_t kept = 0;

	if (is_prefix && m->hi > g->eaten)
		g->eaten = m->hi;
	if (!is_sure || !is_prefix) {
		guess__decide(m->pi, g, m->best.way[i], is_sure && g->plans.cnt == 1);
		return;
	}
	for (unsigned k = 0; k < g->plans.cnt; k++)
		if (m->alive[i][k])
			g->plans.v[kept++] = g->plans.v[k];
	g->plans.cnt = kept;
	if (kept == 1 || g->eaten >= g->hi)
		guess__decide(m->pi, g, 0, !g->incomplete);
}

static void doubt(const struct match *m, struct rd *r)
{
	for (unsigned i = 0; i < m->sender_cnt && i < MESSAGE_CANDIDATES_MAX; i++)
		r->cand[r->cand_cnt++] = m->sender[i];
}

static void commit(struct match *m)
{
	bool is_sure = !m->differ && !m->is_open;

	for (unsigned i = 0; i < m->guess_cnt; i++) {
		is_sure &= !m->guess[i]->incomplete;
		guess__lay(m->pi, m->guess[i], m->best.way[i]);
	}
	for (unsigned i = 0; i < m->cnt; i++) {
		struct rd *r = m->reads[m->best.seq[i]];

		r->s = m->best.start[m->best.seq[i]];
		if (!is_sure && m->sender_cnt > 1)
			doubt(m, r);
		m->pi->read_cnt--;
		rd__take(m->pi, r);
	}
	for (unsigned i = 0; i < m->guess_cnt; i++)
		guess__lift(m->pi, m->guess[i]);
	for (unsigned i = 0; i < m->guess_cnt; i++)
		narrow(m, i, is_sure);
}

static unsigned within(struct pipe *pi, uint64_t lo, uint64_t hi, struct rd **reads)
{
	unsigned cnt = 0;

	for (struct link *l = pi->reads.next; l != &pi->reads; l = l->next) {
		struct rd *r = list__entry(l, struct rd, link);

		if (r->s < lo || (r->flags & OP_F_PAGES ? slot_up(r->e) : r->e) > hi)
			continue;
		if (cnt == GROUP_MAX)
			return 0;
		reads[cnt++] = r;
	}
	return cnt;
}

static bool match_window(struct pipe *pi, uint64_t lo, uint64_t hi, unsigned want)
{
	struct match m = { .pi = pi, .lo = lo, .hi = hi };

	m.cnt = within(pi, lo, hi, m.reads);
	if (m.cnt != want || lo < pi->known_from || rd__write_waits(pi, lo, hi) || !find_guesses(&m))
		return false;
	if (want == 1 && !m.guess_cnt)
		return false;
	do
		try_way(&m);
	while (next_way(&m));
	if (!m.found_cnt || m.is_open)
		return false;
	commit(&m);
	return true;
}

#define LOOK_MAX 8

static bool match_some(struct pipe *pi, unsigned want)
{
	uint64_t lo[LOOK_MAX], hi[LOOK_MAX];
	unsigned cnt = 0;

	for (struct link *l = pi->reads.next; l != &pi->reads && cnt < LOOK_MAX; l = l->next) {
		const struct rd *r = list__entry(l, struct rd, link);

		lo[cnt] = r->s;
		hi[cnt++] = r->flags & OP_F_PAGES ? slot_up(r->e) : r->e;
	}
	for (unsigned i = 0; i < cnt; i++)
		for (unsigned k = 0; k < cnt; k++)
			if (lo[i] < hi[k] && match_window(pi, lo[i], hi[k], want))
				return true;
	return false;
}

bool pipe__match_groups(struct pipe *pi)
{
	for (unsigned want = 1; want <= GROUP_MAX && want <= pi->read_cnt; want++)
		if (match_some(pi, want))
			return true;
	return false;
}
