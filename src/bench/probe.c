/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/probe_impl.h"

#include <errno.h>
#include <string.h>

#define EXPERIMENT_NS (5 * NS_PER_S)

static bool carries(const struct duct_kind *kind, size_t n, unsigned char *buf)
{
	struct duct d;
	ssize_t rc;

	if (duct__open(&d, kind, n, true))
		return false;
	rc = kind->send(&d, SIDE_A, buf, n);
	duct__close(&d);
	return rc > 0;
}

/* The largest message up to LARGEST_TRIED; 0: not even one byte. */
static uint64_t find_largest(const struct duct_kind *kind, bool *more)
{
	uint64_t works = 0, fails = LARGEST_TRIED + 1;
	unsigned char *buf;

	*more = false;
	if (kind->class == DUCT_NOTICE)
		return kind->word_bytes;
	buf = duct__buf(LARGEST_TRIED);
	while (fails - works > 1) {
		uint64_t next = works + (fails - works) / 2;

		if (works == 0 && fails > LARGEST_TRIED)
			next = LARGEST_TRIED;
		if (carries(kind, next, buf))
			works = next;
		else
			fails = next;
	}
	duct__free_buf(buf);
	*more = works == LARGEST_TRIED;
	return works;
}

static const struct experiment {
	void (*run)(struct probe *p);
	uint32_t not_for; /* enum duct_flag */
	bool data_only, addressed;
} experiments[] = {
	{ probe__outsider, 0, false, true },
	{ probe__fill, DUCT_MEMORY | DUCT_LOCK, true, false },
	{ probe__fill_small, DUCT_MEMORY, false, false },
	{ probe__block, DUCT_MEMORY, false, false },
	{ probe__pressure, DUCT_LOCK, false, false },
	{ probe__records, DUCT_MEMORY | DUCT_LOCK, false, false },
	{ probe__short_read, DUCT_MEMORY | DUCT_LOCK, true, false },
	{ probe__priority, DUCT_MEMORY | DUCT_LOCK, false, false },
	{ probe__unqueued, 0, false, false },
};
#define EXPERIMENTS (sizeof(experiments) / sizeof(experiments[0]))

struct common {
	struct properties props;
	_Atomic int rc;
	_Atomic uint32_t stage;
};

struct run {
	struct probe probe;
	const struct experiment *experiment;
};

static int act(void *arg)
{
	struct run *r = arg;

	r->probe.buf = duct__buf(PROBE_BUF);
	duct__enter(&r->probe.d, SIDE_A);
	duct__enter(&r->probe.d, SIDE_B);
	r->experiment->run(&r->probe);
	return 0;
}

static int run_experiment(const struct duct_kind *kind, const struct experiment *e, struct common *c)
{
	struct run r = { .experiment = e, .probe = { .props = &c->props, .rc = &c->rc, .stage = &c->stage } };
	size_t unit = c->props.unit_bytes ? c->props.unit_bytes : 1;
	pid_t pid;
	int rc;

	if ((kind->flags & e->not_for) || (e->data_only && kind->class != DUCT_DATA))
		return 0;
	atomic_store(&c->rc, 0);
	atomic_store(&c->stage, 0);
	rc = e->addressed ? duct__open_addressed(&r.probe.d, kind, unit)
			  : duct__open(&r.probe.d, kind, unit, true);
	if (rc)
		return rc;
	pid = stage__fork(act, &r);
	rc = pid < 0 ? pid : stage__await(pid, EXPERIMENT_NS);
	if (rc == -ETIMEDOUT || rc == -EINTR)
		stage__end(pid);
	duct__close(&r.probe.d);
	return rc == -EINTR || pid < 0 ? rc : 0; /* an experiment that failed leaves its answers open */
}

int probe__run(const struct duct_kind *kind, struct properties *out)
{
	struct common *c = stage__share(sizeof(*c));
	struct duct d;
	int rc;

	memset(out, 0, sizeof(*out));
	if (!c)
		return -errno;
	c->props.priority = -1;
	rc = duct__open(&d, kind, 1, true);
	if (rc)
		goto out;
	duct__close(&d);
	c->props.largest = find_largest(kind, &c->props.largest_more);
	c->props.unit_bytes = c->props.largest < UNIT_BYTES ? c->props.largest : UNIT_BYTES;
	for (size_t i = 0; i < EXPERIMENTS && !rc; i++)
		rc = run_experiment(kind, &experiments[i], c);
	*out = c->props;
out:
	stage__unshare(c, sizeof(*c));
	return rc;
}
