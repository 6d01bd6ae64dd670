/* SPDX-License-Identifier: GPL-2.0 */
#include "base/signame.h"

#include <stdio.h>

/* glibc keeps 32 and 33 for its threads and shows SIGRTMIN as 34. */
#define RTMIN_SHOWN 34
#define RTMAX_SHOWN 64

/* clang-format off */
static const char *const names[] = {
	NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS",
	"SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM",
	"SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG",
	"SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};
/* clang-format on */

_Static_assert(sizeof(names) / sizeof(*names) == 32, "1 to 31");

const char *signame(unsigned int sig, char buf[SIGNAME_BYTES])
{
	if (sig > 0 && sig < sizeof(names) / sizeof(*names))
		return names[sig];
	if (sig == RTMIN_SHOWN)
		return "SIGRTMIN";
	if (sig > RTMIN_SHOWN && sig <= RTMAX_SHOWN)
		snprintf(buf, SIGNAME_BYTES, "SIGRTMIN+%u", sig - RTMIN_SHOWN);
	else
		snprintf(buf, SIGNAME_BYTES, "SIG%u", sig);
	return buf;
}
