/* SPDX-License-Identifier: GPL-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench/duct.h"

#define ALMOST 5 /* units that nearly_fill() leaves free */

static int open_eventfd(struct duct *d)
{
	for (int side = 0; side < 2; side++) {
		d->fd[side][0] = eventfd(0, EFD_CLOEXEC);
		if (d->fd[side][0] < 0)
			return -errno;
		d->fd[!side][1] = fcntl(d->fd[side][0], F_DUPFD_CLOEXEC, 0);
		if (d->fd[!side][1] < 0)
			return -errno;
	}
	return 0;
}

static ssize_t send_eventfd(struct duct *d, int side, unsigned char *data, size_t n)
{
	uint64_t one = 1;

	return write(d->fd[side][1], &one, sizeof(one)) == sizeof(one) ? (ssize_t)sizeof(one) : -errno;
}

static ssize_t recv_eventfd(struct duct *d, int side, unsigned char *data, size_t cap)
{
	uint64_t sum;

	if (read(d->fd[side][0], &sum, sizeof(sum)) != sizeof(sum))
		return -errno;
	return sum > SSIZE_MAX ? SSIZE_MAX : (ssize_t)sum;
}

static uint64_t nearly_fill_eventfd(struct duct *d)
{
	uint64_t most = UINT64_MAX - 1 - ALMOST;

	return write(d->fd[SIDE_A][1], &most, sizeof(most)) == sizeof(most) ? most : 0;
}

const struct duct_kind duct_eventfd = {
	.name = "eventfd",
	.groups = "",
	.how = "write of 1 and read, a counter for each direction",
	.class = DUCT_NOTICE,
	.word_bytes = sizeof(uint64_t),
	.open = open_eventfd,
	.send = send_eventfd,
	.recv = recv_eventfd,
	.nearly_fill = nearly_fill_eventfd,
};
