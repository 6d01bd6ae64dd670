/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of kern/ only. */
#ifndef KERN_KERN_IMPL_H
#define KERN_KERN_IMPL_H

#include <stdbool.h>

#include <linux/types.h>

#include "base/buf.h"
#include "base/vec.h"
#include "ipctrace/config.h"
#include "kern/kern.h"
#include "kern/lane.h"
#include "kern/ring.h"
#include "kern/tally.h"

struct bpf_link;
struct bpf_program;
struct ipctrace_bpf;
struct watched;

struct kern {
	struct kern_opts opts;
	struct hook_choice *choices;
	size_t choice_cnt;
	struct ipctrace_bpf *skel;
	struct ring *rings;
	size_t ring_cnt;
	struct lane lane;
	double ring_peak; /* the fullest ring so far, 0 to 1; since kern__ring_peak() */
	double ring_worst; /* the same without lanes, since losses were looked for the last time */
	int epoll_fd;
	VEC(struct bpf_link *) links;
	VEC(int) call_fds; /* kern/callstubs.c: what is attached to the functions of system calls */
	bool calls_again; /* behind the programs at the ends of calls stand others: kern/again.c */
	struct event_source source;
	uint64_t *lost_seen; /* by entry of the map `lost`, then CPU */
	uint64_t lost_checked_ns;
	uint64_t last_event_ns; /* when the last poll was that found any */
	VEC(struct watched) watched; /* kern/misses.c: programs, and how often the kernel skipped them */
	uint64_t misses_checked_ns;
	uint64_t boot_offset_ns; /* what the kernel half adds to CLOCK_MONOTONIC */
	bool active, busy; /* busy: the last poll found events, do not sleep */
	struct stashed *stashed_first, *stashed_last; /* records drained during the scan, not yet given out */
	struct tally tally;
	uint8_t demand_tried; /* bits: kern/demand.c */
};

/* kern/kern.c */
void kern__keep_link(struct kern *k, struct bpf_link *link); /* destroyed with k */
int kern__attach_one(struct kern *k, struct bpf_program *prog, struct buf *err);

/* kern/settings.c: after opening, when hooks are chosen; before loading */
void settings__fill(struct kern *k);

/* kern/source.c */
void source__set_clock(struct kern *k); /* after loading, and when the machine slept */
void source__init(struct kern *k);
int source__open_rings(struct kern *k, struct buf *err);
void source__close_rings(struct kern *k);
/* Takes what is in the rings into memory, so that a long scan does not overflow them. */
void source__stash(struct kern *k);
void source__drop_stashed(struct kern *k);
/* Adds a record that user space made (copied). */
void source__put(struct kern *k, const struct ipct_hdr *ev);

/* kern/misses.c */
/*
 * A program of no chosen rung, for these mechanisms; prog_fd goes to k. All that have the same `end` count as one: what stands
 * behind them has one count, too.
 */
void misses__watch(struct kern *k, int prog_fd, uint32_t mechs, enum ipct_again end);
void misses__begin(struct kern *k); /* after attaching: what is skipped from now on counts */
/* What was skipped since the last call as LOST records, now and then; always when the programs are off. Returns their number. */
size_t misses__report(struct kern *k, event_fn fn, void *ctx);
void misses__end(struct kern *k);

/* kern/again.c */
bool again__is_needed(void); /* programs at tracepoints can be preempted on this kernel */
bool again__is_needed_at_functions(void); /* those at functions can be: wherever the kernel itself can */
void again__select(struct kern *k); /* behind those that are selected to be loaded */
int again__fill(struct kern *k); /* after loading; 0 or -errno */
/* How often another program stood in. */
const volatile unsigned long long *again__cnt(const struct kern *k, enum ipct_again which);
/* ... for this one, which is at a tracepoint; NULL: there is none behind it. */
const volatile unsigned long long *again__cnt_behind(const struct kern *k, int prog_fd);

/* kern/demand.c: hooks that are attached when the kernel half asks for them (rung_row.demand) */
uint8_t demand__bits(const struct kern *k); /* ipct_config.on_demand */
bool demand__holds_back(const struct kern *k, const struct bpf_program *prog); /* not to be attached yet */
void demand__serve(struct kern *k); /* attaches what was asked for meanwhile; says so where that fails */

/* kern/captures.c */
struct ipct_config;
bool captures__any(const struct kern *k);
void captures__configure(struct kern *k, struct ipct_config *cfg); /* before loading */
void captures__select(struct kern *k);

/* kern/uprobes.c */
void uprobes__select(struct kern *k, bool sleep);
int uprobes__attach(struct kern *k, struct buf *err);

/* kern/procfs.c: a scanned process's executable and command line; the record is completed in out, or left as it is. */
#define PROCFS_RECORD_BYTES (sizeof(struct ipct_task) + IPCT_PATH_LEN + IPCT_ARGS_LEN)
const struct ipct_hdr *procfs__complete(const struct ipct_hdr *ev, void *out);

/* kern/procfs_maps.c, kern/procfs_locks.c: shared memory and file locks from before the trace, as records */
void procfs__scan_maps(struct kern *k);
void procfs__scan_locks(struct kern *k);

/* A device's number as the kernel keeps it (MKDEV() in include/linux/kdev_t.h), not as stat(2) gives it. */
static inline uint32_t kernel_dev(unsigned int major, unsigned int minor)
{
	return major << 20 | minor;
}

#endif
