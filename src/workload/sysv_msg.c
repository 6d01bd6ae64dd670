/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sysv-msg: one queue. With --types: several readers each ask for their own type; a single one takes turns
 * among selections that match every message but choose differently.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>

#include "workload/engine.h"
#include "workload/table.h"

#define TYPES 8 /* types 1..8 for a single reader */

struct envelope {
	long type;
	char text[];
};

static int queue_of(const struct worker *w)
{
	return *(int *)w->run->priv;
}

static bool typed(const struct worker *w)
{
	return w->run->o->features & WL_TYPES;
}

static long send_type(struct worker *w, uint64_t i)
{
	uint32_t readers = w->run->cnt[ROLE_READER];

	if (!typed(w))
		return 1;
	return readers > 1 ? (long)((w->index + i) % readers) + 1 : (long)(worker__random(w) % TYPES) + 1;
}

static int send_messages(struct worker *w)
{
	struct envelope *e = malloc(sizeof(*e) + w->buf_bytes);
	int rc = e ? 0 : worker__fail(w, "out of memory");

	for (uint64_t i = 0; !rc && i < w->run->o->messages; i++) {
		size_t bytes = worker__size(w);

		worker__pace(w);
		payload__fill(w, bytes);
		memcpy(e->text, w->buf, bytes);
		e->type = send_type(w, i);
		if (msgsnd(queue_of(w), e, bytes, 0))
			rc = worker__fail(w, "cannot send %zu bytes: %s", bytes, strerror(errno));
	}
	free(e);
	return rc;
}

static long wanted_type(struct worker *w, int *flags)
{
	if (!typed(w))
		return 0;
	if (w->run->cnt[ROLE_READER] > 1)
		return (long)w->index + 1;
	switch (worker__random(w) % 3) {
	case 0:
		return 0;
	case 1:
		return -TYPES;
	default:
		*flags |= MSG_EXCEPT;
		return TYPES + 1;
	}
}

static int take_messages(struct worker *w)
{
	uint64_t todo = typed(w) ? worker__all_turns(w) : worker__quota(w, run__total(w->run));
	struct envelope *e = malloc(sizeof(*e) + w->buf_bytes);
	int rc = e ? 0 : worker__fail(w, "out of memory");

	for (; !rc && todo; todo--) {
		int flags = MSG_NOERROR;
		long type = wanted_type(w, &flags);
		ssize_t n = msgrcv(queue_of(w), e, worker__read_size(w), type, flags);

		if (n < 0) {
			rc = worker__fail(w, "cannot receive: %s", strerror(errno));
			break;
		}
		memcpy(w->buf, e->text, (size_t)n);
		rc = payload__count_message(w, (size_t)n);
	}
	free(e);
	return rc;
}

static void name_queue(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	snprintf(name, OBJECT_NAME_LEN, "msg:%d", *(int *)r->priv);
}

static int run_msg(struct run *r)
{
	struct parts parts = { .name = name_queue, .work = { send_messages, take_messages } };
	int id = msgget(IPC_PRIVATE, 0600), rc;

	if (id < 0)
		return run__fail(r, -errno, "cannot make a message queue: %s", strerror(errno));
	r->priv = &id;
	rc = run__go(r, &parts);
	msgctl(id, IPC_RMID, NULL);
	return rc;
}

const struct workload workload_sysv_msg = {
	.name = "sysv-msg",
	.help = "all share one message queue",
	.takes = WL_TYPES | WL_READ_SIZE,
	.run = run_msg,
};
