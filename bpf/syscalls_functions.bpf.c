// SPDX-License-Identifier: GPL-2.0
/*
 * The fentry and kprobe rungs of system calls: the same bodies as on the tracepoint rung, at the functions that
 * do these calls (__x64_sys_read, ...) and no others, so that other calls cost nothing. Each such function has the
 * registers as its one argument. The collector attaches these programs to all of them: src/kern/callstubs.c, callfns.c.
 * What is attached jumps into them, so they are on the thread's stack (thread_stack.bpf.h).
 *
 * Behind syscalls.bpf.c, whose bodies these are.
 */

JUMPS(enter_jumps);
JUMPS(exit_jumps);
JUMPS(enter_weak_jumps);
JUMPS(exit_weak_jumps);

SEC("?fentry")
int BPF_PROG(sys_enter__fentry, struct pt_regs *regs)
{
	ON_THREAD_STACK(ctx, enter_jumps);
	syscall__enter(regs, syscall_nr_at_exit(regs), false);
	again__told(AGAIN_ENTERED);
	return 0;
}

SEC("?fexit")
int BPF_PROG(sys_exit__fentry, struct pt_regs *regs, long ret)
{
	ON_THREAD_STACK(ctx, exit_jumps);
	syscall__exit(regs, ret);
	again__told(AGAIN_EXITED);
	return 0;
}

/* The same again, for the functions of which kernel/sys_ni.c has a weak definition: src/kern/callstubs.c says why. */
SEC("?fentry")
int BPF_PROG(sys_enter_weak__fentry, struct pt_regs *regs)
{
	ON_THREAD_STACK(ctx, enter_weak_jumps);
	syscall__enter(regs, syscall_nr_at_exit(regs), false);
	again__told(AGAIN_ENTERED);
	return 0;
}

SEC("?fexit")
int BPF_PROG(sys_exit_weak__fentry, struct pt_regs *regs, long ret)
{
	ON_THREAD_STACK(ctx, exit_weak_jumps);
	syscall__exit(regs, ret);
	again__told(AGAIN_EXITED);
	return 0;
}

/* ---- what stands behind them, where they can be preempted (again.bpf.h): one for each of them, of its type ---- */

JUMPS(sys_enter_again_jumps);
JUMPS(sys_exit_again_jumps);
JUMPS(sys_enter_weak_again_jumps);
JUMPS(sys_exit_weak_again_jumps);

STANDS_BEHIND("?fentry", sys_enter_again__fentry, AGAIN_ENTERED, sys_enter_again_jumps)
STANDS_BEHIND("?fexit", sys_exit_again__fentry, AGAIN_EXITED, sys_exit_again_jumps)
STANDS_BEHIND("?fentry", sys_enter_weak_again__fentry, AGAIN_ENTERED, sys_enter_weak_again_jumps)
STANDS_BEHIND("?fexit", sys_exit_weak_again__fentry, AGAIN_EXITED, sys_exit_weak_again_jumps)

/* ---- kprobe ---- */

SEC("?kprobe")
int sys_enter__kprobe(struct pt_regs *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)PT_REGS_PARM1(ctx);

	return syscall__enter(regs, syscall_nr_far(regs), true);
}

/* The registers at entry are gone: calls that began before the trace are not seen here. */
SEC("?kretprobe")
int sys_exit__kprobe(struct pt_regs *ctx)
{
	struct task_op *op = active ? task_op__current(false) : NULL;

	if (op && op->class)
		syscall__end(op, PT_REGS_RC(ctx));
	return 0;
}
