/* SPDX-License-Identifier: GPL-2.0 */
/* signal: SIGRTMIN + side goes to that side. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/duct.h"

#define PENDING_MAX 1024

/* Pending signals are counted by user: a full queue would hit other programs. */
static void enter_signal(struct duct *d, int side)
{
	struct rlimit limit;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	for (int i = 0; i < 4; i++)
		sigaddset(&mask, SIGRTMIN + i);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (getrlimit(RLIMIT_SIGPENDING, &limit) == 0 && limit.rlim_cur > PENDING_MAX) {
		limit.rlim_cur = PENDING_MAX;
		setrlimit(RLIMIT_SIGPENDING, &limit);
	}
}

static int open_signal(struct duct *d)
{
	return 0;
}

static ssize_t send_signal(struct duct *d, int side, unsigned char *data, size_t n)
{
	union sigval value = { 0 };

	n = n < sizeof(value) ? n : sizeof(value);
	memcpy(&value, data, n);
	if (sigqueue(d->shared->pid[!side], SIGRTMIN + !side, value))
		return -errno;
	return n ? (ssize_t)n : 1;
}

static int take_signal(const struct duct *d, const sigset_t *set, siginfo_t *info)
{
	static const struct timespec at_once;
	int sig = d->nonblock ? sigtimedwait(set, info, &at_once) : sigwaitinfo(set, info);

	return sig < 0 ? -errno : sig;
}

static ssize_t recv_signal(struct duct *d, int side, unsigned char *data, size_t cap)
{
	siginfo_t info;
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + side);
	sig = take_signal(d, &set, &info);
	if (sig < 0)
		return sig;
	if (cap >= sizeof(info.si_value))
		memcpy(data, &info.si_value, sizeof(info.si_value));
	return 1;
}

static int signal_priority(struct duct *d, unsigned char *buf, size_t cap)
{
	union sigval none = { 0 };
	siginfo_t info;
	sigset_t set;
	int first;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	sigaddset(&set, SIGRTMIN + 3);
	if (sigqueue(getpid(), SIGRTMIN + 3, none) || sigqueue(getpid(), SIGRTMIN + 2, none))
		return -errno;
	first = take_signal(d, &set, &info);
	return first == SIGRTMIN + 2 ? PRIORITY_NUMBER : PRIORITY_NONE;
}

static int standard_signals(struct duct *d, int cnt)
{
	int arrived = 0;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (int i = 0; i < cnt; i++)
		if (kill(getpid(), SIGUSR1))
			return -errno;
	while (take_signal(d, &set, &info) > 0)
		arrived++;
	return arrived;
}

const struct duct_kind duct_signal = {
	.name = "signal",
	.groups = "",
	.how = "sigqueue and sigwaitinfo, a real-time signal for each direction",
	.note = "measured with at most 1024 pending signals (RLIMIT_SIGPENDING): the limit is common to all "
		"programs of a user",
	.class = DUCT_NOTICE,
	.word_bytes = sizeof(union sigval),
	.open = open_signal,
	.enter = enter_signal,
	.send = send_signal,
	.recv = recv_signal,
	.priority = signal_priority,
	.unqueued = standard_signals,
};
