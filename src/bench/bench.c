/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "bench/stage.h"

struct tally {
	size_t done, all;
	void (*progress)(size_t done, size_t all);
};

static void count(struct tally *t)
{
	t->done++;
	if (t->progress)
		t->progress(t->done, t->all);
}

static void add_points(struct row *r, const struct bench_opts *o)
{
	bool notice = r->kind->class == DUCT_NOTICE;
	struct duct d;

	r->points = xalloc((o->size_cnt + 1) * sizeof(r->points[0]));
	if (notice)
		r->points[r->cnt++].bytes = r->kind->word_bytes;
	for (size_t i = 0; i < o->size_cnt && !notice; i++) {
		/* beyond what was tried, the object itself has to say */
		bool fits = o->sizes[i] <= r->props.largest;

		if (!fits && r->props.largest_more && duct__open(&d, r->kind, o->sizes[i], true) == 0) {
			duct__close(&d);
			fits = true;
		}
		if (fits)
			r->points[r->cnt++].bytes = o->sizes[i];
	}
}

/* 0, or -EINTR. */
static int measure(const struct row *r, struct point *p, const struct speed_opts *o, struct tally *t)
{
	struct latency l;
	struct flood f;
	int rc = speed__latency(r->kind, p->bytes, o, &l);

	count(t);
	if (rc == -EINTR)
		return rc;
	if (!rc) {
		series__add(&p->p50_ns, l.p50_ns);
		series__add(&p->p99_ns, l.p99_ns);
		p->round_trips += l.round_trips;
	}
	p->error = rc ? rc : p->error;
	if (r->kind->flags & DUCT_NO_FLOOD)
		return 0;
	rc = speed__flood(r->kind, p->bytes, o, &f);
	count(t);
	if (rc == -EINTR)
		return rc;
	if (!rc) {
		series__add(&p->bytes_per_s, f.bytes_per_s);
		series__add(&p->messages_per_s, f.messages_per_s);
		series__add(&p->lost, f.lost);
	}
	p->error = rc ? rc : p->error;
	return 0;
}

/* All mechanisms of one size follow each other, so that what disturbs a moment disturbs no mechanism alone. */
static int run_round(struct bench *b, uint64_t until_ns, struct tally *t)
{
	size_t most = 0;

	for (size_t i = 0; i < b->cnt; i++)
		most = b->rows[i].cnt > most ? b->rows[i].cnt : most;
	for (size_t k = 0; k < most; k++) {
		for (size_t i = 0; i < b->cnt; i++) {
			struct row *r = &b->rows[i];

			if (k >= r->cnt)
				continue;
			if (time__mono_ns() >= until_ns)
				return -ETIME;
			if (measure(r, &r->points[k], &b->o.speed, t))
				return -EINTR;
		}
	}
	return 0;
}

static size_t measurements(const struct bench *b)
{
	size_t cnt = 0;

	for (size_t i = 0; i < b->cnt; i++)
		cnt += b->rows[i].cnt * (b->rows[i].kind->flags & DUCT_NO_FLOOD ? 1 : 2);
	return cnt;
}

static void describe_host(struct bench *b)
{
	struct utsname u;

	if (uname(&u) == 0) {
		snprintf(b->kernel, sizeof(b->kernel), "%s", u.release);
		snprintf(b->machine, sizeof(b->machine), "%s", u.machine);
		snprintf(b->host, sizeof(b->host), "%s", u.nodename);
	}
	b->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	b->limits = (struct limits){
		.msgmax = stage__sysctl("kernel/msgmax"),
		.msgmnb = stage__sysctl("kernel/msgmnb"),
		.mq_msgsize_max = stage__sysctl("fs/mqueue/msgsize_max"),
		.mq_msg_max = stage__sysctl("fs/mqueue/msg_max"),
	};
}

void bench__run(const struct bench_opts *o, struct bench *b)
{
	struct tally t = { .progress = o->progress };
	uint64_t started = time__mono_ns();

	*b = (struct bench){ .o = *o, .cnt = o->kind_cnt };
	b->rows = xalloc((b->cnt + 1) * sizeof(b->rows[0]));
	describe_host(b);
	/* not known exactly before the experiments */
	t.all = b->cnt * (1 + 2 * o->size_cnt * o->rounds);
	for (size_t i = 0; i < b->cnt && !stage__stop_asked(); i++) {
		struct row *r = &b->rows[i];

		r->kind = o->kinds[i];
		r->error = probe__run(r->kind, &r->props);
		if (!r->error)
			add_points(r, o);
		count(&t);
	}
	for (size_t i = 0; i < b->cnt; i++)
		b->rows[i].kind = o->kinds[i];
	t.all = t.done + o->rounds * measurements(b);
	while (b->rounds < o->rounds && !stage__stop_asked()) {
		/* one whole round is worth waiting for, within reason */
		uint64_t budget = b->rounds ? o->budget_ns : 2 * o->budget_ns;

		if (run_round(b, budget ? started + budget : UINT64_MAX, &t))
			break;
		b->rounds++;
	}
	b->stopped = stage__stop_asked();
	b->took_ns = time__mono_ns() - started;
}

void bench__free(struct bench *b)
{
	for (size_t i = 0; i < b->cnt; i++)
		free(b->rows[i].points);
	free(b->rows);
	*b = (struct bench){ 0 };
}

const struct row *bench__row(const struct bench *b, const char *mech)
{
	for (size_t i = 0; i < b->cnt; i++)
		if (strcmp(b->rows[i].kind->name, mech) == 0)
			return b->rows[i].error ? NULL : &b->rows[i];
	return NULL;
}

const struct point *row__point(const struct row *r, uint64_t bytes)
{
	for (size_t i = 0; i < r->cnt; i++)
		if (r->points[i].bytes == bytes)
			return &r->points[i];
	return NULL;
}
