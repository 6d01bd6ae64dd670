/* SPDX-License-Identifier: GPL-2.0 */
/* The model's output: one process took something that another process sent. */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include "model/op.h"
#include "model/passed.h"

enum attr { /* how sure the pairing is, best first; names in attr__name() */
	    ATTR_EXACT, /* followed byte by byte, message by message, or by identity */
	    ATTR_INFERRED, /* only one candidate existed */
	    ATTR_CANDIDATES, /* several; listed */
	    ATTR_UNKNOWN,
	    ATTR_CNT,
};
const char *attr__name(enum attr attr);

struct proc; /* model/proc.h */
struct stack; /* model/stack.h */
struct channel; /* model/graph.h */

struct party {
	struct proc *proc; /* NULL: not a process; then origin says what it was */
	uint32_t tid;
	char comm[16]; /* of that thread at that moment */
	const struct stack *stack; /* where its program called; NULL: not captured */
};

#define MESSAGE_CANDIDATES_MAX 8

struct message {
	uint64_t ts_ns; /* of the receipt; signals: of the sending */
	uint64_t sent_ns; /* end of the send */
	uint8_t mech;
	uint8_t attr; /* enum attr */
	uint16_t candidate_cnt;
	bool summed; /* not one message: all that went this way in a while */
	struct channel *channel;
	struct party src, dst;
	const char *origin; /* static: "timer", ...; NULL: src is a process or unknown */
	uint64_t bytes;
	uint64_t messages; /* byte streams: writes whose last byte this receiver took */
	/* From the send's return, or from its call where the receive returned first, to the receive's return; 0: not known */
	uint64_t latency_ns;
	uint64_t wait_ns; /* how long the receiver was blocked; 0: not */
	struct proc *candidates[MESSAGE_CANDIDATES_MAX];
	const struct op *op; /* the receiving operation, mechanism-specific fields; valid during the call */
	uint64_t delivered_ns; /* signals: 0 = not delivered (yet) */
	const struct passed_fd
		*fds; /* model/passed.h: fd_cnt descriptors came along; valid during the call */
	uint16_t fd_cnt;
	const struct payload *payload; /* model/payload.h; NULL: not captured */
};

#endif
