/* SPDX-License-Identifier: GPL-2.0 */
#include "event/order.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"

/*
 * Copies lie in blocks of a few sizes; a block that is done goes to the free list of its size, so the
 * steady state allocates nothing. What a burst took is given back when no such burst came for a while.
 */
#define CLASS_BYTES 64
#define CLASS_CNT ((UINT16_MAX + CLASS_BYTES) / CLASS_BYTES + 1)
#define SLAB_BYTES (256 * 1024)
#define SLABS_KEPT 4
#define EMPTY_CNT 50 /* a second or more: it is emptied each time that the rings were read */

struct block {
	struct block *next; /* in the free list; then the record follows in its place */
};

struct entry {
	uint64_t ts_ns;
	uint64_t seq; /* order of arrival, to keep events of equal time stable */
	struct ipct_hdr *ev;
};

/*
 * What comes is nearly in order: that of each ring. So it lies in a few runs, each in order of (ts_ns, seq), of which the
 * one with the earliest head is next; only what fits behind none of them goes to the heap.
 */
#define RUN_CNT 8

struct run {
	VEC(struct entry) queue;
	size_t head; /* of the queue: what is before it has been released */
};

struct order {
	struct run runs[RUN_CNT]; /* the first run_cnt have been used */
	size_t run_cnt;
	VEC(struct entry) heap; /* smallest (ts_ns, seq) at v[0] */
	size_t cnt; /* of all */
	uint64_t next_seq;
	struct block *free[CLASS_CNT];
	VEC(char *) slabs;
	size_t slab_used; /* bytes of the last slab */
	size_t copied_bytes, copied_bytes_max; /* since it was empty; the most of that, of late */
	size_t emptied_cnt; /* since copied_bytes_max was begun anew */
};

struct order *order__new(void)
{
	struct order *o = xalloc(sizeof(*o));

	o->slab_used = SLAB_BYTES;
	return o;
}

static size_t class_of(size_t bytes)
{
	return (bytes + CLASS_BYTES - 1) / CLASS_BYTES;
}

static void *block_take(struct order *o, size_t class)
{
	size_t bytes = class * CLASS_BYTES;
	struct block *b = o->free[class];

	if (b) {
		o->free[class] = b->next;
		return b;
	}
	if (o->slab_used + bytes > SLAB_BYTES) {
		vec__push(&o->slabs, xalloc(SLAB_BYTES));
		o->slab_used = 0;
	}
	b = (struct block *)(o->slabs.v[o->slabs.cnt - 1] + o->slab_used);
	o->slab_used += bytes;
	return b;
}

static void block_give(struct order *o, void *p, size_t class)
{
	struct block *b = p;

	b->next = o->free[class];
	o->free[class] = b;
}

static bool before(const struct entry *a, const struct entry *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->seq < b->seq;
}

static void sift_up(struct entry *v, size_t i)
{
	struct entry e = v[i];

	while (i > 0 && before(&e, &v[(i - 1) / 2])) {
		v[i] = v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	v[i] = e;
}

static void sift_down(struct entry *v, size_t cnt)
{
	struct entry e = v[0];
	size_t i = 0;

	for (size_t child = 1; child < cnt; child = 2 * i + 1) {
		if (child + 1 < cnt && before(&v[child + 1], &v[child]))
			child++;
		if (!before(&v[child], &e))
			break;
		v[i] = v[child];
		i = child;
	}
	v[i] = e;
}

static bool run__is_empty(const struct run *r)
{
	return r->head == r->queue.cnt;
}

/* The run that the event goes behind: of those that allow it the one with the latest tail. NULL: none. */
static struct run *run_for(struct order *o, uint64_t ts_ns)
{
	struct run *best = NULL, *empty = NULL;

	for (struct run *r = o->runs; r < o->runs + o->run_cnt; r++) {
		uint64_t tail_ns;

		if (run__is_empty(r)) {
			empty = r;
			continue;
		}
		tail_ns = r->queue.v[r->queue.cnt - 1].ts_ns;
		if (tail_ns <= ts_ns && (!best || tail_ns > best->queue.v[best->queue.cnt - 1].ts_ns))
			best = r;
	}
	if (best || empty)
		return best ? best : empty;
	return o->run_cnt < RUN_CNT ? &o->runs[o->run_cnt++] : NULL;
}

/* The room of what was released is used again, so that a run that is never empty does not grow for ever. */
static void run__push(struct run *r, struct entry e)
{
	if (r->head && r->head >= r->queue.cnt - r->head) {
		memmove(r->queue.v, r->queue.v + r->head, (r->queue.cnt - r->head) * sizeof(*r->queue.v));
		r->queue.cnt -= r->head;
		r->head = 0;
	}
	vec__push(&r->queue, e);
}

void order__push(struct order *o, const struct ipct_hdr *ev)
{
	struct entry e = { .ts_ns = ev->ts_ns, .seq = o->next_seq++ };
	struct run *run = run_for(o, e.ts_ns);

	o->copied_bytes += class_of(ev->size) * CLASS_BYTES;
	e.ev = block_take(o, class_of(ev->size));
	memcpy(e.ev, ev, ev->size);
	o->cnt++;
	if (run) {
		run__push(run, e);
		return;
	}
	vec__push(&o->heap, e);
	sift_up(o->heap.v, o->heap.cnt - 1);
}

/* The next in order stays where it is; NULL: there is none. *run: where it is, NULL: in the heap. */
static const struct entry *peek(struct order *o, struct run **run)
{
	const struct entry *next = o->heap.cnt ? o->heap.v : NULL;

	*run = NULL;
	for (struct run *r = o->runs; r < o->runs + o->run_cnt; r++) {
		if (run__is_empty(r) || (next && !before(&r->queue.v[r->head], next)))
			continue;
		next = &r->queue.v[r->head];
		*run = r;
	}
	return next;
}

static void pop(struct order *o, struct run *run)
{
	o->cnt--;
	if (run) {
		run->head++;
		return;
	}
	o->heap.v[0] = o->heap.v[--o->heap.cnt];
	if (o->heap.cnt > 1)
		sift_down(o->heap.v, o->heap.cnt);
}

static void give_back(struct order *o)
{
	for (size_t i = 0; i < o->slabs.cnt; i++)
		free(o->slabs.v[i]);
	o->slabs.cnt = 0;
	o->slab_used = SLAB_BYTES;
	memset(o->free, 0, sizeof(o->free));
	for (size_t i = 0; i < o->run_cnt; i++) {
		vec__free(&o->runs[i].queue);
		o->runs[i].head = 0;
	}
	o->run_cnt = 0;
	vec__free(&o->heap);
	malloc_trim(0);
}

/* It is empty. */
static void note_empty(struct order *o)
{
	if (o->copied_bytes > o->copied_bytes_max)
		o->copied_bytes_max = o->copied_bytes;
	o->copied_bytes = 0;
	if (++o->emptied_cnt < EMPTY_CNT)
		return;
	if (o->slabs.cnt > SLABS_KEPT && o->copied_bytes_max < o->slabs.cnt * SLAB_BYTES / 4)
		give_back(o);
	o->emptied_cnt = 0;
	o->copied_bytes_max = 0;
}

size_t order__release(struct order *o, uint64_t watermark_ns, size_t max, event_fn fn, void *ctx)
{
	size_t released = 0;

	while (released < max) {
		struct run *run;
		const struct entry *next = peek(o, &run);
		struct ipct_hdr *ev;
		size_t class;

		if (!next || next->ts_ns > watermark_ns)
			break;
		ev = next->ev;
		class = class_of(ev->size);
		pop(o, run);
		fn(ctx, ev);
		block_give(o, ev, class);
		released++;
	}
	if (!o->cnt)
		note_empty(o);
	return released;
}

size_t order__pending(const struct order *o)
{
	return o->cnt;
}

void order__free(struct order *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->slabs.cnt; i++)
		free(o->slabs.v[i]);
	vec__free(&o->slabs);
	for (size_t i = 0; i < o->run_cnt; i++)
		vec__free(&o->runs[i].queue);
	vec__free(&o->heap);
	free(o);
}
