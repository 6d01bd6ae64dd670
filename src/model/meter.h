/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Traffic per interval: fed with what the model gives out, it keeps for each flow and each end what the running
 * interval, the last whole one and the whole time brought. Tables (model/meter_table.h) are sums of its rows.
 */
#ifndef MODEL_METER_H
#define MODEL_METER_H

#include "base/map.h"
#include "base/vec.h"
#include "model/hist.h"
#include "model/message.h"

#define METER_SPARK_CNT 60 /* seconds */

/* Messages of each of the last 60 seconds. */
struct spark {
	uint64_t second; /* the newest slot's, since boot */
	uint32_t slot[METER_SPARK_CNT]; /* by second % METER_SPARK_CNT */
};
void spark__add(struct spark *s, uint64_t ts_ns, uint64_t cnt);
void spark__merge(struct spark *to, const struct spark *from);
uint32_t spark__at(const struct spark *s, uint64_t second); /* 0 outside of what it knows */

struct flow_sum {
	uint64_t messages, bytes;
	struct hist latency; /* ns */
};

/* What one process took from another over one channel. */
struct flow_meter {
	struct proc *src, *dst; /* src NULL: the kernel, or unknown without an origin; dst NULL: unknown */
	const char *origin; /* static */
	struct channel *channel; /* may be merged: resolve */
	struct flow_sum now, last,
		total; /* running interval, last whole one, all of them with the running one */
	uint8_t attr; /* the worst so far */
	struct spark spark;
};

struct end_sum {
	uint64_t errors;
	uint64_t full_ns, empty_ns; /* blocked in sending, in receiving; summed over threads */
};

/* What one process met with at one channel. */
struct end_meter {
	struct proc *proc;
	struct channel *channel; /* may be merged: resolve */
	struct end_sum now, last, total;
	uint64_t ongoing_full_ns, ongoing_empty_ns; /* of waits that go on, in the last interval */
};

/* How full an object is, as far as operations tell. */
struct fill {
	bool bytes_known, slots_known;
	uint64_t bytes, slots; /* slots: of a pipe's ring; messages elsewhere */
	uint64_t capacity_bytes, capacity_slots; /* 0: not known */
};

struct meter;

struct meter *meter__new(uint64_t now_ns);
void meter__message(struct meter *m, const struct message *msg);
/* ch: the operation's; NULL is ignored. Needed for errors, waits and fill; messages do not tell them. */
void meter__op(struct meter *m, const struct op *op, struct channel *ch, struct proc *proc);
/* Sums of operations; ch and proc NULL: from now on there are only sums. */
void meter__sum(struct meter *m, const struct sum_info *info, struct channel *ch, struct proc *proc);
void meter__object(struct meter *m, const struct object_info *info);
void meter__lost(struct meter *m, uint8_t mech, uint64_t cnt);
void meter__set_table_full(struct meter *m, uint64_t cnt); /* so many of all lost so far, for meter_view */
/* Ends the running interval: it becomes the last whole one. */
void meter__tick(struct meter *m, uint64_t now_ns);
/* After a tick: this process has been blocked since then, and still is. */
void meter__waits(struct meter *m, struct proc *proc, struct channel *ch, bool sends, uint64_t since_ns);
/* Forgets all numbers, from now_ns on; what is known of fill stays. */
void meter__reset(struct meter *m, uint64_t now_ns);
/* model_sink.moved: processes and channels are about to go. */
void meter__follow(struct meter *m);
bool meter__is_fresh(const struct meter *m); /* something came since the last tick */
/* Forgets everything: processes and channels it knows are about to go. */
void meter__forget(struct meter *m);
void meter__free(struct meter *m);

struct meter_totals {
	uint64_t messages, bytes, ops, lost;
};

/* For tables and views; all read only. */
struct meter_view {
	struct flow_meter *const *flows;
	size_t flow_cnt;
	struct end_meter *const *ends;
	size_t end_cnt;
	uint64_t begin_ns; /* of everything */
	uint64_t from_ns, until_ns; /* of the last whole interval */
	uint32_t interval_nr; /* how many ticks there were */
	struct meter_totals last, total;
	uint64_t lost_last[32], lost_total[32]; /* by mechanism number */
	uint64_t table_full; /* of all lost: as in struct model_stats */
	uint64_t sums_since_ns; /* since then what moves data is summed up, not followed; 0: it is followed */
};
void meter__view(const struct meter *m, struct meter_view *v); /* valid until the meter is fed again */
/* NULL: nothing is known of it. */
const struct end_meter *meter__end(const struct meter *m, const struct proc *proc, const struct channel *ch);
/* Of all objects with this channel's name; false: nothing known. */
bool meter__fill(const struct meter *m, const struct channel *ch, struct fill *sum);

#endif
