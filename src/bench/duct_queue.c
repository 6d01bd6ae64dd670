/* SPDX-License-Identifier: GPL-2.0 */
/* Ducts of message queues, one for each direction: System V and POSIX. */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <unistd.h>

#include "bench/duct.h"
#include "bench/stage.h"

#define ANY_TYPE 1

static void close_sysv(struct duct *d)
{
	for (int side = 0; side < 2; side++)
		if (d->id[side] >= 0)
			msgctl(d->id[side], IPC_RMID, NULL);
}

static int open_sysv(struct duct *d)
{
	for (int side = 0; side < 2; side++) {
		d->id[side] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
		if (d->id[side] < 0)
			return -errno;
	}
	return 0;
}

/* The type stands before the text: in the headroom. */
_Static_assert(HEADROOM >= sizeof(long), "no room for a message's type");

static int send_typed(struct duct *d, int to, long type, unsigned char *data, size_t n)
{
	memcpy(data - sizeof(type), &type, sizeof(type));
	return msgsnd(d->id[to], data - sizeof(type), n, d->nonblock ? IPC_NOWAIT : 0) ? -errno : 0;
}

static ssize_t send_sysv(struct duct *d, int side, unsigned char *data, size_t n)
{
	int rc = send_typed(d, !side, ANY_TYPE, data, n);

	return rc ? rc : (ssize_t)n;
}

static ssize_t recv_typed(struct duct *d, int side, long type, unsigned char *data, size_t cap)
{
	ssize_t rc = msgrcv(d->id[side], data - sizeof(long), cap, type, d->nonblock ? IPC_NOWAIT : 0);

	if (rc >= 0)
		return rc;
	return errno == ENOMSG ? -EAGAIN : -errno;
}

static ssize_t recv_sysv(struct duct *d, int side, unsigned char *data, size_t cap)
{
	return recv_typed(d, side, 0, data, cap);
}

/* A receiver that asks for the lowest type first gets the later message. */
static int sysv_priority(struct duct *d, unsigned char *buf, size_t cap)
{
	int rc = send_typed(d, SIDE_B, 9, buf, 1);

	if (!rc)
		rc = send_typed(d, SIDE_B, 2, buf, 2);
	if (rc)
		return rc;
	return recv_typed(d, SIDE_B, -9, buf, cap) == 2 ? PRIORITY_RECEIVER : PRIORITY_NONE;
}

const struct duct_kind duct_sysv_msg = {
	.name = "sysv-msg",
	.groups = "sysv msg",
	.how = "msgsnd and msgrcv, a queue for each direction",
	.open = open_sysv,
	.close = close_sysv,
	.send = send_sysv,
	.recv = recv_sysv,
	.priority = sysv_priority,
};

/* As many messages as a queue has that is made without saying how many. */
static long usual_messages(void)
{
	uint64_t usual = stage__sysctl("fs/mqueue/msg_default"), most = stage__sysctl("fs/mqueue/msg_max");

	usual = usual ? usual : 10;
	return (long)(most && most < usual ? most : usual);
}

static int open_mq(struct duct *d)
{
	for (int side = 0; side < 2; side++) {
		struct mq_attr attr = { .mq_maxmsg = usual_messages(), .mq_msgsize = (long)d->size_max };
		char name[64];

		snprintf(name, sizeof(name), "/ipctrace-bench.%d.%d", getpid(), side);
		d->fd[side][0] = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr);
		if (d->fd[side][0] < 0)
			return -errno;
		mq_unlink(name);
		d->fd[!side][1] = fcntl(d->fd[side][0], F_DUPFD_CLOEXEC, 0);
		if (d->fd[!side][1] < 0)
			return -errno;
	}
	return 0;
}

static ssize_t send_mq(struct duct *d, int side, unsigned char *data, size_t n)
{
	return mq_send(d->fd[side][1], (char *)data, n, 0) ? -errno : (ssize_t)n;
}

static ssize_t recv_mq(struct duct *d, int side, unsigned char *data, size_t cap)
{
	ssize_t rc = mq_receive(d->fd[side][0], (char *)data, cap, NULL);

	return rc < 0 ? -errno : rc;
}

static int mq_priority(struct duct *d, unsigned char *buf, size_t cap)
{
	if (mq_send(d->fd[SIDE_A][1], (char *)buf, 1, 1) || mq_send(d->fd[SIDE_A][1], (char *)buf, 2, 9))
		return -errno;
	return recv_mq(d, SIDE_B, buf, cap) == 2 ? PRIORITY_SENDER : PRIORITY_NONE;
}

const struct duct_kind duct_posix_mq = {
	.name = "posix-mq",
	.groups = "posix msg",
	.how = "mq_send and mq_receive, a queue for each direction",
	.open = open_mq,
	.send = send_mq,
	.recv = recv_mq,
	.priority = mq_priority,
};
