/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lane: beside each CPU's ring a second one for the most frequent record of all, a read or write of a pipe, in half the
 * size and written without a call into the kernel. The collector makes an ipct_pipe_io of each. Not on disk.
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

struct ipct_lane_slot {
	__u64 seq; /* the slot's number plus 1, once all else is there */
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
	__u32 took_ns; /* since the entry; 0: no time was taken there. The call did not sleep, so there is room for it */
};
_Static_assert(sizeof(struct ipct_lane_slot) == 64, "a cache line");

#endif
