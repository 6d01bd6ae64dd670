/* SPDX-License-Identifier: GPL-2.0 */
/* tcp: a connection per writer; udp: one bound socket, a socket per writer. Over loopback, numbers only. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workload/socket.h"
#include "workload/table.h"

static void put_address(const struct sockaddr_storage *ss, char *out, size_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	char text[INET6_ADDRSTRLEN];

	if (ss->ss_family == AF_INET6)
		snprintf(out, size, "[%s]:%u", inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)),
			 ntohs(in6->sin6_port));
	else
		snprintf(out, size, "%s:%u", inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)),
			 ntohs(in->sin_port));
}

static void connected(struct worker *w)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (!getsockname(w->fd, (struct sockaddr *)&ss, &len))
		put_address(&ss, w->seat->note, sizeof(w->seat->note));
}

static bool before(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);

	return la != lb ? la < lb : strcmp(a, b) < 0;
}

/* The lower end first, as numbers: on loopback the addresses are equal, and the ports decide. */
static void name_inet(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct scene *s = r->priv;
	const char *a = run__seat(r, ROLE_WRITER, writer)->note;
	char b[NOTE_LEN];

	put_address(&s->addr, b, sizeof(b));
	snprintf(name, OBJECT_NAME_LEN, "%s:%s<->%s", r->wl->name, before(a, b) ? a : b,
		 before(a, b) ? b : a);
}

/* "ADDR:PORT", "[ADDR]:PORT" or "PORT"; nothing: 127.0.0.1 and a free port. */
static int parse_address(const char *text, struct scene *s)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&s->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&s->addr;
	const char *colon = text ? strrchr(text, ':') : NULL;
	char host[INET6_ADDRSTRLEN + 2] = "127.0.0.1";
	uint16_t port = text ? htons((uint16_t)atoi(colon ? colon + 1 : text)) : 0;

	if (colon && (size_t)(colon - text) < sizeof(host)) {
		memcpy(host, text, colon - text);
		host[colon - text] = 0;
	}
	if (host[0] == '[') {
		host[strlen(host) - 1] = 0;
		*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = port };
		s->domain = AF_INET6;
		s->addr_len = sizeof(*in6);
		return inet_pton(AF_INET6, host + 1, &in6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
	s->domain = AF_INET;
	s->addr_len = sizeof(*in);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 ? 0 : -EINVAL;
}

static int make_socket(struct run *r)
{
	struct scene *s = r->priv;
	int one = 1, room = 4 << 20;
	int fd = s->fd[ROLE_READER] = socket(s->domain, s->type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return run__fail(r, -errno, "cannot make a socket: %s", strerror(errno));
	if (s->type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&s->addr, s->addr_len) ||
	    (s->type == SOCK_STREAM && listen(fd, WRITERS_MAX + 1)) ||
	    getsockname(fd, (struct sockaddr *)&s->addr, &s->addr_len))
		return run__fail(r, -errno, "cannot bind: %s", strerror(errno));
	return 0;
}

static int run_inet(struct run *r, int type)
{
	struct scene s = {
		.type = type,
		.named = true,
		.lossy = type == SOCK_DGRAM,
		.fd = { -1, -1, -1 },
		.connected = connected,
	};
	int rc;

	r->priv = &s;
	if (parse_address(r->o->object, &s))
		return run__fail(r, -EINVAL, "--object wants ADDR:PORT in numbers, not '%s'", r->o->object);
	rc = scene__check(r);
	if (!rc)
		rc = make_socket(r);
	if (!rc)
		rc = scene__go(r, name_inet);
	else if (s.fd[ROLE_READER] >= 0)
		close(s.fd[ROLE_READER]);
	return rc;
}

static int run_tcp(struct run *r)
{
	return run_inet(r, SOCK_STREAM);
}

static int run_udp(struct run *r)
{
	return run_inet(r, SOCK_DGRAM);
}

const struct workload workload_tcp = {
	.name = "tcp",
	.help = "a connection per writer over loopback",
	.takes = WL_OBJECT | WL_PEEK | WL_ECHO | WL_VARY | WL_URING | WL_NONBLOCK | WL_READ_SIZE,
	.run = run_tcp,
};
const struct workload workload_udp = {
	.name = "udp",
	.help = "datagrams to one bound socket over loopback, paced so that none is lost",
	.takes = WL_OBJECT | WL_PEEK | WL_VARY | WL_URING | WL_NONBLOCK | WL_READ_SIZE,
	.run = run_udp,
};
