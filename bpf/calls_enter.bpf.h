/* SPDX-License-Identifier: GPL-2.0 */
/* What happens where a system call begins: its class decides which objects are taken from the descriptor table, and kept. */
#ifndef BPF_CALLS_ENTER_H
#define BPF_CALLS_ENTER_H

#include "demand.bpf.h"
#include "ends.bpf.h"
#include "filter.bpf.h"
#include "lane.bpf.h"
#include "object.bpf.h"
#include "pass.bpf.h"
#include "posix_sem.bpf.h"
#include "ptrace.bpf.h"
#include "queue.bpf.h"
#include "shm.bpf.h"
#include "signalfd.bpf.h"
#include "socketcall.bpf.h"
#include "sysv_sem.bpf.h"

#define F_DUPFD 0
#define F_SETLK 6
#define F_SETLKW 7
#define F_SETLK64 13 /* of 32-bit calls */
#define F_SETLKW64 14
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#define WANTED_UNIX \
	(wanted(IPCT_MECH_UNIX_STREAM) || wanted(IPCT_MECH_UNIX_DGRAM) || wanted(IPCT_MECH_UNIX_SEQPACKET))
#define TAKES_SIGNALS (wanted(IPCT_MECH_SIGNAL) && !cfg.sees_dequeued)
#define F_SETPIPE_SZ 1031
#define F_DUPFD_CLOEXEC 1030

/* Tells what the counter held before the first operation on it. */
static __noinline void eventfd__meet(const struct object *o)
{
	struct ipct_counter c;

	eventfd__counter(&c, o);
	if (unit__is_met(&c, IPCT_MECH_EVENTFD))
		return;
	object__emit(o, -1, IPCT_OBJECT_BASE, 0);
	unit__meet(&c, IPCT_MECH_EVENTFD);
}

static __noinline bool enter__side(struct object *o, __s32 fd, bool write)
{
	if (!object__from_fd(o, fd))
		return false;
	if (!filter__wants(o)) {
		o->mech = 0;
		return false;
	}
	if (o->mech == IPCT_MECH_EVENTFD)
		eventfd__meet(o);
	else if (o->mech == IPCT_MECH_PTY)
		pty__enter(o, write);
	else if (!o->is_sock) {
		pipe__enter(o, write);
		if (write)
			pipe__note_writer(o);
	} else if (o->mech == IPCT_MECH_TCP)
		tcp__enter(o, write);
	else if (o->mech == IPCT_MECH_UDP)
		udp__enter(o, write);
	else if (!write)
		o->was_waiting = unix__queue_is_empty(o->ptr);
	return true;
}

/* Descriptors that the call takes from and gives to, and what else its exit needs. False: nothing of ours. */
static __noinline bool enter__args(struct task_op *op, struct sysargs *args)
{
	__s32 fd = (__s32)args->a[0];

	op->fd_in = op->fd_out = -1;
	op->msg_flags = 0;
	op->buf = args->a[1];
	op->cnt = args->a[2];
	switch (op->class) {
	case IPCT_SC_RECVFROM:
	case IPCT_SC_RECVMMSG:
		op->msg_flags = args->a[3];
		op->fd_in = fd;
		break;
	case IPCT_SC_RECVMSG:
		op->msg_flags = args->a[2];
		op->fd_in = fd;
		break;
	case IPCT_SC_READ:
	case IPCT_SC_READV:
		op->fd_in = fd;
		break;
	case IPCT_SC_SENDMSG:
		msghdr__load(op, args->a[1]);
		/* fall through */
	case IPCT_SC_SENDMMSG:
	case IPCT_SC_WRITE:
	case IPCT_SC_WRITEV:
	case IPCT_SC_SENDTO:
		op->fd_out = fd;
		break;
	case IPCT_SC_SPLICE:
		op->fd_in = fd;
		op->fd_out = (__s32)args->a[2];
		break;
	case IPCT_SC_TEE:
		op->fd_in = fd;
		op->fd_out = (__s32)args->a[1];
		break;
	case IPCT_SC_SENDFILE:
		op->fd_in = (__s32)args->a[1];
		op->fd_out = fd;
		break;
	case IPCT_SC_VMSPLICE: {
		__u64 file = file__by_fd(fd);

		if (file && READ(file, struct file, f_mode) & FMODE_WRITE)
			op->fd_out = fd;
		else
			op->fd_in = fd;
		break;
	}
	default:
		return false;
	}
	return true;
}

static __always_inline bool fcntl__locks(__u32 cmd)
{
	return cmd == F_SETLK || cmd == F_SETLKW || cmd == F_SETLK64 || cmd == F_SETLKW64 ||
	       cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

/* Calls that move no data: make, name, connect or end objects. */
static __noinline bool enter__control(struct task_op *op, struct sysargs *args)
{
	switch (op->class) {
	case IPCT_SC_PIPE:
		op->buf = args->a[0];
		return true;
	case IPCT_SC_SOCKETPAIR:
		op->buf = args->a[3];
		return true;
	case IPCT_SC_OPEN:
	case IPCT_SC_SOCKET:
	case IPCT_SC_EVENTFD:
		return true;
	case IPCT_SC_SIGWAIT:
		return TAKES_SIGNALS;
	case IPCT_SC_FUTEX ... IPCT_SC_FUTEX_WAIT:
		return futex__enter(op, args);
	case IPCT_SC_MSGGET ... IPCT_SC_MQ_NOTIFY:
		return queue__enter(op, args);
	case IPCT_SC_URING_SETUP:
		demand__note(IPCT_DEMAND_LENGTHS);
		return false;
	case IPCT_SC_SHMGET ... IPCT_SC_MPROTECT:
		return (wanted(IPCT_MECH_SYSV_SHM) || wanted(IPCT_MECH_POSIX_SHM)) && shm__enter(op, args);
	case IPCT_SC_PTRACE:
	case IPCT_SC_VM_READ:
	case IPCT_SC_VM_WRITE:
		return ptrace__enter(op, args);
	case IPCT_SC_PIDFD_GETFD:
		return pass__enter_getfd(op, args);
	case IPCT_SC_FLOCK:
		return true; /* for its time of entry: flock.bpf.c */
	case IPCT_SC_FCNTL:
		if (wanted(IPCT_MECH_FLOCK) && fcntl__locks(args->a[1])) {
			op->arg = args->a[1];
			return true;
		}
		break;
	case IPCT_SC_SEMOP ... IPCT_SC_SEMGET:
		return sem__enter(op, args);
	case IPCT_SC_CLOSE_RANGE:
		ends__close_range(args);
		return false;
	}
	op->fd_in = (__s32)args->a[0];
	op->arg = args->a[1];
	if (op->class == IPCT_SC_CLOSE && wanted(IPCT_MECH_POSIX_SEM))
		psem__closes(op->fd_in);
	if (!object__from_fd(&op->in, op->fd_in))
		return dup__enter(op);
	dup__enter(op);
	/* Only its end tells what a connect connects to. */
	return op->class == IPCT_SC_CONNECT || filter__wants(&op->in);
}

/* For those who wake this task, or whom it wakes. */
static __always_inline void enter__eventfd(struct task_op *op)
{
	const struct object *o = op->in.mech == IPCT_MECH_EVENTFD ? &op->in : &op->out;

	if (o->mech != IPCT_MECH_EVENTFD)
		return;
	unit__begin(&op->unit);
	eventfd__counter(&op->unit.c, o);
	op->unit.waits = 1;
}

/* A call that moves data, behind enter__args(). */
static __always_inline bool enter__data(struct task_op *op, struct sysargs *args)
{
	bool in = false, out = false;

	if (op->fd_in >= 0)
		in = enter__side(&op->in, op->fd_in, false);
	if (!in && TAKES_SIGNALS && op->class <= IPCT_SC_READV && file__is_signalfd(op->fd_in)) {
		op->in.mech = IPCT_MECH_SIGNAL;
		op->in.is_sock = 0;
		in = true;
	}
	if (op->fd_out >= 0)
		out = enter__side(&op->out, op->fd_out, true);
	if (in || out)
		demand__by_data(op);
	if (in && WANTED_UNIX && op->class == IPCT_SC_SPLICE && op->in.is_sock)
		unix__enter_splice(op);
	if (out && WANTED_UNIX && op->class == IPCT_SC_SENDMSG && op->out.is_sock)
		pass__sent(op, args->a[1]);
	if (wanted(IPCT_MECH_EVENTFD))
		enter__eventfd(op);
	return in || out;
}

static __always_inline bool enter__call(struct task_op *op, struct sysargs *args)
{
	return enter__args(op, args) ? enter__data(op, args) : enter__control(op, args);
}

#endif
