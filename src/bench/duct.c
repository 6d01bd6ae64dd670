/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/duct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "bench/stage.h"

/* clang-format off */
#define KINDS(X) \
	X(pipe) X(fifo) X(unix_stream) X(unix_dgram) X(unix_seqpacket) X(tcp) X(udp) X(pty) \
	X(sysv_msg) X(posix_mq) X(sysv_shm) X(posix_shm) X(ptrace) \
	X(signal) X(eventfd) X(sysv_sem) X(posix_sem) X(flock)
/* clang-format on */

#define X(name) extern const struct duct_kind duct_##name;
KINDS(X)
#undef X

#define X(name) &duct_##name,
static const struct duct_kind *const kinds[] = { KINDS(X) };
#undef X

const struct duct_kind *const *duct_kind__all(size_t *cnt)
{
	*cnt = sizeof(kinds) / sizeof(kinds[0]);
	return kinds;
}

const struct duct_kind *duct_kind__find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

static int open_duct(struct duct *d)
{
	int rc;

	for (int i = 0; i < 2; i++) {
		d->fd[i][0] = d->fd[i][1] = d->id[i] = -1;
		for (int k = 0; k < 3; k++)
			d->lock_fd[i][k] = -1;
	}
	d->shared = stage__share(sizeof(*d->shared));
	if (!d->shared)
		return -errno;
	d->shared->pid[SIDE_A] = d->shared->pid[SIDE_B] = getpid();
	rc = d->kind->open(d);
	if (rc)
		duct__close(d);
	else if (d->nonblock)
		duct__set_nonblock(d, true);
	return rc;
}

int duct__open(struct duct *d, const struct duct_kind *kind, size_t size_max, bool nonblock)
{
	*d = (struct duct){ .kind = kind, .size_max = size_max, .nonblock = nonblock };
	return open_duct(d);
}

int duct__open_addressed(struct duct *d, const struct duct_kind *kind, size_t size_max)
{
	*d = (struct duct){ .kind = kind, .size_max = size_max, .nonblock = true, .addressed = true };
	return open_duct(d);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void duct__close(struct duct *d)
{
	if (d->kind->close)
		d->kind->close(d);
	for (int i = 0; i < 2; i++) {
		if (d->fd[i][1] == d->fd[i][0])
			d->fd[i][1] = -1;
		close_fd(&d->fd[i][0]);
		close_fd(&d->fd[i][1]);
		for (int k = 0; k < 3; k++)
			close_fd(&d->lock_fd[i][k]);
	}
	stage__unshare(d->shared, sizeof(*d->shared));
	d->shared = NULL;
}

void duct__enter(struct duct *d, int side)
{
	d->shared->pid[side] = getpid();
	if (d->kind->enter)
		d->kind->enter(d, side);
}

void duct__set_nonblock(struct duct *d, bool nonblock)
{
	d->nonblock = nonblock;
	for (int side = 0; side < 2; side++) {
		for (int way = 0; way < 2; way++) {
			int flags = d->fd[side][way] < 0 ? -1 : fcntl(d->fd[side][way], F_GETFL);

			if (flags >= 0)
				fcntl(d->fd[side][way], F_SETFL,
				      nonblock ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
		}
	}
}

int duct__send_all(struct duct *d, int side, unsigned char *data, size_t n)
{
	size_t done = 0;

	do {
		ssize_t rc = d->kind->send(d, side, data + done, n - done);

		if (rc < 0 && rc != -EINTR && (rc != -EAGAIN || !done))
			return (int)rc;
		if (rc > 0)
			done += (size_t)rc;
	} while (done < n);
	return 0;
}

int duct__recv_all(struct duct *d, int side, unsigned char *data, size_t n, size_t cap)
{
	size_t done = 0;

	do {
		ssize_t rc = d->kind->recv(d, side, data + done, cap - done);

		if (rc < 0 && rc != -EINTR && (rc != -EAGAIN || !done))
			return (int)rc;
		if (rc == 0 && n)
			return -EPIPE;
		if (rc > 0)
			done += (size_t)rc;
	} while (done < n);
	return 0;
}

unsigned char *duct__buf(size_t bytes)
{
	unsigned char *at = xalloc(bytes + HEADROOM);

	memset(at, 0x5a, bytes + HEADROOM); /* so that no first touch falls into a measurement */
	return at + HEADROOM;
}

void duct__free_buf(unsigned char *buf)
{
	free(buf - HEADROOM);
}

ssize_t duct__look_at_memory(void *at)
{
	uintptr_t page = (uintptr_t)at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	unsigned char present;

	return mincore((void *)page, 1, &present) ? -errno : 0;
}
