/* SPDX-License-Identifier: GPL-2.0 */
/* pty: writers at the master, readers at the slave, raw. No end of file: a hang-up would throw data away. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

struct pair {
	int master, slave; /* the parent keeps both open until the end */
	char path[64];
};

static bool echoing(const struct worker *w)
{
	return w->run->o->features & WL_ECHO;
}

/* Each reader's own descriptor, so that O_NONBLOCK is nobody else's business. */
static int open_slave(struct worker *w)
{
	struct pair *p = w->run->priv;

	w->fd = open(p->path,
		     O_RDWR | O_NOCTTY | O_CLOEXEC | (w->run->cnt[ROLE_READER] > 1 ? O_NONBLOCK : 0));
	return w->fd < 0 ? worker__fail(w, "cannot open %s: %s", p->path, strerror(errno)) : 0;
}

static int write_all(struct worker *w, int fd, size_t bytes)
{
	ssize_t n;

	payload__fill(w, bytes);
	n = write(fd, w->buf, bytes);
	if (n < 0)
		return worker__fail(w, "cannot write: %s", strerror(errno));
	return (size_t)n == bytes ? 0 : worker__fail(w, "only %zd of %zu bytes went out at once", n, bytes);
}

static int take_answer(struct worker *w, int fd)
{
	bool end = false;

	while (!end) {
		ssize_t n = read(fd, w->buf, w->buf_bytes);

		if (n <= 0)
			return worker__fail(w, "no answer: %s", strerror(errno));
		end = w->buf[n - 1] & 1;
		cell__add(run__back_cell(w->run, 0, w->index), end, (uint64_t)n);
	}
	return 0;
}

static int write_master(struct worker *w)
{
	struct pair *p = w->run->priv;

	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		worker__pace(w);
		if (write_all(w, p->master, worker__size(w)))
			return -1;
		if (echoing(w) && take_answer(w, p->master))
			return -1;
	}
	return 0;
}

static int read_slave(struct worker *w)
{
	bool alone = w->run->cnt[ROLE_READER] == 1;

	while (!run__all_taken(w->run)) {
		int rc = alone ? 1 : worker__await_input(w, w->fd);
		bool answer;
		ssize_t n;

		if (rc <= 0)
			return rc;
		n = read(w->fd, w->buf, worker__read_size(w));
		if (n < 0 && errno == EAGAIN) /* another reader was faster */
			continue;
		if (n <= 0)
			return worker__fail(w, "cannot read: %s", n ? strerror(errno) : "hung up");
		answer = echoing(w) && w->buf[n - 1] & 1;
		if (payload__count_stream(w, (size_t)n) || (answer && write_all(w, w->fd, worker__size(w))))
			return -1;
	}
	return 0;
}

static void name_pty(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct pair *p = r->priv;

	snprintf(name, OBJECT_NAME_LEN, "pty:%s", p->path);
}

static int make_pair(struct run *r, struct pair *p)
{
	struct termios t;

	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->master < 0 || grantpt(p->master) || unlockpt(p->master) ||
	    ptsname_r(p->master, p->path, sizeof(p->path)))
		return run__fail(r, -errno, "cannot make a pseudoterminal: %s", strerror(errno));
	p->slave = open(p->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->slave < 0 || tcgetattr(p->slave, &t))
		return run__fail(r, -errno, "cannot open %s: %s", p->path, strerror(errno));
	cfmakeraw(&t);
	if (tcsetattr(p->slave, TCSANOW, &t))
		return run__fail(r, -errno, "cannot make %s raw: %s", p->path, strerror(errno));
	return 0;
}

static int run_pty(struct run *r)
{
	struct parts parts = {
		.name = name_pty,
		.open[ROLE_READER] = open_slave,
		.work = { write_master, read_slave },
	};
	struct pair p = { .master = -1, .slave = -1 };
	int rc;

	if (r->o->features & WL_ECHO && (r->o->writers > 1 || r->o->readers > 1))
		return run__fail(r, -EINVAL, "--echo over a pseudoterminal is for one writer and one reader");
	r->priv = &p;
	rc = make_pair(r, &p);
	if (!rc)
		rc = run__go(r, &parts);
	if (p.slave >= 0)
		close(p.slave);
	if (p.master >= 0)
		close(p.master);
	return rc;
}

const struct workload workload_pty = {
	.name = "pty",
	.help = "writers at the master of one raw pseudoterminal, readers at its slave",
	.takes = WL_ECHO | WL_READ_SIZE,
	.run = run_pty,
};
