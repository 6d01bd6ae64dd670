/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the collector tells the kernel half before it is loaded: read-only data,
 * so that the verifier removes what is not wanted. Not on disk, not on the wire.
 */
#ifndef IPCT_CONFIG_H
#define IPCT_CONFIG_H

#define IPCT_IGNORE_MAX 4 /* the tracer's own standard descriptors */
#define IPCT_SYSCALL_MAX 512
#define IPCT_CPU_MAX 1024

struct ipct_config {
	__u64 salt; /* of fingerprints; new for each run, never stored */
	__u64 ignore_ino[IPCT_IGNORE_MAX]; /* pipes and sockets that the tracer itself writes to; 0: none */
	__u32 ignore_dev[IPCT_IGNORE_MAX]; /* of pipes, as the kernel numbers devices; sockets: 0 */
	__u32 mechs; /* IPCT_MECH_BITs wanted */
	__u32 self_pid; /* the tracer: its own traffic is not shown */
	__u32 extra_self; /* another such process; 0: none */
	__u8 has_rdonly_cast; /* bpf_rdonly_cast(): typed loads through any pointer (kernel 6.2) */
	__u8 filter; /* something was chosen: bpf/filter.bpf.h */
	__u8 follow; /* with the children of chosen processes */
	__u8 have_uid, have_cgroup;
	__u8 has_task_storage; /* for tracing programs (kernel 5.12); else a hash by tid */
	__u8 user_sems; /* libc's semaphore functions are watched, too */
	__u8 uprobes_sleep; /* such programs may wait for a page (kernel 6.0) */
	__u8 sees_made; /* which call makes an skb: bpf/skb.bpf.c */
	__u8 sees_queued; /* that an skb was queued: sk_data_ready */
	__u8 has_running; /* sched_switch keeps bpf/running.bpf.h */
	__u8 closes; /* tell of descriptors that are closed in passing: bpf/ends.bpf.h */
	__u8 ledger; /* enum ipct_ledger_mode: bpf/ledger.bpf.h */
	__u8 knows_msgs; /* which call makes and frees a queue's message */
	__u8 sees_udp_ready; /* which datagrams reach a socket's queue: bpf/udp_ready.bpf.h */
	__u8 preempted; /* the programs at the ends of calls can be: bpf/again.bpf.h */
	__u8 on_demand; /* bits of enum ipct_demand: not attached from the beginning */
	__u8 sees_dequeued; /* which signals are taken out of a queue: bpf/signal_functions.bpf.c */
	__u8 pad0[6];
	__u32 uid;
	__u32 page_bytes;
	__u32 netns; /* inode number of the tracer's network namespace: objects of others are named with theirs */
	__u64 cgroup;
	__u64 msg_alloc,
		msg_free; /* tracepoint rung: where the kernel makes and frees them (src/kern/kallsyms.c) */
	__u32 msg_alloc_bytes, msg_free_bytes; /* length of that code */
	__u32 ignore_pts; /* N of the tracer's own /dev/pts/N, plus 1; 0: none */
	__u32 devpts; /* s_dev of the tracer's devpts */
	__u32 payload_bytes; /* kept of what each call moves; 0: nothing */
	__u8 user_stacks, kernel_stacks; /* wanted: bpf/stack.bpf.c */
	__u8 pad1[2];
	__u32 lane_slots; /* of each CPU's ring beside the ring (ipctrace/lane.h), a power of two; 0: there is none */
	__u32 cpu_cnt; /* possible ones */
};

/* What is attached when the kernel half asks for it: bpf/demand.bpf.h. */
enum ipct_demand {
	IPCT_DEMAND_MESSAGES, /* a queue: who made which message */
	IPCT_DEMAND_LENGTHS, /* sends and receives on sockets within a call, or without one */
	IPCT_DEMAND_SPLICES, /* splice out of a UNIX socket: which of its messages it used up */
	IPCT_DEMAND_CNT,
};

/* Programs at tracepoints behind which another one stands, where the kernel may not run them: bpf/again.bpf.h. */
enum ipct_again {
	IPCT_AGAIN_ENTER,
	IPCT_AGAIN_EXIT,
	IPCT_AGAIN_FORK,
	IPCT_AGAIN_EXEC,
	IPCT_AGAIN_END,
	IPCT_AGAIN_FLOCK,
	IPCT_AGAIN_COPIED,
	IPCT_AGAIN_QUEUED,
	IPCT_AGAIN_CNT,
};

/*
 * What a system call does for us: the kernel half's switch, and the collector's table of numbers
 * (per architecture, from the C library's names, in src/kern/syscalls.c). Arguments as in the 64-bit call.
 */
enum ipct_sysclass {
	IPCT_SC_NONE = 0,
	IPCT_SC_READ, /* (fd, buf, len): read, pread64 */
	IPCT_SC_READV, /* (fd, iov, cnt): readv, preadv, preadv2 */
	IPCT_SC_WRITE,
	IPCT_SC_WRITEV,
	IPCT_SC_SENDTO, /* (fd, buf, len, flags, ...) */
	IPCT_SC_SENDMSG, /* (fd, msghdr, flags) */
	IPCT_SC_SENDMMSG, /* (fd, mmsghdr, cnt, flags) */
	IPCT_SC_RECVFROM,
	IPCT_SC_RECVMSG,
	IPCT_SC_RECVMMSG,
	IPCT_SC_SPLICE, /* (fd_in, off, fd_out, off, len, flags) */
	IPCT_SC_TEE, /* (fd_in, fd_out, len, flags) */
	IPCT_SC_VMSPLICE, /* (fd, iov, cnt, flags) */
	IPCT_SC_SENDFILE, /* (fd_out, fd_in, off, len) */
	IPCT_SC_PIPE, /* (int fds[2], ...) */
	IPCT_SC_OPEN, /* returns a descriptor: open, openat, openat2, creat */
	IPCT_SC_CLOSE, /* (fd) */
	IPCT_SC_CLOSE_RANGE, /* (first, last, flags) */
	IPCT_SC_DUP, /* (fd), returns another: dup, dup2, dup3 */
	IPCT_SC_FCNTL, /* (fd, cmd, arg) */
	IPCT_SC_SOCKETPAIR, /* (family, type, protocol, int fds[2]) */
	IPCT_SC_SOCKET, /* returns a descriptor */
	IPCT_SC_BIND, /* (fd, ...) */
	IPCT_SC_LISTEN,
	IPCT_SC_CONNECT,
	IPCT_SC_ACCEPT, /* (fd, ...), returns a descriptor */
	IPCT_SC_SHUTDOWN, /* (fd, how) */
	IPCT_SC_SIGWAIT, /* (set, info, ...): rt_sigtimedwait */
	IPCT_SC_SOCKETCALL, /* 32-bit multiplexer: (call, u32 args[]) */
	IPCT_SC_MSGGET = 40, /* (key, flags), returns an id */
	IPCT_SC_MSGSND = 41, /* (id, msgbuf, len, flags) */
	IPCT_SC_MSGRCV = 42, /* (id, msgbuf, len, type, flags) */
	IPCT_SC_MSGCTL = 43, /* (id, cmd, ...) */
	IPCT_SC_MQ_OPEN = 44, /* (name, flags, ...), returns a descriptor */
	IPCT_SC_MQ_UNLINK = 45, /* (name) */
	IPCT_SC_MQ_SEND = 46, /* (fd, buf, len, priority, ...) */
	IPCT_SC_MQ_RECEIVE = 47, /* (fd, buf, len, unsigned *priority, ...) */
	IPCT_SC_MQ_NOTIFY = 48, /* (fd, sigevent) */
	IPCT_SC_IPC = 49, /* 32-bit multiplexer of System V calls: (call, first, second, third, ptr, fifth) */
	IPCT_SC_SHMGET = 60, /* (key, size, flags) */
	IPCT_SC_SHMAT, /* (id, addr, flags), returns an address */
	IPCT_SC_SHMDT, /* (addr) */
	IPCT_SC_SHMCTL, /* (id, cmd, buf) */
	IPCT_SC_MMAP, /* (addr, len, prot, flags, fd, offset), returns an address */
	IPCT_SC_MUNMAP, /* (addr, len) */
	IPCT_SC_MREMAP, /* (old, old_len, new_len, flags, new), returns an address */
	IPCT_SC_MPROTECT, /* (addr, len, prot) */
	IPCT_SC_FLOCK, /* (fd, operation) */
	IPCT_SC_PTRACE, /* (request, pid, addr, data) */
	IPCT_SC_VM_READ, /* (pid, iov, cnt, iov, cnt, flags): process_vm_readv */
	IPCT_SC_VM_WRITE,
	IPCT_SC_PIDFD_GETFD, /* (pidfd, fd, flags), returns a descriptor */
	IPCT_SC_SEMOP = 50, /* (id, sembuf[], cnt, ...): semop, semtimedop */
	IPCT_SC_SEMCTL = 51, /* (id, num, cmd, arg) */
	IPCT_SC_SEMGET = 52, /* (key, cnt, flags) */
	IPCT_SC_FUTEX = 53, /* (uaddr, op, val, timeout, uaddr2, val3) */
	IPCT_SC_FUTEX_WAKE = 54, /* (uaddr, mask, cnt, flags): futex_wake */
	IPCT_SC_FUTEX_WAIT = 55, /* (uaddr, val, mask, flags, ...): futex_wait */
	IPCT_SC_EVENTFD = 56, /* returns a descriptor */
	IPCT_SC_URING_SETUP = 57, /* returns a descriptor */
	IPCT_SC_RESTART = 58, /* restart_syscall: the one that was interrupted goes on */
	IPCT_SC_SEM_EXIT = 59, /* no call: the task ends, and SEM_UNDO takes effect */
};

#endif
