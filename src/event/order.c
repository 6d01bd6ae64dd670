/* SPDX-License-Identifier: GPL-2.0 */
#include "event/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"

/*
 * Copies lie in blocks of a few sizes; a block that is done goes to the free list of its size, so the
 * steady state allocates nothing. Slabs are given back only by order__free().
 */
#define CLASS_BYTES 64
#define CLASS_CNT ((UINT16_MAX + CLASS_BYTES) / CLASS_BYTES + 1)
#define SLAB_BYTES (256 * 1024)

struct block {
	struct block *next; /* in the free list; then the record follows in its place */
};

struct entry {
	uint64_t ts_ns;
	uint64_t seq; /* order of arrival, to keep events of equal time stable */
	struct ipct_hdr *ev;
};

struct order {
	VEC(struct entry) heap; /* smallest (ts_ns, seq) at v[0] */
	uint64_t next_seq;
	struct block *free[CLASS_CNT];
	VEC(char *) slabs;
	size_t slab_used; /* bytes of the last slab */
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

void order__push(struct order *o, const struct ipct_hdr *ev)
{
	struct entry e = { .ts_ns = ev->ts_ns, .seq = o->next_seq++ };

	e.ev = block_take(o, class_of(ev->size));
	memcpy(e.ev, ev, ev->size);
	vec__push(&o->heap, e);
	sift_up(o->heap.v, o->heap.cnt - 1);
}

size_t order__release(struct order *o, uint64_t watermark_ns, size_t max, event_fn fn, void *ctx)
{
	size_t released = 0;

	while (released < max && o->heap.cnt > 0 && o->heap.v[0].ts_ns <= watermark_ns) {
		struct ipct_hdr *ev = o->heap.v[0].ev;
		size_t class = class_of(ev->size);

		o->heap.v[0] = o->heap.v[--o->heap.cnt];
		if (o->heap.cnt > 1)
			sift_down(o->heap.v, o->heap.cnt);
		fn(ctx, ev);
		block_give(o, ev, class);
		released++;
	}
	return released;
}

size_t order__pending(const struct order *o)
{
	return o->heap.cnt;
}

void order__free(struct order *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->slabs.cnt; i++)
		free(o->slabs.v[i]);
	vec__free(&o->slabs);
	vec__free(&o->heap);
	free(o);
}
