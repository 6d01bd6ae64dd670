/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/rules.h"

#include <inttypes.h>

#include "base/time.h"
#include "bench/rules_impl.h"

#define SURE 0.65 /* share of pairs */
#define FEW 4 /* pairs that say little by their number ... */
#define CLEAR 1.25 /* ... and must differ this much */

enum verdict rule__compare(const struct series *a, const struct series *b)
{
	unsigned int larger = 0, all = a->cnt * b->cnt;

	for (unsigned int i = 0; i < a->cnt; i++)
		for (unsigned int k = 0; k < b->cnt; k++)
			larger += a->v[i] > b->v[k];
	if (!all)
		return VERDICT_NONE;
	if (all < FEW) {
		double a_is = series__median(a), b_is = series__median(b);

		if (a_is < CLEAR * b_is && b_is < CLEAR * a_is)
			return VERDICT_CLOSE;
	}
	if (larger >= SURE * all)
		return VERDICT_HOLDS;
	return larger <= (1 - SURE) * all ? VERDICT_FAILS : VERDICT_CLOSE;
}

const char *verdict__words(enum verdict v)
{
	static const char *const words[] = {
		[VERDICT_NONE] = "not measured",
		[VERDICT_HOLDS] = "holds here",
		[VERDICT_FAILS] = "does not hold here",
		[VERDICT_CLOSE] = "too close to call here",
	};

	return words[v];
}

static void say_rate(struct buf *out, const struct row *r, const struct point *p)
{
	buf__printf(out, "%s ", r->kind->name);
	time__put_bytes(out, (uint64_t)series__median(&p->bytes_per_s));
	buf__puts(out, "B/s");
}

static void say_delay(struct buf *out, const struct row *r, const struct point *p)
{
	buf__printf(out, "%s ", r->kind->name);
	time__put_duration(out, (uint64_t)series__median(&p->p50_ns));
}

static void say_size(struct buf *out, uint64_t bytes)
{
	buf__puts(out, "in messages of ");
	time__put_bytes(out, bytes);
	buf__puts(out, bytes < 1024 ? " B" : "B");
}

/* Of those whose rate was measured; or NULL. */
static const struct point *largest_of(const struct row *r, uint64_t most)
{
	const struct point *best = NULL;

	for (size_t i = 0; i < r->cnt; i++)
		if (r->points[i].bytes <= most && r->points[i].bytes_per_s.cnt)
			best = &r->points[i];
	return best;
}

static const struct point *smallest_of(const struct row *r)
{
	return r->cnt && r->points[0].p50_ns.cnt ? &r->points[0] : NULL;
}

/* Who has the highest rate at this size, among those that are memory, or among the others. */
static const struct row *best_at(const struct bench *b, uint64_t bytes, bool memory, const struct point **at)
{
	const struct row *best = NULL;

	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];
		const struct point *p = r->kind->class == DUCT_DATA ? row__point(r, bytes) : NULL;
		bool is_memory = r == bench__row(b, "sysv-shm") || r == bench__row(b, "posix-shm");

		if (!p || !p->bytes_per_s.cnt || is_memory != memory)
			continue;
		if (best && series__median(&p->bytes_per_s) <= series__median(&(*at)->bytes_per_s))
			continue;
		best = r;
		*at = p;
	}
	return best;
}

enum verdict rule__memory_fastest(const struct bench *b, struct buf *evidence)
{
	for (size_t i = b->o.size_cnt; i--;) {
		const struct point *memory_at, *other_at;
		const struct row *memory = best_at(b, b->o.sizes[i], true, &memory_at);
		const struct row *other = best_at(b, b->o.sizes[i], false, &other_at);

		if (!memory || !other)
			continue;
		if (b->o.sizes[i] < 16384) /* not large */
			break;
		say_rate(evidence, memory, memory_at);
		buf__puts(evidence, ", next ");
		say_rate(evidence, other, other_at);
		buf__puts(evidence, ", ");
		say_size(evidence, b->o.sizes[i]);
		return rule__compare(&memory_at->bytes_per_s, &other_at->bytes_per_s);
	}
	return VERDICT_NONE;
}

enum verdict rule__waking_dominates(const struct bench *b, struct buf *evidence)
{
	const struct row *slow = NULL, *fast = NULL;
	const struct point *s = NULL, *f = NULL;

	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];
		const struct point *p = smallest_of(r);

		if (!p || r->kind->class != DUCT_DATA || p->bytes > 64)
			continue;
		/* the best rounds: the question is what they cost, not what else ran */
		if (!slow || series__min(&p->p50_ns) > series__min(&s->p50_ns)) {
			slow = r;
			s = p;
		}
		if (!fast || series__min(&p->p50_ns) < series__min(&f->p50_ns)) {
			fast = r;
			f = p;
		}
	}
	if (!slow || slow == fast)
		return VERDICT_NONE;
	say_size(evidence, s->bytes);
	buf__printf(evidence, ", at best, from %s ", fast->kind->name);
	time__put_duration(evidence, (uint64_t)series__min(&f->p50_ns));
	buf__printf(evidence, " to %s ", slow->kind->name);
	time__put_duration(evidence, (uint64_t)series__min(&s->p50_ns));
	return series__min(&s->p50_ns) <= 3 * series__min(&f->p50_ns) ? VERDICT_HOLDS : VERDICT_FAILS;
}

/* At the largest size that both have. */
static enum verdict faster(const struct bench *b, const char *one, const char *other, struct buf *evidence)
{
	const struct row *x = bench__row(b, one), *y = bench__row(b, other);
	const struct point *p, *q;

	p = x ? largest_of(x, UINT64_MAX) : NULL;
	q = y && p ? largest_of(y, p->bytes) : NULL;
	p = x && q ? row__point(x, q->bytes) : NULL;
	if (!p || !p->bytes_per_s.cnt)
		return VERDICT_NONE;
	say_rate(evidence, x, p);
	buf__puts(evidence, ", ");
	say_rate(evidence, y, q);
	buf__puts(evidence, ", ");
	say_size(evidence, q->bytes);
	return rule__compare(&p->bytes_per_s, &q->bytes_per_s);
}

static enum verdict sooner(const struct bench *b, const char *one, const char *other, struct buf *evidence)
{
	const struct row *x = bench__row(b, one), *y = bench__row(b, other);
	const struct point *p = x ? smallest_of(x) : NULL, *q = y ? smallest_of(y) : NULL;

	if (!p || !q)
		return VERDICT_NONE;
	say_delay(evidence, x, p);
	buf__puts(evidence, ", ");
	say_delay(evidence, y, q);
	return rule__compare(&q->p50_ns, &p->p50_ns);
}

enum verdict rule__unix_before_tcp(const struct bench *b, struct buf *evidence)
{
	return sooner(b, "unix-stream", "tcp", evidence);
}

enum verdict rule__unix_over_tcp(const struct bench *b, struct buf *evidence)
{
	return faster(b, "unix-stream", "tcp", evidence);
}

enum verdict rule__pipe_over_unix(const struct bench *b, struct buf *evidence)
{
	return faster(b, "pipe", "unix-stream", evidence);
}

enum verdict rule__one_copy(const struct bench *b, struct buf *evidence)
{
	return faster(b, "ptrace", "pipe", evidence);
}

enum verdict rule__posix_sem_first(const struct bench *b, struct buf *evidence)
{
	return sooner(b, "posix-sem", "sysv-sem", evidence);
}

enum verdict rule__signal_slowest(const struct bench *b, struct buf *evidence)
{
	const struct row *signal = bench__row(b, "signal");
	const struct point *p = signal ? smallest_of(signal) : NULL;
	enum verdict all = VERDICT_NONE;

	if (!p)
		return VERDICT_NONE;
	say_delay(evidence, signal, p);
	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];
		const struct point *q = r == signal || r->kind->class != DUCT_NOTICE ? NULL : smallest_of(r);
		enum verdict one;

		if (!q)
			continue;
		buf__puts(evidence, ", ");
		say_delay(evidence, r, q);
		one = rule__compare(&p->p50_ns, &q->p50_ns);
		if (all == VERDICT_NONE || one == VERDICT_FAILS ||
		    (one == VERDICT_CLOSE && all == VERDICT_HOLDS))
			all = one;
	}
	return all;
}

/* The best round: the question is what it costs, not what else ran. */
enum verdict rule__cost_by_number(const struct bench *b, struct buf *evidence)
{
	enum verdict v = VERDICT_NONE;
	const char *sep = "";

	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];
		const struct point *large = r->kind->class == DUCT_DATA ? largest_of(r, 4096) : NULL;
		const struct point *small = large ? smallest_of(r) : NULL;
		double times;

		if (!small || !large->p50_ns.cnt || large->bytes < 1024 || small->bytes > 64)
			continue;
		times = series__min(&large->p50_ns) / series__min(&small->p50_ns);
		if (times > 2)
			v = VERDICT_FAILS;
		else if (v == VERDICT_NONE)
			v = VERDICT_HOLDS;
		buf__printf(evidence, "%s%s %.1f times", sep, r->kind->name, times);
		sep = ", ";
	}
	return v;
}
