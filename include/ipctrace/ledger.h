/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ledger: what each process did to each end of a channel, summed up in the kernel. Rows lie in one of two maps; the
 * collector has the kernel half change over to the other, then reads the one that nobody writes to any more and empties it.
 * Not on disk: struct ipct_sum is what becomes of a row.
 */
#ifndef IPCT_LEDGER_H
#define IPCT_LEDGER_H

/* ipct_config.ledger */
enum ipct_ledger_mode {
	IPCT_LEDGER_OFF = 0,
	IPCT_LEDGER_SWITCHED = 1, /* ledger_state says whether it counts */
	IPCT_LEDGER_SUMMARY = 2, /* it counts, and what it counts makes no records */
};

/* Bits of the kernel half's ledger_state, which each operation reads once. */
enum ipct_ledger_state {
	IPCT_LEDGER_SECOND = 1 << 0, /* which map takes the rows */
	IPCT_LEDGER_COUNTS = 1 << 1,
	IPCT_LEDGER_ONLY = 1 << 2, /* what it counts makes no records */
};

/* Who did what to which end. Fields of objects are those of the mechanism's own records. */
struct ipct_ledger_key {
	__u64 key; /* the object */
	__u64 queue; /* where what is sent lies until it is received, if that is another object: the receiver's; 0: key */
	__u32 sub; /* pipe: s_dev; socket: inode number; queue: namespace or s_dev; eventfd: its id */
	__u32 pid;
	__u8 mech; /* enum ipct_mech */
	__u8 op; /* enum ipct_op */
	__u8 pad0[2];
	__u32 space; /* pty: its devpts */
};
_Static_assert(sizeof(struct ipct_ledger_key) == 32, "the map's key has no holes");

struct ipct_ledger_row {
	__u64 messages;
	__u64 bytes;
	__u64 errors;
	__u64 wait_ns;
	__u64 start_ns; /* of the process; 0: not seen */
	__u32 peer_ino; /* socket: inode number of the other end's file; 0: not known */
	__u32 pad0;
	char comm[16]; /* of the process's thread that made the row */
};
_Static_assert(sizeof(struct ipct_ledger_row) == 64, "the map's value");

/* What a CPU's running thread did to one pipe and has not entered into a map yet (bpf/ledger_lane.bpf.h). */
struct ipct_ledger_part {
	__u64 messages; /* 0: nothing */
	__u64 bytes;
	__u64 key;
	__u32 dev;
	__u32 pid;
	__u32 state; /* enum ipct_ledger_state when it began */
	__u8 mech;
	__u8 pad0[3];
};

struct ipct_ledger_pending {
	struct ipct_ledger_part read, write;
};
_Static_assert(sizeof(struct ipct_ledger_pending) == 80, "the map's value");

#endif
