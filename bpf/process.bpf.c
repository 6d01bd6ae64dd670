// SPDX-License-Identifier: GPL-2.0
/* Processes and threads come, change their program or name, and go. */
#include "process.bpf.h"
#include "again.bpf.h"
#include "ends.bpf.h"
#include "filter.bpf.h"

static __always_inline void process__forked(struct task_struct *parent, struct task_struct *child)
{
	struct process_scratch *sc;

	filter__follow(parent, child);
	if (!active)
		return;
	sc = process__fill(child, IPCT_TASK_FORK, 0);
	if (!sc)
		return;
	sc->ev.ptid = READ(parent, struct task_struct, pid);
	sc->ev.shares_mm = READ(parent, struct task_struct, mm) == READ(child, struct task_struct, mm) &&
			   READ(parent, struct task_struct, tgid) != READ(child, struct task_struct, tgid);
	process__output(sc, child, 0);
}

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork__tracepoint, struct task_struct *parent, struct task_struct *child)
{
	process__forked(parent, child);
	again__ran(IPCT_AGAIN_FORK, (__u64)child);
	return 0;
}

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork_again__tracepoint, struct task_struct *parent, struct task_struct *child)
{
	if (again__was_left_out(IPCT_AGAIN_FORK, (__u64)child))
		process__forked(parent, child);
	return 0;
}

/* Before exec's close_on_exec() (do_close_on_exec() in fs/file.c) and when it can no longer fail. */
SEC("?tp_btf/sched_prepare_exec")
int BPF_PROG(sched_prepare_exec__tracepoint)
{
	if (active && cfg.closes && !task__is_tracer())
		ends__close(0, ~0u, IPCT_CLOSE_EXEC);
	return 0;
}

static __always_inline void process__execed(struct task_struct *task, pid_t old_pid,
					    struct linux_binprm *bprm)
{
	struct process_scratch *sc;
	__u32 exe_len;
	long len;

	if (!active)
		return;
	sc = process__fill(task, IPCT_TASK_EXEC, 0);
	if (!sc)
		return;
	sc->ev.old_tid = old_pid;
	len = bpf_probe_read_kernel_str(sc->str, IPCT_PATH_LEN, READ(bprm, struct linux_binprm, filename));
	exe_len = len > 1 ? (len - 1) & (IPCT_PATH_LEN - 1) : 0;
	sc->ev.exe_len = exe_len;
	sc->ev.args_len = process__args(sc->str + exe_len, task);
	process__output(sc, task, exe_len + sc->ev.args_len);
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec__tracepoint, struct task_struct *task, pid_t old_pid,
	     struct linux_binprm *bprm)
{
	process__execed(task, old_pid, bprm);
	again__ran(IPCT_AGAIN_EXEC, (__u64)task);
	return 0;
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec_again__tracepoint, struct task_struct *task, pid_t old_pid,
	     struct linux_binprm *bprm)
{
	if (again__was_left_out(IPCT_AGAIN_EXEC, (__u64)task))
		process__execed(task, old_pid, bprm);
	return 0;
}

static __always_inline void process__ended(struct task_struct *task)
{
	struct process_scratch *sc;
	struct signal_struct *signal;
	bool group_dead;

	if (!active)
		return;
	/* do_exit() counts the thread out of signal->live before this tracepoint, on all kernels. */
	signal = READ(task, struct task_struct, signal);
	group_dead = READ(signal, struct signal_struct, live.counter) == 0;
	if (cfg.closes && group_dead && !task__is_tracer() && ends__first_of((__u64)signal))
		ends__close(0, ~0u, IPCT_CLOSE_EXIT); /* exit_files() comes later */
	sc = process__fill(task, IPCT_TASK_EXIT, 0);
	if (!sc)
		return;
	sc->ev.group_dead = group_dead;
	process__output(sc, task, 0);
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit__tracepoint, struct task_struct *task)
{
	process__ended(task);
	again__ran(IPCT_AGAIN_END, (__u64)task);
	return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit_again__tracepoint, struct task_struct *task)
{
	if (again__was_left_out(IPCT_AGAIN_END, (__u64)task))
		process__ended(task);
	return 0;
}

SEC("?tp_btf/task_rename")
int BPF_PROG(task_rename__tracepoint, struct task_struct *task, const char *comm)
{
	struct process_scratch *sc;

	if (!active)
		return 0;
	sc = process__fill(task, IPCT_TASK_RENAME, 0);
	if (!sc)
		return 0;
	bpf_probe_read_kernel_str(sc->ev.comm, sizeof(sc->ev.comm), comm);
	process__output(sc, task, 0);
	return 0;
}
