/* SPDX-License-Identifier: GPL-2.0 */
/* What a worker may ask for: chance, pace, its share, and polite waiting. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <time.h>

#include "workload/engine.h"

/* xorshift64*: the same sequence for the same seed on every machine. */
uint64_t worker__random(struct worker *w)
{
	w->prng ^= w->prng >> 12;
	w->prng ^= w->prng << 25;
	w->prng ^= w->prng >> 27;
	return w->prng * 0x2545f4914f6cdd1dull;
}

static size_t pick(struct worker *w, const struct size_range *range)
{
	if (range->min == range->max)
		return range->min;
	return range->min + worker__random(w) % (range->max - range->min + 1);
}

size_t worker__size(struct worker *w)
{
	return pick(w, &w->run->o->size);
}

size_t worker__read_size(struct worker *w)
{
	return w->run->o->read_size.max ? pick(w, &w->run->o->read_size) : w->buf_bytes;
}

void worker__pace(struct worker *w)
{
	struct timespec ts;

	if (!w->run->o->rate)
		return;
	ts.tv_sec = w->next_ns / NSEC_PER_SEC;
	ts.tv_nsec = w->next_ns % NSEC_PER_SEC;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
	w->next_ns += NSEC_PER_SEC / w->run->o->rate;
}

uint64_t worker__quota(const struct worker *w, uint64_t total)
{
	uint32_t cnt = w->run->cnt[w->role];

	return total / cnt + (w->index < total % cnt);
}

int worker__relax(struct worker *w, unsigned *spins)
{
	struct timespec ts = { .tv_nsec = 200000 };

	if (worker__aborted(w))
		return -1;
	if (++*spins < 2000)
		sched_yield();
	else
		nanosleep(&ts, NULL);
	return 0;
}

int worker__await_taken(struct worker *w, uint32_t reader, uint64_t sent, uint64_t window)
{
	struct cell *c = run__cell(w->run, reader, w->index);
	unsigned spins = 0;

	while (sent - atomic_load(&c->messages) > window)
		if (worker__relax(w, &spins))
			return -1;
	return 0;
}

int worker__await_room(struct worker *w, uint64_t sent, uint64_t window)
{
	struct run *r = w->run;
	unsigned spins = 0;

	for (;;) {
		uint64_t taken = 0;

		for (uint32_t i = 0; i < r->cnt[ROLE_READER]; i++)
			taken += atomic_load(&run__cell(r, i, w->index)->messages);
		if (sent - taken < window)
			return 0;
		if (worker__relax(w, &spins))
			return -1;
	}
}

int worker__await_writers(struct worker *w)
{
	unsigned spins = 0;

	for (uint32_t i = 0; i < w->run->cnt[ROLE_WRITER]; i++)
		while (!atomic_load(&run__seat(w->run, ROLE_WRITER, i)->progress))
			if (worker__relax(w, &spins))
				return -1;
	return 0;
}

int worker__await_input(struct worker *w, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (poll(&pfd, 1, 20) <= 0) {
		if (worker__aborted(w))
			return -1;
		if (run__all_taken(w->run))
			return 0;
	}
	return 1;
}

uint64_t worker__turns(const struct worker *w, uint32_t writer)
{
	const struct run *r = w->run;
	uint32_t readers = r->cnt[ROLE_READER];
	uint32_t first = (w->index + readers - writer % readers) % readers; /* least k that comes here */

	return r->o->messages / readers + (first < r->o->messages % readers);
}

uint64_t worker__all_turns(const struct worker *w)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < w->run->cnt[ROLE_WRITER]; i++)
		sum += worker__turns(w, i);
	return sum;
}

bool run__all_taken(struct run *r)
{
	uint64_t taken = 0;

	for (uint32_t i = 0; i < r->cnt[ROLE_READER]; i++)
		for (uint32_t j = 0; j < r->cnt[ROLE_WRITER]; j++)
			taken += atomic_load(&run__cell(r, i, j)->messages);
	return taken == run__total(r);
}

int worker__barrier(struct worker *w, uint64_t step)
{
	struct run *r = w->run;
	uint32_t all = r->cnt[ROLE_WRITER] + r->cnt[ROLE_READER] + r->cnt[ROLE_MIDDLE];
	unsigned spins = 0;

	atomic_store(&w->seat->progress, step);
	for (uint32_t i = 0; i < all; i++)
		while (atomic_load(&run__seat(r, ROLE_WRITER, i)->progress) < step)
			if (worker__relax(w, &spins))
				return -1;
	return 0;
}
