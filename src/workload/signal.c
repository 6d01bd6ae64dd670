/* SPDX-License-Identifier: GPL-2.0 */
/*
 * signal: message k of writer w goes to reader (w + k) modulo readers. Real-time signals queue, so none
 * merges with another, and their value says who sent them. A window keeps below RLIMIT_SIGPENDING.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

#define WINDOW 32
#define RT_USED 14 /* SIGRTMIN+1 .. SIGRTMIN+14: one per writer as far as they go */

static bool standard(const struct run *r)
{
	return r->o->features & WL_STANDARD;
}

static int writer_signal(const struct run *r, uint32_t writer)
{
	return standard(r) ? SIGUSR1 : SIGRTMIN + 1 + (int)(writer % RT_USED);
}

static void used_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	for (int i = 0; i < RT_USED; i++)
		sigaddset(set, SIGRTMIN + 1 + i);
}

/* Before any thread exists: all inherit the mask. */
static void keep(struct run *r, unsigned roles)
{
	sigset_t set;

	used_signals(&set);
	if (roles)
		sigprocmask(SIG_BLOCK, &set, NULL);
}

static int send_queued(struct worker *w, const struct seat *to)
{
	siginfo_t si = { .si_signo = writer_signal(w->run, w->index), .si_code = SI_QUEUE };

	si.si_pid = getpid();
	si.si_uid = getuid();
	si.si_value.sival_int = (int)w->index;
	if (!w->run->o->threads && !w->run->o->self)
		return (int)syscall(SYS_rt_sigqueueinfo, to->pid, si.si_signo, &si);
	return (int)syscall(SYS_rt_tgsigqueueinfo, to->pid, to->tid, si.si_signo, &si);
}

/* One at a time: a standard signal that is still pending would swallow the next. */
static int send_standard(struct worker *w, struct seat *to)
{
	uint64_t before;
	unsigned spins = 0;
	int rc;

	while (atomic_exchange(&to->turn, 1))
		if (worker__relax(w, &spins))
			return -1;
	before = atomic_load(&to->progress);
	rc = w->run->o->threads || w->run->o->self ? tgkill(to->pid, to->tid, SIGUSR1)
						   : kill(to->pid, SIGUSR1);
	for (spins = 0; !rc && atomic_load(&to->progress) == before;)
		if (worker__relax(w, &spins))
			break;
	atomic_store(&to->turn, 0);
	return rc;
}

static int send_signals(struct worker *w)
{
	uint32_t readers = w->run->cnt[ROLE_READER];

	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		uint32_t to = (uint32_t)((w->index + i) % readers);
		struct seat *seat = run__seat(w->run, ROLE_READER, to);
		int rc;

		worker__pace(w);
		if (standard(w->run)) {
			rc = send_standard(w, seat);
		} else {
			if (worker__await_taken(w, to, i / readers, WINDOW))
				return -1;
			rc = send_queued(w, seat);
		}
		if (rc)
			return worker__fail(w, "cannot signal process %d: %s", seat->pid, strerror(errno));
	}
	return 0;
}

static int count_signal(struct worker *w, int code, pid_t pid, int value)
{
	struct run *r = w->run;
	uint32_t writer = (uint32_t)value;

	if (standard(r))
		for (writer = 0; writer < r->cnt[ROLE_WRITER]; writer++)
			if (run__seat(r, ROLE_WRITER, writer)->pid == pid)
				break;
	if (writer >= r->cnt[ROLE_WRITER] || run__seat(r, ROLE_WRITER, writer)->pid != pid)
		return worker__fail(w, "a signal with code %d came from process %d, which sent none", code,
				    pid);
	cell__add(run__cell(r, w->index, writer), 1, 0);
	atomic_fetch_add(&w->seat->progress, 1);
	return 0;
}

static _Thread_local struct worker *handler_worker;

static void on_signal(int sig, siginfo_t *si, void *uc)
{
	if (handler_worker)
		count_signal(handler_worker, si->si_code, si->si_pid, si->si_value.sival_int);
}

static int take_by_handler(struct worker *w)
{
	sigset_t open;

	sigfillset(&open);
	sigdelset(&open, SIGUSR1);
	for (int i = 0; i < RT_USED; i++)
		sigdelset(&open, SIGRTMIN + 1 + i);
	handler_worker = w;
	for (uint64_t todo = worker__all_turns(w); atomic_load(&w->seat->progress) < todo;) {
		sigsuspend(&open);
		if (worker__aborted(w))
			return -1;
	}
	return 0;
}

static int take_by_signalfd(struct worker *w)
{
	struct signalfd_siginfo si;
	sigset_t set;

	used_signals(&set);
	w->fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (w->fd < 0)
		return worker__fail(w, "cannot make a signalfd: %s", strerror(errno));
	for (uint64_t todo = worker__all_turns(w); todo; todo--) {
		if (read(w->fd, &si, sizeof(si)) != sizeof(si))
			return worker__fail(w, "cannot read the signalfd: %s", strerror(errno));
		if (count_signal(w, si.ssi_code, (pid_t)si.ssi_pid, si.ssi_int))
			return -1;
	}
	close(w->fd);
	return 0;
}

static int take_signals(struct worker *w)
{
	siginfo_t si;
	sigset_t set;

	if (w->run->o->features & WL_HANDLER)
		return take_by_handler(w);
	if (w->run->o->features & WL_SIGNALFD)
		return take_by_signalfd(w);
	used_signals(&set);
	for (uint64_t todo = worker__all_turns(w); todo;) {
		if (sigwaitinfo(&set, &si) < 0) {
			if (errno == EINTR)
				continue;
			return worker__fail(w, "cannot wait for signals: %s", strerror(errno));
		}
		if (count_signal(w, si.si_code, si.si_pid, si.si_value.sival_int))
			return -1;
		todo--;
	}
	return 0;
}

static int install_handler(struct worker *w)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	if (!(w->run->o->features & WL_HANDLER))
		return 0;
	used_signals(&sa.sa_mask);
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < RT_USED; i++)
		sigaction(SIGRTMIN + 1 + i, &sa, NULL);
	return 0;
}

static void name_signal(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	int sig = writer_signal(r, writer);

	if (sig == SIGUSR1)
		snprintf(name, OBJECT_NAME_LEN, "sig:SIGUSR1");
	else
		snprintf(name, OBJECT_NAME_LEN, "sig:SIGRTMIN+%d", sig - SIGRTMIN);
}

static int run_signal(struct run *r)
{
	struct parts parts = {
		.keep = keep,
		.name = name_signal,
		.open[ROLE_READER] = install_handler,
		.work = { send_signals, take_signals },
	};

	if (r->o->features & WL_HANDLER && r->o->features & WL_SIGNALFD)
		return run__fail(r, -EINVAL, "--handler and --signalfd do not go together");
	return run__go(r, &parts);
}

const struct workload workload_signal = {
	.name = "signal",
	.help = "writers queue real-time signals to readers in turn",
	.takes = WL_STANDARD | WL_HANDLER | WL_SIGNALFD,
	.run = run_signal,
};
