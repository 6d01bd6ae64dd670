/* SPDX-License-Identifier: GPL-2.0 */
/* unix-stream, unix-dgram, unix-seqpacket: one socket pair for all, or a name (--listen, --object). */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "workload/socket.h"
#include "workload/table.h"

static void name_unix(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct scene *s = r->priv;

	snprintf(name, OBJECT_NAME_LEN, "%s", s->name);
}

static unsigned long inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static int make_pair(struct run *r)
{
	struct scene *s = r->priv;
	unsigned long a, b;

	if (socketpair(AF_UNIX, s->type | SOCK_CLOEXEC, 0, s->fd))
		return run__fail(r, -errno, "cannot make a socket pair: %s", strerror(errno));
	a = inode(s->fd[ROLE_WRITER]);
	b = inode(s->fd[ROLE_READER]);
	snprintf(s->name, sizeof(s->name), "unix:[%lu<->%lu]", a < b ? a : b, a < b ? b : a);
	return 0;
}

/* "@name" is abstract: a NUL instead of the @, and no NUL at the end. */
static int make_address(struct run *r, const char *path)
{
	struct scene *s = r->priv;
	struct sockaddr_un *un = (struct sockaddr_un *)&s->addr;
	size_t len = strlen(path);

	if (len < 2 || len >= sizeof(un->sun_path))
		return run__fail(r, -EINVAL, "a socket's path has 2 to %zu bytes", sizeof(un->sun_path) - 1);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len);
	s->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] != '@'));
	if (path[0] == '@')
		un->sun_path[0] = 0;
	snprintf(s->name, sizeof(s->name), "unix:%s", path);
	return 0;
}

static int make_named(struct run *r, const char *path)
{
	struct scene *s = r->priv;
	int fd, rc = make_address(r, path);

	if (rc)
		return rc;
	fd = s->fd[ROLE_READER] = socket(AF_UNIX, s->type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return run__fail(r, -errno, "cannot make a socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&s->addr, s->addr_len)) {
		rc = run__fail(r, -errno, "cannot bind %s: %s", s->name, strerror(errno));
		close(fd);
		return rc;
	}
	if (s->type != SOCK_DGRAM)
		listen(fd, WRITERS_MAX + 1);
	return 0;
}

static int run_unix(struct run *r, int type)
{
	struct scene s = { .domain = AF_UNIX, .type = type, .fd = { -1, -1, -1 } };
	char own[64];
	const char *path = r->o->object ? r->o->object : own;
	int rc;

	snprintf(own, sizeof(own), "/tmp/ipctrace-unix.%d", getpid());
	s.named = r->o->object || r->o->features & WL_LISTEN;
	r->priv = &s;
	rc = scene__check(r);
	if (!rc)
		rc = s.named ? make_named(r, path) : make_pair(r);
	if (rc)
		return rc;
	rc = scene__go(r, name_unix);
	if (s.named && path[0] != '@')
		unlink(path);
	return rc;
}

static int run_stream(struct run *r)
{
	return run_unix(r, SOCK_STREAM);
}

static int run_dgram(struct run *r)
{
	return run_unix(r, SOCK_DGRAM);
}

static int run_seqpacket(struct run *r)
{
	return run_unix(r, SOCK_SEQPACKET);
}

#define TAKES                                                                                       \
	(WL_OBJECT | WL_LISTEN | WL_PEEK | WL_PASSFD | WL_ECHO | WL_VARY | WL_URING | WL_NONBLOCK | \
	 WL_READ_SIZE)

const struct workload workload_unix_stream = {
	.name = "unix-stream",
	.help = "all share one stream socket pair; --listen: a connection per writer",
	.takes = TAKES,
	.run = run_stream,
};
const struct workload workload_unix_dgram = {
	.name = "unix-dgram",
	.help = "all share one datagram socket pair; --listen: a bound socket",
	.takes = TAKES,
	.run = run_dgram,
};
const struct workload workload_unix_seqpacket = {
	.name = "unix-seqpacket",
	.help = "all share one seqpacket socket pair; --listen: a connection per writer",
	.takes = TAKES,
	.run = run_seqpacket,
};
