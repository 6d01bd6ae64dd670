/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flock: a hand-over is the release of a lock that the other waits for.
 *
 * Three locks. In turn k the side k % 2 has lock k % 3, for which the other waits, and the lock of its next turn. It
 * ends its turn by releasing the first, then waits for the lock of turn k + 1, which the other has kept since turn
 * k - 1. So no turn begins before the one before has ended, and one system call ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "bench/duct.h"

static int open_flock(struct duct *d)
{
	for (int k = 0; k < 3; k++) {
		char path[64];

		d->lock_fd[SIDE_A][k] = memfd_create("ipctrace-bench", MFD_CLOEXEC);
		if (d->lock_fd[SIDE_A][k] < 0)
			return -errno;
		/* locks belong to the open file description, so each side needs its own */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", d->lock_fd[SIDE_A][k]);
		d->lock_fd[SIDE_B][k] = open(path, O_RDWR | O_CLOEXEC);
		if (d->lock_fd[SIDE_B][k] < 0)
			return -errno;
	}
	for (int side = 0; side < 2; side++) {
		d->step[side][0] = !side;
		d->step[side][1] = side;
	}
	if (flock(d->lock_fd[SIDE_A][0], LOCK_EX) || flock(d->lock_fd[SIDE_A][2], LOCK_EX) ||
	    flock(d->lock_fd[SIDE_B][1], LOCK_EX))
		return -errno;
	return 0;
}

static ssize_t send_flock(struct duct *d, int side, unsigned char *data, size_t n)
{
	if (flock(d->lock_fd[side][d->step[side][1] % 3], LOCK_UN))
		return -errno;
	d->step[side][1] += 2;
	return 1;
}

static ssize_t recv_flock(struct duct *d, int side, unsigned char *data, size_t cap)
{
	if (flock(d->lock_fd[side][d->step[side][0] % 3], LOCK_EX | (d->nonblock ? LOCK_NB : 0)))
		return -errno;
	d->step[side][0] += 2;
	return 1;
}

const struct duct_kind duct_flock = {
	.name = "flock",
	.groups = "",
	.how = "flock: a lock is released that the other side waits for",
	.class = DUCT_NOTICE,
	.flags = DUCT_NO_FLOOD | DUCT_LOCK,
	.open = open_flock,
	.send = send_flock,
	.recv = recv_flock,
};
