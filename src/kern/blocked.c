/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/blocked.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/procstat.h"
#include "base/time.h"
#include "ipctrace/mech.h"

enum arg { /* what the call's arguments say of the object */
	   ARG_NONE,
	   ARG_FD,
	   ARG_POLL,
	   ARG_SELECT,
	   ARG_EPOLL,
	   ARG_MSG,
	   ARG_SEM,
	   ARG_PID,
};

/* Which argument is its timeout: milliseconds, negative for none, or a pointer, NULL for none. */
#define MS(arg) (-1 - (arg))
#define AT(arg) (1 + (arg))
#define NEVER 0

/* clang-format off */
static const struct call_row {
	long nr;
	const char *name;
	uint8_t arg, what;
	int8_t timeout; /* MS(), AT() or NEVER */
} call_rows[] = {
	{ SYS_read, "read", ARG_FD, BLOCKED_DATA, NEVER }, { SYS_readv, "readv", ARG_FD, BLOCKED_DATA, NEVER },
	{ SYS_write, "write", ARG_FD, BLOCKED_ROOM, NEVER }, { SYS_writev, "writev", ARG_FD, BLOCKED_ROOM, NEVER },
	{ SYS_recvfrom, "recvfrom", ARG_FD, BLOCKED_DATA, NEVER }, { SYS_recvmsg, "recvmsg", ARG_FD, BLOCKED_DATA, NEVER },
	{ SYS_recvmmsg, "recvmmsg", ARG_FD, BLOCKED_DATA, AT(4) }, { SYS_sendto, "sendto", ARG_FD, BLOCKED_ROOM, NEVER },
	{ SYS_sendmsg, "sendmsg", ARG_FD, BLOCKED_ROOM, NEVER }, { SYS_sendmmsg, "sendmmsg", ARG_FD, BLOCKED_ROOM, NEVER },
	{ SYS_accept, "accept", ARG_FD, BLOCKED_DATA, NEVER }, { SYS_accept4, "accept4", ARG_FD, BLOCKED_DATA, NEVER },
	{ SYS_connect, "connect", ARG_FD, BLOCKED_ROOM, NEVER }, { SYS_splice, "splice", ARG_FD, BLOCKED_DATA, NEVER },
	{ SYS_mq_timedreceive, "mq_timedreceive", ARG_FD, BLOCKED_DATA, AT(4) },
	{ SYS_mq_timedsend, "mq_timedsend", ARG_FD, BLOCKED_ROOM, AT(4) },
	{ SYS_ppoll, "ppoll", ARG_POLL, BLOCKED_DATA, AT(2) }, { SYS_pselect6, "pselect6", ARG_SELECT, BLOCKED_DATA, AT(4) },
	{ SYS_epoll_pwait, "epoll_pwait", ARG_EPOLL, BLOCKED_DATA, MS(3) },
	{ SYS_epoll_pwait2, "epoll_pwait2", ARG_EPOLL, BLOCKED_DATA, AT(3) },
#ifdef SYS_poll
	{ SYS_poll, "poll", ARG_POLL, BLOCKED_DATA, MS(2) }, { SYS_select, "select", ARG_SELECT, BLOCKED_DATA, AT(4) },
	{ SYS_epoll_wait, "epoll_wait", ARG_EPOLL, BLOCKED_DATA, MS(3) },
	{ SYS_pause, "pause", ARG_NONE, BLOCKED_SIGNAL, NEVER },
#endif
	{ SYS_msgrcv, "msgrcv", ARG_MSG, BLOCKED_DATA, NEVER }, { SYS_msgsnd, "msgsnd", ARG_MSG, BLOCKED_ROOM, NEVER },
	{ SYS_semop, "semop", ARG_SEM, BLOCKED_UNITS, NEVER }, { SYS_semtimedop, "semtimedop", ARG_SEM, BLOCKED_UNITS, AT(3) },
	{ SYS_futex, "futex", ARG_NONE, BLOCKED_UNITS, AT(3) }, { SYS_wait4, "wait4", ARG_PID, BLOCKED_CHILD, NEVER },
	{ SYS_waitid, "waitid", ARG_NONE, BLOCKED_CHILD, NEVER }, { SYS_flock, "flock", ARG_FD, BLOCKED_LOCK, NEVER },
	{ SYS_fcntl, "fcntl", ARG_FD, BLOCKED_LOCK, NEVER },
	{ SYS_rt_sigsuspend, "rt_sigsuspend", ARG_NONE, BLOCKED_SIGNAL, NEVER },
	{ SYS_rt_sigtimedwait, "rt_sigtimedwait", ARG_NONE, BLOCKED_SIGNAL, AT(2) },
	{ SYS_nanosleep, "nanosleep", ARG_NONE, BLOCKED_TIME, NEVER },
	{ SYS_clock_nanosleep, "clock_nanosleep", ARG_NONE, BLOCKED_TIME, NEVER },
	{ SYS_io_uring_enter, "io_uring_enter", ARG_NONE, BLOCKED_OTHER, NEVER },
};
/* clang-format on */

const char *blocked_for__name(enum blocked_for what)
{
	static const char *const names[] = {
		[BLOCKED_DATA] = "data",   [BLOCKED_ROOM] = "room",   [BLOCKED_UNITS] = "units",
		[BLOCKED_CHILD] = "child", [BLOCKED_LOCK] = "lock",   [BLOCKED_SIGNAL] = "signal",
		[BLOCKED_TIME] = "time",   [BLOCKED_OTHER] = "other",
	};

	return names[what];
}

/* ---- since when ---- */

/*
 * /proc/PID/sched tells when a task last ran, in its CPU's own clock, which leaves out what the CPU spent on
 * interrupts and what a hypervisor took. Our own last run on that CPU is now.
 */
struct blocked_clock {
	size_t cpu_cnt;
	int64_t to_boot_ns[]; /* INT64_MIN: not known */
};

/* 0: the kernel does not tell (CONFIG_SCHED_DEBUG), or the thread is gone. */
static uint64_t last_run_ns(const char *directory)
{
	char path[80], line[160];
	unsigned long long ms = 0, fraction = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/sched", directory);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "se.exec_start : %llu.%llu", &ms, &fraction) == 2)
			break;
	if (f)
		fclose(f);
	return ms * 1000000 + fraction;
}

struct blocked_clock *blocked_clock__new(void)
{
	size_t cnt = (size_t)sysconf(_SC_NPROCESSORS_CONF);
	struct blocked_clock *c = xalloc(sizeof(*c) + cnt * sizeof(c->to_boot_ns[0]));
	cpu_set_t before, one;
	bool movable = !sched_getaffinity(0, sizeof(before), &before) && cnt <= CPU_SETSIZE;
	uint64_t run_ns;

	c->cpu_cnt = cnt;
	for (size_t i = 0; i < cnt; i++) {
		c->to_boot_ns[i] = INT64_MIN;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (!movable || sched_setaffinity(0, sizeof(one), &one))
			continue;
		run_ns = last_run_ns("/proc/thread-self");
		if (run_ns)
			c->to_boot_ns[i] = (int64_t)(time__boot_ns() - run_ns);
	}
	if (movable)
		sched_setaffinity(0, sizeof(before), &before);
	return c;
}

void blocked_clock__free(struct blocked_clock *c)
{
	free(c);
}

static int last_cpu(const char *directory)
{
	char word[16];

	return procstat__field(directory, PROCSTAT_CPU, word, sizeof(word)) ? -1 : atoi(word);
}

static uint64_t since(const struct blocked_clock *c, const char *directory)
{
	int cpu = c ? last_cpu(directory) : -1;
	uint64_t run_ns, now_ns = time__boot_ns(), at_ns;

	if (cpu < 0 || (size_t)cpu >= c->cpu_cnt || c->to_boot_ns[cpu] == INT64_MIN)
		return 0;
	run_ns = last_run_ns(directory);
	at_ns = run_ns + (uint64_t)c->to_boot_ns[cpu];
	return !run_ns ? 0 : at_ns < now_ns ? at_ns : now_ns;
}

/* ---- what for ---- */

static void add_fd(struct blocked *b, int fd, bool sends)
{
	if (b->fd_cnt == BLOCKED_FDS_MAX || fd < 0)
		return;
	b->sends[b->fd_cnt] = sends;
	b->fds[b->fd_cnt++] = fd;
}

static bool peek(uint32_t pid, void *to, uint64_t from, size_t bytes)
{
	struct iovec here = { to, bytes }, there = { (void *)(uintptr_t)from, bytes };

	return process_vm_readv((pid_t)pid, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

static void add_polled(struct blocked *b, uint64_t addr, uint64_t cnt)
{
	struct pollfd fds[BLOCKED_FDS_MAX];

	cnt = cnt < BLOCKED_FDS_MAX ? cnt : BLOCKED_FDS_MAX;
	if (!cnt || !peek(b->tid, fds, addr, cnt * sizeof(fds[0])))
		return;
	for (uint64_t i = 0; i < cnt; i++)
		if (fds[i].events & (POLLIN | POLLPRI | POLLOUT))
			add_fd(b, fds[i].fd, !(fds[i].events & (POLLIN | POLLPRI)));
}

static void add_selected(struct blocked *b, uint64_t cnt, uint64_t reads, uint64_t writes)
{
	uint64_t sets[2] = { reads, writes }, words[FD_SETSIZE / 64] = { 0 };
	size_t bytes;

	cnt = cnt < FD_SETSIZE ? cnt : FD_SETSIZE;
	bytes = (cnt + 63) / 64 * 8;
	for (int s = 0; s < 2 && cnt; s++) {
		if (!sets[s] || !peek(b->tid, words, sets[s], bytes))
			continue;
		for (uint64_t fd = 0; fd < cnt; fd++)
			if (words[fd / 64] >> fd % 64 & 1)
				add_fd(b, (int)fd, s == 1);
	}
}

static void add_watched(struct blocked *b, int epoll_fd)
{
	char path[64], line[256];
	unsigned int events;
	int fd;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", b->pid, epoll_fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "tfd: %d events: %x", &fd, &events) == 2)
			add_fd(b, fd, !(events & (POLLIN | POLLPRI)));
	if (f)
		fclose(f);
}

static void take_arguments(struct blocked *b, const struct call_row *row, const uint64_t a[6])
{
	switch (row->arg) {
	case ARG_FD:
		add_fd(b, (int)a[0], row->what == BLOCKED_ROOM);
		break;
	case ARG_POLL:
		add_polled(b, a[0], a[1]);
		break;
	case ARG_SELECT:
		add_selected(b, a[0], a[1], a[2]);
		break;
	case ARG_EPOLL:
		add_watched(b, (int)a[0]);
		break;
	case ARG_MSG:
	case ARG_SEM:
		b->mech = row->arg == ARG_MSG ? IPCT_MECH_SYSV_MSG : IPCT_MECH_SYSV_SEM;
		snprintf(b->object, sizeof(b->object), row->arg == ARG_MSG ? "msg:%d" : "sem:%d", (int)a[0]);
		break;
	case ARG_PID:
		b->child_pid = (int)a[0] > 0 ? (uint32_t)a[0] : 0;
		break;
	}
}

static bool is_timed(const struct call_row *row, const uint64_t a[6])
{
	if (row->timeout < 0)
		return (int)a[-1 - row->timeout] >= 0;
	return row->timeout && a[row->timeout - 1];
}

static bool look(struct blocked *b, const char *directory)
{
	uint64_t a[6];
	char path[80], text[256];
	bool got;
	long nr;
	FILE *f;

	snprintf(path, sizeof(path), "%s/syscall", directory);
	f = fopen(path, "re");
	got = f && fgets(text, sizeof(text), f);
	if (f)
		fclose(f);
	/* "running"; "-1 ..." is blocked, but in no call (a page fault). */
	if (!got ||
	    sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &nr, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]) != 7)
		return false;
	for (size_t i = 0; i < sizeof(call_rows) / sizeof(call_rows[0]); i++) {
		if (call_rows[i].nr != nr)
			continue;
		b->call = call_rows[i].name;
		b->what = call_rows[i].what;
		b->timed = is_timed(&call_rows[i], a);
		take_arguments(b, &call_rows[i], a);
		return true;
	}
	b->call = "another call";
	b->what = BLOCKED_OTHER;
	return true;
}

static void scan_threads(uint32_t pid, const struct blocked_clock *clock,
			 void (*fn)(void *ctx, const struct blocked *b), void *ctx)
{
	char path[64];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		struct blocked b = { .pid = pid, .tid = (uint32_t)strtoul(entry->d_name, NULL, 10) };

		snprintf(path, sizeof(path), "/proc/%u/task/%u", pid, b.tid);
		if (!b.tid || !look(&b, path))
			continue;
		b.since_ns = since(clock, path);
		fn(ctx, &b);
	}
	if (dir)
		closedir(dir);
}

void blocked__scan(uint32_t pid, const struct blocked_clock *clock,
		   void (*fn)(void *ctx, const struct blocked *b), void *ctx)
{
	const struct dirent *entry;
	DIR *dir = pid ? NULL : opendir("/proc");

	if (pid)
		scan_threads(pid, clock, fn, ctx);
	while (dir && (entry = readdir(dir))) {
		uint32_t other = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (other && other != (uint32_t)getpid())
			scan_threads(other, clock, fn, ctx);
	}
	if (dir)
		closedir(dir);
}
