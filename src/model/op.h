/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model's input: what one task did to one object, in the model's own terms.
 * mech/ makes these from events; nothing here knows about wire formats, kernels or output.
 *
 * All times are CLOCK_BOOTTIME nanoseconds, all pids those of the initial pid namespace.
 * Operations arrive in the order of ts_ns (the end of the operation); the pairing rules
 * must not depend on which of two overlapping operations comes first.
 */
#ifndef MODEL_OP_H
#define MODEL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum op_kind { /* same order and names as the contract's operations */
	       OP_NONE,
	       OP_CREATE,
	       OP_OPEN,
	       OP_CLOSE,
	       OP_UNLINK,
	       OP_CONNECT,
	       OP_ACCEPT,
	       OP_SEND,
	       OP_RECV,
	       OP_POST,
	       OP_WAIT,
	       OP_WAKE,
	       OP_ATTACH,
	       OP_DETACH,
	       OP_LOCK,
	       OP_UNLOCK,
	       OP_CONTROL,
	       OP_PASS,
	       OP_FORK,
	       OP_EXEC,
	       OP_EXIT,
	       OP_KIND_CNT,
};
const char *op_kind__name(enum op_kind kind);

enum op_flag {
	OP_F_PEEK = 1 << 0, /* took a copy; consumed nothing */
	OP_F_PACKET = 1 << 1, /* record boundaries are kept (O_DIRECT pipe) */
	OP_F_PAGES = 1 << 2, /* addr_s/addr_e are valid in whole slots only */
	OP_F_URING = 1 << 3,
	OP_F_WAITED = 1 << 4, /* the object was empty/full at entry: ts - enter is waiting */
	OP_F_BLOCKED =
		1
		<< 5, /* not the end: a long write went to sleep; what it wrote so far lies in addr_s..addr_e */
	OP_F_DRAINED = 1 << 6, /* nothing was left in the object at the end */
	OP_F_MORE = 1 << 7, /* one part of several of the same call */
	OP_F_NO_ID = 1 << 8, /* msg_id is not known */
	OP_F_TRUNC = 1 << 9, /* the rest of the message was discarded */
	OP_F_NOENTRY = 1 << 10, /* enter_ns and addr_s are not known (0) */
	OP_F_OOB = 1 << 11,
	OP_F_FDS = 1 << 12,
	OP_F_OWN_ID = 1 << 13, /* PAIR_MESSAGE, send: it made the chunk, at msg.made_ns */
	OP_F_NO_LEN = 1 << 14, /* ... whose length is not known */
	OP_F_LAST = 1 << 15, /* ... and which ends a message, though the call goes on (OP_F_MORE) */
	OP_F_END = 1 << 16, /* PAIR_MESSAGE: no chunk, only the end of the call */
	OP_F_COOKED = 1 << 20, /* PAIR_SEQ: positions are estimates */
	OP_F_ECHO = 1 << 21, /* PAIR_SEQ: what nobody sent, the kernel echoed */
};

/* op.arg of OP_CLOSE: what closed it, if not close(2) */
enum close_by { CLOSE_BY_CALL, CLOSE_BY_RANGE, CLOSE_BY_DUP, CLOSE_BY_EXEC, CLOSE_BY_EXIT, CLOSE_BY_CNT };
const char *close_by__name(uint32_t by); /* NULL: close(2), or unknown numbers */

/* How sends and receives of an object are matched; chosen by the mechanism, one file of model/ each. */
enum pair_rule {
	PAIR_NONE, /* nothing moves: create, open, close, ... */
	PAIR_STREAM, /* bytes at addresses: pipes, FIFOs (model/pair_stream.c) */
	PAIR_MESSAGE, /* messages or chunks with identity: UNIX sockets (model/pair_message.c) */
	PAIR_SIGNAL, /* generated, then delivered (model/pair_signal.c) */
	PAIR_QUEUE, /* queues with selection: System V and POSIX (model/pair_queue.c) */
	PAIR_UNITS, /* units with owners: semaphores, eventfd (model/pair_units.c) */
	PAIR_DIRECT, /* the operation is itself the message: ptrace (model/pair_direct.c) */
	PAIR_LOCK, /* a release that let a waiter have the lock (model/pair_lock.c) */
	PAIR_SHARE, /* attachments that overlap in time (model/pair_share.c) */
	PAIR_SEQ, /* bytes known by sequence numbers: TCP (model/pair_seq.c) */
	PAIR_DGRAM, /* datagrams in the queue of a socket: UDP (model/pair_dgram.c) */
	PAIR_RULE_CNT,
};

/* op.sig.result: what became of a generated signal; the first five as the kernel's signal tracepoints number them */
enum sig_result {
	SIG_RESULT_QUEUED,
	SIG_RESULT_IGNORED,
	SIG_RESULT_PENDING, /* merged into one that was pending already */
	SIG_RESULT_OVERFLOW, /* no memory: nothing was queued */
	SIG_RESULT_NO_INFO, /* queued without its siginfo */
	SIG_RESULT_CONTINUED, /* SIGCONT that its target has no handler for: not queued, but the target was stopped and goes on */
};
/* Something came of it: it is a message. */
static inline bool sig_result__arrived(uint8_t result)
{
	return result == SIG_RESULT_QUEUED || result == SIG_RESULT_NO_INFO || result == SIG_RESULT_CONTINUED;
}

/* op.units.act: what an operation does to a counter (PAIR_UNITS) */
enum units_act {
	UNITS_NOTHING, /* failed, or moves no units */
	UNITS_POST,
	UNITS_TAKE, /* amount, the oldest first; not before there are so many */
	UNITS_TAKE_ALL, /* whatever there was, which was amount (eventfd) */
	UNITS_SET, /* the counter became amount */
	UNITS_WITHDRAW, /* SEM_UNDO takes its own posts back */
	UNITS_NEW, /* the object was made: whatever is known under its key is another one's */
	UNITS_GONE, /* the object was removed */
	UNITS_HANDED, /* woken by waker: that is the message (futex) */
	UNITS_ENDED, /* what this thread did at_exit is done by now */
	UNITS_WOKE, /* woken_tid's operation is done; its record will follow */
};

/* op.sig.how: what its taker did with it */
enum sig_how { SIG_HOW_DEFAULT, SIG_HOW_IGNORED, SIG_HOW_HANDLER, SIG_HOW_WAITED, SIG_HOW_FD };

struct obj_key {
	uint64_t id; /* inode number, struct sock address, System V id, ... */
	uint64_t space; /* what makes id unique: mechanism << 56 | device, ipc namespace, ... */
};

struct op {
	uint64_t ts_ns; /* end */
	uint64_t enter_ns; /* begin; 0: not known */
	uint32_t pid, tid;
	uint8_t kind; /* enum op_kind */
	uint8_t mech; /* the contract's number, opaque here */
	uint8_t rule; /* enum pair_rule */
	uint8_t pad0;
	uint32_t flags; /* enum op_flag */
	struct obj_key obj;
	struct obj_key peer; /* PAIR_MESSAGE: the other socket; {0,0}: not known */
	int64_t ret; /* the system call's result */
	uint64_t bytes; /* moved by this operation, or by this part of it */
	int32_t fd; /* -1: none */
	int32_t fd2;
	uint32_t arg;
	uint16_t fp[4]; /* hashes of the first 1, 4, 8, 16 bytes; 0: not known */
	union {
		struct {
			uint64_t addr_s, addr_e; /* see ipct_pipe_io: slot << 32 | offset */
		} stream;
		struct {
			uint64_t id; /* identity of the message or chunk */
			uint32_t off; /* first byte taken of it */
			uint32_t total; /* its whole length; 0: not known */
			uint64_t
				made_ns; /* OP_F_OWN_ID, RECV: with id, an identity that never comes again; 0: not known */
		} msg;
		struct {
			uint32_t sig;
			int32_t code;
			uint32_t dst_pid, dst_tid;
			uint8_t result, group, how;
			bool from_kernel; /* the running task did not send it */
			bool late; /* WAIT: reported some time after it was taken */
			uint64_t
				entry; /* its place in the target's queue, the same at both ends; 0: not known */
			const char *
				origin; /* static string: "timer", "tty", "child", "fault", ...; NULL: a process */
			uint64_t value;
			uint8_t cause_mech; /* what made the sender send it: an object of this mechanism; 0: not known */
			struct obj_key cause_key;
			const char *cause; /* its channel's name; filled in by the model */
		} sig;
		struct {
			uint64_t sent_enter_ns; /* RECV: the call that sent it, and who called */
			uint32_t sent_pid, sent_tid; /* 0: before the trace, or OP_F_NO_ID */
			int64_t type; /* mtype or priority; -1: not known */
			int64_t want; /* RECV: the type asked for */
			uint32_t total; /* RECV: the whole message's length; 0: not known */
			uint32_t msgs_before; /* in the queue at entry */
			uint32_t msgs, bytes; /* ... and at the end */
			uint32_t msgs_max, bytes_max; /* limits; 0: none */
			bool by_priority; /* the higher type goes first, otherwise the older message */
		} queue; /* PAIR_QUEUE */
		struct {
			uint64_t addr, len; /* of the process, whole pages */
			uint64_t size_bytes; /* of the object; 0: not known */
			uint64_t detached_s; /* last detach, seconds since 1970; 0: never, or not known */
			uint32_t creator; /* pid; 0: not known */
			uint32_t flags; /* enum map_flag */
		} map;
		struct {
			uint64_t owner; /* identity of who has it; 0: not known */
			uint64_t start, end; /* bytes, both included */
			uint32_t blocker_pid;
			uint8_t type; /* enum lock_type */
			uint8_t kind; /* enum lock_kind */
			bool scanned; /* existed before the trace */
		} lock;
		struct {
			uint64_t addr;
			uint32_t pid, tid; /* on whom; 0: nobody */
		} direct; /* op.arg: the request of ptrace(2) */
		struct {
			uint64_t amount;
			uint64_t lo_ns, hi_ns; /* it took effect in between */
			uint64_t
				wake_ns; /* its last sleep was ended then by waker; 0: it did not sleep, or nobody was seen */
			uint64_t value; /* of the counter at the end; UINT64_MAX: not known */
			uint32_t waker_pid, waker_tid;
			uint32_t woken_pid, woken_tid; /* UNITS_WOKE */
			uint32_t num; /* semaphore in its set */
			int32_t sem_op; /* as the caller gave it */
			uint8_t act; /* enum units_act */
			bool is_sem; /* num and sem_op mean something */
			bool whole; /* POST: all its units are one message (eventfd) */
			bool at_exit; /* hi_ns is not known before UNITS_ENDED comes */
			bool in_libc; /* UNITS_HANDED: inside an operation that is reported by itself */
		} units; /* PAIR_UNITS */
	};
	const struct payload *payload; /* model/payload.h; NULL: not captured. Only for views */
	const struct stack *stack, *kernel_stack; /* model/stack.h; NULL: not captured. Only for views */
	uint32_t fds_nr; /* descriptors came along: see model/passed.h; 0: none */
};

enum map_flag {
	MAP_F_WRITE = 1 << 0, /* can be written to */
	MAP_F_FILE = 1 << 1, /* shared only when somebody can write to it */
	MAP_F_SCAN = 1 << 2, /* existed before the trace */
	MAP_F_ONE_OBJECT = 1 << 3, /* DETACH: only what is of this object */
	MAP_F_SEGMENT = 1 << 4, /* lives on without attachments, until it is removed */
};

enum lock_type { LOCK_TYPE_READ, LOCK_TYPE_WRITE, LOCK_TYPE_NONE };
enum lock_kind { LOCK_KIND_FLOCK = 1, LOCK_KIND_POSIX, LOCK_KIND_OFD };

/* One descriptor on its way, one side of it. */
enum pass_what { PASS_SENT = 1, PASS_FAILED, PASS_RECEIVED, PASS_TAKEN };
struct pass_info {
	uint64_t ts_ns;
	uint64_t enter_ns; /* tells one call's descriptors from another's */
	uint32_t pid, tid; /* whose side */
	uint64_t file; /* identity of the open file */
	struct obj_key sock, peer_sock; /* of this side; RECEIVED: the sender's */
	struct obj_key obj; /* {0, 0}: of no mechanism */
	int32_t fd;
	uint32_t from_pid; /* TAKEN */
	int32_t from_fd;
	uint8_t what; /* enum pass_what */
	uint8_t mech; /* what it went over */
	uint8_t obj_mech; /* 0: of no mechanism */
	uint8_t side; /* 1 read, 2 write, 3 both */
	bool peek;
	const char *name; /* what it is, where obj is of no mechanism; valid during the call */
	size_t name_len;
};

/* ---- what tells about tasks and objects, not about traffic ---- */

enum task_what { TASK_FORK = 1, TASK_EXEC, TASK_EXIT, TASK_RENAME, TASK_SCAN };

struct task_info {
	uint64_t ts_ns;
	uint64_t start_ns; /* of the process */
	uint64_t cgroup;
	uint32_t pid, tid, ppid, ptid;
	uint32_t uid, pidns, ns_pid, ipcns;
	uint32_t old_tid; /* exec by a thread other than the leader */
	int32_t exit_code;
	uint8_t what; /* enum task_what */
	bool group_dead;
	bool shares_mm; /* fork: a process that works in its parent's memory */
	char comm[16]; /* NUL-terminated within */
	const char *exe; /* exe_len bytes, valid during the call */
	const char *args; /* args_len bytes, NUL-separated */
	uint16_t exe_len, args_len;
};

/* What a process did to an end of a channel in some time, summed up; or a mark in a row of such sums. */
struct sum_info {
	uint64_t ts_ns; /* all of it was before */
	uint64_t start_ns; /* of the process; 0: not known */
	uint32_t pid;
	uint8_t mech;
	uint8_t kind; /* OP_SEND, OP_RECV, OP_POST, OP_WAIT */
	bool is_stream; /* bytes move, and it does not matter in how many pieces */
	bool beside; /* the operations came, too, one by one, as far as they were not lost */
	bool switched; /* mark: until now operations came; from now on there are sums only */
	bool done; /* mark: all sums of the same time have come */
	bool no_row; /* of one operation, for which the kernel half's ledger had no room */
	struct obj_key obj;
	struct obj_key queue; /* where what is sent lies until it is received; {0, 0}: not known */
	uint32_t obj_nr, queue_nr; /* tell apart what has the same key one after the other; 0: not known */
	uint64_t messages, bytes, errors, wait_ns;
	char comm[16]; /* NUL-terminated within; "": not known */
	const char *
		name; /* of both, if they are not those that have the keys now; valid during the call; NULL: none */
};

struct object_info {
	uint64_t ts_ns;
	struct obj_key key;
	struct obj_key peer;
	uint8_t mech;
	bool scanned; /* existed before the trace; fill_bytes is how much lay in it */
	bool rebased; /* PAIR_STREAM: addresses start anew at rd_addr (F_SETPIPE_SZ); what lay in it stays */
	bool listener;
	bool sequenced; /* PAIR_SEQ: key and peer are a connection's ends; not scanned: it was made now */
	uint64_t fill_bytes; /* UINT64_MAX: not known */
	uint64_t rd_addr, wr_addr; /* PAIR_STREAM */
	uint32_t fill_msgs;
	uint64_t capacity_bytes;
	uint32_t pid; /* through whose descriptor it was seen */
	uint32_t nr; /* tells apart what has the same key one after the other; 0: not known */
	uint8_t side; /* 1 read, 2 write, 3 both */
	bool base; /* PAIR_UNITS: semaphore `num` held fill_bytes units at ts_ns; pid: the thread that says so */
	bool fresh; /* PAIR_UNITS: it was made now, with fill_bytes units */
	uint32_t num;
	const char *name; /* the contract's object name, complete: "unix:/run/x"; valid during the call */
	size_t name_len;
};

#endif
