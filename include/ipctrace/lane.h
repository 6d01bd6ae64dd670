/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lane: beside each CPU's ring a second one for the most frequent records of all, written without a call into the kernel:
 * a read or write of a pipe in half its size, of which the collector makes an ipct_pipe_io; and ipct_sock_io as it is, in
 * two slots. Not on disk.
 */
#ifndef IPCT_LANE_H
#define IPCT_LANE_H

/* One writer, the program at sys_exit on that CPU; one reader, the collector. They are numbers of slots, and only grow. */
struct ipct_lane_head {
	__u64 reserved;
	__u64 pad0[7]; /* each on a cache line of its own */
	__u64 released;
	__u64 pad1[7];
};
_Static_assert(sizeof(struct ipct_lane_head) == 128, "shared between kernel and collector");

/* Beside those of enum ipct_io_flag. */
enum ipct_lane_flag {
	IPCT_LANE_WRITE = 1 << 29,
	IPCT_LANE_FIFO = 1 << 30,
};

/* In the first slot's seq: a record of another kind as it is, which goes on in the next slot. */
#define IPCT_LANE_WIDE (1ull << 63)
#define IPCT_LANE_WORDS 7 /* of a record in each of its slots */

struct ipct_lane_slot {
	__u64 seq; /* the slot's number plus 1, once all else is there, and what follows it in the next slot */
	union {
		struct {
			__u64 ts_ns;
			__u64 s_addr; /* as in ipct_pipe_io, like all below */
			__u64 e_addr;
			__u32 key;
			__u32 dev;
			__u32 pid;
			__u32 tid;
			__s32 ret;
			__s32 fd;
			__u32 flags; /* and enum ipct_lane_flag */
			/* Since the entry; 0: no time was taken there. The call did not sleep, so there is room for it. */
			__u32 took_ns;
		};
		__u64 words[IPCT_LANE_WORDS]; /* IPCT_LANE_WIDE */
	};
};
_Static_assert(sizeof(struct ipct_lane_slot) == 64, "a cache line");

#endif
