/* SPDX-License-Identifier: GPL-2.0 */
/* What the ledger tells. Part of event.h, which includes it. */
#ifndef IPCT_EVENT_SUM_H
#define IPCT_EVENT_SUM_H

#ifndef IPCT_EVENT_H
#error include ipctrace/event.h
#endif

/* ipct_sum.flags */
enum ipct_sum_flag {
	IPCT_SUM_BESIDE =
		1 << 0, /* the operations had records of their own, too, as far as those were not lost */
	IPCT_SUM_SWITCH =
		1 << 1, /* no sum: operations before hdr.ts_ns had records, those after it are in sums only */
	IPCT_SUM_DONE = 1 << 2, /* no sum: what was read at one time is complete */
	IPCT_SUM_NO_ROW = 1 << 3, /* of one operation, for which the ledger had no room */
};

/*
 * What a process (hdr.pid) did to one end of a channel since the last such record (hdr.op SEND, RECV, POST or WAIT), or a
 * part of that. hdr.ts_ns is when it was read: all of it was before. key, queue, sub, space: struct ipct_ledger_key.
 */
struct ipct_sum {
	struct ipct_hdr h;
	__u64 start_ns; /* of the process; 0: not known */
	__u64 key;
	__u64 queue;
	__u64 messages; /* operations that moved something; of counters, units */
	__u64 bytes;
	__u64 errors;
	__u64 wait_ns;
	__u32 sub;
	__u32 space;
	__u32 peer_ino;
	__u32 flags; /* enum ipct_sum_flag */
	char comm[IPCT_COMM_LEN]; /* "": not known */
};
_Static_assert(sizeof(struct ipct_sum) == 112, "on disk and in the ring");

#endif
