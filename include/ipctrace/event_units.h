/* SPDX-License-Identifier: GPL-2.0 */
/* The records of counters: semaphores, futexes, eventfds. Part of event.h, which includes it. */
#ifndef IPCT_EVENT_UNITS_H
#define IPCT_EVENT_UNITS_H

#ifndef IPCT_EVENT_H
#error include ipctrace/event.h
#endif

/*
 * Which counter, for the records below. System V: key = the set's id, dev = inode number of the ipc
 * namespace, num = semaphore in the set. POSIX: key = inode, dev = s_dev, off = position in the file. eventfd: key =
 * address of struct eventfd_ctx, num = its id.
 */
struct ipct_counter {
	__u64 key;
	__u64 off;
	__u32 dev;
	__u32 num;
};
_Static_assert(sizeof(struct ipct_counter) == 24, "on disk and in the ring");

/* Who woke the task of the record inside its call, for the last time; all 0: nobody that was seen. */
struct ipct_waker {
	__u64 wake_ns;
	__u64 enter_ns; /* of the waker's call */
	__u32 pid;
	__u32 tid;
};
_Static_assert(sizeof(struct ipct_waker) == 24, "on disk and in the ring");

/* ipct_sem_op.flags, ipct_futex.flags, ipct_eventfd_io.flags */
enum ipct_unit_flag {
	IPCT_UNIT_MORE = 1 << 0, /* one semaphore of several of the same call; the last one has no MORE */
	IPCT_UNIT_NOENTRY = 1 << 1, /* entry was not seen: enter_ns is 0 */
	IPCT_UNIT_NOWAIT = 1 << 2, /* IPC_NOWAIT, sem_trywait, O_NONBLOCK */
	IPCT_UNIT_UNDO = 1 << 3, /* SEM_UNDO */
	IPCT_UNIT_SET = 1 << 4, /* the value became op (SETVAL, SETALL) */
	IPCT_UNIT_AT_EXIT =
		1 << 5, /* the kernel gives back what SEM_UNDO noted; enter_ns is when the process ended */
	IPCT_UNIT_BASE = 1 << 6, /* no operation: value is what the counter held when it was first touched */
	IPCT_UNIT_IN_LIBC = 1 << 7, /* futex: inside sem_post, sem_wait, ..., which have their own record */
	IPCT_UNIT_ONE = 1 << 8, /* eventfd: EFD_SEMAPHORE */
	IPCT_UNIT_URING = 1 << 9,
	IPCT_UNIT_NO_VALUE = 1 << 10, /* eventfd: the value could not be read */
	IPCT_UNIT_COMPAT = 1 << 11,
};

/*
 * One operation on one semaphore (hdr.mech sysv-sem or posix-sem): hdr.op POST adds op units, WAIT takes -op (0: waits
 * for zero), CONTROL sets or gives notice of the base, CREATE, OPEN, UNLINK are about the whole set.
 */
struct ipct_sem_op {
	struct ipct_hdr h;
	__u64 enter_ns;
	struct ipct_counter c;
	struct ipct_waker waker;
	__u64 commit_ns; /* done by then at the latest: the first task was woken by it; 0: not known earlier than hdr.ts_ns */
	__s32 op;
	__s32 value; /* of the semaphore at hdr.ts_ns; -1: not known */
	__s32 ret;
	__u32 flags; /* enum ipct_unit_flag */
};
_Static_assert(sizeof(struct ipct_sem_op) == 104, "on disk and in the ring");

/* A futex call on shared memory: hdr.op WAIT or WAKE. */
struct ipct_futex {
	struct ipct_hdr h;
	__u64 enter_ns;
	struct ipct_counter c;
	struct ipct_waker waker;
	__s32 ret; /* WAKE: how many were woken */
	__u32 cmd; /* FUTEX_* without its flags */
	__u32 flags; /* enum ipct_unit_flag */
	__u32 pad0;
};
_Static_assert(sizeof(struct ipct_futex) == 96, "on disk and in the ring");

/* hdr.op SEND adds value to the counter, RECV took value. */
struct ipct_eventfd_io {
	struct ipct_hdr h;
	__u64 enter_ns;
	struct ipct_counter c;
	struct ipct_waker waker;
	__u64 value;
	__u64 count; /* of the counter at hdr.ts_ns */
	__s32 ret;
	__s32 fd;
	__u32 flags; /* enum ipct_unit_flag */
	__u32 pad0;
};
_Static_assert(sizeof(struct ipct_eventfd_io) == 112, "on disk and in the ring");

/* Inside a call on the counter (hdr.pid/tid), a task that was blocked in a call on it was woken. */
struct ipct_wake {
	struct ipct_hdr h;
	__u64 enter_ns; /* of the waker's call */
	struct ipct_counter c;
	__u32 pid; /* who was woken */
	__u32 tid;
};
_Static_assert(sizeof(struct ipct_wake) == 64, "on disk and in the ring");

#endif
