/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What travels from the kernel half to the collector, and into recordings.
 *
 * Every record begins with struct ipct_hdr. Fields have fixed widths and
 * explicit padding; kinds are numbered append-only; a payload grows only at
 * its end, so a reader takes shorter records (missing fields are 0) and longer
 * ones (the rest is ignored). All pids are those of the initial pid namespace.
 */
#ifndef IPCT_EVENT_H
#define IPCT_EVENT_H

/* clang-format off */
/* X(SYMBOL, number, struct, "name for messages") */
#define IPCT_KIND_LIST(X)                                       \
	X(TASK,         1, ipct_task,      "task")              \
	X(OBJECT,       2, ipct_object,    "object")            \
	X(CALL,         3, ipct_call,      "call")              \
	X(PIPE_IO,      4, ipct_pipe_io,   "pipe i/o")          \
	X(SOCK_IO,      5, ipct_sock_io,   "socket i/o")        \
	X(SIGGEN,       6, ipct_siggen,    "signal generated")  \
	X(SIGDLV,       7, ipct_sigdlv,    "signal delivered")  \
	X(LOST,         8, ipct_lost,      "lost")              \
	X(MSG_IO,       9, ipct_msg_io,    "queue message")     \
	X(SEM_OP,      10, ipct_sem_op,    "semaphore operation")\
	X(FUTEX,       11, ipct_futex,     "futex")             \
	X(EVENTFD_IO,  12, ipct_eventfd_io,"eventfd i/o")       \
	X(WAKE,        13, ipct_wake,      "wake")              \
	X(MAP,         14, ipct_map,       "map")               \
	X(LOCK,        15, ipct_lock,      "lock")              \
	X(PTRACE,      16, ipct_ptrace,    "ptrace")            \
	X(PASS,        17, ipct_pass,      "pass")              \
	X(TCP_IO,      18, ipct_tcp_io,    "tcp i/o")           \
	X(UDP_IO,      19, ipct_udp_io,    "udp i/o")           \
	X(TTY_IO,      20, ipct_tty_io,    "tty i/o")         \
	X(PAYLOAD,     21, ipct_payload,   "payload")           \
	X(STACK,       22, ipct_stack,     "stack")             \
	X(FRAME,       23, ipct_frame,     "frame")             \
	X(SUM,         24, ipct_sum,       "sum")
/* clang-format on */

enum ipct_kind {
#define IPCT_X(sym, num, type, name) IPCT_KIND_##sym = num,
	IPCT_KIND_LIST(IPCT_X)
#undef IPCT_X
};

struct ipct_hdr {
	__u64 ts_ns; /* CLOCK_BOOTTIME when the record was reserved */
	__u16 kind; /* enum ipct_kind */
	__u16 size; /* bytes of the whole record, this header included */
	__u8 mech; /* enum ipct_mech */
	__u8 op; /* enum ipct_op; 0 where the kind says it all */
	__u16 cpu; /* LOST: IPCT_CPU_NONE where it is not known */
	__u32 pid; /* process (tgid) that was running; 0: none */
	__u32 tid;
};
_Static_assert(sizeof(struct ipct_hdr) == 24, "on disk and in the ring");

/* What a task did; the names are those of --ops. Append only. */
/* clang-format off */
#define IPCT_OP_LIST(X)        \
	X(CREATE,   1, "create")   X(OPEN,    2, "open")    X(CLOSE,   3, "close")   \
	X(UNLINK,   4, "unlink")   X(CONNECT, 5, "connect") X(ACCEPT,  6, "accept")  \
	X(SEND,     7, "send")     X(RECV,    8, "recv")    X(POST,    9, "post")    \
	X(WAIT,    10, "wait")     X(WAKE,   11, "wake")    X(ATTACH, 12, "attach")  \
	X(DETACH,  13, "detach")   X(LOCK,   14, "lock")    X(UNLOCK, 15, "unlock")  \
	X(CONTROL, 16, "control")  X(PASS,   17, "pass")    X(FORK,   18, "fork")    \
	X(EXEC,    19, "exec")     X(EXIT,   20, "exit")
/* clang-format on */

enum ipct_op {
#define IPCT_X(sym, num, name) IPCT_OP_##sym = num,
	IPCT_OP_LIST(IPCT_X)
#undef IPCT_X
};

/* ipct_task.what */
enum ipct_task_what {
	IPCT_TASK_FORK = 1, /* hdr.pid/tid: the new task */
	IPCT_TASK_EXEC = 2,
	IPCT_TASK_EXIT = 3, /* one thread; the process when group_dead */
	IPCT_TASK_RENAME = 4, /* prctl(PR_SET_NAME) and the like */
	IPCT_TASK_SCAN = 5, /* existed before the trace */
};

#define IPCT_COMM_LEN 16
#define IPCT_PATH_LEN 256
#define IPCT_ARGS_LEN 256

/* hdr.mech = IPCT_MECH_NONE; hdr.pid/tid are the task it is about. */
struct ipct_task {
	struct ipct_hdr h;
	__u64 start_ns; /* process start, CLOCK_BOOTTIME (group_leader->start_boottime) */
	__u64 cgroup; /* id in the unified hierarchy; 1 where there is none */
	__u32 ppid;
	__u32 ptid; /* fork: the thread that forked */
	__u32 uid;
	__u32 pidns; /* inode number of its pid namespace */
	__u32 ns_pid; /* the process's pid in there */
	__u32 ipcns;
	__s32 exit_code; /* as wait(2) gives it */
	__u8 what; /* enum ipct_task_what */
	__u8 group_dead;
	__u16 exe_len; /* bytes behind the struct that are the executable's path, no NUL */
	__u16 args_len; /* bytes behind it: arguments, each ended by NUL */
	__u16 shares_mm; /* fork: 1 = not a thread, and yet in its parent's memory (vfork, CLONE_VM) */
	__u32 old_tid; /* exec by a thread that is not the leader: its tid before */
	char comm[IPCT_COMM_LEN];
	/* behind it: exe, then args; never beyond hdr.size */
};
_Static_assert(sizeof(struct ipct_task) == 96, "on disk and in the ring");

/* ipct_object.what */
enum ipct_object_what {
	IPCT_OBJECT_NEW = 1, /* made or opened now */
	IPCT_OBJECT_SCAN = 2, /* existed before the trace; fill_bytes is valid */
	IPCT_OBJECT_REBASE = 3, /* pipe: the ring was resized, addresses start anew at rd_addr */
	IPCT_OBJECT_BASE =
		4, /* eventfd: fill_bytes is its value before the first operation that the trace shows */
};

#define IPCT_OBJECT_FILL_UNKNOWN (~0ull)

/*
 * An object and its name; travels when the object is made, opened, connected,
 * or found by the scan, not with each operation.
 * Pipe, FIFO: key = inode number, dev = s_dev. Socket: key = address of struct sock.
 */
struct ipct_object {
	struct ipct_hdr h;
	__u64 key;
	__u64 peer_key; /* socket: its peer's struct sock, 0: none */
	__u64 fill_bytes; /* unread bytes (stream) in it at hdr.ts_ns, or ..._FILL_UNKNOWN */
	__u64 rd_addr; /* pipe: stream address of the next byte to read */
	__u64 wr_addr; /* pipe: stream address behind the last byte written */
	__u32 dev; /* kernel s_dev; 0 for sockets */
	__u32 ino; /* socket: inode number of its file, 0: none yet */
	__u32 peer_ino; /* POSIX queue: inode number of its ipc namespace */
	__u32 capacity; /* pipe, POSIX queue: bytes; socket: sk_rcvbuf */
	__u16 listener; /* socket: 1 = in LISTEN state */
	__u16 name_start; /* where behind the struct it begins: paths are built from their end */
	__u16 name_len; /* bytes of the name; abstract socket names begin with NUL */
	__u8 what; /* enum ipct_object_what */
	__u8 side; /* descriptor through which it was seen: 1 read, 2 write, 3 both */
	__s32 fd; /* -1: none */
	__u32 fill_msgs; /* unread skbs, or used pipe slots */
	/* behind it: path, or socket address; hostile bytes; never beyond hdr.size */
};
_Static_assert(sizeof(struct ipct_object) == 96, "on disk and in the ring");

/* ipct_call.by: what closed a descriptor, if not close(2). Of these enter_ns is 0, and ts_ns is just before. */
enum ipct_close_by {
	IPCT_CLOSE_CALL = 0,
	IPCT_CLOSE_RANGE = 1, /* close_range(2) */
	IPCT_CLOSE_DUP = 2, /* dup2(2), dup3(2): the number went to another file */
	IPCT_CLOSE_EXEC = 3, /* FD_CLOEXEC */
	IPCT_CLOSE_EXIT = 4, /* the process ends */
};

/* An operation that moves no data: create, open, close, connect, accept, ... on one object. */
struct ipct_call {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 key;
	__u64 peer_key;
	__s64 ret; /* of the system call */
	__u32 dev;
	__u32 ino;
	__u32 peer_ino;
	__s32 fd; /* the descriptor that was made, closed or used; -1: none */
	__s32 fd2; /* pipe, socketpair: the second; dup: the old one; -1: none */
	__u32 arg; /* op-specific: shutdown how, dup flags */
	__u8 by; /* CLOSE: enum ipct_close_by */
	__u8 pad0[7];
};
_Static_assert(sizeof(struct ipct_call) == 88, "on disk and in the ring");

/* ipct_pipe_io.flags, ipct_sock_io.flags */
enum ipct_io_flag {
	IPCT_IO_PEEK = 1 << 0, /* consumed nothing: MSG_PEEK, tee's input */
	IPCT_IO_PACKET = 1 << 1, /* pipe: written under O_DIRECT, one packet per page */
	IPCT_IO_PAGES =
		1
		<< 2, /* pipe: moved by pages (splice, tee, vmsplice, sendfile): addresses count slots only */
	IPCT_IO_URING = 1 << 3, /* by io_uring; enter_ns is the submission */
	IPCT_IO_WAITED = 1 << 4, /* the object was empty (receive) or full (send) at entry */
	IPCT_IO_BLOCKED = 1 << 5, /* not the end: the task went to sleep inside a write longer than PIPE_BUF;
				     ret is 0, s_addr..e_addr is what may hold its bytes so far */
	IPCT_IO_DRAINED = 1 << 6, /* the object was empty when the operation ended */
	IPCT_IO_MORE = 1 << 7, /* socket: one skb of several; the last record of the call has no MORE */
	IPCT_IO_NO_SKB = 1 << 8, /* socket: no skb was seen for this call; skb fields are 0 */
	IPCT_IO_TRUNC = 1 << 9, /* socket: the rest of the message was thrown away */
	IPCT_IO_FDS = 1 << 10, /* socket: descriptors are attached to this skb */
	IPCT_IO_COMPAT = 1 << 11, /* 32-bit system call */
	IPCT_IO_NOENTRY = 1 << 12, /* entry was not seen: enter_ns = 0, s_addr = 0 (unknown) */
	IPCT_IO_OOB = 1 << 13, /* socket: MSG_OOB */
	IPCT_IO_OWN_SKB = 1 << 14, /* socket, SEND: this call made the skb, at skb_ns */
	IPCT_IO_NO_LEN =
		1 << 15, /* socket, SEND: skb_len is not known: it was taken before it was looked at */
	IPCT_IO_END = 1 << 16, /* socket: the end of a call whose skbs have all been told of */
	IPCT_IO_MSG_END = 1 << 17, /* socket, SEND: with MORE, the last skb of one of sendmmsg's messages */
	IPCT_IO_COOKED = 1 << 20, /* pty: the line discipline changed bytes: amounts are estimates */
	IPCT_IO_ECHO = 1 << 21, /* pty: bytes that nobody wrote are echo */
};

/*
 * A read or write of a pipe or FIFO (hdr.op SEND or RECV).
 *
 * Stream address: slot << 32 | offset, slot being the free-running index of
 * pipe_inode_info.head/tail and offset the position in that slot's page. Write
 * side: (head - 1, bufs[head-1].offset + len), that is, behind the last byte.
 * Read side: (tail, bufs[tail].offset), or (tail, 0) when empty. Addresses grow
 * with the stream, so they order operations and identify bytes on both sides.
 * s_addr was sampled at entry: the operation began there or later; e_addr at
 * the end: it ended there or earlier. An operation alone on its side in between
 * has exactly [s_addr, e_addr).
 *
 * fp: salted 16-bit hashes of the first 1, 4, 8 and 16 bytes (0 where fewer were moved or
 * memory could not be read), to tell overlapping operations apart.
 */
struct ipct_pipe_io {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 key; /* inode number */
	__u64 s_addr;
	__u64 e_addr;
	__u16 fp[4];
	__s32 ret; /* bytes, or -errno */
	__u32 dev;
	__u32 flags; /* enum ipct_io_flag */
	__s32 fd;
};
_Static_assert(sizeof(struct ipct_pipe_io) == 80, "on disk and in the ring");

/*
 * One skb's part of a send or receive on a UNIX socket (hdr.op SEND or RECV).
 * SEND: sk is the sender, peer_sk the receiver whose queue took the skb. With OWN_SKB it is the one that this call made.
 * Without, it is the tail of that queue right after queueing: nearly always this task's, but another sender may have
 * slipped in between (then two tasks name the same skb).
 * RECV: sk is the receiver, peer_sk the sender (skb->sk); exact, in queue order (both hold the receiver's lock).
 * The last record of a call (no MORE) has the call's result in ret; others 0.
 */
struct ipct_sock_io {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 sk;
	__u64 peer_sk;
	__u64 skb; /* identity until it is used up; addresses are reused at once */
	__u32 skb_off; /* RECV: first byte taken, counted in the skb */
	__u32 skb_len; /* SEND: bytes in the skb; RECV: bytes taken now */
	__u32 skb_total; /* RECV: length of the whole skb */
	__s32 ret;
	__u32 ino;
	__u32 peer_ino;
	__u32 flags; /* enum ipct_io_flag */
	__s32 fd;
	__u16 fp[4]; /* as in ipct_pipe_io, of this skb's first bytes (SEND: and RECV with skb_off 0) */
	/* When the skb was made: with its address an identity that never comes again. 0: not known. SEND: with OWN_SKB. */
	__u64 skb_ns;
};
_Static_assert(sizeof(struct ipct_sock_io) == 104, "on disk and in the ring");

/* ipct_siggen.result: the first five as include/trace/events/signal.h numbers them */
enum ipct_sig_result {
	IPCT_SIG_DELIVERED = 0, /* queued for the target */
	IPCT_SIG_IGNORED = 1,
	IPCT_SIG_ALREADY_PENDING = 2,
	IPCT_SIG_OVERFLOW_FAIL = 3,
	IPCT_SIG_LOSE_INFO = 4,
	IPCT_SIG_CONTINUED = 5, /* SIGCONT: to the kernel IGNORED, but it made a stopped process go on */
};

/* A signal was generated; hdr.pid/tid is current, who is the sender only where code says so. */
struct ipct_siggen {
	struct ipct_hdr h;
	__u32 sig;
	__s32 code; /* si_code; for SEND_SIG_NOINFO 0 (SI_USER), for SEND_SIG_PRIV 0x80 (SI_KERNEL) */
	__u32 dst_pid;
	__u32 dst_tid;
	__u8 result; /* enum ipct_sig_result */
	__u8 group; /* 1: for the process, 0: for one thread */
	__u8 noinfo; /* 1: SEND_SIG_NOINFO, 2: SEND_SIG_PRIV, 0: real siginfo */
	__u8 kthread; /* current is a kernel thread, or this is an interrupt */
	__u32 pad0;
	__u64 value; /* sigqueue's value, timer id, child's status */
	/* SI_MESGQ: the queue whose message made it, as in ipct_msg_io; cause_mech 0: none */
	__u64 cause_key;
	__u32 cause_space;
	__u8 cause_mech;
	__u8 pad1[3];
	/* Its entry in the target's queue (struct sigqueue *), which whoever takes it names, too. 0: it has none, or not known */
	__u64 entry;
};
_Static_assert(sizeof(struct ipct_siggen) == 80, "on disk and in the ring");

/* ipct_sigdlv.how */
enum ipct_sigdlv_how {
	IPCT_SIGDLV_DEFAULT = 0, /* SIG_DFL */
	IPCT_SIGDLV_IGNORED = 1, /* SIG_IGN */
	IPCT_SIGDLV_HANDLER = 2,
	IPCT_SIGDLV_WAITED = 3, /* sigwaitinfo, sigtimedwait */
	IPCT_SIGDLV_FD = 4, /* read from a signalfd */
};

/* hdr.pid/tid took the signal. */
struct ipct_sigdlv {
	struct ipct_hdr h;
	__u32 sig;
	__s32 code;
	__u8 how; /* enum ipct_sigdlv_how */
	__u8 dequeued; /* 1: told where it was taken out of the queue; how is WAITED for FD, too */
	__u8 pad0[6];
	__u64 entry; /* as in ipct_siggen */
};
_Static_assert(sizeof(struct ipct_sigdlv) == 48, "on disk and in the ring");

/*
 * A message sent to or taken from a System V or POSIX queue (hdr.op SEND or RECV).
 *
 * A message is known by the call that sent it, by its thread and time: the kernel half keeps that by the message's address
 * from its allocation until it is freed, which its receiver does. flags: PEEK (MSG_COPY), WAITED (slept in the call),
 * TRUNC, DRAINED, COMPAT; NO_SKB: senders cannot be told here, sent_* is always 0.
 */
struct ipct_msg_io {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 key; /* System V: id; POSIX: inode number */
	__s64 type; /* mtype, or priority; -1: not known */
	__s64 want; /* RECV, System V: the type asked for */
	__u64 sent_enter_ns; /* RECV: enter_ns of the call that sent it, and who called; sent_pid 0: not seen */
	__u32 sent_pid;
	__u32 sent_tid;
	__u32 space; /* System V: inode number of the ipc namespace; POSIX: s_dev */
	__s32 ret; /* bytes, 0 for a send, or -errno */
	__u32 len; /* SEND: bytes of the message; RECV: room in the buffer */
	__u32 total; /* RECV: bytes of the whole message; 0: not known */
	__u32 msgs_before, bytes_before; /* what lay in the queue at entry */
	__u32 msgs, bytes; /* ... and at the end */
	__u32 msgs_max, bytes_max; /* limits; 0: none */
	__u32 msgflg; /* IPC_NOWAIT, MSG_* */
	__s32 ipc_key; /* key_t; 0: private */
	__u32 flags; /* enum ipct_io_flag */
	__s32 fd;
	__u16 fp[4]; /* as in ipct_pipe_io, of the body */
};
_Static_assert(sizeof(struct ipct_msg_io) == 136, "on disk and in the ring");

/*
 * A part of a send or receive on a TCP socket (hdr.op SEND or RECV): `bytes` bytes between the sequence numbers s_seq and
 * e_seq. They are all of them where e_seq - s_seq is bytes; otherwise others used the socket at the same time.
 * Calls have several records (MORE) where the socket's lock was given up in between.
 */
struct ipct_tcp_io {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 sk;
	__u64 peer_sk; /* the other end on this host; 0: not known (yet) */
	__u32 s_seq;
	__u32 e_seq;
	__u32 bytes;
	__s32 ret; /* of the call; 0 with MORE */
	__u32 flags; /* enum ipct_io_flag */
	__s32 fd;
	__u16 fp[4]; /* as in ipct_pipe_io, of the bytes at s_seq */
};
_Static_assert(sizeof(struct ipct_tcp_io) == 80, "on disk and in the ring");

/*
 * A datagram that came from a process of this host. SEND: it reached a socket of this host; hdr.pid/tid sent it, at
 * enter_ns; with TRUNC it was thrown away there. RECV: the running task took one from its socket, no matter from where;
 * with TRUNC the rest of it may have been thrown away.
 */
struct ipct_udp_io {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 flow; /* SEND: the object: a pair of addresses */
	__u64 receiver; /* inode number of the receiving socket */
	__u64 skb; /* RECV: 0 where it is not known */
	__u32 bytes;
	__s32 ret;
	__u32 flags; /* enum ipct_io_flag */
	__s32 fd;
	__u16 fp[4]; /* as in ipct_pipe_io */
};
_Static_assert(sizeof(struct ipct_udp_io) == 80, "on disk and in the ring");

/*
 * A part of a write to one side of a pseudoterminal, or of a read (hdr.op SEND or RECV). Positions count the bytes that the
 * reader's line discipline got, until it is flushed. SEND: DRAINED: nothing was on the way, the stream begins anew at s_pos;
 * BLOCKED: others wrote at the same time.
 */
struct ipct_tty_io {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 tty; /* struct tty_struct of this side, and of the other */
	__u64 link;
	__u32 s_pos;
	__u32 e_pos;
	__u32 bytes; /* as the reader sees them */
	__s32 ret;
	__u32 flags; /* enum ipct_io_flag */
	__s32 fd;
	__u32 index; /* N of /dev/pts/N, plus 1 */
	__u32 devpts; /* which instance; 0: the tracer's own */
};
_Static_assert(sizeof(struct ipct_tty_io) == 80, "on disk and in the ring");

/* What lies behind an ipct_object of TCP or UDP instead of a name; ports and addresses in network order. */
struct ipct_inet_name {
	__u16 family; /* AF_INET: the first 4 bytes of the addresses */
	__u16 lport;
	__u16 rport;
	__u16 pad0;
	__u32 netns; /* inode number; 0: the tracer's own */
	__u32 pad1;
	__u8 laddr[16];
	__u8 raddr[16];
};
_Static_assert(sizeof(struct ipct_inet_name) == 48, "on disk and in the ring");

/* Made by the collector from the kernel half's counters; hdr.mech says of which mechanism. */
struct ipct_lost {
	struct ipct_hdr h;
	__u64 count; /* events lost since the last such record */
	__u32 why; /* enum ipct_lost_why */
	__u32 pad0;
};
_Static_assert(sizeof(struct ipct_lost) == 40, "on disk and in the ring");

#define IPCT_CPU_NONE 0xffff

enum ipct_lost_why {
	IPCT_LOST_NO_ROOM = 0, /* in a ring; before there was TABLE_FULL, also in a table */
	IPCT_LOST_SKIPPED = 1, /* the kernel did not run a program, which was running on that CPU already */
	IPCT_LOST_TABLE_FULL =
		2, /* a table of the kernel half had no room, so what the event needs is not known */
};

/* ipct_map.flags */
enum ipct_map_flag {
	IPCT_MAP_WRITE = 1 << 0, /* the mapping can be written to now */
	IPCT_MAP_FILE =
		1 << 1, /* an ordinary file: memory between processes only when somebody maps it writable */
	IPCT_MAP_SCAN = 1 << 2, /* existed before the trace */
	IPCT_MAP_ONE_OBJECT =
		1 << 3, /* DETACH: of this object only, whatever else lies in the range (shmdt) */
	IPCT_MAP_MARKED = 1 << 4, /* System V: removed already, lives on while somebody has it */
};

/*
 * Shared memory. hdr.op:
 *  ATTACH   [addr, addr + len) of the process shows the object from now on, and nothing else; ret < 0: it failed
 *  DETACH   nothing of what was known in the range is there any more; key names the first object of it
 *  CONTROL  the access to what is mapped in the range is IPCT_MAP_WRITE or not
 *  CREATE, OPEN, UNLINK  System V: shmget, shmctl(IPC_RMID); no range
 */
struct ipct_map {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 key; /* inode number; System V: identifier */
	__u64 addr;
	__u64 len; /* bytes, whole pages */
	__u64 size; /* of the object, bytes; 0: not known */
	__s64 ret;
	__u64 detached_s; /* System V: last detach, seconds since 1970; 0: never */
	__u32 dev; /* kernel s_dev; System V: inode number of the IPC namespace */
	__u32 flags; /* enum ipct_map_flag */
	__u32 creator; /* System V: pid, 0 not known */
	__u32 attached; /* System V: attachments of all processes, as the kernel counts */
	__s32 fd; /* -1: none */
	__u32 pad0;
};
_Static_assert(sizeof(struct ipct_map) == 104, "on disk and in the ring");

#define IPCT_PAYLOAD_MAX 32768 /* bytes kept of a call, at most; a power of two */

/* ipct_payload.flags */
enum ipct_payload_flag {
	IPCT_PAYLOAD_TRUNC = 1 << 0, /* more was moved than is here */
	IPCT_PAYLOAD_HASH =
		1 << 1, /* what is behind it is a hash of the bytes, new for each recording: 8 bytes */
};

/* What a call moved (hdr.op SEND or RECV); comes before the last record of the call itself, which has the same thread and enter_ns. */
struct ipct_payload {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 total; /* bytes that the call moved */
	__u16 len; /* bytes behind the struct */
	__u16 flags; /* enum ipct_payload_flag */
	__u32 pad0;
};
_Static_assert(sizeof(struct ipct_payload) == 48, "on disk and in the ring");

/* ipct_lock.kind */
enum ipct_lock_kind {
	IPCT_LOCK_FLOCK = 1, /* flock(2); owner is the open file */
	IPCT_LOCK_POSIX = 2, /* fcntl(F_SETLK); owner is the table of descriptors */
	IPCT_LOCK_OFD = 3, /* fcntl(F_OFD_SETLK); owner is the open file */
};

/* ipct_lock.type, as F_RDLCK, F_WRLCK, F_UNLCK */
enum ipct_lock_type { IPCT_LOCK_READ = 0, IPCT_LOCK_WRITE = 1, IPCT_LOCK_NONE = 2 };

/*
 * An attempt to take (hdr.op LOCK; WAIT where it must wait) or give up (UNLOCK) a lock on a file. Whoever waited tries again when
 * it is woken: of one call come several records, the last of which is not WAIT (unless a signal ended it).
 */
struct ipct_lock {
	struct ipct_hdr h;
	__u64 enter_ns; /* of the system call, which tells its attempts from those of others; 0: none seen */
	__u64 key; /* inode number */
	__u64 owner; /* identity; 0: not known (scan) */
	__u64 start, end; /* bytes of the file, both included */
	__s32 ret; /* 0: done; 1: must wait; -errno */
	__u32 dev;
	__u32 blocker_pid; /* WAIT: who holds it, or waits for it before this one; 0: not known */
	__u8 type; /* enum ipct_lock_type */
	__u8 kind; /* enum ipct_lock_kind */
	__u8 scanned; /* existed before the trace */
	__u8 pad0;
};
_Static_assert(sizeof(struct ipct_lock) == 80, "on disk and in the ring");

/*
 * One process works on another. hdr.op: ATTACH, DETACH, CONTROL = ptrace(request, ...); RECV, SEND =
 * process_vm_readv, process_vm_writev (request 0).
 */
struct ipct_ptrace {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 addr; /* ptrace: its third argument */
	__s64 ret;
	__u32 request; /* as in ptrace(2) */
	__u32 target_pid; /* 0: there was no such process */
	__u32 target_tid;
	__u32 pad0;
};
_Static_assert(sizeof(struct ipct_ptrace) == 64, "on disk and in the ring");

/* ipct_pass.what */
enum ipct_pass_what {
	IPCT_PASS_SENT = 1, /* about to be sent in a message (sendmsg), by hdr.tid */
	IPCT_PASS_FAILED = 2, /* that sendmsg failed: none of its descriptors went; no other fields */
	IPCT_PASS_RECEIVED = 3, /* hdr.pid has it as fd now; comes before the record of the receive itself */
	IPCT_PASS_TAKEN = 4, /* pidfd_getfd: from_pid's from_fd is hdr.pid's fd now */
};

/* A descriptor goes from one process to another. hdr.mech: of the socket; IPCT_MECH_PTRACE for pidfd_getfd. */
struct ipct_pass {
	struct ipct_hdr h;
	__u64 enter_ns;
	__u64 file; /* struct file: the same on both sides */
	__u64 sk; /* the socket of this side */
	__u64 peer_sk; /* RECEIVED: the sender's, 0 not known */
	__u64 key; /* of the object, as its own records have it */
	__u32 dev;
	__u32 ino;
	__s32 fd;
	__u32 from_pid;
	__s32 from_fd;
	__u8 what; /* enum ipct_pass_what */
	__u8 obj_mech; /* 0: the descriptor is of no mechanism: then its path is all there is */
	__u8 side; /* 1 read, 2 write, 3 both */
	__u8 peek; /* RECEIVED: by MSG_PEEK, the message will come again */
	__u16 name_start; /* as in ipct_object */
	__u16 name_len;
	__u32 mode; /* of the inode: what an object without a name is */
	/* behind it: path or name where obj_mech is 0 */
};
_Static_assert(sizeof(struct ipct_pass) == 96, "on disk and in the ring");

#include "ipctrace/event_stack.h"
#include "ipctrace/event_sum.h"
#include "ipctrace/event_units.h"

#endif
