/* SPDX-License-Identifier: GPL-2.0 */
/* The sentence that ends a trace, for people: how much, between how many, how long, what was lost. */
#ifndef CMD_SUMMARY_H
#define CMD_SUMMARY_H

#include "base/buf.h"
#include "cmd/session.h"
#include "model/model.h"

enum summary_of {
	SUMMARY_OF_MESSAGES, /* no lines */
	SUMMARY_OF_LINES, /* each with some messages */
	SUMMARY_OF_OPS, /* lines that are operations */
	SUMMARY_OF_SUMS, /* lines that are sums */
};

struct summary {
	enum summary_of of;
	uint64_t lines, messages, bytes;
	uint64_t proc_cnt;
	uint64_t begin_ns, end_ns; /* CLOCK_BOOTTIME; end 0: now */
};

/* clock: of the session that begins; NULL: now. */
void summary__begin(struct summary *s, enum summary_of of, const struct session_clock *clock);
/* A line with so many messages (several writes that one read took, or 0: part of one) and bytes; a, b NULL: no process. */
void summary__add(struct summary *s, uint64_t messages, uint64_t bytes, struct proc *a, struct proc *b);
/* On standard error. */
void summary__say(const struct summary *s, const struct model_stats *stats);

/* 1234567 as "1,234,567". */
void summary__put_grouped(struct buf *out, uint64_t v);
/* "nothing lost", or what was and what to do about it. */
void summary__put_lost(struct buf *out, const struct model_stats *stats);

#endif
