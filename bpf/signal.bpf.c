// SPDX-License-Identifier: GPL-2.0
/* Signals: generated and delivered, both under the target's siglock. */
#include "emit.bpf.h"
#include "filter.bpf.h"
#include "task.bpf.h"

#define SEND_SIG_NOINFO 0
#define SEND_SIG_PRIV 1
#define SI_KERNEL 0x80
#define SI_MESGQ -3
#define PF_KTHREAD 0x00200000
#define SIGCONT 18
#define SIGSTOP 19 /* and behind it SIGTSTP, SIGTTIN, SIGTTOU */
#define SIGTTOU 22
#define SIGNAL_CLD_MASK \
	0x30 /* include/linux/sched/signal.h: its stop was ended, and nobody has told its parent */

/* mq_notify: the signal is sent inside of the mq_send that found the queue empty. */
static __noinline void signal__fill_cause(struct ipct_siggen *ev)
{
	struct task_op *op = ev->code == SI_MESGQ ? task_op__current(false) : NULL;

	ev->cause_key = 0;
	ev->cause_space = 0;
	ev->cause_mech = 0;
	__builtin_memset(ev->pad1, 0, sizeof(ev->pad1));
	if (!op || op->class != IPCT_SC_MQ_SEND)
		return;
	ev->cause_key = op->in.key;
	ev->cause_space = op->in.dev;
	ev->cause_mech = op->in.mech;
}

/* struct signal_struct * of processes that were continued, until they take the next signal that stops. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} signal_continued SEC(".maps");

/*
 * SIGCONT takes effect when it is generated (prepare_signal() in kernel/signal.c), and is then ignored by a program without a
 * handler. What it continued has to tell its parent so, which it does when it runs: another SIGCONT before that does nothing.
 */
static __noinline int signal__result(int sig, struct task_struct *task, int result)
{
	__u64 signal = (__u64)READ(task, struct task_struct, signal);
	__u8 yes = 1;

	if (sig != SIGCONT || result != IPCT_SIG_IGNORED ||
	    !(READ(signal, struct signal_struct, flags) & SIGNAL_CLD_MASK) ||
	    bpf_map_update_elem(&signal_continued, &signal, &yes, BPF_NOEXIST))
		return result;
	return IPCT_SIG_CONTINUED;
}

static __always_inline void signal__stops(int sig)
{
	__u64 signal = (__u64)READ(current_task(), struct task_struct, signal);

	if (sig >= SIGSTOP && sig <= SIGTTOU)
		bpf_map_delete_elem(&signal_continued, &signal);
}

/*
 * The info argument as a number: to the verifier it is a pointer that cannot be NULL, so that it drops as dead code
 * what SEND_SIG_NOINFO needs.
 */
#define SIGNAL_INFO(ctx) read_word(&(ctx)[1])

SEC("?tp_btf/signal_generate")
int BPF_PROG(signal_generate__tracepoint, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	__u32 dst_pid = READ(task, struct task_struct, tgid);
	__u64 special = SIGNAL_INFO(ctx);
	struct ipct_siggen *ev;

	if (!active || task__is_tracer() || dst_pid == cfg.self_pid)
		return 0;
	if (!task__is_chosen(current_task()) && !task__is_chosen(task))
		return 0;
	ev = emit__reserve(IPCT_KIND_SIGGEN, sizeof(*ev), IPCT_MECH_SIGNAL, IPCT_OP_POST);
	if (!ev)
		return 0;
	ev->sig = sig;
	ev->dst_pid = dst_pid;
	ev->dst_tid = READ(task, struct task_struct, pid);
	ev->result = signal__result(sig, task, result);
	ev->group = !!group;
	ev->noinfo = 0;
	ev->kthread = !!(READ(current_task(), struct task_struct, flags) & PF_KTHREAD);
	ev->pad0 = 0;
	ev->value = 0;
	if (special == SEND_SIG_NOINFO) {
		ev->noinfo = 1;
		ev->code = 0;
	} else if (special == SEND_SIG_PRIV) {
		ev->noinfo = 2;
		ev->code = SI_KERNEL;
	} else {
		bpf_core_read(&ev->code, sizeof(ev->code), &info->si_code);
	}
	signal__fill_cause(ev);
	emit__submit(ev);
	return 0;
}

SEC("?tp_btf/signal_deliver")
int BPF_PROG(signal_deliver__tracepoint, int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
{
	struct ipct_sigdlv *ev;
	__u64 handler;

	if (!active || task__is_tracer())
		return 0;
	signal__stops(sig);
	ev = emit__reserve(IPCT_KIND_SIGDLV, sizeof(*ev), IPCT_MECH_SIGNAL, IPCT_OP_WAIT);
	if (!ev)
		return 0;
	handler = (__u64)READ(ka, struct k_sigaction, sa.sa_handler);
	ev->sig = sig;
	ev->code = 0;
	if (SIGNAL_INFO(ctx) > SEND_SIG_PRIV)
		bpf_core_read(&ev->code, sizeof(ev->code), &info->si_code);
	ev->how = handler > IPCT_SIGDLV_IGNORED ? IPCT_SIGDLV_HANDLER : handler;
	__builtin_memset(ev->pad0, 0, sizeof(ev->pad0));
	emit__submit(ev);
	return 0;
}
