/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The inside of the rule for sockets with message identities: for pair_message*.c only.
 *
 * A *part* is one chunk that a send queued (an skb, or all of a call where no skb was seen). A *life* is one chunk as its
 * receiver met it, from the first byte taken to the last: identities are addresses, reused at once, so the same
 * identity has many lives. Matching gives each life its part. Lives of one receiver come in the order of its queue.
 */
#ifndef MODEL_PAIR_MESSAGE_IMPL_H
#define MODEL_PAIR_MESSAGE_IMPL_H

#include "base/vec.h"
#include "model/list.h"
#include "model/pair.h"

struct send_call {
	struct sender sender;
	uint64_t enter_ns;
	uint32_t tid;
	uint32_t ref_cnt;
	uint64_t sent_bytes; /* in its parts so far */
	uint32_t part_cnt;
	bool listed; /* in pairing.send_calls */
	bool gap; /* a part of unknown length is in it */
	bool closed; /* its last part was reported: sender.sent_ns is its end */
	bool counted; /* as unmatched, at the end */
};

struct part {
	struct link of_sender; /* in sock.sent, in order of report */
	struct link of_receiver; /* in sock.incoming; alone when the receiver is not known */
	struct send_call *call;
	struct sock *from, *to; /* to NULL: not known */
	uint64_t id;
	uint64_t enter_ns, ts_ns; /* queued in between */
	uint64_t bytes,
		left; /* of a send whose chunks were not seen, several lives take one after the other */
	uint32_t idx; /* within its call */
	uint16_t fp[4];
	uint8_t mech;
	bool has_id; /* cleared when it turns out to be another's */
	bool one_chunk; /* bytes is the length of the chunk */
	bool loose; /* ... if the identity is its own: the call does not tell the length of this part */
	bool maybe_one; /* one byte long, or one message of sendmmsg and bytes long */
	bool suspect; /* the identity may be another sender's */
	bool last; /* of its call */
	bool stale; /* ought to have been received by now: no longer takes part by order */
	bool stale_hard; /* ... and by identity only with doubt */
	bool inferred; /* whatever it matches is a guess at best */
	uint16_t doubt_cnt; /* it was a candidate before and not chosen: the others that were */
	struct proc *doubt[MESSAGE_CANDIDATES_MAX];
};

struct recv_call {
	struct receipt *receipt;
	struct op op; /* of its last part, flags and bytes of all */
	uint32_t pending; /* parts whose sender is not known yet */
	bool closed;
};

struct take { /* waits for its life's sender */
	struct recv_call *call;
	uint64_t bytes;
	bool end;
};

/* A chunk whose maker is certain: pair_message_own.c. Takes no part in anything else. */
struct own {
	struct link of_sender; /* in sock.owned, in order of report */
	struct link of_receiver; /* in sock.owed; alone when the receiver is not known */
	struct send_call *call;
	struct sock *from, *to; /* to NULL: not known */
	struct channel *channel; /* of the receiver, as it was when this was sent */
	uint64_t id;
	uint64_t made_ns;
	uint64_t total; /* UINT64_MAX: not known yet */
	uint64_t taken;
	bool last; /* of a message */
	bool thrown_away; /* what was not taken */
};

enum life_state { LIFE_OPEN, LIFE_KNOWN, LIFE_UNKNOWN };

struct life {
	struct link of_sender; /* in sock.lives while LIFE_OPEN, in order of the queue */
	struct link waiting; /* in pairing.young, then .old while LIFE_OPEN */
	struct sock *from, *to;
	struct life *next_waiting; /* of the same chunk, in pairing.waiting */
	uint64_t id;
	uint64_t made_ns; /* with id, an identity that never comes again; 0: not known */
	uint64_t ts_ns, enter_ns; /* of the first receive that met it */
	uint64_t not_before_ns; /* the queue was empty then: what ended before is not this. 0: not known */
	uint64_t total; /* UINT64_MAX: not known */
	uint64_t next_off; /* first byte not taken yet */
	uint64_t there_ns; /* it was still in the queue then */
	uint16_t fp[4];
	uint8_t mech;
	uint8_t state; /* enum life_state */
	bool has_id;
	bool oob, packet;
	bool listed; /* in pairing.waiting */
	bool past_grace;
	bool ended; /* all taken, or the rest thrown away */
	VEC(struct take) takes;
	/* once LIFE_KNOWN */
	struct send_call *call;
	bool finishes; /* its end is the end of the call */
	uint8_t attr;
	uint16_t cand_cnt;
	struct proc *cand[MESSAGE_CANDIDATES_MAX];
};

/* One socket in both directions; gone when nothing is under way. */
struct sock {
	struct obj_key key;
	struct link sent; /* parts that it sent and nobody took */
	struct link lives; /* chunks it sent, received by anyone, not matched yet */
	struct link owned, owed; /* chunks that it made, and that were made for it, not all taken */
	size_t own_cnt;
	size_t sent_cnt, id_cnt, life_cnt; /* id_cnt: of sent, those with identity */
	uint64_t
		span_ns; /* the longest send so far: bounds what may overlap. UINT64_MAX: a begin is not known */
	uint32_t sender_tid;
	bool shared; /* several threads send on it: one of them may be about to report an earlier chunk */
	/* as a receiver */
	struct link incoming;
	size_t incoming_id_cnt; /* of these, those with identity */
	struct life *current; /* partly taken */
	struct obj_key last_from; /* who sent what it received last */
	size_t open_cnt; /* lives met here and not matched yet */
	uint64_t scan_ns; /* backlog: what lay here at that time */
	uint64_t backlog_bytes;
	uint32_t backlog_msgs;
	uint64_t drained_ns, drained_enter_ns; /* found empty; applied when open_cnt is 0. 0: no */
	uint64_t certain_ns; /* what was lost before does not matter any more */
};

struct pairing {
	struct model *m;
	struct map owned; /* (id, made_ns) -> struct own * */
	struct map waiting; /* (id, made_ns) -> the lives of it that wait for their sender */
	bool sees_owners; /* sends say which chunks they made */
	struct map socks; /* key -> struct sock * */
	struct map send_calls, recv_calls; /* (tid, socket) -> the call whose last part has not come yet */
	struct link young, old; /* lives that wait, oldest first: for sends under way, for sends at all */
	uint64_t
		grace_ns; /* a send that queued before a receive has returned, and been reported, after that long */
	uint64_t now_ns;
	uint64_t next_sweep_ns;
	uint64_t lost_ns[256]; /* the latest loss, by mechanism */
};

/* pair_message_state.c */
struct sock *message__sock(struct pairing *p, struct obj_key key); /* NULL for {0,0} */
/* bytes: UINT64_MAX when not known */
struct part *message__add_part(struct pairing *p, struct send_call *call, const struct op *op,
			       struct sock *from, struct sock *to, uint64_t bytes);
void message__drop_unread(struct pairing *p, struct part *part); /* nobody will take it: counts it */
void message__drop_part(struct part *part);
void message__put_call(struct send_call *call);
struct life *message__add_life(struct pairing *p, const struct op *op, struct sock *from, struct sock *to);
uint64_t message__total(const struct op *op); /* of the chunk that a receive met; UINT64_MAX: not known */
void message__end_life(struct life *life); /* no more takes; frees it once it is settled */
void message__sweep(struct pairing *p); /* frees sockets where nothing is under way */

/* pair_message_own.c */
void own__add(struct pairing *p, struct send_call *call, const struct op *op, struct sock *from,
	      struct sock *to);
void own__match(struct pairing *p, uint64_t id, uint64_t made_ns); /* receives that were reported before */
/* Gives op's bytes to call, if their maker is known; end: nothing of the chunk is behind them. */
bool own__take(struct pairing *p, const struct op *op, struct recv_call *call, bool end);
void own__drop_unread(struct pairing *p, struct own *own); /* nobody will take it: counts it */
void own__wait(struct pairing *p, struct life *life);
void own__wait_no_more(struct pairing *p, struct life *life);
/* Another socket has the address now: what was made before that for this one, or by it, is gone. */
void own__end_socket(struct pairing *p, struct sock *s, uint64_t before_ns);

/* pair_message_send.c */
void message__send(struct pairing *p, const struct op *op);

/* pair_message_fit.c */
bool part__precedes(const struct part *a, const struct part *b); /* a was queued before b for certain */
/* Parts are in order of their ends: no part from this one on overlaps one that ended at end_ns. */
bool part__is_beyond(const struct part *part, uint64_t end_ns);
void part__deny_id(struct part *part); /* the identity is another's */
bool part__time_fits(const struct part *part, const struct life *life); /* ... and the receiver */
bool part__fits(const struct part *part, const struct life *life); /* could be it, identity aside */
bool part__too_old(const struct part *part, const struct life *life); /* ought to be gone by then */
bool part__claims(const struct part *part, const struct life *life);
bool part__is_doubtful(const struct part *part); /* its own chunk may have another identity than it says */
bool part__is_blocked(const struct part *part,
		      const struct life *life); /* an earlier send must be received first */
bool part__is_timely(const struct part *part, const struct life *life); /* looked while the chunk was there */
/* Is an earlier life of the same pair of sockets open that could be this part? NULL: any part. */
bool life__earlier_open(const struct life *life, const struct part *part);

/* pair_message_match.c */
void message__match_sender(struct pairing *p,
			   struct sock *from); /* something changed: look at its open lives */
void message__match_new(struct pairing *p, struct sock *from, const struct op *op); /* op made a part */
void message__match_life(struct pairing *p, struct life *life);
void message__settle(struct pairing *p, struct life *life); /* no more waiting: match it, or give up */
void message__settle_unknown(struct pairing *p, struct life *life);
void message__settle_own(struct pairing *p, struct life *life, struct send_call *call, bool last);

/* pair_message_refute.c */
void message__make_stale(struct pairing *p, struct part *part);
void part__refute(struct part *part,
		  const struct life *life); /* another sent the chunk that it may have named */
void message__refute_claims(struct pairing *p, struct life *life);
void message__apply_drained(struct pairing *p, struct sock *to);

/* pair_message.c: life's sender is known, or known to be unknown: give out what waited for that */
void message__resolved(struct pairing *p, struct life *life);

#endif
