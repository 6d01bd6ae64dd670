/* SPDX-License-Identifier: GPL-2.0 */
/* Message queues, System V and POSIX: the system calls. Messages' identities are in queue.bpf.c. */
#ifndef BPF_QUEUE_H
#define BPF_QUEUE_H

#include "demand.bpf.h"
#include "emit.bpf.h"
#include "file.bpf.h"
#include "fingerprint.bpf.h"
#include "ledger.bpf.h"
#include "object.bpf.h"
#include "sysv.bpf.h"

#define MSG_COPY 040000
#define IPC_CREAT 01000
#define IPC_EXCL 02000
#define IPC_RMID 0
#define IPC_SET 1
#define IPC_64 0x100
#define O_CREAT_EXCL 0300

struct queue_depth {
	__u32 msgs, bytes, msgs_max, bytes_max;
	__s32 ipc_key;
};

/* ---- the object ---- */

static __always_inline void queue__set_sysv(struct object *o, __s32 id)
{
	struct ipc_namespace *ns = sysv__namespace();

	o->file = 0;
	o->ptr = 0;
	o->key = (__u32)id;
	o->dev = ns ? READ(ns, struct ipc_namespace, ns.inum) : 0;
	o->ino = 0;
	o->is_sock = 0;
	o->was_waiting = 0;
	o->mech = IPCT_MECH_SYSV_MSG;
}

static __always_inline bool queue__from_fd(struct object *o, __s32 fd)
{
	return mq__from_file(o, file__by_fd(fd));
}

static __always_inline void queue__depth(const struct object *o, struct queue_depth *d)
{
	__builtin_memset(d, 0, sizeof(*d));
	if (o->mech == IPCT_MECH_SYSV_MSG) {
		/* Looked up each time: it may have been removed meanwhile. */
		__u64 q = sysv__find(SYSV_MSG, o->key);

		if (!q)
			return;
		d->msgs = READ(q, struct msg_queue, q_qnum);
		d->bytes = READ(q, struct msg_queue, q_cbytes);
		d->bytes_max = READ(q, struct msg_queue, q_qbytes);
		d->ipc_key = READ(q, struct msg_queue, q_perm.key);
		return;
	}
	d->msgs = READ(o->ptr, struct mqueue_inode_info, attr.mq_curmsgs);
	d->bytes = READ(o->ptr, struct mqueue_inode_info, qsize);
	d->msgs_max = READ(o->ptr, struct mqueue_inode_info, attr.mq_maxmsg);
	d->bytes_max = mq__capacity(o->ptr);
}

/* ---- entry ---- */

static __always_inline __u32 queue__type_bytes(const struct task_op *op)
{
	return op->compat ? 4 : 8;
}

/* The long in front of a System V message's body, in user memory; -1: it cannot be read (yet). */
static __always_inline __s64 queue__load_type(const struct task_op *op)
{
	__s64 type = -1;
	__s32 type32 = -1;

	if (!op->compat)
		return bpf_probe_read_user(&type, sizeof(type), (void *)(op->buf - 8)) ? -1 : type;
	return bpf_probe_read_user(&type32, sizeof(type32), (void *)(op->buf - 4)) ? -1 : type32;
}

static __always_inline void queue__begin(struct task_op *op)
{
	struct queue_depth d;

	queue__depth(&op->in, &d);
	op->msg.msgs = d.msgs;
	op->msg.bytes = d.bytes;
	op->msg.slept = 0;
	op->msg.has_msg = 0;
	op->msg.sent.pid = 0;
}

static __always_inline bool sysv_msg__enter(struct task_op *op, const struct sysargs *args)
{
	if (!wanted(IPCT_MECH_SYSV_MSG))
		return false;
	queue__set_sysv(&op->in, args->a[0]);
	switch (op->class) {
	case IPCT_SC_MSGGET:
		op->buf = args->a[0];
		op->arg = args->a[1];
		return true;
	case IPCT_SC_MSGCTL:
		op->arg = args->a[1] & ~IPC_64;
		return op->arg == IPC_RMID || op->arg == IPC_SET;
	}
	op->buf = args->a[1] + queue__type_bytes(op);
	op->cnt = args->a[2];
	op->msg_flags = op->class == IPCT_SC_MSGSND ? args->a[3] : args->a[4];
	if (op->class == IPCT_SC_MSGSND)
		op->msg.type = queue__load_type(op);
	else
		op->msg.type = op->compat ? (__s64)(__s32)args->a[3] : (__s64)args->a[3];
	queue__begin(op);
	return true;
}

static __always_inline bool mq__enter(struct task_op *op, const struct sysargs *args)
{
	if (!wanted(IPCT_MECH_POSIX_MQ))
		return false;
	op->buf = args->a[1];
	if (op->class == IPCT_SC_MQ_OPEN || op->class == IPCT_SC_MQ_UNLINK) {
		op->buf = args->a[0];
		op->arg = args->a[1];
		return true;
	}
	op->fd_in = args->a[0];
	if (!queue__from_fd(&op->in, op->fd_in))
		return false;
	op->cnt = args->a[2];
	op->msg_flags = 0;
	op->msg.type = op->class == IPCT_SC_MQ_SEND ? (__u32)args->a[3] : 0;
	op->msg.prio = args->a[3];
	queue__begin(op);
	return true;
}

static __noinline bool queue__enter(struct task_op *op, const struct sysargs *args)
{
	op->fd_in = op->fd_out = -1;
	op->arg = 0;
	if (op->class != IPCT_SC_MSGCTL) /* ipcs looks at what there is */
		demand__note(IPCT_DEMAND_MESSAGES);
	if (op->class <= IPCT_SC_MSGCTL)
		return sysv_msg__enter(op, args);
	return mq__enter(op, args);
}

/* ---- exit ---- */

static __always_inline __s64 queue__received_type(const struct task_op *op)
{
	__u32 prio;

	if (op->msg.sent.pid)
		return op->msg.sent.type;
	if (op->class == IPCT_SC_MSGRCV)
		return queue__load_type(op);
	if (!op->msg.prio || bpf_probe_read_user(&prio, sizeof(prio), (void *)op->msg.prio))
		return -1;
	return prio;
}

static __always_inline bool queue__peeks(const struct task_op *op)
{
	return op->class == IPCT_SC_MSGRCV && (op->msg_flags & MSG_COPY);
}

/* Its message has been seen from the beginning, or is from before the trace. */
static __always_inline bool queue__is_followed(const struct task_op *op, bool send)
{
	if (!cfg.knows_msgs)
		return false;
	/* What was made before the programs that see it were attached may be of the trace all the same. */
	return !demand__is_possible(IPCT_DEMAND_MESSAGES) || (send ? op->msg.has_msg : op->msg.sent.pid != 0);
}

static __always_inline __u32 queue__io_flags(const struct task_op *op, bool send, __s64 ret)
{
	__u32 flags = 0;

	if (op->msg.slept)
		flags |= IPCT_IO_WAITED;
	if (op->compat)
		flags |= IPCT_IO_COMPAT;
	if (!queue__is_followed(op, send))
		flags |= IPCT_IO_NO_SKB;
	if (send)
		return flags;
	if (queue__peeks(op))
		flags |= IPCT_IO_PEEK;
	if (op->msg.sent.pid && ret >= 0 && op->msg.sent.len > ret)
		flags |= IPCT_IO_TRUNC;
	return flags;
}

static __noinline void queue__emit(struct task_op *op, bool send, __s64 ret)
{
	struct ipct_msg_io *ev;
	struct queue_depth d;

	queue__depth(&op->in, &d);
	ev = emit__reserve(IPCT_KIND_MSG_IO, sizeof(*ev), op->in.mech, send ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return;
	ev->enter_ns = op->enter_ns;
	ev->key = op->in.key;
	ev->type = op->msg.type;
	if (send && op->class == IPCT_SC_MSGSND && ev->type < 0)
		ev->type = queue__load_type(op);
	ev->want = 0;
	if (!send) {
		ev->want = op->msg.type;
		ev->type = ret >= 0 ? queue__received_type(op) : -1;
	}
	ev->sent_enter_ns = !send && op->msg.sent.pid ? op->msg.sent.enter_ns : 0;
	ev->sent_pid = send ? 0 : op->msg.sent.pid;
	ev->sent_tid = !send && op->msg.sent.pid ? op->msg.sent.tid : 0;
	ev->space = op->in.dev;
	ev->ret = ret;
	ev->len = op->cnt;
	ev->total = !send && op->msg.sent.pid ? op->msg.sent.len : 0;
	ev->msgs_before = op->msg.msgs;
	ev->bytes_before = op->msg.bytes;
	ev->msgs = d.msgs;
	ev->bytes = d.bytes;
	ev->msgs_max = d.msgs_max;
	ev->bytes_max = d.bytes_max;
	ev->msgflg = op->msg_flags;
	ev->ipc_key = d.ipc_key;
	ev->flags = queue__io_flags(op, send, ret);
	if (!d.msgs)
		ev->flags |= IPCT_IO_DRAINED;
	ev->fd = op->fd_in;
	__builtin_memset(ev->fp, 0, sizeof(ev->fp));
	if (ret >= 0)
		fingerprint__user(ev->fp, op, false, send ? op->cnt : (__u64)ret);
	emit__submit(ev);
}

static __always_inline void msgget__exit(struct task_op *op, __s64 ret)
{
	bool makes = !(__u32)op->buf || (op->arg & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL);

	if (ret < 0)
		return;
	op->in.key = (__u32)ret;
	call__emit(op, makes ? IPCT_OP_CREATE : IPCT_OP_OPEN, &op->in, ret, -1);
}

static __always_inline void mq_open__exit(struct task_op *op, __s64 ret)
{
	bool makes = (op->arg & O_CREAT_EXCL) == O_CREAT_EXCL;

	if (ret < 0 || !queue__from_fd(&op->in, ret))
		return;
	object__emit(&op->in, ret, IPCT_OBJECT_NEW, 0);
	call__emit(op, makes ? IPCT_OP_CREATE : IPCT_OP_OPEN, &op->in, ret, ret);
}

/* The queue cannot be looked up by name from here: it goes by the time of the call, under the same name. */
static __always_inline void mq_unlink__exit(struct task_op *op, __s64 ret)
{
	struct ipc_namespace *ns = sysv__namespace();
	__u32 which = 0, size = sizeof(struct ipct_object);
	struct object_scratch *sc = ret ? NULL : SCRATCH_TAKE(object_scratch, &which);
	struct ipct_object *ev;
	long len;

	if (!sc) {
		if (!ret)
			emit__count_lost(IPCT_MECH_POSIX_MQ);
		return;
	}
	ev = &sc->ev;
	__builtin_memset(ev, 0, sizeof(*ev));
	len = bpf_probe_read_user_str(sc->name, IPCT_PATH_LEN, (void *)op->buf);
	if (len <= 1)
		goto out;
	op->in.key = op->enter_ns;
	op->in.dev = 0;
	op->in.is_sock = 0;
	op->in.mech = IPCT_MECH_POSIX_MQ;
	ev->key = op->in.key;
	ev->peer_ino = ns ? READ(ns, struct ipc_namespace, ns.inum) : 0;
	ev->what = IPCT_OBJECT_NEW;
	ev->fd = -1;
	ev->name_len = (len - 1) & (IPCT_PATH_LEN - 1);
	size += ev->name_len;
	emit__header(&ev->h, IPCT_KIND_OBJECT, size, IPCT_MECH_POSIX_MQ, 0);
	emit__output(ev, size, IPCT_MECH_POSIX_MQ);
	call__emit(op, IPCT_OP_UNLINK, &op->in, ret, -1);
out:
	sc->busy = 0;
}

static __noinline void queue__exit(struct task_op *op, __s64 ret)
{
	switch (op->class) {
	case IPCT_SC_MSGGET:
		msgget__exit(op, ret);
		break;
	case IPCT_SC_MSGSND:
	case IPCT_SC_MQ_SEND:
		if (!ledger__queue(op, true, ret, false))
			queue__emit(op, true, ret);
		break;
	case IPCT_SC_MSGRCV:
	case IPCT_SC_MQ_RECEIVE:
		if (!ledger__queue(op, false, ret, queue__peeks(op)))
			queue__emit(op, false, ret);
		break;
	case IPCT_SC_MSGCTL:
		call__emit(op, op->arg == IPC_RMID ? IPCT_OP_UNLINK : IPCT_OP_CONTROL, &op->in, ret, -1);
		break;
	case IPCT_SC_MQ_OPEN:
		mq_open__exit(op, ret);
		break;
	case IPCT_SC_MQ_UNLINK:
		mq_unlink__exit(op, ret);
		break;
	case IPCT_SC_MQ_NOTIFY:
		call__emit(op, IPCT_OP_CONTROL, &op->in, ret, op->fd_in);
		break;
	}
}

#endif
