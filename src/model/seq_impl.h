/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of the rule for bytes with sequence numbers (pair_seq.c, seq_lane.c, seq_overlap.c). */
#ifndef MODEL_SEQ_IMPL_H
#define MODEL_SEQ_IMPL_H

#include "base/map.h"
#include "base/vec.h"
#include "model/list.h"
#include "model/pair.h"

/* One sending call. */
struct sent {
	struct sender sender;
	uint64_t enter_ns, ts_ns;
	uint64_t end; /* behind the last byte that it is known to have sent */
	uint32_t tid;
	unsigned int ref_cnt;
	bool closed; /* it has returned */
	bool counted; /* as unmatched */
	struct taken *tail; /* took the last byte so far: whether that ends the call is not known yet */
};

/* One receiving call. */
struct taken {
	struct receipt *receipt;
	uint64_t enter_ns;
	unsigned int pending; /* reasons to keep it open */
};

/* Bytes that were sent and not taken. */
struct seg {
	struct link of_lane;
	uint64_t s, e;
	uint64_t ts_ns;
	struct sent *call;
	enum attr attr;
	bool gone; /* it left the stream: a reader that has not said so yet took it, or it was edited away */
	size_t cand_cnt;
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
};

/* Bytes that were taken, and nobody is known to have sent them yet. */
struct want {
	struct link of_lane, waiting;
	struct lane *lane;
	uint64_t s, e;
	uint64_t ts_ns;
	bool inferred;
	bool echo; /* if nobody sent it, the kernel did */
	struct taken *taken;
};

/* A send that overlapped with others: n bytes somewhere in s..e. */
struct overlap {
	struct sent *call;
	uint64_t s, e, n;
	uint64_t ts_ns;
	bool guessed; /* and even that is an estimate */
	uint16_t fp[4];
};

#define LANE_CLAIMS 64

/* One direction of a connection. Positions are sequence numbers that do not wrap. */
struct lane {
	struct pairing *p;
	uint8_t mech;
	struct obj_key to; /* the receiving end */
	uint64_t ref; /* the largest position so far; 0: none */
	uint64_t taken_end; /* behind the last byte taken */
	struct link segs, wants; /* by position */
	size_t seg_cnt;
	VEC(struct overlap) overlaps;
	struct {
		uint64_t s, e;
	} claims[LANE_CLAIMS]; /* the latest that have an owner, also when they are taken already; neighbours are one */
	size_t claim_cnt;
	uint32_t last_tid; /* of the latest record of a send */
	uint64_t last_ns, other_ns; /* its time; that of the latest of another thread */
};

struct conn {
	struct link all;
	struct link overlapping; /* in pairing.overlapping */
	struct lane lane[2]; /* from end 0 to end 1, and back */
	struct seq_end *end[2]; /* NULL: gone */
	uint64_t changed_ns; /* about when it was made, or lost an end */
};

struct seq_end {
	struct obj_key key;
	struct conn *conn; /* NULL: not known to have the other end on this host */
	int side;
};

struct pairing {
	struct model *m;
	struct map ends; /* key -> struct seq_end * */
	struct map sends, recvs; /* (tid, socket) -> struct sent *, struct taken * */
	struct link conns;
	struct link overlapping; /* of these, those whose lanes may have overlaps */
	struct link waiting; /* wants, oldest first */
	struct link deferred; /* operations on ends without a connection */
	uint64_t now_ns, next_sweep_ns;
	bool closing;
};

/* seq_lane.c */
void lane__init(struct lane *l, struct pairing *p, uint8_t mech, struct obj_key to);
uint64_t lane__position(struct lane *l, uint32_t seq);
/* The bytes s..e are call's; cand: who else could have sent them. */
void lane__claim(struct lane *l, struct sent *call, uint64_t s, uint64_t e, enum attr attr,
		 struct proc *const *cand, size_t cand_cnt);
void lane__take(struct lane *l, struct taken *t, uint64_t s, uint64_t e, bool inferred, bool echo,
		uint64_t ts_ns);
/* Nobody will ever say who sent it. */
void want__give_up(struct want *w);
/*
 * The stream was empty at s. What nobody has taken of the bytes before was edited away, or whoever took it has not said so yet;
 * behind s positions begin anew.
 */
void lane__begin_anew(struct lane *l, uint64_t s);
/* What lies behind the reader for longer than any receive may be late: before_ns. UINT64_MAX: all of it. */
void lane__drop_old(struct lane *l, uint64_t before_ns);
void lane__end(struct lane *l);
void sent__put(struct sent *call);
/* The call sent more, or has ended (then count_tail): who took its last byte so far need not wait. */
void sent__release_tail(struct sent *call, bool count_tail);
void taken__put(struct taken *t);

/* seq_overlap.c: places sends that overlapped, as soon as all of them are known; force: now. */
void lane__add_overlap(struct lane *l, const struct overlap *o);
/* These bytes have an owner. */
void lane__note_claim(struct lane *l, uint64_t s, uint64_t e);
void lane__settle_overlaps(struct lane *l, bool force);

#endif
