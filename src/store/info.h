/* SPDX-License-Identifier: GPL-2.0 */
/* What a recording says about itself: how it was made (INFO), and what it came to (END). */
#ifndef STORE_INFO_H
#define STORE_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define STORE_PIDS_MAX 64

struct store_info {
	char *tool, *host, *kernel, *machine; /* names and versions; NULL: not said */
	char *command_line; /* of the recorder, for people */
	char *attach; /* lines: "MECHANISM RUNG" */
	char *hooks; /* lines: "HOOK RUNG", for people */
	uint64_t start_ns; /* CLOCK_BOOTTIME when the trace began */
	int64_t boot_to_wall_ns; /* to add for the time since 1970 */
	uint32_t mechs; /* traced: bits by mechanism number */
	uint32_t recorder_pid; /* not part of what it shows */
	uint32_t cpus, page_bytes;
	uint64_t ring_bytes, payload_bytes;
	/* What was chosen to be recorded; nothing: everything. */
	uint32_t pids[STORE_PIDS_MAX];
	size_t pid_cnt;
	bool follow, have_uid, have_cgroup;
	uint32_t uid;
	uint64_t cgroup;
	char *src, *dst;
	uint64_t min_latency_ns, min_bytes;
	/* Of a recording in several files; set 0: it is one file. */
	uint64_t set; /* the same in all of them */
	uint32_t file; /* which one this is, from 1 */
};

struct store_sums {
	bool goes_on; /* in another file */
	uint64_t events, lost; /* of the whole recording; lost: counted by the kernel half */
	uint64_t end_ns;
	uint64_t skipped; /* of the lost: the kernel did not run a program that was busy; not stored */
	uint64_t table_full; /* of the lost: a table of the kernel half had no room; not stored */
};

void store_info__put(const struct store_info *info, struct buf *out);
void store_sums__put(const struct store_sums *sums, struct buf *out);
/*
 * From contents as the two functions above make them; unknown tags are skipped, missing ones are 0. 0 or -EBADMSG.
 * store_info__get() gives strings of its own, for store_info__free().
 */
int store_info__get(struct store_info *info, const void *data, size_t bytes);
int store_sums__get(struct store_sums *sums, const void *data, size_t bytes);
void store_info__free(struct store_info *info);

#endif
