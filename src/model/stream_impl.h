/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The inside of the rule for pipes: for pair_stream.c and stream_*.c only.
 *
 * Positions are stream addresses made linear: slot * SLOT_BYTES + offset, slots counted without wrapping. The end of a
 * full slot and the start of the next are one position. Bytes of a slot that a write left free are no bytes of the stream.
 */
#ifndef MODEL_STREAM_IMPL_H
#define MODEL_STREAM_IMPL_H

#include "base/vec.h"
#include "model/list.h"
#include "model/pair.h"

#define SLOT_BYTES 4096ull /* the pages of a pipe */
#define SLOT_FIRST (1ull << 33) /* what slot 0 of a new pipe becomes: room below for old pipes that wrapped */

/* A write, until its last byte was taken. */
struct wr {
	struct link link; /* in pipe.writes while its place is not known */
	struct sender sender;
	uint64_t s, e; /* it lies in between */
	uint64_t bytes;
	uint64_t enter_ns, ts_ns;
	uint32_t pid, tid;
	uint32_t flags;
	uint32_t ref_cnt; /* segments, and 1 while its place is not known */
	uint16_t fp[4];
	bool blocked; /* its end was not reported yet */
	bool inferred; /* placed without proof */
	uint8_t cand_cnt; /* > 0: its place could not be proven; who else may have written there */
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
	VEC(uint64_t) parts; /* where it went to sleep */
	uint64_t merged_at; /* its first piece, of unknown length, may lie there: 0: no */
	bool has_parts;
	bool is_tail; /* bytes are those behind the parts: nothing is merged, the first byte is elsewhere */
	uint64_t placed_bytes; /* parts that have their place although the end was not reported yet */
};

/* Bytes of one write that lie at consecutive positions. */
struct seg {
	struct link link; /* in pipe.segs, by position */
	struct wr *w;
	uint64_t from, to;
	uint64_t bytes; /* to - from, but for opaque ones */
	bool first, last; /* has that byte of its write */
	bool packet; /* a slot is a packet */
	bool opaque; /* how full the slots are is not known */
};

/* A way to place a group of writes. */
struct piece {
	uint64_t from, to;
	uint8_t op; /* index in its group */
	bool first, last;
};

#define GROUP_MAX 5
#define PIECES_MAX 24
#define PLANS_MAX 24

struct plan {
	unsigned cnt;
	struct piece piece[PIECES_MAX];
};

/* Writes that can lie in more than one way, until reads tell which, or do not care. */
struct guess {
	struct link link; /* in pipe.guesses */
	uint64_t lo, hi;
	uint64_t eaten; /* read up to here already */
	uint64_t ts_ns;
	struct wr *op[GROUP_MAX];
	unsigned op_cnt;
	bool incomplete; /* there may be more ways than plans */
	VEC(struct plan) plans;
};

/* Where writes were placed, read or not: reports of overlapping ones may come late. */
struct range {
	uint64_t from, to;
	uint32_t chars; /* of its first write: what it would have merged into the slot before, had it fitted. 0: nothing */
};
#define RANGES_MAX 64

/* Positions that operations sampled: there one operation ended and the next began (or a slot, in the middle of one). */
#define MARKS_MAX 64
struct marks {
	uint64_t pos[MARKS_MAX];
	unsigned next;
};

struct rd {
	struct link link; /* in pipe.reads */
	struct receipt *receipt;
	uint64_t s, e; /* it took its bytes in between */
	uint64_t bytes;
	uint64_t ts_ns;
	uint32_t flags;
	uint32_t pid;
	uint16_t fp[4];
	bool inferred;
	uint8_t cand_cnt; /* > 0: which of the overlapping reads took what could not be proven */
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
};

struct pipe {
	struct pairing *p;
	struct obj_key key;
	uint8_t mech;
	bool is_active;
	bool is_used; /* an operation or a scan told where the stream is */
	uint64_t bias; /* slot of a position - slot of an address, to which the ring was renumbered */
	uint64_t near_slot; /* for unwrapping: the last one met, before bias */
	uint64_t known_from; /* bytes before this position may be older than the trace */
	uint64_t w_end, r_end; /* the highest known */
	uint64_t gone_pos, gone_ns; /* reads were seen behind this position then */
	struct link active; /* in pairing.active */
	struct link segs; /* placed and unread, by position */
	struct link writes; /* not placed, in order of time */
	struct link reads;
	struct link guesses;
	size_t write_cnt, read_cnt;
	uint64_t r_seen; /* highest position that any read reported */
	uint32_t writer; /* tid of the only writer; 0: none yet */
	bool many_writers;
	bool is_odd; /* packets or pages were written: not every slot can be merged into */
	unsigned range_next;
	struct range range[RANGES_MAX];
	struct marks w_marks, r_marks;
};

struct pairing {
	struct model *m;
	struct map pipes; /* key -> struct pipe * */
	struct link active; /* pipes where something waits */
	struct link spare_segs, spare_writes, spare_reads;
	VEC(struct plan) found; /* scratch */
};

/* How many unread bytes lie in a range; more than one answer where slots are opaque. */
struct span {
	uint64_t lo, hi;
};

/* One write at one place: its first piece may be merged into a used slot. */
struct layout {
	uint64_t at[2], len[2];
	unsigned cnt;
	uint64_t end;
};

static inline uint64_t slot_down(uint64_t pos)
{
	return pos & ~(SLOT_BYTES - 1);
}

static inline uint64_t slot_up(uint64_t pos)
{
	return slot_down(pos + SLOT_BYTES - 1);
}

static inline void marks__add(struct marks *mk, uint64_t pos)
{
	if (!(pos % SLOT_BYTES) || mk->pos[(mk->next + MARKS_MAX - 1) % MARKS_MAX] == pos)
		return;
	mk->pos[mk->next] = pos;
	mk->next = (mk->next + 1) % MARKS_MAX;
}

static inline bool marks__cut(const struct marks *mk, uint64_t from, uint64_t to)
{
	for (unsigned i = 0; i < MARKS_MAX; i++)
		if (mk->pos[i] > from && mk->pos[i] < to)
			return true;
	return false;
}

/* stream_line.c: what is placed */
struct seg *line__insert(struct pipe *pi, struct wr *w, uint64_t from, uint64_t to, uint64_t bytes);
void line__remove(struct pipe *pi, struct seg *sg); /* frees its write with the last one */
bool line__is_free(const struct pipe *pi, uint64_t from, uint64_t to);
/* A sample at a slot's start, without a full slot before: a write had taken the slot and not filled it yet. */
bool line__is_taken(const struct pipe *pi, uint64_t pos);
struct span line__span(const struct pipe *pi, const struct rd *r, uint64_t s, uint64_t e);
bool wr__layout(const struct wr *w, uint64_t cur, bool merge, struct layout *out); /* false: that cannot be */
void wr__place(struct pipe *pi, struct wr *w, const struct layout *lay);
void wr__place_piece(struct pipe *pi, struct wr *w, const struct piece *pc);
void line__note(struct pipe *pi, uint64_t from, uint64_t to, uint32_t chars);
void wr__put(struct pairing *p, struct wr *w); /* one reference less */
void pipe__drop_unread(struct pipe *pi, uint64_t before, bool is_taken);

/* stream_write.c */
void pipe__add_write(struct pipe *pi, const struct op *op);
bool pipe__place_writes(struct pipe *pi); /* true: some found their place */
void pipe__place_part(struct pipe *pi, struct wr *w); /* w sleeps: what it wrote so far, if that is certain */
void pipe__force_write(struct pipe *pi, struct wr *w); /* no more waiting */

/* stream_plan.c: all ways to place these between lo and hi, to p->found; false: there may be more */
bool plan__find(struct pipe *pi, struct wr *const *ops, unsigned cnt, uint64_t lo, uint64_t hi, bool is_late);

/* stream_guess.c */
void guess__new(struct pipe *pi, struct wr *const *ops, unsigned cnt, uint64_t lo, uint64_t hi, bool incomplete);
void guess__lay(struct pipe *pi, struct guess *g, unsigned plan); /* its segments join the line ... */
void guess__lift(struct pipe *pi, struct guess *g); /* ... and leave it */
void guess__decide(struct pipe *pi, struct guess *g, unsigned plan, bool is_sure); /* places for good, frees g */
void guess__settle(struct pipe *pi, uint64_t until_ns);
void guess__mark(struct pipe *pi, uint64_t pos); /* a write ended there */
void guess__free_all(struct pipe *pi);

/* stream_match.c: reads that overlap each other, or a guess */
bool pipe__match_groups(struct pipe *pi);

/* stream_read.c */
bool rd__agrees(const struct rd *r, const struct seg *sg); /* read from sg's start on */
bool rd__write_waits(const struct pipe *pi, uint64_t s, uint64_t e);
void pipe__add_read(struct pipe *pi, const struct op *op);
bool pipe__match_reads(struct pipe *pi); /* true: some were given out */
void pipe__force_read(struct pipe *pi, struct rd *r);
void rd__take(struct pipe *pi, struct rd *r); /* all its bytes, from r->s on; gives it out and frees it */

/* pair_stream.c */
uint64_t pipe__pos(struct pipe *pi, uint64_t addr);
void pipe__activate(struct pipe *pi);

#endif
