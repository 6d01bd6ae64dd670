// SPDX-License-Identifier: GPL-2.0
/*
 * The load of the cost benchmark: repeats one small exchange in batches and prints what one of them took, as JSON.
 * Knows nothing of any tracer. A batch is shorter than a time slice, so on a busy machine other programs spoil some
 * batches and not all. What one process repeats is told by the batch that a tenth of them undercut: where two CPUs are
 * one core's threads, whatever runs on the other one slows every batch by a third, for seconds. What two processes do
 * is told by the median: how they take turns belongs to it, and a batch that never waits is none of theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES 64
#define BATCH_NS 200000 /* aimed at */
#define BATCHES_MAX 200000

/* One way to hand over a message: two directions, 0 and 1. */
struct duct {
	const char *name;
	void (*open)(void);
	void (*send)(int dir);
	void (*recv)(int dir);
	void (*close)(void);
};

static struct {
	long value;
	char mtext[MESSAGE_BYTES];
} message = { .value = 1 };

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(long ret, const char *what)
{
	if (ret < 0)
		die(what);
}

/* ---- the mechanisms ---- */

static int rd[2], wr[2];

static void pipe__open(void)
{
	for (int dir = 0; dir < 2; dir++) {
		int fd[2];

		must(pipe(fd), "pipe");
		rd[dir] = fd[0];
		wr[dir] = fd[1];
	}
}

static void unix__open(void)
{
	int fd[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), "socketpair");
	wr[0] = rd[1] = fd[0];
	wr[1] = rd[0] = fd[1];
}

static void fd__send(int dir)
{
	must(write(wr[dir], message.mtext, MESSAGE_BYTES), "write");
}

static void fd__recv(int dir)
{
	must(read(rd[dir], message.mtext, MESSAGE_BYTES), "read");
}

static mqd_t mq[2];

static void mq__open(void)
{
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = MESSAGE_BYTES };
	char name[64];

	for (int dir = 0; dir < 2; dir++) {
		snprintf(name, sizeof(name), "/ipctrace-bench-%d-%d", getpid(), dir);
		mq[dir] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
		must(mq[dir], "mq_open");
		mq_unlink(name);
	}
}

static void mq__send(int dir)
{
	must(mq_send(mq[dir], message.mtext, MESSAGE_BYTES, 0), "mq_send");
}

static void mq__recv(int dir)
{
	must(mq_receive(mq[dir], message.mtext, MESSAGE_BYTES, NULL), "mq_receive");
}

static int msq[2];

static void msg__open(void)
{
	for (int dir = 0; dir < 2; dir++) {
		msq[dir] = msgget(IPC_PRIVATE, 0600);
		must(msq[dir], "msgget");
	}
}

static void msg__send(int dir)
{
	must(msgsnd(msq[dir], &message, MESSAGE_BYTES, 0), "msgsnd");
}

static void msg__recv(int dir)
{
	must(msgrcv(msq[dir], &message, MESSAGE_BYTES, 0, 0), "msgrcv");
}

static void msg__close(void)
{
	for (int dir = 0; dir < 2; dir++)
		msgctl(msq[dir], IPC_RMID, NULL);
}

/* Per direction one semaphore counts what was sent and one what may be sent, so that a stream cannot run away. */
#define SEM_CREDIT 500

static int sem;

static void sem__open(void)
{
	unsigned short start[4] = { 0, 0, SEM_CREDIT, SEM_CREDIT };

	sem = semget(IPC_PRIVATE, 4, 0600);
	must(sem, "semget");
	must(semctl(sem, 0, SETALL, start), "semctl");
}

static void sem__op(int take, int give)
{
	struct sembuf ops[] = { { .sem_num = take, .sem_op = -1 }, { .sem_num = give, .sem_op = 1 } };

	must(semop(sem, ops, 2), "semop");
}

static void sem__send(int dir)
{
	sem__op(2 + dir, dir);
}

static void sem__recv(int dir)
{
	sem__op(dir, 2 + dir);
}

static void sem__close(void)
{
	semctl(sem, 0, IPC_RMID);
}

static const struct duct ducts[] = {
	{ "pipe", pipe__open, fd__send, fd__recv, NULL },
	{ "unix-stream", unix__open, fd__send, fd__recv, NULL },
	{ "posix-mq", mq__open, mq__send, mq__recv, NULL },
	{ "sysv-msg", msg__open, msg__send, msg__recv, msg__close },
	{ "sysv-sem", sem__open, sem__send, sem__recv, sem__close },
};

/* ---- measuring ---- */

static const struct duct *duct;
static double ns_per_call[BATCHES_MAX];

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

static void call_getppid(void)
{
	syscall(SYS_getppid);
}

static void call_pair(void)
{
	duct->send(0);
	duct->recv(0);
}

static void call_pingpong(void)
{
	duct->send(0);
	duct->recv(1);
}

static void call_send(void)
{
	duct->send(0);
}

static void echo(void)
{
	duct->recv(0);
	duct->send(1);
}

static void swallow(void)
{
	duct->recv(0);
}

struct scenario {
	const char *name;
	void (*call)(void); /* what is repeated and timed */
	void (*partner)(void); /* what a second process repeats; NULL: there is none */
	bool needs_duct;
	int partner_cpu; /* relative to that of the caller */
	int percentile; /* of the batches, which stands for all */
};

/* Ping-pong on one CPU, where it is the same path each time; a stream on two, as fast as they can. */
static const struct scenario scenarios[] = {
	{ "getppid", call_getppid, NULL, false, 0, 10 },
	{ "call", call_pair, NULL, true, 0, 10 },
	{ "pingpong", call_pingpong, echo, true, 0, 50 },
	{ "stream", call_send, swallow, true, 1, 50 },
};

static uint64_t time_batch(const struct scenario *s, long calls)
{
	uint64_t start_ns = now_ns();

	for (long i = 0; i < calls; i++)
		s->call();
	return now_ns() - start_ns;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct scenario *s, uint64_t ms)
{
	uint64_t end_ns = now_ns() + ms * 1000000, took_ns;
	long calls = 1, cnt = 0;

	time_batch(s, 20); /* warms up */
	while ((took_ns = time_batch(s, calls)) < BATCH_NS / 2 && calls < 1 << 20)
		calls *= 2;
	do {
		ns_per_call[cnt++] = (double)time_batch(s, calls) / calls;
	} while (cnt < BATCHES_MAX && now_ns() < end_ns);
	qsort(ns_per_call, cnt, sizeof(*ns_per_call), compare);
	printf("{\"ns\":%.1f,\"p25\":%.1f,\"p75\":%.1f,\"calls\":%ld}\n",
	       ns_per_call[cnt * s->percentile / 100], ns_per_call[cnt / 4], ns_per_call[cnt * 3 / 4],
	       cnt * calls);
}

static pid_t start_partner(const struct scenario *s, int cpu)
{
	pid_t pid = fork();

	must(pid, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin((cpu + s->partner_cpu) % (int)sysconf(_SC_NPROCESSORS_ONLN));
	for (;;)
		s->partner();
}

static void usage(void)
{
	fprintf(stderr, "usage: load getppid|call|pingpong|stream MECHANISM CPU MILLISECONDS\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const struct scenario *s = NULL;
	pid_t partner = 0;

	if (argc != 5)
		usage();
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!strcmp(argv[1], scenarios[i].name))
			s = &scenarios[i];
	for (size_t i = 0; i < sizeof(ducts) / sizeof(ducts[0]); i++)
		if (!strcmp(argv[2], ducts[i].name))
			duct = &ducts[i];
	if (!s || (s->needs_duct && !duct))
		usage();
	pin(atoi(argv[3]));
	if (duct)
		duct->open();
	if (s->partner)
		partner = start_partner(s, atoi(argv[3]));
	measure(s, strtoul(argv[4], NULL, 10));
	if (partner) {
		kill(partner, SIGKILL);
		waitpid(partner, NULL, 0);
	}
	if (duct && duct->close)
		duct->close();
	return 0;
}
