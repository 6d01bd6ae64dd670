// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoint rung of everything that is a system call: one program at entry, one at exit, for all
 * mechanisms. Entry decides by the call's class, takes the object from the descriptor table, and remembers it
 * (calls_enter.bpf.h); exit emits (calls_exit.bpf.h). The object's own code is in <mechanism>.bpf.h.
 */
#include "again.bpf.h"
#include "calls_enter.bpf.h"
#include "calls_exit.bpf.h"
#include "thread_stack.bpf.h"

/* ---- entry ---- */

/*
 * The common way; far: regs is no pointer that the verifier knows. Returns what the exit is to look for. Not inline, for the
 * lanes' sake: they keep their variables in registers.
 */
static __noinline __u8 enter__common(struct pt_regs *regs, __u8 class, bool compat, bool far)
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
	if (!op) {
		emit__count_full(IPCT_MECH_NONE); /* what the call is about is not known yet */
		return ENTERED_UNSEEN;
	}
	task_op__begin(op, class, compat);
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
	if (cfg.has_running && !far && !compat && lane__take(r, class, regs))
		return 0;
	r->entered = enter__common(regs, class, compat, far);
	return 0;
}

JUMPS(enter_tp_jumps);

SEC("?tp_btf/sys_enter")
int BPF_PROG(sys_enter__tracepoint, struct pt_regs *regs, long nr)
{
	ON_THREAD_STACK(ctx, enter_tp_jumps);
	syscall__enter(regs, nr, false);
	again__told(AGAIN_ENTERED);
	return 0;
}

/* ---- exit ---- */

/* Its arguments, of those calls that exit__unseen() is about. */
static __always_inline bool exit__find(struct task_op *op, struct sysargs *args)
{
	if (enter__args(op, args))
		return enter__data(op, args);
	if (op->class == IPCT_SC_SIGWAIT)
		return wanted(IPCT_MECH_SIGNAL);
	op->fd_in = (__s32)args->a[0];
	op->arg = args->a[1];
	return object__from_fd(&op->in, op->fd_in) && filter__wants(&op->in);
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
	task_op__begin(op, class, compat);
	if (!exit__find(op, &args)) {
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

	if (entered == ENTERED_UNSEEN && (!op || op->unseen))
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

JUMPS(exit_tp_jumps);

SEC("?tp_btf/sys_exit")
int BPF_PROG(sys_exit__tracepoint, struct pt_regs *regs, long ret)
{
	ON_THREAD_STACK(ctx, exit_tp_jumps);
	syscall__exit(regs, ret);
	again__told(AGAIN_EXITED);
	return 0;
}
