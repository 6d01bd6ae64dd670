/* SPDX-License-Identifier: GPL-2.0 */
/* Ducts of sockets: the three of AF_UNIX, and TCP and UDP over the loopback interface. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/duct.h"
#include "bench/stage.h"

static ssize_t send_socket(struct duct *d, int side, unsigned char *data, size_t n)
{
	ssize_t rc = send(d->fd[side][1], data, n, MSG_NOSIGNAL);

	return rc < 0 ? -errno : rc;
}

static ssize_t recv_socket(struct duct *d, int side, unsigned char *data, size_t cap)
{
	ssize_t rc = recv(d->fd[side][0], data, cap, 0);

	return rc < 0 ? -errno : rc;
}

static void take_sockets(struct duct *d, int a, int b)
{
	d->fd[SIDE_A][0] = d->fd[SIDE_A][1] = a;
	d->fd[SIDE_B][0] = d->fd[SIDE_B][1] = b;
}

static int type_of(const struct duct *d)
{
	extern const struct duct_kind duct_unix_dgram, duct_unix_seqpacket, duct_udp;

	if (d->kind == &duct_unix_seqpacket)
		return SOCK_SEQPACKET;
	return d->kind == &duct_unix_dgram || d->kind == &duct_udp ? SOCK_DGRAM : SOCK_STREAM;
}

/* A bound socket with its address in d->addr; listening where the type has that. */
static int bound_socket(struct duct *d, int family)
{
	int fd = socket(family, type_of(d) | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	memset(&d->addr, 0, sizeof(d->addr));
	d->addr_len = sizeof(d->addr);
	d->addr.any.sa_family = family;
	if (family == AF_INET) {
		d->addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		d->addr_len = sizeof(d->addr.in);
	}
	/* AF_UNIX without a name: the kernel chooses an abstract one */
	if (bind(fd, &d->addr.any, family == AF_UNIX ? sizeof(sa_family_t) : d->addr_len))
		goto failed;
	d->addr_len = sizeof(d->addr);
	if (getsockname(fd, &d->addr.any, &d->addr_len) || (type_of(d) != SOCK_DGRAM && listen(fd, 1)))
		goto failed;
	return fd;
failed:
	rc = -errno;
	close(fd);
	return rc;
}

static int open_addressed(struct duct *d, int family)
{
	int fd = bound_socket(d, family);

	if (fd < 0)
		return fd;
	d->fd[SIDE_B][0] = d->fd[SIDE_B][1] = fd;
	return 0;
}

static int open_unix(struct duct *d)
{
	int pair[2];

	if (d->addressed)
		return open_addressed(d, AF_UNIX);
	if (socketpair(AF_UNIX, type_of(d) | SOCK_CLOEXEC, 0, pair))
		return -errno;
	take_sockets(d, pair[0], pair[1]);
	return 0;
}

static int open_tcp(struct duct *d)
{
	int one = 1, listener, a, b = -1;

	if (d->addressed)
		return open_addressed(d, AF_INET);
	listener = bound_socket(d, AF_INET);
	if (listener < 0)
		return listener;
	a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a >= 0 && connect(a, &d->addr.any, d->addr_len) == 0)
		b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (b < 0) {
		int err = errno;

		if (a >= 0)
			close(a);
		close(listener);
		return -err;
	}
	close(listener);
	/* As every program does that wants an answer soon. */
	setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	take_sockets(d, a, b);
	return 0;
}

static int open_udp(struct duct *d)
{
	struct sockaddr_in addr[2];
	int fd[2];

	if (d->addressed)
		return open_addressed(d, AF_INET);
	for (int side = 0; side < 2; side++) {
		fd[side] = bound_socket(d, AF_INET);
		if (fd[side] < 0)
			return fd[side];
		d->fd[side][0] = d->fd[side][1] = fd[side];
		addr[side] = d->addr.in;
	}
	for (int side = 0; side < 2; side++)
		if (connect(fd[side], (struct sockaddr *)&addr[!side], sizeof(addr[0])))
			return -errno;
	return 0;
}

/* A socket of its own, connected to nothing. */
static ssize_t outsider(struct duct *d, unsigned char *data, size_t n)
{
	int fd = socket(d->addr.any.sa_family, type_of(d) | SOCK_CLOEXEC, 0);
	ssize_t rc;

	if (fd < 0)
		return -errno;
	rc = sendto(fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT, &d->addr.any, d->addr_len);
	rc = rc < 0 ? -errno : rc;
	close(fd);
	return rc;
}

/* Sends two bytes and an urgent one: does the receiver get the urgent one first? */
static int urgent_first(struct duct *d, unsigned char *buf, size_t cap)
{
	if (send(d->fd[SIDE_A][1], "ab", 2, MSG_NOSIGNAL) != 2)
		return -errno;
	if (send(d->fd[SIDE_A][1], "!", 1, MSG_NOSIGNAL | MSG_OOB) != 1)
		return PRIORITY_NONE;
	for (int i = 0; i < 100; i++) { /* TCP may take a moment */
		ssize_t n = recv(d->fd[SIDE_B][0], buf, 1, MSG_OOB | MSG_DONTWAIT);

		if (n == 1)
			return buf[0] == '!' ? PRIORITY_URGENT : PRIORITY_NONE;
		stage__sleep_ns(NS_PER_MS / 10);
	}
	return PRIORITY_NONE;
}

#define SOCKET(symbol, word, of_groups, with, opener) \
	const struct duct_kind duct_##symbol = {      \
		.name = word,                         \
		.groups = of_groups,                  \
		.how = "send and recv, " with,        \
		.open = opener,                       \
		.send = send_socket,                  \
		.recv = recv_socket,                  \
		.outsider = outsider,                 \
		.priority = urgent_first,             \
	}

SOCKET(unix_stream, "unix-stream", "unix", "a socket pair", open_unix);
SOCKET(unix_dgram, "unix-dgram", "unix", "a socket pair", open_unix);
SOCKET(unix_seqpacket, "unix-seqpacket", "unix", "a socket pair", open_unix);
SOCKET(tcp, "tcp", "inet", "over loopback, without delay", open_tcp);
SOCKET(udp, "udp", "inet", "over loopback, both ends connected", open_udp);
