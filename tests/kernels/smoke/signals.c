// SPDX-License-Identifier: GPL-2.0
/*
 * Every result that sending a signal can have, and every way of taking one, step by step, so that there is one truth. Prints
 * it, one line each: "post SIGNAL RESULT COUNT", "wait SIGNAL COUNT", and "uring SIGNAL COUNT" for what tracepoints do not see
 * being taken. SIGCHLD is left out.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what)                                                                                      \
	do {                                                                                             \
		if (!(what)) {                                                                           \
			fprintf(stderr, "signals: line %d: %s: %s\n", __LINE__, #what, strerror(errno)); \
			exit(1);                                                                         \
		}                                                                                        \
	} while (0)

#define RT(n) (SIGRTMIN + (n))

static void post(const char *name, const char *result, int cnt)
{
	printf("post sig:%s %s %d\n", name, result, cnt);
}

static void taken(const char *name, int cnt)
{
	printf("wait sig:%s %d\n", name, cnt);
}

static sigset_t only(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

static void block(int sig)
{
	sigset_t set = only(sig);

	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
}

static void take(int sig)
{
	sigset_t set = only(sig);
	siginfo_t info;

	CHECK(sigwaitinfo(&set, &info) == sig);
}

static int pending(int sig)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, sig);
}

static void nothing(int sig)
{
}

/* Ignored; merged; waited for; thrown away by a change of mind; queued although ignored, because it is blocked. */
static void standard(void)
{
	signal(SIGUSR2, SIG_IGN);
	CHECK(!kill(getpid(), SIGUSR2));
	post("SIGUSR2", "ignored", 1);

	block(SIGUSR1);
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(!raise(SIGUSR1)); /* the thread's own queue */
	CHECK(!raise(SIGUSR1));
	take(SIGUSR1);
	take(SIGUSR1);

	CHECK(!kill(getpid(), SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	CHECK(!pending(SIGUSR1));
	CHECK(!kill(getpid(), SIGUSR1));
	take(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	post("SIGUSR1", "delivered", 4);
	post("SIGUSR1", "already-pending", 2);
	taken("SIGUSR1", 3);
}

static void handled(void)
{
	signal(SIGHUP, nothing);
	for (int i = 0; i < 3; i++)
		CHECK(!kill(getpid(), SIGHUP));
	post("SIGHUP", "delivered", 3);
	taken("SIGHUP", 3);
}

static void by_descriptor(void)
{
	struct signalfd_siginfo infos[4];
	sigset_t set = only(RT(1));
	int fd;

	block(RT(1));
	fd = signalfd(-1, &set, 0);
	CHECK(fd >= 0);
	for (int i = 0; i < 3; i++)
		CHECK(!sigqueue(getpid(), RT(1), (union sigval){ .sival_int = i }));
	CHECK(read(fd, infos, sizeof(infos)) == 3 * (ssize_t)sizeof(infos[0]));
	for (int i = 0; i < 3; i++)
		CHECK(infos[i].ssi_int == i);
	close(fd);
	post("SIGRTMIN+1", "delivered", 3);
	taken("SIGRTMIN+1", 3);
}

/*
 * By a request that waits in io_uring, so that the kernel reads when the signal comes, in no call of ours. Kernels that do not
 * have it, or forbid it, make no truth.
 */
static void by_uring(void)
{
	struct io_uring_params params = { 0 };
	struct signalfd_siginfo info = { 0 };
	sigset_t set = only(RT(5));
	struct io_uring_sqe *sqe;
	uint32_t *tail;
	char *rings;
	int ring, fd;

	ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0 || !(params.features & IORING_FEAT_SINGLE_MMAP))
		return;
	rings = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(uint32_t), PROT_READ | PROT_WRITE,
		     MAP_SHARED, ring, IORING_OFF_SQ_RING); /* behind all else */
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	CHECK(rings != MAP_FAILED && (void *)sqe != MAP_FAILED);
	block(RT(5));
	fd = signalfd(-1, &set, 0);
	CHECK(fd >= 0);
	sqe->opcode = IORING_OP_READ;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)&info;
	sqe->len = sizeof(info);
	((uint32_t *)(rings + params.sq_off.array))[0] = 0;
	tail = (uint32_t *)(rings + params.sq_off.tail);
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	CHECK(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) == 1);
	CHECK(!kill(getpid(), RT(5)));
	CHECK(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) >= 0);
	CHECK(info.ssi_signo == (uint32_t)RT(5));
	close(fd);
	close(ring);
	post("SIGRTMIN+5", "delivered", 1);
	printf("uring sig:SIGRTMIN+5 1\n");
}

/* No memory for entries: one is refused, and one arrives without its siginfo. */
static void overflowing(void)
{
	struct rlimit limit, none;

	CHECK(!getrlimit(RLIMIT_SIGPENDING, &limit));
	none = limit;
	none.rlim_cur = 0;
	block(RT(2));
	CHECK(!setrlimit(RLIMIT_SIGPENDING, &none));
	CHECK(sigqueue(getpid(), RT(2), (union sigval){ 0 }) && errno == EAGAIN);
	CHECK(!kill(getpid(), RT(2)));
	take(RT(2));
	CHECK(!setrlimit(RLIMIT_SIGPENDING, &limit));
	CHECK(!kill(getpid(), RT(2)));
	take(RT(2));
	post("SIGRTMIN+2", "overflow", 1);
	post("SIGRTMIN+2", "lost-info", 1);
	post("SIGRTMIN+2", "delivered", 1);
	taken("SIGRTMIN+2", 2);
}

static timer_t new_timer(int sig, int notify)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = sig };
	timer_t timer;

#ifdef sigev_notify_thread_id
	event.sigev_notify_thread_id = getpid();
#else
	event._sigev_un._tid = getpid();
#endif
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	return timer;
}

/* Returns when it has expired. */
static void expire(timer_t timer)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 }, left;

	CHECK(!timer_settime(timer, 0, &soon, NULL));
	do
		CHECK(!timer_gettime(timer, &left));
	while (left.it_value.tv_nsec || left.it_value.tv_sec);
}

static void timers(void)
{
	timer_t queued = new_timer(RT(3), SIGEV_SIGNAL), own = new_timer(RT(4), SIGEV_THREAD_ID),
		ignored = new_timer(SIGUSR2, SIGEV_SIGNAL);

	block(RT(3));
	block(RT(4));
	expire(queued);
	expire(queued);
	take(RT(3));
	post("SIGRTMIN+3", "delivered", 1);
	post("SIGRTMIN+3", "already-pending", 1);
	taken("SIGRTMIN+3", 1);
	expire(own);
	take(RT(4));
	post("SIGRTMIN+4", "delivered", 1);
	taken("SIGRTMIN+4", 1);
	expire(ignored);
	post("SIGUSR2", "ignored", 1);
	timer_delete(queued);
	timer_delete(own);
	timer_delete(ignored);
}

static pid_t child(void (*work)(void))
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	work();
	_exit(0);
}

static void died(pid_t pid, int sig)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

static void sleeps(void)
{
	for (;;)
		pause();
}

static void faults(void)
{
	*(volatile int *)0 = 1;
}

static void *other_thread(void *arg)
{
	sleeps();
	return NULL;
}

/* A deadly signal becomes the SIGKILL of each thread, which is never taken itself. */
static void with_threads(void)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, other_thread, NULL));
	CHECK(!kill(getpid(), SIGTERM));
	sleeps();
}

static void deaths(void)
{
	struct rlimit none = { 0 };
	int status;
	pid_t pid;

	CHECK(!setrlimit(RLIMIT_CORE, &none));
	pid = child(sleeps);
	CHECK(!kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	CHECK(!kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	CHECK(!kill(pid, SIGKILL));
	died(pid, SIGKILL);
	post("SIGSTOP", "delivered", 1);
	taken("SIGSTOP", 1);
	post("SIGCONT", "continued", 1);
	post("SIGKILL", "delivered", 1);
	died(child(with_threads), SIGTERM);
	post("SIGTERM", "delivered", 1);
	taken("SIGKILL", 1 + 2);
	died(child(faults), SIGSEGV);
	post("SIGSEGV", "delivered", 1);
	taken("SIGSEGV", 1);
}

/* By the kernel, within a system call. */
static void broken_pipe(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK(!pipe(fds));
	close(fds[0]);
	CHECK(write(fds[1], "x", 1) < 0 && errno == EPIPE);
	close(fds[1]);
	post("SIGPIPE", "ignored", 1);
}

int main(void)
{
	alarm(60);
	standard();
	handled();
	by_descriptor();
	by_uring();
	overflowing();
	timers();
	deaths();
	broken_pipe();
	return 0;
}
