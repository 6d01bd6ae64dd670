// SPDX-License-Identifier: GPL-2.0
/*
 * The load of tests/bench/scaling: so many processes in a ring, joined by so many channels, hand messages round. A ring of one is a
 * process that talks to itself. Knows nothing of any tracer.
 *
 *   ring pipe|socket PROCESSES CHANNELS MESSAGES
 *
 * Prints "ready" when all processes live, begins when its standard input says something, prints "done" and how many messages there
 * were when all have gone round, and ends with its input.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_BYTES 64

struct side { /* of the channels between two neighbours */
	int *fds;
};

static bool sockets;
static int lanes; /* channels between two neighbours */
static long rounds;
static int begin[2]; /* closed: go */

static void fail(const char *what)
{
	fprintf(stderr, "ring: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_channels(struct side *from, struct side *to)
{
	from->fds = calloc((size_t)lanes, sizeof(int));
	to->fds = calloc((size_t)lanes, sizeof(int));
	for (int i = 0; i < lanes; i++) {
		int fds[2];

		if (sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds))
			fail("cannot open a channel");
		from->fds[i] = fds[0];
		to->fds[i] = fds[1];
	}
}

static void close_side(struct side *s)
{
	for (int i = 0; s->fds && i < lanes; i++)
		close(s->fds[i]);
	free(s->fds);
	s->fds = NULL;
}

static void move(ssize_t done)
{
	if (done != MESSAGE_BYTES)
		_exit(1);
}

/* The first one makes the messages, and takes them again. */
static void hand_on(struct side in, struct side out, bool first)
{
	char message[MESSAGE_BYTES] = { 0 };

	for (long r = 0; r < rounds; r++) {
		for (int i = 0; i < lanes; i++) {
			if (first)
				move(write(out.fds[i], message, sizeof(message)));
			move(read(in.fds[i], message, sizeof(message)));
			if (!first)
				move(write(out.fds[i], message, sizeof(message)));
		}
	}
}

static void child(struct side in, struct side out)
{
	char nothing;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(begin[1]);
	while (read(begin[0], &nothing, 1) > 0)
		;
	hand_on(in, out, false);
	pause();
	_exit(0);
}

/* Process i reads what i - 1 writes; this one is 0. Each has only its own ends open. */
static void make_ring(int procs, struct side *in, struct side *out)
{
	open_channels(in, out);
	for (int i = 1; i < procs; i++) {
		struct side next, to;
		int pid;

		open_channels(&next, &to);
		pid = fork();
		if (pid < 0)
			fail("cannot fork");
		if (!pid) {
			close_side(out);
			close_side(&next);
			child(*in, to);
		}
		close_side(in);
		close_side(&to);
		*in = next;
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct side in, out;
	int procs, channels;
	long messages;
	char nothing;

	if (argc != 5 || (procs = atoi(argv[2])) < 1 || (channels = atoi(argv[3])) < procs ||
	    channels % procs || (messages = atol(argv[4])) < 1) {
		fprintf(stderr, "usage: ring pipe|socket PROCESSES CHANNELS MESSAGES (as many channels "
				"between all neighbours)\n");
		return 2;
	}
	sockets = strcmp(argv[1], "socket") == 0;
	lanes = channels / procs;
	rounds = (messages + channels - 1) / channels;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (pipe(begin))
		fail("cannot open a pipe");
	make_ring(procs, &in, &out);
	puts("ready");
	fflush(stdout);
	if (read(0, &nothing, 1) < 0)
		return 1;
	close(begin[1]);
	hand_on(in, out, true);
	printf("done %ld\n", rounds * channels);
	fflush(stdout);
	while (read(0, &nothing, 1) > 0)
		;
	return 0; /* and the others with it */
}
