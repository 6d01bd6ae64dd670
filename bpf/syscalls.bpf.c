// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoint rung of everything that is a system call: one program at entry, one at exit, for all
 * mechanisms. Entry decides by the call's class, takes the object from the descriptor table, and remembers it;
 * exit emits. The object's own code is in <mechanism>.bpf.h.
 */
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
#define F_SETPIPE_SZ 1031
#define F_DUPFD_CLOEXEC 1030

/* ---- entry ---- */

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
		return wanted(IPCT_MECH_SIGNAL);
	case IPCT_SC_FUTEX ... IPCT_SC_FUTEX_WAIT:
		return futex__enter(op, args);
	case IPCT_SC_MSGGET ... IPCT_SC_MQ_NOTIFY:
		return queue__enter(op, args);
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

static __always_inline bool enter__call(struct task_op *op, struct sysargs *args)
{
	bool in = false, out = false;

	if (!enter__args(op, args))
		return enter__control(op, args);
	if (op->fd_in >= 0)
		in = enter__side(&op->in, op->fd_in, false);
	if (!in && wanted(IPCT_MECH_SIGNAL) && op->class <= IPCT_SC_READV && file__is_signalfd(op->fd_in)) {
		op->in.mech = IPCT_MECH_SIGNAL;
		op->in.is_sock = 0;
		in = true;
	}
	if (op->fd_out >= 0)
		out = enter__side(&op->out, op->fd_out, true);
	if (in && WANTED_UNIX && op->class == IPCT_SC_SPLICE && op->in.is_sock)
		unix__enter_splice(op);
	if (out && WANTED_UNIX && op->class == IPCT_SC_SENDMSG && op->out.is_sock)
		pass__sent(op, args->a[1]);
	if (wanted(IPCT_MECH_EVENTFD))
		enter__eventfd(op);
	return in || out;
}

static __always_inline void enter__begin(struct task_op *op, __u8 class, bool compat)
{
	op->class = class;
	op->compat = compat;
	op->has_part = 0;
	op->no_entry_time = 0;
	op->exclusive = 0;
	op->alone = 0;
	op->asleep = 0;
	op->told = 0;
	op->told_sleep = 0;
	op->len_gap = 0;
	op->made_skb = 0;
	op->has_end = 0;
	op->part_bytes = 0;
	op->msg_from = 0;
	op->passed_cnt = 0;
	op->unit.waits = 0;
	op->unit.c.key = 0;
	op->in.mech = 0;
	op->out.mech = 0;
}

/* The common way; far: regs is no pointer that the verifier knows. Returns what the exit is to look for. */
static __always_inline __u8 enter__common(struct pt_regs *regs, __u8 class, bool compat, bool far)
{
	struct sysargs args;
	struct task_op *op;

	if (far)
		syscall_args_far(regs, compat, &args);
	else
		syscall_args(regs, compat, &args);
	if (class == IPCT_SC_SOCKETCALL)
		class = socketcall__decode(&args);
	if (class == IPCT_SC_IPC)
		class = ipc__decode(&args);
	op = task_op__stored(true);
	if (!op)
		return ENTERED_UNSEEN;
	enter__begin(op, class, compat);
	if (!enter__call(op, &args)) {
		op->class = IPCT_SC_NONE;
		return ENTERED_NONE;
	}
	op->enter_ns = clock__now();
	return ENTERED_STORED;
}

static __always_inline int syscall__enter(struct pt_regs *regs, long nr, bool far)
{
	struct task_struct *task;
	struct running *r;
	bool compat;
	__u8 class;

	if (!active || (__u64)nr >= IPCT_SYSCALL_MAX)
		return 0;
	if (!sysclass[nr] && !sysclass32[nr])
		return 0;
	r = running__here();
	if (!r)
		return 0;
	task = running__task(r, regs);
	compat = syscall_is_compat(task);
	class = compat ? sysclass32[nr] : sysclass[nr];
	r->entered = ENTERED_NONE;
	if (!class || (cfg.has_running && r->is_settled ? r->is_self : task__is_self(task)))
		return 0;
	if (cfg.has_running && !far && !compat && (class == IPCT_SC_READ || class == IPCT_SC_WRITE) &&
	    lane__take(r, class == IPCT_SC_WRITE, SYSARG0(regs), SYSARG1(regs), SYSARG2(regs)))
		return 0;
	r->entered = enter__common(regs, class, compat, far);
	return 0;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(sys_enter__tracepoint, struct pt_regs *regs, long nr)
{
	return syscall__enter(regs, nr, false);
}

/* ---- exit ---- */

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
	else if (wanted(IPCT_MECH_SIGNAL) && mech == IPCT_MECH_SIGNAL)
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
	signal__taken(ret, info[2], IPCT_SIGDLV_WAITED);
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

/*
 * A thread without a record is in a call that it entered before tracing began, a reader that waited for instance. Its
 * arguments are still in the registers; its descriptor is still open, unless another thread closed it meanwhile. What
 * sockets moved was seen by socket.bpf.c.
 */
static __always_inline struct task_op *exit__unseen(struct pt_regs *regs, long nr)
{
	bool compat = syscall_is_compat(current_task());
	__u8 class = compat ? sysclass32[nr] : sysclass[nr];
	struct sysargs args;
	struct task_op *op;

	if (!class || task__is_tracer())
		return NULL;
	if (class > IPCT_SC_SENDFILE && class != IPCT_SC_ACCEPT && class != IPCT_SC_SIGWAIT)
		return NULL;
	op = task_op__stored(true);
	if (!op)
		return NULL;
	syscall_args(regs, compat, &args);
	enter__begin(op, class, compat);
	if (!enter__call(op, &args)) {
		op->class = IPCT_SC_NONE;
		return NULL;
	}
	if (class <= IPCT_SC_SENDFILE && op->in.is_sock)
		op->in.mech = 0;
	if (class <= IPCT_SC_SENDFILE && op->out.is_sock)
		op->out.mech = 0;
	op->in.addr = op->out.addr = 0;
	op->in.was_waiting = op->out.was_waiting = 0;
	op->enter_ns = 0;
	return op;
}

static __always_inline void syscall__end(struct task_op *op, __s64 ret)
{
	if (!exit__data(op, ret))
		exit__control(op, ret);
	op->class = IPCT_SC_NONE;
}

static __always_inline int exit__common(struct pt_regs *regs, long nr, long ret, __u8 entered)
{
	struct task_op *op = entered == ENTERED_NONE ? NULL : task_op__stored(false);

	if (!op && entered == ENTERED_UNSEEN)
		op = exit__unseen(regs, nr);
	if (wanted(IPCT_MECH_SYSV_SEM) && sysclass[nr] == IPCT_SC_SEMOP && (!op || !op->class))
		sem__exit_late(regs, ret);
	if (op && op->class)
		syscall__end(op, ret);
	return 0;
}

static __always_inline int syscall__exit(struct pt_regs *regs, long ret)
{
	long nr = syscall_nr_at_exit(regs);
	struct running *r;
	__u8 entered;

	if (!active || (__u64)nr >= IPCT_SYSCALL_MAX)
		return 0;
	if (!sysclass[nr] && !sysclass32[nr])
		return 0;
	r = running__here();
	if (!r)
		return 0;
	if (!cfg.has_running)
		return exit__common(regs, nr, ret, ENTERED_UNSEEN);
	entered = running__is_in_call(r, regs) ? r->entered : ENTERED_UNSEEN;
	if (entered == ENTERED_HERE) {
		lane__exit(r, ret);
		return 0;
	}
	r->entered = ENTERED_NONE;
	return exit__common(regs, nr, ret, entered);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(sys_exit__tracepoint, struct pt_regs *regs, long ret)
{
	return syscall__exit(regs, ret);
}
