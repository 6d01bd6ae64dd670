/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/whole_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static bool replaceable(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? errno == ENOENT : S_ISREG(st.st_mode);
}

int whole_file__open(struct whole_file *f, const char *path, struct buf *err)
{
	char *real;
	int fd;

	*f = (struct whole_file){ .path = path };
	if (!path || strcmp(path, "-") == 0 || !replaceable(path))
		return out__open(&f->out, path, err);
	real = realpath(path, NULL);
	f->target = real ? real : xstrndup(path, strlen(path));
	fd = out__make_beside(f->target, &f->temp);
	if (fd < 0) {
		buf__printf(err, "cannot write %s: %s", path, strerror(-fd));
		whole_file__drop(f);
		return fd;
	}
	out__from_fd(&f->out, fd, path);
	f->out.owns_fd = true;
	return 0;
}

int whole_file__finish(struct whole_file *f, struct buf *err)
{
	int ret = out__finish(&f->out, err);

	if (!ret && f->temp && rename(f->temp, f->target) < 0) {
		ret = -errno;
		buf__printf(err, "cannot put %s into place: %s", f->path, strerror(-ret));
	}
	if (!ret) {
		free(f->temp);
		f->temp = NULL;
	}
	whole_file__drop(f);
	return ret;
}

int whole_file__end(struct whole_file *f, bool keep, struct buf *err)
{
	int ret = 0;

	if (keep)
		ret = whole_file__finish(f, err);
	else
		whole_file__drop(f);
	return ret == -EPIPE ? 0 : ret;
}

void whole_file__drop(struct whole_file *f)
{
	if (f->out.owns_fd)
		close(f->out.fd);
	f->out.owns_fd = false;
	buf__free(&f->out.buf);
	if (f->temp)
		unlink(f->temp);
	free(f->temp);
	free(f->target);
	f->temp = f->target = NULL;
}
