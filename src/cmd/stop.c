/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/stop.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void ignore(int sig)
{
}

int stop__begin(struct stop *s, bool usr1)
{
	/* A shell starts background jobs with SIGINT ignored, and ignored signals never reach a signalfd. */
	struct sigaction catch = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	sigset_t mask;

	memset(s, 0, sizeof(*s));
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	if (usr1)
		sigaddset(&mask, SIGUSR1);
	s->fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &mask, &s->old_mask);
	sigaction(SIGINT, &catch, &s->old_int);
	sigaction(SIGTERM, &catch, &s->old_term);
	return 0;
}

static void let_the_next_kill(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

bool stop__asked(struct stop *s)
{
	struct signalfd_siginfo info;

	if (s->sig)
		return true;
	do {
		if (read(s->fd, &info, sizeof(info)) != sizeof(info))
			return false;
		s->usr1 |= info.ssi_signo == SIGUSR1;
	} while (info.ssi_signo == SIGUSR1);
	s->sig = (int)info.ssi_signo;
	s->from_terminal = info.ssi_code == SI_KERNEL;
	let_the_next_kill();
	return true;
}

bool stop__take_usr1(struct stop *s)
{
	bool came = s->usr1;

	s->usr1 = false;
	return came;
}

void stop__restore(const struct stop *s)
{
	sigaction(SIGINT, &s->old_int, NULL);
	sigaction(SIGTERM, &s->old_term, NULL);
	signal(SIGPIPE, SIG_DFL); /* main() ignores it, and exec would hand that on */
	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
}

void stop__end(struct stop *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
