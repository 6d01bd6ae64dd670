/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes of a measurement. The parent makes every object and removes it again, so nothing is left behind
 * whatever happens to the processes; they are ended by SIGKILL and end with their parent.
 */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

void stage__sleep_ns(uint64_t ns); /* ends early when a stop is asked for */

/* What act() returns is the exit status. The process's pid, or -errno. */
pid_t stage__fork(int (*act)(void *arg), void *arg);
/*
 * Waits for its end. Returns the exit status; -ETIMEDOUT or -EINTR (stop asked for): it still runs; -ECHILD: a
 * signal ended it. Unless it still runs, it is reaped.
 */
int stage__await(pid_t pid, uint64_t timeout_ns);
void stage__end(pid_t pid); /* kills and reaps; nothing for pid <= 0 */
/* Whether the process sleeps in the kernel; false also when /proc does not tell. */
bool stage__asleep(pid_t pid);

/* A limit of the kernel's: the number in that file of /proc/sys; 0: unknown. */
uint64_t stage__sysctl(const char *name);

/* Memory that processes forked later share; NULL: errno says why. */
void *stage__share(size_t bytes);
void stage__unshare(void *at, size_t bytes);

/* A place where `cnt` processes and the parent meet. In shared memory, zeroed. */
struct gate {
	_Atomic uint32_t here, open;
};
void gate__pass(struct gate *g); /* a process: says that it is here, waits until the gate opens */
int gate__open(struct gate *g, uint32_t cnt, uint64_t timeout_ns); /* the parent: 0, -ETIMEDOUT, -EINTR */

/* For signal handlers: whatever waits returns -EINTR from now on. */
void stage__ask_stop(void);
bool stage__stop_asked(void);

/* futex(2) on shared memory. wait: returns when woken, when *at is not `seen`, at a signal, or after timeout_ns (0: never). */
void futex__wait(_Atomic uint32_t *at, uint32_t seen, uint64_t timeout_ns);
void futex__wake(_Atomic uint32_t *at, int cnt);

#endif
