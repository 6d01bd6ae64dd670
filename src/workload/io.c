/* SPDX-License-Identifier: GPL-2.0 */
/* The system calls that move bytes; with --vary all those that mean the same. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/uring.h"

enum way {
	WAY_PLAIN,
	WAY_VECTOR,
	WAY_VECTOR2,
	WAY_FILE_CNT,
	WAY_SOCK = WAY_FILE_CNT,
	WAY_SOCK_TO,
	WAY_SOCK_MSG,
	WAY_CNT
};

static enum way choose(struct worker *w, bool is_socket)
{
	if (!(w->run->o->features & WL_VARY))
		return is_socket ? WAY_SOCK : WAY_PLAIN;
	return worker__random(w) % (is_socket ? WAY_CNT : WAY_FILE_CNT);
}

/* Two pieces, so that vectored calls have something to walk. */
static int split(struct iovec iov[2], const void *data, size_t bytes)
{
	size_t first = bytes / 2;

	iov[0] = (struct iovec){ .iov_base = (void *)data, .iov_len = first };
	iov[1] = (struct iovec){ .iov_base = (char *)data + first, .iov_len = bytes - first };
	return 2;
}

static ssize_t send_way(enum way way, int fd, const void *data, size_t bytes)
{
	struct iovec iov[2];
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = split(iov, data, bytes) };

	switch (way) {
	case WAY_VECTOR:
		return writev(fd, iov, 2);
	case WAY_VECTOR2:
		return pwritev2(fd, iov, 2, -1, 0);
	case WAY_SOCK:
		return send(fd, data, bytes, MSG_NOSIGNAL);
	case WAY_SOCK_TO:
		return sendto(fd, data, bytes, MSG_NOSIGNAL, NULL, 0);
	case WAY_SOCK_MSG:
		return sendmsg(fd, &mh, MSG_NOSIGNAL);
	default:
		return write(fd, data, bytes);
	}
}

static ssize_t recv_way(enum way way, int fd, void *data, size_t bytes)
{
	struct iovec iov[2];
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = split(iov, data, bytes) };

	switch (way) {
	case WAY_VECTOR:
		return readv(fd, iov, 2);
	case WAY_VECTOR2:
		return preadv2(fd, iov, 2, -1, 0);
	case WAY_SOCK:
		return recv(fd, data, bytes, 0);
	case WAY_SOCK_TO:
		return recvfrom(fd, data, bytes, 0, NULL, NULL);
	case WAY_SOCK_MSG:
		return recvmsg(fd, &mh, 0);
	default:
		return read(fd, data, bytes);
	}
}

static bool through_uring(const struct worker *w)
{
	return w->run->o->features & WL_URING;
}

/* Made by the worker that uses it: a ring belongs to its task. */
static ssize_t uring_io(struct worker *w, uint8_t opcode, int fd, const void *data, size_t bytes)
{
	if (!w->uring)
		w->uring = uring__new();
	return w->uring ? uring__io(w->uring, opcode, fd, data, bytes) : -1;
}

ssize_t io__send(struct worker *w, int fd, const void *data, size_t bytes, bool is_socket)
{
	if (through_uring(w))
		return uring_io(w, is_socket ? IORING_OP_SEND : IORING_OP_WRITE, fd, data, bytes);
	return send_way(choose(w, is_socket), fd, data, bytes);
}

ssize_t io__recv(struct worker *w, int fd, void *data, size_t bytes, bool is_socket)
{
	if (through_uring(w))
		return uring_io(w, is_socket ? IORING_OP_RECV : IORING_OP_READ, fd, data, bytes);
	return recv_way(choose(w, is_socket), fd, data, bytes);
}

int io__prepare(struct worker *w, int fd)
{
	if (!(w->run->o->features & WL_NONBLOCK))
		return 0;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		return worker__fail(w, "cannot make a descriptor non-blocking: %s", strerror(errno));
	return 0;
}

/* What was sent of the message, 0 to try again; -1 after a failure. */
static ssize_t send_part(struct worker *w, int fd, const unsigned char *data, size_t bytes, bool is_socket)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t n = io__send(w, fd, data, bytes, is_socket);

	if (n < 0 && errno == EAGAIN && w->run->o->features & WL_NONBLOCK) {
		while (!poll(&pfd, 1, 20))
			if (worker__aborted(w))
				return -1;
		return 0;
	}
	if (n < 0)
		worker__fail(w, "cannot send %zu bytes: %s", bytes, strerror(errno));
	return n;
}

int io__send_whole(struct worker *w, int fd, size_t bytes, bool is_socket)
{
	bool parts = w->role == ROLE_WRITER && w->run->o->features & (WL_NONBLOCK | WL_URING);

	payload__fill(w, bytes);
	for (size_t at = 0; at < bytes;) {
		ssize_t n = send_part(w, fd, w->buf + at, bytes - at, is_socket);

		if (n < 0)
			return -1;
		at += (size_t)n;
		if (!n || at == bytes)
			continue;
		if (!parts)
			return worker__fail(w, "only %zu of %zu bytes went out at once", at, bytes);
		atomic_fetch_add(&w->seat->unmarked, 1);
	}
	return 0;
}

int io__send_messages(struct worker *w, int fd, bool is_socket)
{
	if (io__prepare(w, fd))
		return -1;
	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		size_t bytes = worker__size(w);

		worker__pace(w);
		if (io__send_whole(w, fd, bytes, is_socket))
			return -1;
	}
	return 0;
}

int io__recv_stream(struct worker *w, int fd, bool is_socket)
{
	for (;;) {
		ssize_t n = io__recv(w, fd, w->buf, worker__read_size(w), is_socket);

		if (n < 0)
			return worker__fail(w, "cannot receive: %s", strerror(errno));
		if (!n)
			return 0;
		if (payload__count_stream(w, (size_t)n))
			return -1;
	}
}
