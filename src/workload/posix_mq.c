/* SPDX-License-Identifier: GPL-2.0 */
/* posix-mq: one queue that each of them opens; --types: messages of random priority. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

#define PRIORITIES 8

static const char *path_of(const struct run *r)
{
	return r->priv;
}

static int open_queue(struct worker *w)
{
	w->fd = mq_open(path_of(w->run), (w->role == ROLE_WRITER ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	return w->fd < 0 ? worker__fail(w, "cannot open %s: %s", path_of(w->run), strerror(errno)) : 0;
}

static int send_messages(struct worker *w)
{
	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		size_t bytes = worker__size(w);
		unsigned prio = w->run->o->features & WL_TYPES ? worker__random(w) % PRIORITIES : 0;

		worker__pace(w);
		payload__fill(w, bytes);
		if (mq_send(w->fd, (char *)w->buf, bytes, prio))
			return worker__fail(w, "cannot send %zu bytes: %s", bytes, strerror(errno));
	}
	mq_close(w->fd);
	return 0;
}

static int take_messages(struct worker *w)
{
	for (uint64_t todo = worker__quota(w, run__total(w->run)); todo; todo--) {
		ssize_t n = mq_receive(w->fd, (char *)w->buf, w->buf_bytes, NULL);

		if (n < 0)
			return worker__fail(w, "cannot receive: %s", strerror(errno));
		if (payload__count_message(w, (size_t)n))
			return -1;
	}
	mq_close(w->fd);
	return 0;
}

static void name_queue(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	snprintf(name, OBJECT_NAME_LEN, "mq:%s", path_of(r));
}

static int run_mq(struct run *r)
{
	struct parts parts = {
		.name = name_queue,
		.open = { open_queue, open_queue },
		.work = { send_messages, take_messages },
	};
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = (long)r->o->size.max };
	char path[200];
	mqd_t mq;
	int rc;

	snprintf(path, sizeof(path), "/ipctrace-mq.%d", getpid());
	if (r->o->object)
		snprintf(path, sizeof(path), "%s", r->o->object);
	mq = mq_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr);
	if (mq < 0 && errno == ENOSYS)
		return run__fail(r, -ENOSYS, "posix-mq: this kernel has no CONFIG_POSIX_MQUEUE");
	if (mq < 0)
		return run__fail(r, -errno, "cannot make the queue %s for messages of %ld bytes: %s", path,
				 attr.mq_msgsize, strerror(errno));
	mq_close(mq);
	r->priv = path;
	rc = run__go(r, &parts);
	mq_unlink(path);
	return rc;
}

const struct workload workload_posix_mq = {
	.name = "posix-mq",
	.help = "all share one message queue",
	.takes = WL_OBJECT | WL_TYPES,
	.run = run_mq,
};
