/* SPDX-License-Identifier: GPL-2.0 */
/* The sentence that ends a trace, for people: how much, between how many, how long, what was lost. */
#ifndef CMD_SUMMARY_H
#define CMD_SUMMARY_H

#include "base/buf.h"
#include "base/map.h"
#include "cmd/session.h"
#include "model/model.h"

struct summary {
	uint64_t lines, bytes;
	struct map procs; /* by proc.id + 1 */
	uint64_t proc_cnt;
	uint64_t begin_ns, end_ns; /* CLOCK_BOOTTIME; end 0: now */
};

/* clock: of the session that begins; NULL: now. */
void summary__begin(struct summary *s, const struct session_clock *clock);
/* cnt of what the sentence counts, together so many bytes; a, b NULL: no process. */
void summary__add(struct summary *s, uint64_t cnt, uint64_t bytes, const struct proc *a,
		  const struct proc *b);
/* what: "message" or "operation". On standard error. */
void summary__say(const struct summary *s, const char *what, const struct model_stats *stats);
void summary__free(struct summary *s);

/* 1234567 as "1,234,567". */
void summary__put_grouped(struct buf *out, uint64_t v);
/* "nothing lost", or what was and what to do about it. */
void summary__put_lost(struct buf *out, const struct model_stats *stats);

#endif
