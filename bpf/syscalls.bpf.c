// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoint rung of everything that is a system call: one program at entry, one at exit, for all
 * mechanisms. Entry decides by the call's class, takes the object from the descriptor table, and remembers it;
 * exit emits. The object's own code is in <mechanism>.bpf.h.
 */
#include "filter.bpf.h"
#include "object.bpf.h"
#include "queue.bpf.h"

#define F_DUPFD 0
#define F_SETPIPE_SZ 1031
#define F_DUPFD_CLOEXEC 1030

static __always_inline __u8 socketcall__class(__u32 call)
{
	switch (call) {
	case 1:
		return IPCT_SC_SOCKET;
	case 2:
		return IPCT_SC_BIND;
	case 3:
		return IPCT_SC_CONNECT;
	case 4:
		return IPCT_SC_LISTEN;
	case 5:
	case 18:
		return IPCT_SC_ACCEPT;
	case 8:
		return IPCT_SC_SOCKETPAIR;
	case 9:
	case 11:
		return IPCT_SC_SENDTO;
	case 10:
	case 12:
		return IPCT_SC_RECVFROM;
	case 13:
		return IPCT_SC_SHUTDOWN;
	case 16:
		return IPCT_SC_SENDMSG;
	case 17:
		return IPCT_SC_RECVMSG;
	case 19:
		return IPCT_SC_RECVMMSG;
	case 20:
		return IPCT_SC_SENDMMSG;
	}
	return IPCT_SC_NONE;
}

/* socketcall(call, u32 args[]): the arguments lie in user memory. */
static __always_inline __u8 socketcall__decode(struct sysargs *args)
{
	__u8 class = socketcall__class(args->a[0]);
	__u32 raw[6] = {};

	bpf_probe_read_user(raw, sizeof(raw), (void *)args->a[1]);
	for (int i = 0; i < 6; i++)
		args->a[i] = raw[i];
	return class;
}

/* The first iovec of a struct msghdr, as buf/cnt. */
static __always_inline void msghdr__load(struct task_op *op, __u64 msghdr)
{
	if (op->compat) {
		struct {
			__u32 name, namelen, iov, iovlen;
		} m = {};

		bpf_probe_read_user(&m, sizeof(m), (void *)msghdr);
		op->buf = m.iov;
		op->cnt = m.iovlen;
	} else {
		struct {
			__u64 name, namelen, iov, iovlen;
		} m = {};

		bpf_probe_read_user(&m, sizeof(m), (void *)msghdr);
		op->buf = m.iov;
		op->cnt = m.iovlen;
	}
}

/* ---- entry ---- */

static __noinline bool enter__side(struct object *o, __s32 fd, bool write)
{
	if (!object__from_fd(o, fd))
		return false;
	if (!filter__wants(o)) {
		o->mech = 0;
		return false;
	}
	if (!o->is_sock)
		pipe__enter(o, write);
	else if (!write)
		o->was_waiting = unix__queue_is_empty(o->ptr);
	return true;
}

/* Descriptors that the call takes from and gives to, and what else its exit needs. False: nothing of ours. */
static __always_inline bool enter__args(struct task_op *op, struct sysargs *args)
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

/* Calls that move no data: make, name, connect or end objects. */
static __always_inline bool enter__control(struct task_op *op, struct sysargs *args)
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
		return true;
	case IPCT_SC_SIGWAIT:
		return wanted(IPCT_MECH_SIGNAL);
	case IPCT_SC_MSGGET ... IPCT_SC_MQ_NOTIFY:
		return queue__enter(op, args);
	case IPCT_SC_CLOSE_RANGE:
		return false; /* its ends show in what follows; closing many at once names none */
	}
	op->fd_in = (__s32)args->a[0];
	op->arg = args->a[1];
	if (!object__from_fd(&op->in, op->fd_in))
		return false;
	/* Only its end tells what a connect connects to. */
	return op->class == IPCT_SC_CONNECT || filter__wants(&op->in);
}

static __always_inline bool enter__call(struct task_op *op, struct sysargs *args)
{
	bool in = false, out = false;

	if (!enter__args(op, args))
		return enter__control(op, args);
	if (op->fd_in >= 0)
		in = enter__side(&op->in, op->fd_in, false);
	if (op->fd_out >= 0)
		out = enter__side(&op->out, op->fd_out, true);
	return in || out;
}

static __always_inline void enter__begin(struct task_op *op, __u8 class, bool compat)
{
	op->class = class;
	op->compat = compat;
	op->has_part = 0;
	op->alone = 0;
	op->asleep = 0;
	op->part_bytes = 0;
	op->in.mech = 0;
	op->out.mech = 0;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(sys_enter__tracepoint, struct pt_regs *regs, long nr)
{
	struct sysargs args;
	struct task_op *op;
	bool compat;
	__u8 class;

	if (!active || (__u64)nr >= IPCT_SYSCALL_MAX)
		return 0;
	if (!sysclass[nr] && !sysclass32[nr])
		return 0;
	compat = syscall_is_compat();
	class = compat ? sysclass32[nr] : sysclass[nr];
	if (!class || task__is_tracer())
		return 0;
	syscall_args(regs, compat, &args);
	if (class == IPCT_SC_SOCKETCALL)
		class = socketcall__decode(&args);
	if (class == IPCT_SC_IPC)
		class = ipc__decode(&args);
	op = task_op__current(true);
	if (!op)
		return 0;
	enter__begin(op, class, compat);
	if (enter__call(op, &args))
		op->enter_ns = bpf_ktime_get_boot_ns();
	else
		op->class = IPCT_SC_NONE;
	return 0;
}

/* ---- exit ---- */

static __always_inline bool class__is_vectored(__u8 class)
{
	return class == IPCT_SC_READV || class == IPCT_SC_WRITEV || class == IPCT_SC_SENDMSG ||
	       class == IPCT_SC_RECVMSG;
}

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

/* Returns false for calls that move no data. */
static __always_inline bool exit__data(struct task_op *op, __s64 ret)
{
	__u32 flags = class__io_flags(op->class);
	bool iov = class__is_vectored(op->class), many = class__counts_messages(op->class);

	if (op->class > IPCT_SC_SENDFILE)
		return false;
	if (op->in.mech && op->in.is_sock)
		unix__exit(op, false, ret, iov, many);
	else if (op->in.mech)
		pipe__emit(op, false, ret, flags, iov);
	if (op->out.mech && op->out.is_sock)
		unix__exit(op, true, ret, iov, many);
	else if (op->out.mech)
		pipe__emit(op, true, ret, flags & ~IPCT_IO_PEEK, iov);
	return true;
}

/* The call made descriptor fd, maybe of an object of ours. */
static __noinline void exit__made(struct task_op *op, __u8 kind, __s32 fd, __s64 ret)
{
	if (!object__from_fd(&op->in, fd) || !filter__wants(&op->in))
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
	if (ret || !op->in.is_sock)
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
	struct ipct_sigdlv *ev;
	__s32 info[3] = {};

	if (ret <= 0)
		return;
	ev = emit__reserve(IPCT_KIND_SIGDLV, sizeof(*ev), IPCT_MECH_SIGNAL, IPCT_OP_WAIT);
	if (!ev)
		return;
	if (op->buf)
		bpf_probe_read_user(info, sizeof(info), (void *)op->buf);
	ev->sig = ret;
	ev->code = info[2];
	ev->how = IPCT_SIGDLV_WAITED;
	__builtin_memset(ev->pad0, 0, sizeof(ev->pad0));
	emit__submit(ev);
}

static __always_inline void exit__control(struct task_op *op, __s64 ret)
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
		if (ret >= 0)
			call__emit(op, IPCT_OP_OPEN, &op->in, ret, ret);
		break;
	case IPCT_SC_FCNTL:
		exit__fcntl(op, ret);
		break;
	case IPCT_SC_SIGWAIT:
		exit__sigwait(op, ret);
		break;
	case IPCT_SC_MSGGET ... IPCT_SC_MQ_NOTIFY:
		queue__exit(op, ret);
		break;
	}
}

/*
 * A thread without a record is in a call that it entered before tracing began, a reader that waited for instance. Its
 * arguments are still in the registers; its descriptor is still open, unless another thread closed it meanwhile. What
 * sockets moved was seen by socket.bpf.c.
 */
static __always_inline struct task_op *exit__unseen(struct pt_regs *regs, long nr)
{
	bool compat = syscall_is_compat();
	__u8 class = compat ? sysclass32[nr] : sysclass[nr];
	struct sysargs args;
	struct task_op *op;

	if (!class || task__is_tracer())
		return NULL;
	if (class > IPCT_SC_SENDFILE && class != IPCT_SC_ACCEPT && class != IPCT_SC_SIGWAIT)
		return NULL;
	op = task_op__current(true);
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

SEC("?tp_btf/sys_exit")
int BPF_PROG(sys_exit__tracepoint, struct pt_regs *regs, long ret)
{
	long nr = syscall_nr_at_exit(regs);
	struct task_op *op;

	if (!active || (__u64)nr >= IPCT_SYSCALL_MAX)
		return 0;
	if (!sysclass[nr] && !sysclass32[nr])
		return 0;
	op = task_op__current(false);
	if (!op)
		op = exit__unseen(regs, nr);
	if (!op || !op->class)
		return 0;
	if (!exit__data(op, ret))
		exit__control(op, ret);
	op->class = IPCT_SC_NONE;
	return 0;
}

/* The side of a pipe that a thread in the middle of a plain read or write works on; NULL: it is not in one. */
static __always_inline struct object *sleeper__pipe(struct task_op *op, bool *write)
{
	struct object *o;

	if (!op || op->class == IPCT_SC_NONE || op->class > IPCT_SC_WRITEV)
		return NULL;
	*write = op->class == IPCT_SC_WRITE || op->class == IPCT_SC_WRITEV;
	o = *write ? &op->out : &op->in;
	return o->mech && !o->is_sock ? o : NULL;
}

/*
 * The thread goes to sleep inside a read or write. All that it moved so far (only a write longer than PIPE_BUF can have
 * moved anything) lies before the present end of the stream.
 */
static __always_inline void sleeper__leaves(struct task_op *op)
{
	struct object *o;
	bool write;

	if (op && op->class >= IPCT_SC_MSGGET && op->class <= IPCT_SC_MQ_NOTIFY)
		op->msg.slept = 1;
	o = sleeper__pipe(op, &write);
	if (!o)
		return;
	op->asleep = 1;
	if (write && (op->class == IPCT_SC_WRITEV || op->cnt > PIPE_ATOMIC_BYTES))
		pipe__emit(op, true, 0, IPCT_IO_BLOCKED, false);
}

/* It goes on: whatever it moves from now on lies behind the present end, however long others worked meanwhile. */
static __always_inline void sleeper__returns(struct task_op *op)
{
	struct object *o;
	__u8 was_waiting;
	bool write;

	if (!op || !op->asleep)
		return;
	op->asleep = 0;
	o = sleeper__pipe(op, &write);
	if (!o)
		return;
	was_waiting = o->was_waiting;
	pipe__enter(o, write);
	o->was_waiting |= was_waiting;
}

/*
 * Not for threads that are preempted: they may have done their work already. preempt is not enough to tell: a thread that
 * is about to sleep can be preempted, and then it is still runnable or not by its state (which moved in 5.14, 2f064a59a11f).
 */
SEC("?tp_btf/sched_switch")
int BPF_PROG(sched_switch__tracepoint, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	if (!active)
		return 0;
	if (!preempt && task__state(prev))
		sleeper__leaves(task_op__current(false));
	sleeper__returns(task_op__of(next));
	return 0;
}

/* A reader or writer that had to wait for the pipe's lock has it now: nobody moves the stream at this moment. */
SEC("?tp_btf/contention_end")
int BPF_PROG(contention_end__tracepoint, void *lock)
{
	struct task_op *op;
	struct object *o;
	bool write;

	if (!active)
		return 0;
	op = task_op__current(false);
	o = sleeper__pipe(op, &write);
	if (o && (__u64)lock == pipe__lock(o->ptr))
		o->addr = pipe__addr_now(o->ptr, write);
	return 0;
}
