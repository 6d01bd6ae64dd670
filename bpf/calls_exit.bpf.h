/* SPDX-License-Identifier: GPL-2.0 */
/* What happens where a system call ends: its result is told, by the kind of call and of object. */
#ifndef BPF_CALLS_EXIT_H
#define BPF_CALLS_EXIT_H

#include "calls_enter.bpf.h"

static __always_inline bool class__counts_messages(__u8 class)
{
	return class == IPCT_SC_SENDMMSG || class == IPCT_SC_RECVMMSG;
}

static __always_inline __u32 class__io_flags(__u8 class)
{
	if (class == IPCT_SC_TEE)
		return IPCT_IO_PAGES | IPCT_IO_PEEK;
	if (class == IPCT_SC_SPLICE || class == IPCT_SC_VMSPLICE || class == IPCT_SC_SENDFILE)
		return IPCT_IO_PAGES;
	return 0;
}

#define WANTED_PIPE (wanted(IPCT_MECH_PIPE) || wanted(IPCT_MECH_FIFO))

/* The operation on one side has ended. Not static: the verifier looks at it once, whatever the call and the side. */
__noinline int exit__side(__u32 send, __s64 ret)
{
	struct task_op *op = task_op__stored(false);
	__u8 mech = !op ? 0 : send ? op->out.mech : op->in.mech, class = op ? op->class : IPCT_SC_NONE;
	bool iov = class__is_vectored(class), many = class__counts_messages(class);

	if (!op)
		return 0;
	if (wanted(IPCT_MECH_EVENTFD) && mech == IPCT_MECH_EVENTFD)
		eventfd__exit(op, send, ret, iov);
	else if (TAKES_SIGNALS && mech == IPCT_MECH_SIGNAL)
		signalfd__exit(op, ret, iov);
	else if (wanted(IPCT_MECH_PTY) && mech == IPCT_MECH_PTY)
		pty__exit(op, send, ret);
	else if (wanted(IPCT_MECH_TCP) && mech == IPCT_MECH_TCP)
		tcp__exit(op, send, ret, 0, many);
	else if (wanted(IPCT_MECH_UDP) && mech == IPCT_MECH_UDP)
		udp__exit(op, send, ret, many);
	else if (WANTED_UNIX && (send ? op->out.is_sock : op->in.is_sock))
		unix__exit(op, send, ret, iov, many);
	else if (WANTED_PIPE)
		pipe__emit(op, send, ret, class__io_flags(class) & (send ? ~IPCT_IO_PEEK : ~0u), iov);
	return 0;
}

/* Returns false for calls that move no data. */
static __always_inline bool exit__data(struct task_op *op, __s64 ret)
{
	if (op->class > IPCT_SC_SENDFILE)
		return false;
	if (WANTED_UNIX && op->class == IPCT_SC_RECVMSG && ret >= 0 && op->has_part &&
	    op->part.flags & IPCT_IO_FDS)
		pass__received(op);
	if (WANTED_UNIX && op->class == IPCT_SC_SENDMSG && ret < 0 && op->passed_cnt)
		pass__failed();
	if (op->in.mech)
		exit__side(false, ret);
	if (op->out.mech)
		exit__side(true, ret);
	return true;
}

/* The call made descriptor fd, maybe of an object of ours. */
static __noinline void exit__made(struct task_op *op, __u8 kind, __s32 fd, __s64 ret)
{
	if (!object__from_fd(&op->in, fd))
		return;
	if (op->in.mech == IPCT_MECH_PIPE || op->in.mech == IPCT_MECH_FIFO)
		pipe__forget(&op->in);
	if (!filter__wants(&op->in))
		return;
	call__emit(op, kind, &op->in, ret, fd);
	object__emit(&op->in, fd, IPCT_OBJECT_NEW, 0);
}

/* pipe, socketpair: two descriptors in user memory. */
static __always_inline void exit__pair(struct task_op *op, __s64 ret)
{
	__s32 fds[2] = { -1, -1 };

	if (ret || bpf_probe_read_user(fds, sizeof(fds), (void *)op->buf))
		return;
	op->fd_out = fds[1];
	exit__made(op, IPCT_OP_CREATE, fds[0], ret);
	if (op->class != IPCT_SC_SOCKETPAIR)
		return;
	op->fd_out = fds[0];
	exit__made(op, IPCT_OP_CREATE, fds[1], ret);
}

/* connect: the peer is the embryo that accept will return; it is named here, before data flows. */
static __always_inline void exit__connect(struct task_op *op, __s64 ret)
{
	if (!filter__wants(&op->in))
		return;
	call__emit(op, IPCT_OP_CONNECT, &op->in, ret, op->fd_in);
	if (ret || !op->in.is_sock || mech__is_inet(op->in.mech))
		return;
	object__emit(&op->in, op->fd_in, IPCT_OBJECT_NEW, 0);
	op->out = op->in;
	op->out.ptr = op->out.key = unix__peer(op->in.ptr);
	op->out.ino = sock__ino(op->out.ptr);
	op->out.file = 0;
	if (op->out.ptr)
		object__emit(&op->out, -1, IPCT_OBJECT_NEW, 0);
}

static __always_inline void exit__fcntl(struct task_op *op, __s64 ret)
{
	if (ret < 0)
		return;
	if (op->arg == F_SETPIPE_SZ && !op->in.is_sock)
		object__emit(&op->in, op->fd_in, IPCT_OBJECT_REBASE, 0);
	else if (op->arg == F_DUPFD || op->arg == F_DUPFD_CLOEXEC)
		call__emit(op, IPCT_OP_OPEN, &op->in, ret, ret);
}

/* sigwaitinfo and sigtimedwait take signals without signal_deliver. */
static __always_inline void exit__sigwait(struct task_op *op, __s64 ret)
{
	__s32 info[3] = {};

	if (ret <= 0)
		return;
	if (op->buf)
		bpf_probe_read_user(info, sizeof(info), (void *)op->buf);
	signal__taken(ret, info[2], IPCT_SIGDLV_WAITED, false, 0);
}

static __always_inline void exit__eventfd(struct task_op *op, __s64 ret)
{
	struct ipct_counter c;

	op->in.mech = 0;
	exit__made(op, IPCT_OP_CREATE, ret, ret);
	if (op->in.mech != IPCT_MECH_EVENTFD)
		return;
	eventfd__counter(&c, &op->in);
	unit__meet(&c, IPCT_MECH_EVENTFD);
}

static __noinline int exit__control(struct task_op *op, __s64 ret)
{
	switch (op->class) {
	case IPCT_SC_PIPE:
	case IPCT_SC_SOCKETPAIR:
		exit__pair(op, ret);
		break;
	case IPCT_SC_OPEN:
		exit__made(op, IPCT_OP_OPEN, ret, ret);
		break;
	case IPCT_SC_SOCKET:
		exit__made(op, IPCT_OP_CREATE, ret, ret);
		break;
	case IPCT_SC_EVENTFD:
		exit__eventfd(op, ret);
		break;
	case IPCT_SC_ACCEPT:
		op->fd_out = op->fd_in;
		exit__made(op, IPCT_OP_ACCEPT, ret, ret);
		break;
	case IPCT_SC_CONNECT:
		exit__connect(op, ret);
		break;
	case IPCT_SC_BIND:
	case IPCT_SC_LISTEN:
		if (!ret)
			object__emit(&op->in, op->fd_in, IPCT_OBJECT_NEW, 0);
		/* fall through */
	case IPCT_SC_SHUTDOWN:
		call__emit(op, IPCT_OP_CONTROL, &op->in, ret, op->fd_in);
		break;
	case IPCT_SC_CLOSE:
		call__emit(op, IPCT_OP_CLOSE, &op->in, ret, op->fd_in);
		break;
	case IPCT_SC_DUP:
		dup__exit(op, ret);
		break;
	case IPCT_SC_FCNTL:
		exit__fcntl(op, ret);
		break;
	case IPCT_SC_SIGWAIT:
		exit__sigwait(op, ret);
		break;
	case IPCT_SC_FUTEX ... IPCT_SC_FUTEX_WAIT:
		futex__exit(op, ret);
		break;
	case IPCT_SC_MSGGET ... IPCT_SC_MQ_NOTIFY:
		queue__exit(op, ret);
		break;
	case IPCT_SC_SHMGET ... IPCT_SC_MPROTECT:
		if (wanted(IPCT_MECH_SYSV_SHM) || wanted(IPCT_MECH_POSIX_SHM))
			shm__exit(op, ret);
		break;
	case IPCT_SC_PTRACE:
	case IPCT_SC_VM_READ:
	case IPCT_SC_VM_WRITE:
		if (wanted(IPCT_MECH_PTRACE))
			ptrace__exit(op, ret);
		break;
	case IPCT_SC_PIDFD_GETFD:
		if (wanted(IPCT_MECH_PTRACE))
			pass__exit_getfd(op, ret);
		break;
	case IPCT_SC_SEMOP ... IPCT_SC_SEMGET:
		sem__exit(op, ret);
		break;
	}
	return 0;
}

#endif
