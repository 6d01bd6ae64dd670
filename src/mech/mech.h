/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each mechanism is: names, hooks with their rungs, and how its events
 * become operations. One file per mechanism (or family) exports one row of each table.
 */
#ifndef MECH_MECH_H
#define MECH_MECH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/wire.h"
#include "model/op.h"

enum rung { RUNG_FENTRY, RUNG_KPROBE, RUNG_TRACEPOINT, RUNG_CNT }; /* best first */
const char *rung__name(enum rung rung);

#define HOOK_PROGS_MAX 8
#define HOOK_RUNGS_MAX 8 /* the last has no programs */

/* For rung_row.demand, a bit: DEMAND(MESSAGES) is IPCT_DEMAND_MESSAGES. */
#define DEMAND(sym) (1u << IPCT_DEMAND_##sym)

/* One way to see a hook: these programs of the BPF object, all of them. */
struct rung_row {
	enum rung rung;
	const char *target; /* the kernel's function or tracepoint, for doctor */
	const char *progs[HOOK_PROGS_MAX]; /* NULL-terminated unless full */
	uint8_t arg_cnt; /* tracepoint: arguments it must have here, for those that changed; 0: any */
	bool calls; /* at the functions of all system calls that the mechanism needs; target says so in words */
	bool optional; /* works without: precision suffers; note says how */
	bool tasks_only; /* tracepoint: interrupts come by here, too, but never with what we want to see */
	bool atomic; /* functions under a lock with interrupts disabled, and so not under PREEMPT_RT */
	bool hint; /* tells apart what else is in doubt: what it does not see is no loss */
	bool of_skbs; /* tracepoint of the allocator: only where it shows the skbs of sockets */
	uint8_t demand; /* DEMAND(...): of use only behind a call that asks for it; 0: from the beginning */
	const char *note; /* static; NULL: nothing to say */
	const char *also[3]; /* further functions that it needs; NULL-terminated unless full */
};

bool rung_row__has(const struct rung_row *row, const char *prog); /* row NULL: it has none */

/* What we want to see ("a pipe was written"); the first rung that works here is taken. */
struct hook {
	const char *name; /* "pipe_write" */
	uint32_t mechs; /* IPCT_MECH_BITs that need it */
	struct rung_row rungs[HOOK_RUNGS_MAX]; /* ended by a row without programs */
};

size_t hook__rung_cnt(const struct hook *h); /* rows of h->rungs */
bool hook__is_optional(const struct hook *h); /* without it the mechanism still works, less precisely */

struct mech_desc {
	uint8_t mech;
	const char *name;
	const char *summary; /* one line for doctor and the manual */
	const char *const *blind; /* sentences: what cannot be seen; NULL-terminated; may be NULL */
};

/* All mechanisms of this build, in order of their numbers; cnt receives how many. */
const struct mech_desc *const *mech__all(size_t *cnt);
const struct mech_desc *mech__by_name(const char *name, size_t len); /* NULL: none */
const char *mech__name(uint8_t mech); /* "?" for unknown numbers */
uint32_t mech__built_mask(void); /* IPCT_MECH_BITs of this build */
/*
 * "pipe,unix,^fifo" -> mask of IPCT_MECH_BITs; groups: sysv posix unix inet msg sem shm all. Only "^x" words: all but those.
 * Returns 0, or -EINVAL with one sentence in err.
 */
int mech__parse_list(const char *list, uint32_t *mask, struct buf *err);

/* All hooks of this build. */
const struct hook *const *mech__hooks(size_t *cnt);

/* An event in the model's terms. */
struct decoded {
	enum {
		DECODED_NOTHING,
		DECODED_TASK,
		DECODED_OBJECT,
		DECODED_OP,
		DECODED_LOST,
		DECODED_PASS,
		DECODED_SUM
	} what;
	struct op op; /* DECODED_OP */
	struct task_info task; /* DECODED_TASK; points into the event */
	struct object_info object; /* DECODED_OBJECT; name points to name_buf */
	struct pass_info pass; /* DECODED_PASS; points into the event */
	struct sum_info sum; /* DECODED_SUM */
	uint64_t lost; /* DECODED_LOST; mech in op.mech, time in op.ts_ns */
	bool skipped; /* DECODED_LOST: the kernel did not run a program that was busy */
	bool full; /* DECODED_LOST: a table of the kernel half had no room */
	char name_buf[768];
};

/* ev must have passed event__check() and event__widen(). */
void mech__decode(const struct ipct_hdr *ev, struct decoded *out);

/* model_opts.object_name: the contract's name of an object that never said its own. */
void mech__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

#endif
