/* SPDX-License-Identifier: GPL-2.0 */
/* Ducts of bytes behind a descriptor that is no socket: pipe, fifo, pty. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "bench/duct.h"

static ssize_t fd_send(struct duct *d, int side, unsigned char *data, size_t n)
{
	ssize_t rc = write(d->fd[side][1], data, n);

	return rc < 0 ? -errno : rc;
}

static ssize_t fd_recv(struct duct *d, int side, unsigned char *data, size_t cap)
{
	ssize_t rc = read(d->fd[side][0], data, cap);

	return rc < 0 ? -errno : rc;
}

static int open_pipe(struct duct *d)
{
	for (int side = 0; side < 2; side++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC))
			return -errno;
		d->fd[side][0] = ends[0];
		d->fd[!side][1] = ends[1];
	}
	return 0;
}

const struct duct_kind duct_pipe = {
	.name = "pipe",
	.groups = "",
	.how = "write and read, a pipe for each direction",
	.open = open_pipe,
	.send = fd_send,
	.recv = fd_recv,
};

static int open_one_fifo(struct duct *d, int side, const char *path)
{
	int flags;

	if (mkfifo(path, 0600))
		return -errno;
	d->fd[side][0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (d->fd[side][0] >= 0)
		d->fd[!side][1] = open(path, O_WRONLY | O_CLOEXEC);
	flags = d->fd[!side][1] < 0 ? -errno : 0;
	unlink(path);
	if (flags)
		return flags;
	flags = fcntl(d->fd[side][0], F_GETFL);
	fcntl(d->fd[side][0], F_SETFL, flags & ~O_NONBLOCK);
	return 0;
}

static int open_fifo(struct duct *d)
{
	const char *tmp = getenv("TMPDIR");
	char dir[4096], path[sizeof(dir) + 8];
	int rc = 0;

	if (snprintf(dir, sizeof(dir), "%s/ipctrace-bench.XXXXXX", tmp && *tmp ? tmp : "/tmp") >=
	    (int)sizeof(dir))
		return -ENAMETOOLONG;
	if (!mkdtemp(dir))
		return -errno;
	snprintf(path, sizeof(path), "%s/fifo", dir);
	for (int side = 0; side < 2 && !rc; side++)
		rc = open_one_fifo(d, side, path);
	rmdir(dir);
	return rc;
}

const struct duct_kind duct_fifo = {
	.name = "fifo",
	.groups = "",
	.how = "write and read, a FIFO for each direction",
	.open = open_fifo,
	.send = fd_send,
	.recv = fd_recv,
};

static int open_pty(struct duct *d)
{
	struct termios t;
	char path[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	if (master < 0)
		return -errno;
	d->fd[SIDE_A][0] = d->fd[SIDE_A][1] = master;
	if (grantpt(master) || unlockpt(master) || ptsname_r(master, path, sizeof(path)))
		return -errno;
	slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	d->fd[SIDE_B][0] = d->fd[SIDE_B][1] = slave;
	if (tcgetattr(slave, &t))
		return -errno;
	cfmakeraw(&t);
	return tcsetattr(slave, TCSANOW, &t) ? -errno : 0;
}

const struct duct_kind duct_pty = {
	.name = "pty",
	.groups = "",
	.how = "write and read, master and slave of a raw pseudoterminal",
	.open = open_pty,
	.send = fd_send,
	.recv = fd_recv,
};
