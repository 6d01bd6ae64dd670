/* SPDX-License-Identifier: GPL-2.0 */
/* What a thread is in the middle of. */
#ifndef BPF_OP_H
#define BPF_OP_H

#include "maps.bpf.h"

/* One object that a system call works on, taken from the struct file at entry: descriptors may be reused meanwhile. */
struct object {
	__u64 file; /* struct file * */
	__u64 ptr; /* struct pipe_inode_info * or struct sock * */
	__u64 key; /* pipe: inode number; socket: ptr */
	__u64 addr; /* pipe: stream address at entry (read or write side, by use) */
	__u32 dev;
	__u32 ino;
	__u32 f_flags;
	__u8 mech; /* 0: nothing of ours */
	__u8 is_sock;
	__u8 was_waiting; /* empty for a reader, full for a writer */
	__u8 pad0;
};

/* One skb seen inside the call; see struct ipct_sock_io. */
struct skb_part {
	__u64 skb;
	__u64 peer;
	__u32 off, len, total;
	__u32 flags;
	__u16 fp[4];
	__u64 ns; /* ipct_sock_io.skb_ns */
};

/* Who sent a queue message that is on its way (bpf/queue.bpf.c). */
struct msg_sent {
	__u64 enter_ns; /* 0: not known */
	__s64 type;
	__u32 pid, tid;
	__u32 len;
	__u32 pad0;
};

/* A send to or receive from a message queue. */
struct msg_op {
	__s64 type; /* SEND: mtype or priority; RECV: type asked for */
	__u64 prio; /* mq_receive: where the priority is stored in user memory; 0: nowhere */
	__u32 msgs, bytes; /* in the queue at entry */
	__u8 slept;
	__u8 has_msg; /* SEND: the message was allocated; RECV: freed */
	__u8 pad0[6];
	struct msg_sent sent; /* RECV */
};

/* A call on a counter: System V semaphore set, futex, eventfd. */
struct unit_op {
	struct ipct_counter c; /* c.key 0: none */
	struct ipct_waker waker; /* who woke this task in the call */
	__u64 woke_ns; /* when this task woke another one, the first time; 0: not */
	__u32 flags; /* enum ipct_unit_flag */
	__u32 cmd; /* semctl's, futex's */
	__u8 waits; /* may be blocked in the call until units come */
	__u8 pad0[7];
};

struct task_op {
	__u64 enter_ns;
	__u8 class; /* enum ipct_sysclass; 0: not in a call of ours */
	__u8 compat;
	__u8 has_part;
	__u8 asleep; /* inside a read or write of a pipe */
	__u8 told; /* parts of this call have been emitted */
	__u8 len_gap; /* ... one of them without its length */
	__u8 has_end; /* held_end is known */
	__u8 alone; /* no call of ours: io_uring on a socket (socket.bpf.c) */
	__u8 no_entry_time; /* enter_ns is 0 because its end tells as much: lane.bpf.h */
	__u8 exclusive; /* no other call can use that side of the pipe meanwhile */
	__u8 at_lock; /* waits for the lock of its pipe: moves nothing meanwhile */
	__u8 told_sleep; /* where it slept first has been told: stack.bpf.c */
	__u8 in_sock_lane; /* sock_lane.bpf.h ends it */
	__u8 unseen_parts; /* it began before its skbs showed: demand.bpf.h */
	__u8 pad0[2];
	__s32 fd_in, fd_out; /* of the objects `in` and `out`; -1: none */
	__u32 msg_flags; /* MSG_* */
	__u32 arg; /* of calls that move no data: shutdown's how, ... */
	__u64 buf; /* user memory: buffer, or iovec array */
	__u64 cnt; /* bytes, or number of iovecs */
	__u64 held_end; /* where the pipe stood when its lock was given back (pipe_unlock.bpf.c) */
	__u64 part_bytes; /* sum of the parts already emitted */
	__u64 msg_from; /* ... when the present message of sendmmsg began */
	__u32 passed_cnt; /* descriptors told of as about to be sent: pass.bpf.h */
	__u32 ended_cnt; /* messages of recvmmsg whose end was seen */
	__u64 alone_end_ns; /* of its operation before; 0: none */
	__u64 made_skb, made_ns; /* made by this call and not queued yet; 0: none */
	__u64 head_skb; /* splice: the first in the queue at entry, and how much of it was gone */
	__u64 head_off;
	struct object in, out; /* what it takes from, what it gives to; other calls: in */
	struct skb_part part;
	/* From here on of no use to the lanes (lane.bpf.h, sock_lane.bpf.h). */
	struct msg_op msg;
	struct unit_op unit;
	/* Of a thread that does not run: */
	__u8 again; /* enum again (bpf/again.bpf.h) */
	__u8 unseen; /* for it ENTERED_UNSEEN holds */
	__u8 here; /* it was preempted with ENTERED_HERE, perhaps inside a program that goes on with it */
	__u8 pad1[5];
};

/* Of one that is in a lane. */
static __always_inline void task_op__copy(struct task_op *to, const struct task_op *from)
{
	__builtin_memcpy(to, from, offsetof(struct task_op, msg));
	to->unit.waits = 0;
	to->unit.c.key = 0;
}

/* A read or write of a pipe begins: the lanes for these look at nothing else. */
static __always_inline void task_op__begin_pipe(struct task_op *op, __u8 class)
{
	op->class = class;
	op->compat = 0;
	op->asleep = 0;
	op->at_lock = 0;
	op->told_sleep = 0;
	op->in_sock_lane = 0;
	op->has_end = 0;
}

/* A call begins. What depends on its class is for those who know it. */
static __always_inline void task_op__begin(struct task_op *op, __u8 class, bool compat)
{
	task_op__begin_pipe(op, class);
	op->compat = compat;
	op->has_part = 0;
	op->no_entry_time = 0;
	op->exclusive = 0;
	op->alone = 0;
	op->told = 0;
	op->len_gap = 0;
	op->unseen_parts = 0;
	op->made_skb = 0;
	op->part_bytes = 0;
	op->msg_from = 0;
	op->passed_cnt = 0;
	op->ended_cnt = 0;
	op->unit.waits = 0;
	op->unit.c.key = 0;
	op->in.mech = 0;
	op->out.mech = 0;
}

#endif
