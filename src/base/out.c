/* SPDX-License-Identifier: GPL-2.0 */
#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"

#define OUT_GATHER_BYTES (64 * 1024)
#define KEPT_BYTES_MAX (256 * 1024) /* a table of thousands of rows is printed once a second at most */

static void complain(struct buf *err, const char *what, const char *name, int errnum)
{
	buf__puts(err, what);
	escape__terminal(err, name, strlen(name));
	buf__puts(err, ": ");
	buf__puts(err, strerror(errnum));
	if (errnum == ENOSPC || errnum == EDQUOT)
		buf__puts(err, "; the output is incomplete, make room or write elsewhere (-o)");
}

void out__from_fd(struct out *o, int fd, const char *name)
{
	*o = (struct out){ .fd = fd, .name = name, .interactive = isatty(fd) };
}

int out__open(struct out *o, const char *path, struct buf *err)
{
	int fd;

	if (!path || !strcmp(path, "-")) {
		out__from_fd(o, STDOUT_FILENO, "standard output");
		return 0;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		int rc = -errno;

		*o = (struct out){ .fd = -1, .name = path, .err = rc, .told = true };
		complain(err, "cannot open for writing ", path, -rc);
		return rc;
	}
	out__from_fd(o, fd, path);
	o->owns_fd = true;
	return 0;
}

static mode_t current_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

/* A new file gets the usual mode, a replaced one keeps its own. */
static mode_t mode_for(const char *target)
{
	struct stat st;

	return stat(target, &st) == 0 ? st.st_mode & 07777 : 0666 & ~current_umask();
}

int out__make_beside(const char *path, char **temp)
{
	size_t size = strlen(path) + sizeof(".XXXXXX");
	int fd;

	*temp = xalloc(size);
	snprintf(*temp, size, "%s.XXXXXX", path);
	fd = mkostemp(*temp, O_CLOEXEC);
	if (fd < 0) {
		fd = -errno;
		free(*temp);
		*temp = NULL;
		return fd;
	}
	fchmod(fd, mode_for(path));
	return fd;
}

/* Standard output may be shared with a program that made it non-blocking. */
static int wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		int rc = n >= 0 || errno == EINTR ? 0 : errno == EAGAIN ? wait_writable(fd) : -errno;

		if (rc)
			return rc;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int out__flush(struct out *o)
{
	if (!o->err)
		o->err = write_all(o->fd, o->buf.data, o->buf.len);
	if (o->buf.cap > KEPT_BYTES_MAX)
		buf__free(&o->buf);
	buf__reset(&o->buf);
	return o->err;
}

int out__commit(struct out *o)
{
	if (o->interactive || o->err || o->buf.len >= OUT_GATHER_BYTES)
		return out__flush(o);
	return 0;
}

int out__finish(struct out *o, struct buf *err)
{
	out__flush(o);
	if (o->owns_fd && close(o->fd) && !o->err)
		o->err = -errno; /* network file systems report a full disk here */
	o->owns_fd = false;
	buf__free(&o->buf);
	if (o->err && o->err != -EPIPE && !o->told) {
		o->told = true;
		complain(err, "cannot write to ", o->name, -o->err);
	}
	return o->err;
}
