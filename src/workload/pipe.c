/* SPDX-License-Identifier: GPL-2.0 */
/* pipe, fifo: writers and readers share one; with --splice a middle process moves it into a second one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

struct pipes {
	int fd[2][2]; /* [first, second][read, write]; -1: closed */
	char name[2][OBJECT_NAME_LEN];
	char path[PATH_MAX]; /* fifo */
};

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool splicing(const struct run *r)
{
	return r->o->features & WL_SPLICE;
}

static void keep(struct run *r, unsigned roles)
{
	struct pipes *p = r->priv;
	int out = splicing(r) ? 1 : 0; /* the pipe the readers read */

	if (!(roles & 1u << ROLE_WRITER))
		shut(&p->fd[0][1]);
	if (!(roles & 1u << (out ? ROLE_MIDDLE : ROLE_READER)))
		shut(&p->fd[0][0]);
	if (!(roles & 1u << ROLE_MIDDLE))
		shut(&p->fd[1][1]);
	if (!(roles & 1u << ROLE_READER))
		shut(&p->fd[1][0]);
}

/* End of file comes when the last writer of all processes has closed. */
static void last(struct run *r, enum role role)
{
	struct pipes *p = r->priv;

	if (role == ROLE_WRITER)
		shut(&p->fd[0][1]);
	if (role == ROLE_MIDDLE)
		shut(&p->fd[1][1]);
}

static int write_pipe(struct worker *w)
{
	struct pipes *p = w->run->priv;

	return io__send_messages(w, w->fd >= 0 ? w->fd : p->fd[0][1], false);
}

static int read_pipe(struct worker *w)
{
	struct pipes *p = w->run->priv;

	return io__recv_stream(w, w->fd >= 0 ? w->fd : p->fd[splicing(w->run)][0], false);
}

/* Its splices are the second pipe's messages: only it knows how many. */
static int splice_through(struct worker *w)
{
	struct pipes *p = w->run->priv;

	for (;;) {
		ssize_t n = splice(p->fd[0][0], NULL, p->fd[1][1], NULL, worker__read_size(w), 0);

		if (n < 0)
			return worker__fail(w, "cannot splice: %s", strerror(errno));
		if (!n)
			return 0;
		atomic_fetch_add(&w->seat->progress, 1);
	}
}

static void name_pipe(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct pipes *p = r->priv;

	snprintf(name, OBJECT_NAME_LEN, "%s", p->name[0]);
}

/* What the one reader found of each writer went through the middle. */
static void add_spliced(struct run *r)
{
	struct pipes *p = r->priv;
	struct seat *middle = run__seat(r, ROLE_MIDDLE, 0), *reader = run__seat(r, ROLE_READER, 0);
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < r->cnt[ROLE_WRITER]; i++) {
		struct cell *c = run__cell(r, 0, i);

		bytes += c->bytes;
		truth__add(r->truth, TRUTH_FLOW, run__seat(r, ROLE_WRITER, i)->pid, middle->pid, r->wl->name,
			   p->name[0], c->messages, c->bytes);
	}
	truth__add(r->truth, TRUTH_FLOW, middle->pid, reader->pid, r->wl->name, p->name[1], middle->progress,
		   bytes);
}

static int make_pipe(struct run *r, int i)
{
	struct pipes *p = r->priv;
	struct stat st;

	if (pipe2(p->fd[i], (r->o->features & WL_PACKET ? O_DIRECT : 0) | O_CLOEXEC))
		return run__fail(r, -errno, "cannot make a pipe: %s", strerror(errno));
	if (fstat(p->fd[i][0], &st))
		return run__fail(r, -errno, "cannot ask for the pipe's number: %s", strerror(errno));
	snprintf(p->name[i], sizeof(p->name[i]), "pipe:[%lu]", (unsigned long)st.st_ino);
	return 0;
}

static int prefill(struct run *r, int fd)
{
	uint64_t left = r->o->prefill_bytes;
	unsigned char buf[4096];

	if (left > 65536)
		return run__fail(r, -EINVAL, "--prefill wants at most 65536 bytes: more would block");
	memset(buf, PREFILL_WRITER << 1, sizeof(buf));
	while (left) {
		ssize_t n = write(fd, buf, left < sizeof(buf) ? left : sizeof(buf));

		if (n < 0)
			return run__fail(r, -errno, "cannot prefill: %s", strerror(errno));
		left -= n;
	}
	return 0;
}

static void add_prefill(struct run *r, const char *name)
{
	uint64_t taken = *run__prefill_taken(r);

	if (taken)
		truth__add(r->truth, TRUTH_UNATTRIBUTED, 0, 0, r->wl->name, name, 0, taken);
}

static int check(struct run *r)
{
	const struct workload_opts *o = r->o;

	if (splicing(r) && (o->readers != 1 || o->self))
		return run__fail(r, -EINVAL,
				 "--splice works with one reader in its own process: "
				 "with several nobody knows who took the end of a splice");
	if (splicing(r) && o->features & WL_PACKET)
		return run__fail(r, -EINVAL,
				 "--splice and --packet do not go together: a splice merges packets");
	if (o->features & WL_PACKET && o->read_size.max && o->read_size.min < 4096)
		return run__fail(r, -EINVAL,
				 "--packet needs --read-size 4096 or more: the rest of a packet is lost");
	if (o->prefill_bytes && !o->hold_late)
		return run__fail(r, -EINVAL,
				 "--prefill needs --hold-late: it is for what lies there before a trace");
	return 0;
}

static int run_pipe(struct run *r)
{
	struct pipes p = { .fd = { { -1, -1 }, { -1, -1 } } };
	struct parts parts = {
		.keep = keep,
		.last = last,
		.name = splicing(r) ? NULL : name_pipe,
		.work = { write_pipe, read_pipe, splice_through },
	};
	int rc;

	r->priv = &p;
	rc = check(r);
	if (!rc)
		rc = make_pipe(r, 0);
	if (!rc && splicing(r))
		rc = make_pipe(r, 1);
	if (!rc)
		rc = prefill(r, p.fd[0][1]);
	run__set_cnt(r, ROLE_MIDDLE, splicing(r));
	if (!rc)
		rc = run__go(r, &parts);
	if (!rc && splicing(r))
		add_spliced(r);
	if (!rc)
		add_prefill(r, p.name[0]);
	keep(r, 0);
	return rc;
}

const struct workload workload_pipe = {
	.name = "pipe",
	.help = "writers and readers share one anonymous pipe",
	.takes = WL_PACKET | WL_SPLICE | WL_VARY | WL_URING | WL_NONBLOCK | WL_PREFILL | WL_READ_SIZE,
	.run = run_pipe,
};

/* ---- fifo ---- */

static int open_fifo(struct worker *w)
{
	struct pipes *p = w->run->priv;

	w->fd = open(p->path, (w->role == ROLE_WRITER ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	return w->fd < 0 ? worker__fail(w, "cannot open %s: %s", p->path, strerror(errno)) : 0;
}

static int write_fifo(struct worker *w)
{
	int rc = write_pipe(w);

	shut(&w->fd);
	return rc;
}

static int make_fifo(struct run *r)
{
	struct pipes *p = r->priv;
	char path[PATH_MAX];

	if (r->o->object)
		snprintf(path, sizeof(path), "%s", r->o->object);
	else
		snprintf(path, sizeof(path), "/tmp/ipctrace-fifo.%d", getpid());
	if (mkfifo(path, 0600))
		return run__fail(r, -errno, "cannot make the fifo %s: %s", path, strerror(errno));
	if (!realpath(path, p->path)) {
		unlink(path);
		p->path[0] = 0;
		return run__fail(r, -errno, "cannot find %s: %s", path, strerror(errno));
	}
	snprintf(p->name[0], sizeof(p->name[0]), "fifo:%.240s", p->path);
	return 0;
}

static int run_fifo(struct run *r)
{
	struct pipes p = { .fd = { { -1, -1 }, { -1, -1 } } };
	struct parts parts = {
		.name = name_pipe,
		.open = { open_fifo, open_fifo },
		.work = { write_fifo, read_pipe },
	};
	int rc;

	r->priv = &p;
	rc = make_fifo(r);
	if (rc)
		return rc;
	rc = run__go(r, &parts);
	unlink(p.path);
	return rc;
}

const struct workload workload_fifo = {
	.name = "fifo",
	.help = "the same through a named pipe that each of them opens",
	.takes = WL_OBJECT | WL_VARY | WL_URING | WL_NONBLOCK | WL_READ_SIZE,
	.run = run_fifo,
};
