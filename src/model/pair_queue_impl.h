/* SPDX-License-Identifier: GPL-2.0 */
/* The inside of the rule for message queues: for pair_queue*.c only. */
#ifndef MODEL_PAIR_QUEUE_IMPL_H
#define MODEL_PAIR_QUEUE_IMPL_H

#include "base/vec.h"
#include "model/list.h"
#include "model/pair.h"

struct queued { /* a message that was sent; nobody is known to have taken it */
	struct link of_queue; /* in queue.sent, in order of report */
	struct link all; /* in pairing.sent, the same */
	struct queue *queue;
	struct sender sender;
	uint64_t enter_ns;
	uint32_t tid;
	int64_t type;
	uint64_t bytes;
	uint16_t fp[4];
	bool followed; /* its receive will name it, unless it took it before such things were seen */
	uint16_t doubt_cnt; /* it was a candidate before and not chosen: the others that were */
	struct proc *doubt[MESSAGE_CANDIDATES_MAX];
};

struct waiting { /* a receive whose sender is sought by the queue's rule */
	struct link of_queue; /* in queue.waiting, oldest first */
	struct receipt *receipt;
};

struct queue {
	struct obj_key key;
	struct link sent, waiting;
	struct link all; /* in pairing.with_waiting, while it has any; else alone */
	uint64_t
		backlog; /* messages from before the trace that may lie in it, where identities are not known */
	uint64_t seen_ns; /* when it was looked into for that: entry of the first operation reported */
	uint64_t removed_ns; /* 0: not */
};

struct early { /* a receive named a send that has not returned yet */
	struct link all; /* oldest first */
	uint64_t ts_ns;
	uint64_t enter_ns;
	uint32_t tid;
};

struct pairing {
	struct model *m;
	struct map queues; /* key -> struct queue * */
	struct map by_call; /* (thread, time of entry) of the send -> struct queued * */
	struct map early; /* the same -> struct early * */
	struct link early_all;
	struct link sent;
	size_t sent_cnt, sent_max;
	struct link with_waiting;
	size_t removed_cnt;
	uint64_t
		grace_ns; /* a send that queued before a receive has returned, and been reported, after that long */
};

/* pair_queue.c */
void queue__drop_sent(struct pairing *p, struct queued *q);

/* pair_queue_rule.c: where the kernel does not say which send a receive took. */
void queue__wait(struct pairing *p, struct queue *q, struct receipt *r);
/* Gives the receives up to until_ns their senders. */
void queue__settle(struct pairing *p, struct queue *q, uint64_t until_ns);

#endif
