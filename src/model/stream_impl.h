/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The inside of the rule for pipes: for pair_stream.c and stream_*.c only.
 *
 * Positions are stream addresses made linear: slot * SLOT_BYTES + offset, slots counted without wrapping. The end of a
 * full slot and the start of the next are one position. Bytes of a slot that a write left free are no bytes of the stream.
 *
 * The line holds what was written and not yet read, in order and without holes up to w_end. Where several
 * tasks use one side, its operations wait GRACE_NS until all that could overlap them were reported.
 */
#ifndef MODEL_STREAM_IMPL_H
#define MODEL_STREAM_IMPL_H

#include "base/vec.h"
#include "model/list.h"
#include "model/pair.h"

#define SLOT_BYTES 4096ull /* the pages of a pipe */
#define SLOT_FIRST (1ull << 33) /* what slot 0 of a new pipe becomes: room below for old pipes that wrapped */
#define SLOTS_MAX 1024 /* few pipes have more: pipe-max-size is 256 of them, only root goes beyond */
#define GRACE_NS (40ull * 1000 * 1000) /* who moved bytes reports it sooner than this, preempted or not */
#define CROWD_NS (10ull * 1000 * 1000 * 1000) /* a second task on a side makes it crowded for so long */
#define BYTES_UNKNOWN UINT64_MAX

/* A write, until its last byte was taken. */
struct wr {
	struct link link; /* in pipe.sleepers, or spare */
	struct sender sender;
	uint64_t bytes; /* BYTES_UNKNOWN: not ended */
	uint64_t enter_ns, last_ns; /* last_ns: its last report */
	uint64_t laid; /* of them in their place, or laid out by a search */
	uint64_t s, e, lo_ns; /* of its last part */
	uint64_t at; /* w_end, before it was placed */
	uint32_t pid, tid;
	uint32_t flags;
	uint32_t ref_cnt; /* segments, parts, and 1 until it ended */
	uint16_t fp[4];
	bool is_whole; /* one report was all of it */
	bool at_sealed;
	bool dead; /* never will end */
	bool merged; /* some of it went to the last slot of another write */
	bool inferred; /* placed without proof */
	uint8_t cand_cnt; /* > 0: who else may have written there */
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
	struct seg *elastic; /* what it may have merged, until its end tells */
};

/* What one report of a write is about: all of it, or a long write's bytes between two sleeps. */
struct part {
	struct link link; /* in pipe.parts, by s */
	struct wr *w;
	uint64_t s, e; /* it lies in between */
	uint64_t lo_ns, ts_ns; /* done in between */
	bool last; /* the write's end */
};

/* A way to place a group of parts. */
struct chunk {
	struct wr *w; /* NULL: unknown */
	uint64_t from, to,
		bytes; /* bytes < to - from: opaque, or a packet with what is left free behind it */
	bool first, last; /* has that byte of its write */
	bool packet; /* a slot is a packet */
	bool opaque; /* how full the slots are is not known */
};

#define GROUP_MAX 48
#define CHUNKS_MAX (2 * GROUP_MAX)
#define PLANS_MAX 24
#define COMP_MAX 64
#define READS_MAX 32

struct plan {
	unsigned cnt;
	bool sealed; /* nothing can be merged to its end */
	struct chunk chunk[CHUNKS_MAX];
};

/* Writes that can lie in more than one way, until the reads of all of them are known. */
struct group {
	bool incomplete; /* there may be more ways than plans */
	bool is_open; /* how much of a write lies there depends on the plan: pipe.open */
	bool at_sealed;
	uint64_t at; /* as in struct wr */
	unsigned w_cnt;
	struct wr *w[GROUP_MAX];
	VEC(struct plan) plans;
};

/* Of the line. */
struct seg {
	struct link link; /* in pipe.segs, by position */
	struct chunk c;
	uint64_t room; /* > 0: elastic: has 0..room bytes, c.bytes is 0 */
	struct group *g; /* not NULL: stands for all of it */
};

struct rd {
	struct link link; /* in pipe.reads, by s */
	struct receipt *receipt;
	uint64_t s, e; /* it took its bytes in between */
	uint64_t bytes;
	uint64_t enter_ns, ts_ns;
	uint32_t flags;
	uint32_t pid;
	uint16_t fp[4];
	bool inferred;
	uint8_t cand_cnt; /* > 0: what it took could not be proven */
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
};

/* Who uses a side. */
struct crowd {
	uint32_t tid; /* the last one; 0: none yet */
	uint64_t until_ns; /* several did, not long ago */
};

struct pipe {
	struct pairing *p;
	struct obj_key key;
	uint8_t mech;
	bool is_active;
	bool is_located; /* w_end is known */
	bool sealed; /* nothing can be merged at w_end */
	bool is_lossy; /* events were lost, and something waits since then */
	uint64_t bias; /* slot of a position - slot of an address, to which the ring was renumbered */
	uint64_t near_slot; /* for unwrapping: the last one met, before bias */
	uint64_t w_end, r_end; /* the line reaches from r_end to w_end */
	uint64_t past_end, past_ns; /* w_end some time ago: pair_stream.c, drop_taken() */
	uint64_t slots_max; /* of its ring; 0: not known */
	uint64_t lone_from, lone_to; /* in between, writes fill all: nobody else's bytes are there */
	struct group *
		open; /* nothing is placed behind it until reads tell which of its plans is right; NULL: none */
	uint64_t shaky_to; /* what lies before was not placed by proof */
	uint64_t now_ns, last_ns; /* last_ns: of the last operation */
	uint64_t tried_w, tried_r; /* what a search failed with: only something else is tried again */
	struct link active; /* in pairing.active */
	struct link pending; /* in pairing.pending */
	struct link segs, parts, reads, sleepers;
	size_t part_cnt, read_cnt, seg_cnt;
	struct crowd writers, readers;
};

struct pairing {
	struct model *m;
	struct map pipes; /* key -> struct pipe * */
	struct link active; /* pipes that were used of late */
	struct link
		pending; /* of these, those with operations that wait, or sleep: thousands may be active */
	uint64_t next_sweep_ns, next_drop_ns;
	uint64_t now_ns;
	size_t seg_cnt; /* of all pipes */
	struct spares spare_segs, spare_writes, spare_reads, spare_parts;
	VEC(struct chunk) flat; /* scratch */
	VEC(struct plan) found; /* scratch */
};

static inline uint64_t slot_down(uint64_t pos)
{
	return pos & ~(SLOT_BYTES - 1);
}

static inline uint64_t slot_up(uint64_t pos)
{
	return slot_down(pos + SLOT_BYTES - 1);
}

/*
 * Where what is behind a write's bytes begins. A packet has a slot to itself, and a read that took but some of it has thrown
 * the rest away: what the slot says then is where that read ended (pipe_read(): buf->len = 0), so that no sample of
 * a packet's end means more than its slot.
 */
static inline uint64_t wr__end(uint32_t flags, uint64_t pos)
{
	return flags & OP_F_PACKET ? slot_up(pos) : pos;
}

/* Nothing can come any more that overlaps what was reported at ts_ns. */
static inline bool is_ripe(const struct pipe *pi, const struct crowd *c, uint64_t ts_ns, uint64_t wait_ns)
{
	return pi->now_ns >= c->until_ns || (pi->now_ns > ts_ns && pi->now_ns - ts_ns >= wait_ns);
}

/* What was reported at ts_ns has waited long enough. */
static inline bool is_overdue(const struct pipe *pi, uint64_t ts_ns, uint64_t wait_ns)
{
	return pi->now_ns > ts_ns && pi->now_ns - ts_ns >= wait_ns;
}

/* All that was written before a read address is in the line: a slot that was left may not have been full. */
static inline bool pipe__reaches(const struct pipe *pi, uint64_t pos)
{
	return pos <= pi->w_end || (!(pos % SLOT_BYTES) && pos <= slot_up(pi->w_end));
}

static inline void pipe__doubt(struct pipe *pi, uint64_t to)
{
	if (to > pi->shaky_to)
		pi->shaky_to = to;
}

/* A whole write fills all from there to the end of the line. */
static inline void pipe__note_lone(struct pipe *pi, uint64_t from)
{
	if (pi->lone_to != from)
		pi->lone_from = from;
	pi->lone_to = pi->w_end;
}

static inline bool fp__differ(const uint16_t *a, const uint16_t *b)
{
	for (unsigned i = 0; i < 4; i++)
		if (a[i] && b[i] && a[i] != b[i])
			return true;
	return false;
}

/* Adds to a list of candidates what is not in it. */
void cand__add(struct proc **cand, uint8_t *cnt, struct proc *proc);

/* stream_line.c: what is placed */
struct seg *line__append(struct pipe *pi,
			 const struct chunk *c); /* at w_end; takes a reference to its write */
struct seg *line__insert(struct pipe *pi, struct link *before, const struct chunk *c);
void line__add_unknown(struct pipe *pi, uint64_t from,
		       uint64_t to); /* written by an unknown, at most so much */
void line__remove(struct pipe *pi, struct seg *sg); /* frees its write with the last one */
void line__drop_before(struct pipe *pi, uint64_t pos); /* it was taken, by nobody known */
/* What nobody can have left there, as the ring has no room for more: w_end was `end`, and all reads until then are known. */
void line__drop_taken(struct pipe *pi, uint64_t end);
void line__drop_unread(struct pipe *pi); /* all of it: nobody took it */
/* total bytes were taken before hi: so much has the elastic segment before it. false: that cannot be told */
bool line__stretch(struct pipe *pi, uint64_t hi, uint64_t total);
void group__lay(struct pipe *pi, struct seg *sg, unsigned plan); /* places for good, frees the group and sg */
/* Plans that fit, one bit each: which one it is makes no difference, or what depends on it is doubtful from now on. */
void group__settle(struct group *g, unsigned plan, uint32_t fitting);
void wr__put(struct pairing *p, struct wr *w); /* one reference less */

/* stream_write.c */
void pipe__add_write(struct pipe *pi, const struct op *op);
void pipe__end_empty(struct pipe *pi, const struct op *op); /* a write that slept wrote nothing */
void part__drop(struct pipe *pi, struct part *pt);
void part__pend(struct pipe *pi, struct part *pt);
/* Parts of w again what it was placed as; takes a reference to it. */
struct part *part__again(struct pipe *pi, struct wr *w);

/* stream_place.c */
bool pipe__place_writes(struct pipe *pi, bool force); /* true: some found their place */

/* stream_undo.c: what was placed from pos on and not yet read waits again, for something that was not known is in between. */
bool line__undo(struct pipe *pi, uint64_t pos); /* false: nothing, or it cannot be undone */

/* stream_plan.c: all ways to place these from w_end to hi, to p->found; false: there may be more */
bool plan__find(struct pipe *pi, struct part *const *part, unsigned cnt, uint64_t hi);
/* Whoever counts the bytes of what was found knows which of the plans is right. */
bool plan__differ_in_bytes(const struct pairing *p);
uint64_t plan__bytes_of(const struct plan *pl, const struct wr *w);
/* Of what was found: how much of w lies there depends on the plan. */
bool plan__is_open(const struct pairing *p, const struct wr *w);
/* Takes what comes next, up to the last part of a write of which that is open. 0: it is too early */
unsigned plan__extend(const struct pipe *pi, struct part **part, unsigned cnt, uint64_t *hi);
/* Where all later parts of a write are alone, how much they have tells which of the plans are right. */
void plan__decide(struct pipe *pi, struct part *const *part, unsigned cnt, uint64_t hi);

/* stream_read.c */
void pipe__add_read(struct pipe *pi, const struct op *op);
bool pipe__match_reads(struct pipe *pi, bool force); /* true: some were given out */
void rd__pend(struct pipe *pi, struct rd *r); /* in order of where it began */
void rd__take(struct pipe *pi, struct rd *r); /* the line's next bytes; gives it out and frees it */

/* stream_gauge.c: how many bytes of the line lie before a position */
struct gauge {
	const struct link *at;
	uint64_t bytes;
};
/* To a position that is not before the last one. false: that is not known */
bool gauge__move(const struct pipe *pi, struct gauge *g, uint64_t pos, uint64_t *bytes);
/* Reads that began before hi lie in less than their samples say, where others took all the rest. true: some do */
bool pipe__narrow_reads(struct pipe *pi, uint64_t hi);

/* stream_match.c: reads that overlap each other, or a group. true: they were given out */
bool pipe__match_group(struct pipe *pi, struct rd **rd, unsigned cnt, uint64_t hi, bool is_late);

/* pair_stream.c */
uint64_t pipe__pos(struct pipe *pi, uint64_t addr);
void crowd__meet(struct crowd *c, const struct op *op);

#endif
