/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The properties of a mechanism, each found by an experiment: the objects are made and looked at, what
 * they do is what is reported. Nothing here knows what a mechanism is said to be like.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include "bench/duct.h"

enum answer {
	ANSWER_NONE,
	ANSWER_NO,
	ANSWER_YES
}; /* NONE: the question does not arise, or there was no answer */

enum records {
	RECORDS_NONE,
	RECORDS_BYTES, /* what was sent in parts arrived as one */
	RECORDS_KEPT,
	RECORDS_SUM, /* a number arrived that is the sum */
	RECORDS_UNITS, /* as many as were sent, nothing in them */
};

enum short_read {
	SHORT_NONE,
	SHORT_STAYS,
	SHORT_LOST,
	SHORT_REFUSED
}; /* what a small buffer does to the rest */

#define LARGEST_TRIED (1u << 20)

struct properties {
	/* Can a process send that has opened nothing, and knows only a name: an address, an id, a pid? */
	enum answer connectionless;
	int outsider_errno; /* why not */
	/* Twice as much as it holds is sent to a receiver that is late. */
	enum answer reliable;
	uint64_t sent, arrived,
		damaged; /* messages; notices: units. damaged: other bytes, or another order */
	/* It is filled until it takes no more. */
	enum answer blocks; /* the sender waits, and goes on when there is room */
	int full_errno; /* what a sender is told that does not want to wait; 0: it is never told */
	enum answer drops; /* the sender is told that all went well, and it is lost */
	bool overwrites;
	uint64_t holds_messages; /* of one byte, or notices */
	bool holds_more_messages; /* at least: it was not full yet */
	uint64_t holds_bytes; /* in messages of unit_bytes */
	bool holds_more_bytes;
	uint64_t unit_bytes;
	uint64_t largest; /* one message; at least, if largest_more */
	bool largest_more;
	enum records records;
	enum short_read short_read;
	int short_errno;
	int priority; /* enum priority; -1: none of the experiments fits */
	int unqueued_sent,
		unqueued_arrived; /* signals: of those that are not queued; 0: there is no such thing */
};

/* Takes up to a second or so. 0; -EINTR: stop asked for; other -errno: there is no such mechanism here. */
int probe__run(const struct duct_kind *kind, struct properties *out);

#endif
