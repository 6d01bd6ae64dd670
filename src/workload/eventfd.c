/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eventfd: the counter is a number with a digit per writer, and each write adds one to the writer's digit:
 * the sum that a reader takes tells how many writes of whom are in it. A window keeps digits from overflowing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "workload/engine.h"
#include "workload/table.h"

#define WRITERS_HERE 20 /* three bits each */

struct counter {
	int fd;
	unsigned long id;
};

static unsigned digit_bits(const struct run *r)
{
	unsigned bits = 63 / r->cnt[ROLE_WRITER];

	return bits < 16 ? bits : 16;
}

static int write_counter(struct worker *w)
{
	struct counter *c = w->run->priv;
	unsigned bits = digit_bits(w->run);
	uint64_t value = 1ull << (bits * w->index);

	for (uint64_t i = 0; i < w->run->o->messages; i++) {
		worker__pace(w);
		if (worker__await_room(w, i, (1ull << bits) - 1))
			return -1;
		if (write(c->fd, &value, sizeof(value)) != sizeof(value))
			return worker__fail(w, "cannot write: %s", strerror(errno));
	}
	return 0;
}

static void count_value(struct worker *w, uint64_t value)
{
	unsigned bits = digit_bits(w->run);

	for (uint32_t i = 0; i < w->run->cnt[ROLE_WRITER]; i++) {
		uint64_t writes = value >> (bits * i) & ((1ull << bits) - 1);

		cell__add(run__cell(w->run, w->index, i), writes, writes * sizeof(value));
	}
}

static int read_counter(struct worker *w)
{
	struct counter *c = w->run->priv;
	bool alone = w->run->cnt[ROLE_READER] == 1;
	uint64_t value;

	while (!run__all_taken(w->run)) {
		int rc = alone ? 1 : worker__await_input(w, c->fd);

		if (rc <= 0)
			return rc;
		if (read(c->fd, &value, sizeof(value)) == sizeof(value))
			count_value(w, value);
		else if (errno != EAGAIN) /* another reader was faster */
			return worker__fail(w, "cannot read: %s", strerror(errno));
	}
	return 0;
}

static void name_counter(struct run *r, uint32_t reader, uint32_t writer, char *name)
{
	struct counter *c = r->priv;

	snprintf(name, OBJECT_NAME_LEN, "eventfd:[%lu]", c->id);
}

static int find_id(struct run *r, struct counter *c)
{
	char path[64], line[128];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		found |= sscanf(line, "eventfd-id: %lu", &c->id) == 1;
	if (f)
		fclose(f);
	return found ? 0 : run__fail(r, -ENOENT, "%s does not tell the eventfd's number", path);
}

static int run_eventfd(struct run *r)
{
	struct parts parts = { .name = name_counter, .work = { write_counter, read_counter } };
	struct counter c = { .fd = eventfd(0, EFD_CLOEXEC | (r->cnt[ROLE_READER] > 1 ? EFD_NONBLOCK : 0)) };
	int rc = 0;

	if (c.fd < 0)
		return run__fail(r, -errno, "cannot make an eventfd: %s", strerror(errno));
	r->priv = &c;
	if (r->cnt[ROLE_WRITER] > WRITERS_HERE)
		rc = run__fail(r, -EINVAL,
			       "eventfd takes at most %d writers: each needs a digit of the counter",
			       WRITERS_HERE);
	if (!rc)
		rc = find_id(r, &c);
	if (!rc)
		rc = run__go(r, &parts);
	close(c.fd);
	return rc;
}

const struct workload workload_eventfd = {
	.name = "eventfd",
	.help = "writers add to one counter, readers take sums",
	.run = run_eventfd,
};
