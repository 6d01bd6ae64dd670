/* SPDX-License-Identifier: GPL-2.0 */
/* Signals: who sent them, by the code that the kernel puts into the siginfo. */
#include "mech/tables.h"

#include <signal.h>
#include <stdio.h>

#include "base/signame.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_SIGNAL)

/* Signals pass these functions on their way to a queue, those of POSIX timers `timer`. */
/* clang-format off: which takes #x for a directive */
#define SEND_ROW(kind, send, timer, by, more, note_text)                                                   \
	{                                                                                                  \
		kind, #send,                                                                               \
			{ #send "_begins__" by, #send "_ends__" by, #timer "__" by, "prepare_signal__" by, \
			  more },                                                                          \
			.atomic = true, .note = note_text, .also = {                                       \
				#timer,                                                                    \
				"prepare_signal"                                                           \
			}                                                                                  \
	}
/* clang-format on */
#define SEND_ROWS(kind, by, more)                                                                      \
	SEND_ROW(kind, __send_signal_locked, posixtimer_send_sigqueue, by, more, NULL),                \
		SEND_ROW(kind, __send_signal_locked, send_sigqueue, by, more, "as before Linux 6.13"), \
		SEND_ROW(kind, __send_signal, send_sigqueue, by, more, "as before Linux 5.19")

const struct hook hook_signal_generate = {
	.name = "signal_generate",
	.mechs = BITS,
	.rungs = { SEND_ROWS(RUNG_FENTRY, "fentry", NULL),
		   { RUNG_TRACEPOINT, "signal_generate", { "signal_generate__tracepoint" } },
		   SEND_ROWS(RUNG_KPROBE, "kprobe", "prepare_signal_begins__kprobe") },
};

const struct hook hook_signal_deliver = {
	.name = "signal_deliver",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "signal_deliver",
		     { "signal_deliver__tracepoint" },
		     .note = "beside collect_signal only faults and the SIGKILL of each thread of a process "
			     "that "
			     "ends, which are in no queue" } },
};

#define COLLECT_NOTE "each signal's identity, and who takes it: handlers, sigwait, signalfd, io_uring"

/* kprobe behind the calls, as everywhere: CALLS_RUNGS. */
const struct hook hook_signal_wait = {
	.name = "signal_wait",
	.mechs = BITS,
	.rungs = { { RUNG_FENTRY, "collect_signal", { "collect_signal__fentry" }, .note = COLLECT_NOTE },
		   { RUNG_TRACEPOINT,
		     "sys_enter",
		     { "sys_enter__tracepoint", "sys_exit__tracepoint" },
		     .note = "sigwaitinfo, sigtimedwait, signalfd" },
		   { RUNG_KPROBE, "collect_signal", { "collect_signal__kprobe" }, .note = COLLECT_NOTE } },
};

static const char *const blind[] = {
	"on tracepoints: signals read from a signalfd by io_uring are seen when they are sent, not when they "
	"are read",
	NULL,
};

const struct mech_desc mech_signal = { IPCT_MECH_SIGNAL, "signal",
				       "signals, with sender, result and delivery", blind };

/* Codes that say that the kernel, not the running task, made the signal: include/uapi/asm-generic/siginfo.h. */
static const struct {
	uint32_t sig; /* 0: any */
	int32_t code;
	const char *origin;
} origins[] = {
	{ 0, SI_TIMER, "timer" },
	{ 0, SI_ASYNCIO, "aio" },
	{ 0, SI_SIGIO, "io" },
	{ 0, -7 /* SI_DETHREAD */, "exec" },
	{ SIGALRM, SI_KERNEL, "timer" },
	{ SIGVTALRM, SI_KERNEL, "timer" },
	{ SIGPROF, SI_KERNEL, "timer" },
	{ SIGINT, SI_KERNEL, "tty" },
	{ SIGQUIT, SI_KERNEL, "tty" },
	{ SIGTSTP, SI_KERNEL, "tty" },
	{ SIGHUP, SI_KERNEL, "tty" },
	{ SIGWINCH, SI_KERNEL, "tty" },
	{ SIGCONT, SI_KERNEL, "tty" },
	{ SIGTTIN, SI_KERNEL, "tty" },
	{ SIGTTOU, SI_KERNEL, "tty" },
	{ SIGXCPU, SI_KERNEL, "rlimit" },
	{ SIGXFSZ, SI_KERNEL, "rlimit" },
	{ SIGPIPE, SI_KERNEL, "pipe" },
	{ SIGIO, SI_KERNEL, "io" },
	{ SIGURG, SI_KERNEL, "io" },
	{ SIGTRAP, SI_KERNEL, "trap" },
};

static const char *by_code(uint32_t sig, int32_t code)
{
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		if (origins[i].code == code && (!origins[i].sig || origins[i].sig == sig))
			return origins[i].origin;
	}
	switch (sig) {
	case SIGCHLD:
		return "child";
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
		return "fault";
	case SIGTRAP:
		return "trap";
	case SIGSYS:
		return "seccomp";
	case SIGIO:
		return "io";
	}
	return "kernel";
}

/*
 * NULL: the running task is the sender. si_code <= 0 is a process's doing (SI_USER, SI_QUEUE, SI_TKILL, SI_MESGQ), apart
 * from the rows above; SEND_SIG_NOINFO counts as SI_USER, except SIGPIPE, which only the kernel sends to the writer itself.
 */
static const char *origin_of(const struct ipct_siggen *ev)
{
	if (ev->kthread)
		return by_code(ev->sig, ev->code > 0 ? ev->code : SI_KERNEL);
	if (ev->noinfo == 1 && ev->sig == SIGPIPE && ev->dst_pid == ev->h.pid)
		return "pipe";
	if (ev->code == SI_TIMER || ev->code == SI_ASYNCIO || ev->code == SI_SIGIO || ev->code == -7 ||
	    ev->code > 0)
		return by_code(ev->sig, ev->code);
	return NULL;
}

static struct obj_key key_of(uint32_t sig)
{
	return (struct obj_key){ .id = sig, .space = (uint64_t)IPCT_MECH_SIGNAL << 56 };
}

void signal__decode_generated(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_siggen *gen = (const struct ipct_siggen *)ev;
	struct op *op = decoded__op(out, ev, ev->ts_ns, 0);

	op->kind = OP_POST;
	op->rule = PAIR_SIGNAL;
	op->obj = key_of(gen->sig);
	op->sig.sig = gen->sig;
	op->sig.code = gen->code;
	op->sig.dst_pid = gen->dst_pid;
	op->sig.dst_tid = gen->dst_tid;
	op->sig.result = gen->result;
	op->sig.group = gen->group;
	op->sig.value = gen->value;
	op->sig.cause_mech = gen->cause_mech;
	if (gen->cause_mech)
		op->sig.cause_key = queue__key(gen->cause_mech, gen->cause_key, gen->cause_space);
	op->sig.origin = origin_of(gen);
	op->sig.from_kernel = op->sig.origin != NULL;
	op->sig.entry = gen->entry;
}

void signal__decode_delivered(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_sigdlv *dlv = (const struct ipct_sigdlv *)ev;
	struct op *op = decoded__op(out, ev, ev->ts_ns, 0);

	op->kind = OP_WAIT;
	op->rule = PAIR_SIGNAL;
	op->obj = key_of(dlv->sig);
	op->sig.sig = dlv->sig;
	op->sig.code = dlv->code;
	op->sig.how = dlv->how;
	op->sig.late = !dlv->dequeued && (dlv->how == IPCT_SIGDLV_WAITED || dlv->how == IPCT_SIGDLV_FD);
	op->sig.entry = dlv->entry;
}

void signal__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	char name[SIGNAME_BYTES];

	snprintf(buf, size, "sig:%s", signame(key.id, name));
}
