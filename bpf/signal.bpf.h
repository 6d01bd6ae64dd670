/* SPDX-License-Identifier: GPL-2.0 */
/* Signals: the records of one that was generated, and of one that was taken; whatever kind of hook saw it. */
#ifndef BPF_SIGNAL_H
#define BPF_SIGNAL_H

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "task.bpf.h"

#define SEND_SIG_NOINFO 0
#define SEND_SIG_PRIV 1
#define SI_KERNEL 0x80
#define SI_TIMER -2
#define SI_MESGQ -3
#define SI_ASYNCIO -4
#define SI_SIGIO -5
#define PF_KTHREAD 0x00200000
#define SIGKILL 9
#define SIGCONT 18
#define SIGSTOP 19 /* and behind it SIGTSTP, SIGTTIN, SIGTTOU */
#define SIGTTOU 22
#define SIGRTMIN 32
#define SIGNAL_BIT(sig) (1ull << ((sig)-1))
#define SIGNAL_CLD_MASK \
	0x30 /* include/linux/sched/signal.h: its stop was ended, and nobody has told its parent */
/* SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS: kernel/signal.c */
#define SYNCHRONOUS_MASK \
	(SIGNAL_BIT(4) | SIGNAL_BIT(5) | SIGNAL_BIT(7) | SIGNAL_BIT(8) | SIGNAL_BIT(11) | SIGNAL_BIT(31))

/* ---- the queue that a signal waits in ---- */

/* struct sigpending *: the process's, or the thread's own. */
static __always_inline __u64 signal__queue(struct task_struct *task, bool shared)
{
	__u64 signal = (__u64)READ(task, struct task_struct, signal);

	return shared ? signal + bpf_core_field_offset(struct signal_struct, shared_pending)
		      : (__u64)task + bpf_core_field_offset(struct task_struct, pending);
}

/* The last entry (struct sigqueue *) of a queue; whoever is no entry is none of an empty one's. */
static __always_inline __u64 signal__last_entry(__u64 queue)
{
	return (__u64)READ(queue, struct sigpending, list.prev) -
	       bpf_core_field_offset(struct sigqueue, list);
}

/* __send_signal_locked() makes no entry for these. */
static __always_inline bool signal__has_entry(int sig, struct task_struct *task)
{
	return sig != SIGKILL && !(READ(task, struct task_struct, flags) & PF_KTHREAD);
}

/*
 * An instruction's fault is taken before all else, and not by collect_signal() (dequeue_synchronous_signal() in
 * kernel/signal.c, since 5.0).
 */
static __always_inline bool signal__is_synchronous(int sig, __s32 code)
{
	return code > 0 && sig < SIGRTMIN && SIGNAL_BIT(sig) & SYNCHRONOUS_MASK;
}

/* ---- generated ---- */

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

/* Whether the running task sends it: if not, an interrupt does, or the kernel on its own account (src/mech/signal.c). */
static __always_inline bool signal__is_by_current(__u64 info)
{
	__s32 code;

	if (info <= SEND_SIG_PRIV)
		return info == SEND_SIG_NOINFO;
	code = READ(info, struct kernel_siginfo, si_code);
	return code <= 0 && code != SI_TIMER && code != SI_ASYNCIO && code != SI_SIGIO;
}

/* Whether a signal to this task is to be told of: who is interrupted may be the tracer. */
static __always_inline bool signal__is_wanted(struct task_struct *task, __u64 info)
{
	return active && READ(task, struct task_struct, tgid) != cfg.self_pid &&
	       (task__is_chosen(current_task()) || task__is_chosen(task)) &&
	       !(task__is_tracer() && signal__is_by_current(info));
}

/* What is known of a signal at its generation. */
struct generated {
	__u64 info; /* SEND_SIG_..., or struct kernel_siginfo * */
	struct task_struct *task;
	__u64 entry; /* struct sigqueue *; 0: none */
	__u32 sig;
	__u8 result; /* enum ipct_sig_result, but not CONTINUED */
	__u8 shared; /* for the process */
	__u8 pad0[2];
};

static __noinline int signal__tell_generated(const struct generated *g)
{
	struct ipct_siggen *ev;

	ev = emit__reserve(IPCT_KIND_SIGGEN, sizeof(*ev), IPCT_MECH_SIGNAL, IPCT_OP_POST);
	if (!ev)
		return 0;
	ev->sig = g->sig;
	ev->dst_pid = READ(g->task, struct task_struct, tgid);
	ev->dst_tid = READ(g->task, struct task_struct, pid);
	ev->result = signal__result(g->sig, g->task, g->result);
	ev->group = g->shared;
	ev->noinfo = 0;
	ev->kthread = !!(READ(current_task(), struct task_struct, flags) & PF_KTHREAD);
	ev->pad0 = 0;
	ev->value = 0;
	ev->entry = g->entry;
	if (g->info == SEND_SIG_NOINFO) {
		ev->noinfo = 1;
		ev->code = 0;
	} else if (g->info == SEND_SIG_PRIV) {
		ev->noinfo = 2;
		ev->code = SI_KERNEL;
	} else {
		ev->code = READ(g->info, struct kernel_siginfo, si_code);
	}
	signal__fill_cause(ev);
	emit__submit(ev);
	return 0;
}

/* ---- taken, by the running task ---- */

static __always_inline __u8 signal__how(__u64 handler)
{
	return handler > IPCT_SIGDLV_IGNORED ? IPCT_SIGDLV_HANDLER : handler;
}

/* entry: where it was taken out of the queue, or 0; then dequeued says which of the two is meant. */
static __always_inline void signal__taken(__u32 sig, __s32 code, __u8 how, bool dequeued, __u64 entry)
{
	struct ipct_sigdlv *ev;

	ev = emit__reserve(IPCT_KIND_SIGDLV, sizeof(*ev), IPCT_MECH_SIGNAL, IPCT_OP_WAIT);
	if (!ev)
		return;
	ev->sig = sig;
	ev->code = code;
	ev->how = how;
	ev->dequeued = dequeued;
	__builtin_memset(ev->pad0, 0, sizeof(ev->pad0));
	ev->entry = entry;
	emit__submit(ev);
}

#endif
