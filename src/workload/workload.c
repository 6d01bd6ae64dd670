/* SPDX-License-Identifier: GPL-2.0 */
/* The table of workloads, and what all of them do before the first message. */
#include "workload/workload.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

const struct workload_opts workload_defaults = {
	.writers = 1,
	.readers = 1,
	.messages = 1000,
	.size = { 64, 64 },
	.seed = 1,
	.hold_fd = -1,
};

static const struct workload *const table[] = {
#define X(name) &workload_##name,
	WORKLOAD_LIST(X)
#undef X
};

const struct workload *const *workload__all(size_t *cnt)
{
	*cnt = sizeof(table) / sizeof(table[0]);
	return table;
}

const struct workload *workload__find(const char *name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i]->name, name))
			return table[i];
	return NULL;
}

static volatile sig_atomic_t stop_asked;

void workload__stop(void)
{
	stop_asked = 1;
}

bool run__stop_asked(void)
{
	return stop_asked;
}

int run__hold(struct run *r)
{
	char c;
	ssize_t n;

	do {
		n = read(r->o->hold_fd, &c, 1);
	} while (n < 0 && errno == EINTR && !stop_asked);
	if (n < 0)
		return run__fail(r, -errno, "cannot wait on descriptor %d: %s", r->o->hold_fd,
				 strerror(errno));
	return 0;
}

static int check_opts(struct run *r)
{
	const struct workload_opts *o = r->o;
	uint32_t asked = o->features | (o->object ? WL_OBJECT : 0) | (o->prefill_bytes ? WL_PREFILL : 0) |
			 (o->read_size.max ? WL_READ_SIZE : 0);

	if (asked & ~r->wl->takes)
		return run__fail(r, -EINVAL,
				 "%s does not know one of these options; see ipctrace workload --list",
				 r->wl->name);
	if (!o->writers || o->writers > WRITERS_MAX || !o->readers || o->readers > READERS_MAX)
		return run__fail(r, -EINVAL, "%s takes 1 to %d writers and 1 to %d readers", r->wl->name,
				 WRITERS_MAX, READERS_MAX);
	if (!o->size.min || o->size.min > o->size.max || o->size.max > 1u << 30)
		return run__fail(r, -EINVAL, "--size wants 1 byte to 1 GiB, the smaller one first");
	if (!o->messages)
		return run__fail(r, -EINVAL, "--messages wants at least 1");
	return 0;
}

int workload__run(const struct workload *wl, const struct workload_opts *o, struct truth *truth,
		  struct buf *err)
{
	struct run r = { .wl = wl, .o = o, .truth = truth, .err = err };
	int rc;

	stop_asked = 0;
	r.cnt[ROLE_WRITER] = o->writers;
	r.cnt[ROLE_READER] = o->readers;
	rc = check_opts(&r);
	if (!rc && o->hold_fd >= 0 && !o->hold_late)
		rc = run__hold(&r);
	if (!rc)
		rc = wl->run(&r);
	if (r.shared)
		munmap(r.shared, r.shared_bytes);
	return rc;
}
