/* SPDX-License-Identifier: GPL-2.0 */
#include "workload/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct scene *scene_of(const struct worker *w)
{
	return w->run->priv;
}

static bool asked(const struct worker *w, enum workload_feature f)
{
	return w->run->o->features & f;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void keep(struct run *r, unsigned roles)
{
	struct scene *s = r->priv;

	for (int role = 0; role < ROLE_CNT; role++)
		if (!(roles & 1u << role))
			shut(&s->fd[role]);
}

static void last(struct run *r, enum role role)
{
	struct scene *s = r->priv;

	if (role == ROLE_WRITER)
		shut(&s->fd[ROLE_WRITER]);
}

static int send_with_fd(struct worker *w, int fd, size_t bytes, int passed)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = w->buf, .iov_len = bytes };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &passed, sizeof(int));
	return (int)sendmsg(fd, &mh, MSG_NOSIGNAL);
}

static ssize_t recv_with_fd(struct worker *w, int fd, size_t bytes)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))];
	struct iovec iov = { .iov_base = w->buf, .iov_len = bytes };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);

	for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&mh); c; c = CMSG_NXTHDR(&mh, c)) {
		size_t cnt = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < cnt; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			close(got);
		}
	}
	return n;
}

static ssize_t take(struct worker *w, int fd)
{
	size_t bytes = worker__read_size(w);

	if (asked(w, WL_PEEK) && recv(fd, w->buf, bytes, MSG_PEEK) < 0)
		return -1;
	if (asked(w, WL_PASSFD))
		return recv_with_fd(w, fd, bytes);
	return io__recv(w, fd, w->buf, bytes, true);
}

static int send_one(struct worker *w, int fd)
{
	size_t bytes = worker__size(w);

	if (!asked(w, WL_PASSFD) || w->role != ROLE_WRITER)
		return io__send_whole(w, fd, bytes, true);
	payload__fill(w, bytes);
	if (send_with_fd(w, fd, bytes, *(int *)w->priv) != (int)bytes)
		return worker__fail(w, "cannot send %zu bytes with a descriptor: %s", bytes, strerror(errno));
	return 0;
}

/* The answer's bytes name the reader that gave it. */
static int take_answer(struct worker *w, int fd)
{
	bool end = false;

	while (!end) {
		ssize_t n = io__recv(w, fd, w->buf, w->buf_bytes, true);
		uint32_t reader = w->buf[0] >> 1;

		if (n <= 0)
			return worker__fail(w, "no answer: %s", n ? strerror(errno) : "the reader closed");
		if (reader >= w->run->cnt[ROLE_READER])
			return worker__fail(w, "an answer came from nobody");
		end = w->buf[n - 1] & 1;
		cell__add(run__back_cell(w->run, reader, w->index), end, n);
	}
	return 0;
}

/* All readers of a shared socket together must keep up: some 1,000 bytes are the kernel's own per message. */
static int await_room(struct worker *w, uint64_t sent)
{
	struct run *r = w->run;

	return worker__await_room(w, sent, 100000 / (r->o->size.max + 1024) / r->cnt[ROLE_WRITER] + 1);
}

static int send_all(struct worker *w, int fd)
{
	if (io__prepare(w, fd))
		return -1;
	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		worker__pace(w);
		if (scene_of(w)->lossy && await_room(w, i))
			return -1;
		if (send_one(w, fd))
			return -1;
		if (asked(w, WL_ECHO) && take_answer(w, fd))
			return -1;
	}
	return 0;
}

static int write_socket(struct worker *w)
{
	struct scene *s = scene_of(w);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), rc;

	if (null_fd < 0)
		return worker__fail(w, "cannot open /dev/null: %s", strerror(errno));
	w->priv = &null_fd;
	rc = send_all(w, s->named ? w->fd : s->fd[ROLE_WRITER]);
	close(null_fd);
	shut(&w->fd);
	return rc;
}

static int count(struct worker *w, size_t n, bool *answer)
{
	*answer = w->buf[n - 1] & 1;
	return scene_of(w)->type == SOCK_STREAM ? payload__count_stream(w, n) : payload__count_message(w, n);
}

/* quota messages, or until end of file where that exists. */
static int take_all(struct worker *w, int fd, uint64_t quota)
{
	while (quota--) {
		ssize_t n = take(w, fd);
		bool answer;

		if (n < 0)
			return worker__fail(w, "cannot receive: %s", strerror(errno));
		if (!n)
			return 0;
		if (count(w, (size_t)n, &answer))
			return -1;
		if (answer && asked(w, WL_ECHO) && send_one(w, fd))
			return -1;
	}
	return 0;
}

/* One connection after the other: those that wait buffer what fits, and their writers block. */
static int take_connections(struct worker *w, int listener)
{
	for (uint64_t todo = worker__quota(w, w->run->cnt[ROLE_WRITER]); todo; todo--) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), rc;

		if (fd < 0)
			return worker__fail(w, "cannot accept: %s", strerror(errno));
		rc = take_all(w, fd, UINT64_MAX);
		close(fd);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_socket(struct worker *w)
{
	struct scene *s = scene_of(w);
	int fd = s->fd[ROLE_READER];

	if (s->type == SOCK_DGRAM)
		return take_all(w, fd, worker__quota(w, run__total(w->run)));
	return s->named ? take_connections(w, fd) : take_all(w, fd, UINT64_MAX);
}

static int open_writer(struct worker *w)
{
	struct scene *s = scene_of(w);

	if (!s->named)
		return 0;
	w->fd = socket(s->domain, s->type | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return worker__fail(w, "cannot make a socket: %s", strerror(errno));
	if (connect(w->fd, (struct sockaddr *)&s->addr, s->addr_len))
		return worker__fail(w, "cannot connect: %s", strerror(errno));
	if (s->connected)
		s->connected(w);
	return 0;
}

int scene__check(struct run *r)
{
	const struct workload_opts *o = r->o;
	struct scene *s = r->priv;
	uint32_t f = o->features;

	if (f & WL_NONBLOCK && f & (WL_ECHO | WL_PASSFD))
		return run__fail(r, -EINVAL, "--nonblock does not go together with --echo or --passfd");
	if (f & WL_ECHO && !s->named && (o->writers > 1 || o->readers > 1))
		return run__fail(r, -EINVAL,
				 "--echo over a socket pair is for one writer and one reader; add --listen");
	if (f & WL_ECHO && s->named && s->type == SOCK_DGRAM)
		return run__fail(r, -EINVAL,
				 "--echo needs a socket that can answer: leave out --listen or --object");
	if (f & WL_ECHO && s->type != SOCK_STREAM && o->read_size.max && o->read_size.min < o->size.max)
		return run__fail(r, -EINVAL,
				 "--echo does not work with a --read-size that truncates messages");
	return 0;
}

int scene__go(struct run *r, void (*name)(struct run *r, uint32_t reader, uint32_t writer, char *name))
{
	struct parts parts = {
		.keep = keep,
		.last = last,
		.name = name,
		.open[ROLE_WRITER] = open_writer,
		.work = { write_socket, read_socket },
	};
	int rc = run__go(r, &parts);

	keep(r, 0);
	return rc;
}
