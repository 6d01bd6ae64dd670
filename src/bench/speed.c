/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/speed.h"

#include <errno.h>
#include <sched.h>

#include "base/time.h"
#include "bench/stage.h"
#include "bench/stats.h"

#define PATIENCE_NS (2 * NS_PER_S) /* beyond the time that was asked for */
#define READ_BYTES 65536u /* a receiver of a byte stream takes this much at once, if there is as much */

struct counter {
	_Atomic uint64_t messages, bytes;
} __attribute__((aligned(64)));

struct shared {
	struct gate gate;
	_Atomic int error;
	struct counter sent, taken;
	struct samples trips;
};

struct job {
	struct duct duct;
	const struct speed_opts *o;
	struct shared *shared;
	size_t bytes, cap;
	int side;
};

static void pin(const struct job *j)
{
	cpu_set_t set;

	if (!j->o->pin)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)j->o->cpu[j->side], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* In the worker, up to the start signal. Returns its buffer. */
static unsigned char *begin(struct job *j)
{
	unsigned char *buf = duct__buf(j->cap);

	pin(j);
	duct__enter(&j->duct, j->side);
	gate__pass(&j->shared->gate);
	return buf;
}

static int fail(struct job *j, int rc)
{
	int none = 0;

	atomic_compare_exchange_strong(&j->shared->error, &none, rc);
	return 1;
}

static int send_one(struct job *j, unsigned char *buf)
{
	ssize_t rc;

	if (j->duct.kind->class == DUCT_DATA)
		return duct__send_all(&j->duct, j->side, buf, j->bytes);
	rc = j->duct.kind->send(&j->duct, j->side, buf, j->bytes);
	return rc < 0 ? (int)rc : 0;
}

static int recv_one(struct job *j, unsigned char *buf)
{
	ssize_t rc;

	if (j->duct.kind->class == DUCT_DATA)
		return duct__recv_all(&j->duct, j->side, buf, j->bytes, j->cap);
	rc = j->duct.kind->recv(&j->duct, j->side, buf, j->cap);
	return rc < 0 ? (int)rc : 0;
}

static int ask(void *arg)
{
	struct job *j = arg;
	unsigned char *buf = begin(j);
	struct samples *trips = &j->shared->trips;
	uint64_t now = time__mono_ns(), from = now + j->o->time_ns / 10, until = from + j->o->time_ns;

	while (now < until || !trips->cnt) {
		uint64_t start = now;
		int rc = send_one(j, buf);

		if (!rc)
			rc = recv_one(j, buf);
		if (rc)
			return fail(j, rc);
		now = time__mono_ns();
		if (start >= from || now >= until)
			samples__add(trips, now - start);
	}
	return 0;
}

static int answer(void *arg)
{
	struct job *j = arg;
	unsigned char *buf = begin(j);
	int rc = 0;

	while (!rc) {
		rc = recv_one(j, buf);
		if (!rc)
			rc = send_one(j, buf);
	}
	return fail(j, rc);
}

/* Full, and the mechanism does not make its sender wait. */
static bool full(int rc)
{
	return rc == -EAGAIN || rc == -ERANGE || rc == -EOVERFLOW || rc == -ENOBUFS;
}

static int pour(void *arg)
{
	struct job *j = arg;
	unsigned char *buf = begin(j);
	struct counter *sent = &j->shared->sent;

	for (uint64_t cnt = 1;; cnt++) {
		int rc = send_one(j, buf);

		while (full(rc)) {
			sched_yield();
			rc = send_one(j, buf);
		}
		if (rc)
			return fail(j, rc);
		atomic_store_explicit(&sent->messages, cnt, memory_order_relaxed);
	}
}

static int drink(void *arg)
{
	struct job *j = arg;
	unsigned char *buf = begin(j);
	bool data = j->duct.kind->class == DUCT_DATA;
	struct counter *taken = &j->shared->taken;
	uint64_t units = 0, bytes = 0;

	for (;;) {
		ssize_t n = j->duct.kind->recv(&j->duct, j->side, buf, j->cap);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return fail(j, n ? (int)n : -EPIPE);
		*(data ? &bytes : &units) += (uint64_t)n;
		atomic_store_explicit(&taken->messages, units, memory_order_relaxed);
		atomic_store_explicit(&taken->bytes, bytes, memory_order_relaxed);
	}
}

struct instant {
	uint64_t ns, sent, taken;
};

/* Time and counts belong together only if nothing came in between. */
static struct instant look(struct job *j)
{
	struct instant i = { 0 };

	for (int tries = 0; tries < 5; tries++) {
		i.ns = time__mono_ns();
		i.sent = atomic_load(&j->shared->sent.messages);
		i.taken = j->duct.kind->class == DUCT_DATA ? atomic_load(&j->shared->taken.bytes)
							   : atomic_load(&j->shared->taken.messages);
		if (time__mono_ns() - i.ns < 20000)
			break;
	}
	return i;
}

static int start(struct job *j, const struct duct_kind *kind, size_t bytes, const struct speed_opts *o)
{
	int rc;

	*j = (struct job){ .o = o, .bytes = bytes, .cap = bytes + HEADROOM };
	if (j->cap < READ_BYTES)
		j->cap = READ_BYTES;
	j->shared = stage__share(sizeof(*j->shared));
	if (!j->shared)
		return -errno;
	rc = duct__open(&j->duct, kind, bytes ? bytes : 1, false);
	if (rc)
		stage__unshare(j->shared, sizeof(*j->shared));
	return rc;
}

static int fork_both(struct job *j, int (*const act[2])(void *), pid_t pid[2])
{
	for (int side = 0; side < 2; side++) {
		j->side = side;
		pid[side] = stage__fork(act[side], j);
		if (pid[side] < 0)
			return pid[side];
	}
	return gate__open(&j->shared->gate, 2, PATIENCE_NS);
}

/* What a worker says went wrong; the complaint of one that loses its partner here is none. */
static int finish(struct job *j, const pid_t pid[2], int rc)
{
	int error = atomic_load(&j->shared->error);

	stage__end(pid[0]);
	stage__end(pid[1]);
	duct__close(&j->duct);
	return error ? error : rc;
}

int speed__latency(const struct duct_kind *kind, size_t bytes, const struct speed_opts *o,
		   struct latency *out)
{
	static int (*const act[2])(void *) = { ask, answer };
	pid_t pid[2] = { 0, 0 };
	struct job j;
	int rc = start(&j, kind, bytes, o);

	if (rc)
		return rc;
	rc = fork_both(&j, act, pid);
	if (!rc) {
		rc = stage__await(pid[0], o->time_ns * 2 + PATIENCE_NS);
		if (rc != -ETIMEDOUT && rc != -EINTR)
			pid[0] = 0; /* reaped */
		rc = rc > 0 ? -EIO : rc;
	}
	rc = finish(&j, pid, rc);
	if (!rc) {
		out->round_trips = j.shared->trips.seen;
		out->p50_ns = (double)samples__quantile(&j.shared->trips, 0.5) / 2;
		out->p99_ns = (double)samples__quantile(&j.shared->trips, 0.99) / 2;
	}
	stage__unshare(j.shared, sizeof(*j.shared));
	return rc;
}

/* Between two instants; if nothing arrived, the second one is later. */
static int watch(struct job *j, struct instant *from, struct instant *to)
{
	uint64_t patience = time__mono_ns() + j->o->time_ns + PATIENCE_NS;

	stage__sleep_ns(j->o->time_ns / 5);
	*from = look(j);
	do {
		stage__sleep_ns(j->o->time_ns);
		if (stage__stop_asked())
			return -EINTR;
		*to = look(j);
	} while (to->taken == from->taken && to->ns < patience);
	return to->taken == from->taken ? -ETIMEDOUT : 0;
}

int speed__flood(const struct duct_kind *kind, size_t bytes, const struct speed_opts *o, struct flood *out)
{
	static int (*const act[2])(void *) = { pour, drink };
	struct instant from = { 0 }, to = { 0 };
	pid_t pid[2] = { 0, 0 };
	struct job j;
	int rc = start(&j, kind, bytes, o);

	if (rc)
		return rc;
	rc = fork_both(&j, act, pid);
	if (!rc)
		rc = watch(&j, &from, &to);
	rc = finish(&j, pid, rc);
	if (!rc) {
		double s = (double)(to.ns - from.ns) / NS_PER_S, per_s = (double)(to.taken - from.taken) / s;
		bool data = kind->class == DUCT_DATA;
		double sent = (double)(to.sent - from.sent) * (data ? (double)bytes : 1);

		out->messages_per_s = data ? per_s / (double)bytes : per_s;
		out->bytes_per_s = data ? per_s : 0;
		out->lost = sent > 0 && per_s * s < sent ? 1 - per_s * s / sent : 0;
	}
	stage__unshare(j.shared, sizeof(*j.shared));
	return rc;
}
