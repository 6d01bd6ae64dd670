/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/stage.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/procstat.h"
#include "base/time.h"

/* A stop that comes just before a wait begins does not end it: so none is longer than this. */
#define SLICE_NS (200 * NS_PER_MS)

static volatile sig_atomic_t stop_asked;

void stage__ask_stop(void)
{
	stop_asked = 1;
}

bool stage__stop_asked(void)
{
	return stop_asked;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S) };
}

void stage__sleep_ns(uint64_t ns)
{
	uint64_t until = time__mono_ns() + ns;

	for (uint64_t now = until - ns; !stop_asked && now < until; now = time__mono_ns()) {
		struct timespec slice = timespec_of(until - now < SLICE_NS ? until : now + SLICE_NS);

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &slice, NULL);
	}
}

pid_t stage__fork(int (*act)(void *arg), void *arg)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	_exit(act(arg));
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -ECHILD;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

int stage__await(pid_t pid, uint64_t timeout_ns)
{
	struct pollfd pfd = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	uint64_t now = time__mono_ns(), until = now + timeout_ns;
	int rc = 0;

	if (pfd.fd < 0)
		return -errno;
	while (rc <= 0 && !stop_asked && now < until) {
		struct timespec left = timespec_of(until - now < SLICE_NS ? until - now : SLICE_NS);

		rc = ppoll(&pfd, 1, &left, NULL);
		now = time__mono_ns();
	}
	close(pfd.fd);
	if (rc > 0)
		return reap(pid);
	return stop_asked ? -EINTR : -ETIMEDOUT;
}

void stage__end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	reap(pid);
}

bool stage__asleep(pid_t pid)
{
	char directory[32], state[2];

	snprintf(directory, sizeof(directory), "/proc/%d", pid);
	procstat__field(directory, PROCSTAT_STATE, state, sizeof(state));
	return state[0] == 'S' || state[0] == 'D';
}

uint64_t stage__sysctl(const char *name)
{
	unsigned long long v = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &v) != 1)
		v = 0;
	fclose(f);
	return v;
}

void *stage__share(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

void stage__unshare(void *at, size_t bytes)
{
	if (at)
		munmap(at, bytes);
}

void futex__wait(_Atomic uint32_t *at, uint32_t seen, uint64_t timeout_ns)
{
	struct timespec ts = timespec_of(timeout_ns);

	syscall(SYS_futex, at, FUTEX_WAIT, seen, timeout_ns ? &ts : NULL, NULL, 0);
}

void futex__wake(_Atomic uint32_t *at, int cnt)
{
	syscall(SYS_futex, at, FUTEX_WAKE, cnt, NULL, NULL, 0);
}

void gate__pass(struct gate *g)
{
	atomic_fetch_add(&g->here, 1);
	futex__wake(&g->here, 1);
	while (!atomic_load(&g->open))
		futex__wait(&g->open, 0, 0);
}

int gate__open(struct gate *g, uint32_t cnt, uint64_t timeout_ns)
{
	uint64_t now = time__mono_ns(), until = now + timeout_ns;
	uint32_t here;

	while ((here = atomic_load(&g->here)) < cnt) {
		if (stop_asked)
			return -EINTR;
		if (now >= until)
			return -ETIMEDOUT;
		futex__wait(&g->here, here, until - now < SLICE_NS ? until - now : SLICE_NS);
		now = time__mono_ns();
	}
	atomic_store(&g->open, 1);
	futex__wake(&g->open, INT_MAX);
	return 0;
}
