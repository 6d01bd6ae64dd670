// SPDX-License-Identifier: GPL-2.0
/*
 * Signals at the functions that send and take them: the fentry and kprobe rungs. All of it happens under the target's siglock and
 * thus with interrupts disabled (but on PREEMPT_RT, where these rungs are not chosen): a CPU is in the middle of one signal
 * at a time, and the order of the records is the true one.
 *
 * What becomes of a signal is told piece by piece. prepare_signal() says whether the target ignores it. If not, the
 * queue tells whether the same signal is pending in it (legacy_queue()); and at the end, by its last entry, whether there was
 * memory for this one's. POSIX timers have their entry already, and come another way.
 */
#include "signal.bpf.h"

#define EAGAIN 11
#define ENTRIES_MAX 32 /* looked at in a queue; behind these, the order tells which one was taken */

/* The signal that a CPU is in the middle of sending. */
struct sending {
	struct generated g;
	__u64 last; /* entry in the queue before */
	__u64 timer; /* struct sigqueue * of a POSIX timer that is about to send; 0: none */
	__u8 timer_shared;
	__u8 stage; /* enum sending_stage */
	__u8 pad0[6];
};

enum sending_stage { SENDING_NOTHING, SENDING_BEGUN, SENDING_PREPARED };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sending);
} sending SEC(".maps");

static __always_inline struct sending *sending__here(void)
{
	__u32 zero = 0;

	return active ? bpf_map_lookup_elem(&sending, &zero) : NULL;
}

/* ---- __send_signal_locked(), before 5.19 __send_signal() ---- */

static __always_inline int send__begins(int sig, __u64 info, struct task_struct *task, bool shared)
{
	struct sending *s = sending__here();

	if (!s)
		return 0;
	s->stage = SENDING_BEGUN;
	s->g.info = info;
	s->g.task = task;
	s->g.entry = 0;
	s->g.sig = sig;
	s->g.shared = shared;
	return 0;
}

/* As __send_signal_locked() goes on, behind prepare_signal(). */
static __always_inline void send__prepared(struct sending *s, bool passes)
{
	__u64 queue = signal__queue(s->g.task, s->g.shared);

	s->stage = SENDING_PREPARED;
	s->last = signal__last_entry(queue);
	if (!passes)
		s->g.result = IPCT_SIG_IGNORED;
	else if (s->g.sig < SIGRTMIN &&
		 READ(queue, struct sigpending, signal.sig[0]) & SIGNAL_BIT(s->g.sig & (SIGRTMIN - 1)))
		s->g.result = IPCT_SIG_ALREADY_PENDING;
	else
		s->g.result = IPCT_SIG_DELIVERED;
}

static __always_inline int send__ends(int ret)
{
	struct sending *s = sending__here();
	__u8 stage;

	if (!s || !s->stage)
		return 0;
	stage = s->stage;
	s->stage = SENDING_NOTHING;
	if (!signal__is_wanted(s->g.task, s->g.info))
		return 0;
	if (stage != SENDING_PREPARED) { /* what this needs to know was not told: it was inlined here */
		emit__count_lost(IPCT_MECH_SIGNAL);
		return 0;
	}
	if (ret == -EAGAIN) {
		s->g.result = IPCT_SIG_OVERFLOW_FAIL;
	} else if (s->g.result == IPCT_SIG_DELIVERED && signal__has_entry(s->g.sig, s->g.task)) {
		__u64 last = signal__last_entry(signal__queue(s->g.task, s->g.shared));

		if (last == s->last)
			s->g.result = IPCT_SIG_LOSE_INFO;
		else
			s->g.entry = last;
	}
	return signal__tell_generated(&s->g);
}

/* ---- POSIX timers ---- */

/*
 * Before the target's lock: an interrupt may come in between, whose own timer is then the one that is known here. The other one
 * counts as lost.
 */
static __always_inline int timer__sends(__u64 entry, bool shared)
{
	struct sending *s = sending__here();

	if (!s)
		return 0;
	s->timer = entry;
	s->timer_shared = shared;
	return 0;
}

/* The entry is linked where it waits: in no queue, so to itself, before it is sent. */
static __always_inline bool entry__is_queued(__u64 entry)
{
	return (__u64)READ(entry, struct sigqueue, list.next) !=
	       entry + bpf_core_field_offset(struct sigqueue, list);
}

static __always_inline int timer__prepared(struct sending *s, struct task_struct *task, bool passes)
{
	struct generated g = { .task = task, .entry = s->timer, .shared = s->timer_shared };

	s->timer = 0;
	if (!signal__is_wanted(task, SEND_SIG_PRIV)) /* by a timer, whoever runs */
		return 0;
	if (!g.entry) {
		emit__count_lost(IPCT_MECH_SIGNAL);
		return 0;
	}
	g.info = g.entry + bpf_core_field_offset(struct sigqueue, info);
	g.sig = READ(g.entry, struct sigqueue, info.si_signo);
	if (!passes)
		g.result = IPCT_SIG_IGNORED;
	else
		g.result = entry__is_queued(g.entry) ? IPCT_SIG_ALREADY_PENDING : IPCT_SIG_DELIVERED;
	if (g.result != IPCT_SIG_DELIVERED)
		g.entry = 0;
	return signal__tell_generated(&g);
}

/* ---- prepare_signal(), of both ---- */

static __always_inline int signal__prepared(struct task_struct *task, bool passes)
{
	struct sending *s = sending__here();

	if (!s)
		return 0;
	if (s->stage != SENDING_BEGUN)
		return timer__prepared(s, task, passes);
	send__prepared(s, passes);
	return 0;
}

/* ---- collect_signal(): whatever is taken out of a queue, by whatever call ---- */

static __noinline __u64 queue__find(__u64 queue, int sig)
{
	__u64 end = queue + bpf_core_field_offset(struct sigpending, list);
	__u64 link = (__u64)READ(queue, struct sigpending, list.next);

	for (int i = 0; i < ENTRIES_MAX && link != end; i++) {
		__u64 entry = link - bpf_core_field_offset(struct sigqueue, list);

		if (READ(entry, struct sigqueue, info.si_signo) == sig)
			return entry;
		link = (__u64)READ(link, struct list_head, next);
	}
	return 0;
}

static __always_inline __u64 signal__handler(struct task_struct *task, int sig)
{
	__u64 actions = WORD(task, struct task_struct, sighand) +
			bpf_core_field_offset(struct sighand_struct, action);

	return (__u64)READ(ELEMENT(actions, struct k_sigaction, sig - 1), struct k_sigaction, sa.sa_handler);
}

static __always_inline int signal__collected(int sig, __u64 queue)
{
	struct task_struct *task = current_task();
	__u64 entry;
	__s32 code = 0;
	__u8 how = IPCT_SIGDLV_WAITED;

	if (!active || task__is_tracer())
		return 0;
	entry = queue__find(queue, sig);
	if (entry)
		code = READ(entry, struct sigqueue, info.si_code);
	/* get_signal() takes what is not blocked; sigwait and signalfd are for what is. */
	if (!(READ(task, struct task_struct, blocked.sig[0]) & SIGNAL_BIT(sig))) {
		if (signal__is_synchronous(sig, code))
			return 0; /* signal_deliver tells of it */
		how = signal__how(signal__handler(task, sig));
	}
	signal__taken(sig, code, how, true, entry);
	return 0;
}

/* ---- fentry ---- */

/* Under either name; the info argument as in signal.bpf.c. */
#define SEND_FENTRY(function)                                                                            \
	SEC("?fentry/" #function)                                                                        \
	int BPF_PROG(function##_begins__fentry, int sig, void *info, struct task_struct *task, int type) \
	{                                                                                                \
		return send__begins(sig, read_word(&ctx[1]), task, type);                                \
	}                                                                                                \
	SEC("?fexit/" #function)                                                                         \
	int BPF_PROG(function##_ends__fentry, int sig, void *info, struct task_struct *task, int type,   \
		     bool force, int ret)                                                                \
	{                                                                                                \
		return send__ends(ret);                                                                  \
	}

SEND_FENTRY(__send_signal_locked)
SEND_FENTRY(__send_signal)

SEC("?fexit/prepare_signal")
int BPF_PROG(prepare_signal__fentry, int sig, struct task_struct *task, bool force, __u8 passes)
{
	return signal__prepared(task, passes);
}

SEC("?fentry/send_sigqueue")
int BPF_PROG(send_sigqueue__fentry, struct sigqueue *entry, struct pid *pid, int type)
{
	return timer__sends((__u64)entry, type);
}

/* Since 6.13 the entry is part of the timer (5cac427f8fb2 "signal: Confine POSIX_TIMERS properly" and behind it). */
enum pid_type {
	PIDTYPE_PID,
};

struct k_itimer___v6_13 {
	enum pid_type it_pid_type;
	struct sigqueue sigq;
} __attribute__((preserve_access_index));

static __always_inline int itimer__sends(__u64 timer)
{
	return timer__sends(timer + bpf_core_field_offset(struct k_itimer___v6_13, sigq),
			    READ(timer, struct k_itimer___v6_13, it_pid_type));
}

SEC("?fentry/posixtimer_send_sigqueue")
int BPF_PROG(posixtimer_send_sigqueue__fentry, void *timer)
{
	return itimer__sends((__u64)timer);
}

SEC("?fentry/collect_signal")
int BPF_PROG(collect_signal__fentry, int sig, struct sigpending *queue)
{
	return signal__collected(sig, (__u64)queue);
}

/* ---- kprobe ---- */

#define SEND_KPROBE(function)                                                                           \
	SEC("?kprobe/" #function)                                                                       \
	int function##_begins__kprobe(struct pt_regs *ctx)                                              \
	{                                                                                               \
		return send__begins(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), (void *)PT_REGS_PARM3(ctx), \
				    (int)PT_REGS_PARM4(ctx));                                           \
	}                                                                                               \
	SEC("?kretprobe/" #function)                                                                    \
	int function##_ends__kprobe(struct pt_regs *ctx)                                                \
	{                                                                                               \
		return send__ends(PT_REGS_RC(ctx));                                                     \
	}

SEND_KPROBE(__send_signal_locked)
SEND_KPROBE(__send_signal)

/* Its return does not know its arguments. */
SEC("?kprobe/prepare_signal")
int prepare_signal_begins__kprobe(struct pt_regs *ctx)
{
	struct sending *s = sending__here();

	if (s)
		s->g.task = (void *)PT_REGS_PARM2(ctx);
	return 0;
}

SEC("?kretprobe/prepare_signal")
int prepare_signal__kprobe(struct pt_regs *ctx)
{
	struct sending *s = sending__here();

	return s ? signal__prepared(s->g.task, (__u8)PT_REGS_RC(ctx)) : 0;
}

SEC("?kprobe/send_sigqueue")
int send_sigqueue__kprobe(struct pt_regs *ctx)
{
	return timer__sends(PT_REGS_PARM1(ctx), (int)PT_REGS_PARM3(ctx));
}

SEC("?kprobe/posixtimer_send_sigqueue")
int posixtimer_send_sigqueue__kprobe(struct pt_regs *ctx)
{
	return itimer__sends(PT_REGS_PARM1(ctx));
}

SEC("?kprobe/collect_signal")
int collect_signal__kprobe(struct pt_regs *ctx)
{
	return signal__collected(PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx));
}
