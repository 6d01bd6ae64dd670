/* SPDX-License-Identifier: GPL-2.0 */
#include "event/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"

/*
 * What comes is nearly in order: that of each ring. So it lies in a few runs, each in order of time, of which the one with
 * the earliest head is next; only what fits behind none of them goes to the heap. A run is a row of chunks that records
 * are copied to one behind the other. Chunks that are done with are kept for reuse, as many as were needed of late.
 */
#define RUN_CNT 8
#define CHUNK_BYTES \
	(96 * 1024 - 64) /* with what malloc() adds: whole pages. Any record fits (ipct_hdr.size) */
#define LOOK_CNT 64 /* releases, a second or more */

struct item {
	uint64_t seq; /* order of arrival, to keep events of equal time stable */
	struct ipct_hdr ev; /* and the rest of it */
};

struct chunk {
	struct chunk *next;
	uint32_t first, end; /* offsets: the first item that is still here, and what is behind the last */
	_Alignas(8) unsigned char items[CHUNK_BYTES];
};

struct run {
	struct chunk *first, *last; /* both NULL: never used */
	uint64_t tail_ns; /* time of the last item */
};

struct order {
	struct run runs[RUN_CNT]; /* the first run_cnt have been used */
	size_t run_cnt;
	VEC(struct item *) heap; /* smallest (time, seq) at v[0]; each in memory of its own */
	size_t cnt; /* of all items */
	uint64_t next_seq;
	struct chunk *spare;
	size_t chunk_cnt, spare_cnt; /* chunk_cnt: all, with the spare ones */
	size_t used_max; /* chunks, since the last look at how many are needed */
	size_t release_cnt; /* since then */
};

struct order *order__new(void)
{
	return xalloc(sizeof(struct order));
}

static bool before(const struct item *a, const struct item *b)
{
	return a->ev.ts_ns != b->ev.ts_ns ? a->ev.ts_ns < b->ev.ts_ns : a->seq < b->seq;
}

static size_t item_bytes(const struct ipct_hdr *ev)
{
	return (offsetof(struct item, ev) + ev->size + 7) & ~(size_t)7;
}

/* ---- the heap ---- */

static void sift_up(struct item **v, size_t i)
{
	struct item *it = v[i];

	while (i > 0 && before(it, v[(i - 1) / 2])) {
		v[i] = v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	v[i] = it;
}

static void sift_down(struct item **v, size_t cnt)
{
	struct item *it = v[0];
	size_t i = 0;

	for (size_t child = 1; child < cnt; child = 2 * i + 1) {
		if (child + 1 < cnt && before(v[child + 1], v[child]))
			child++;
		if (!before(v[child], it))
			break;
		v[i] = v[child];
		i = child;
	}
	v[i] = it;
}

/* ---- runs ---- */

static struct chunk *chunk_take(struct order *o)
{
	struct chunk *c = o->spare;

	if (c) {
		o->spare = c->next;
		o->spare_cnt--;
	} else {
		c = xrealloc(NULL, sizeof(*c));
		o->chunk_cnt++;
	}
	if (o->chunk_cnt - o->spare_cnt > o->used_max)
		o->used_max = o->chunk_cnt - o->spare_cnt;
	c->next = NULL;
	c->first = c->end = 0;
	return c;
}

static void chunk_give(struct order *o, struct chunk *c)
{
	c->next = o->spare;
	o->spare = c;
	o->spare_cnt++;
}

static bool run__is_empty(const struct run *r)
{
	return !r->first || r->first->first == r->first->end;
}

static struct item *run__head(const struct run *r)
{
	return (struct item *)(r->first->items + r->first->first);
}

/* The run that the event goes behind: of those that allow it the one with the latest tail. NULL: none. */
static struct run *run_for(struct order *o, uint64_t ts_ns)
{
	struct run *best = NULL, *empty = NULL;

	for (struct run *r = o->runs; r < o->runs + o->run_cnt; r++) {
		if (run__is_empty(r))
			empty = r;
		else if (r->tail_ns <= ts_ns && (!best || r->tail_ns > best->tail_ns))
			best = r;
	}
	if (best || empty)
		return best ? best : empty;
	return o->run_cnt < RUN_CNT ? &o->runs[o->run_cnt++] : NULL;
}

static struct item *run__append(struct order *o, struct run *r, size_t bytes, uint64_t ts_ns)
{
	struct item *it;

	if (!r->last || r->last->end + bytes > CHUNK_BYTES) {
		struct chunk *c = chunk_take(o);

		if (r->last)
			r->last->next = c;
		else
			r->first = c;
		r->last = c;
	}
	it = (struct item *)(r->last->items + r->last->end);
	r->last->end += (uint32_t)bytes;
	r->tail_ns = ts_ns;
	return it;
}

static void run__drop_head(struct order *o, struct run *r)
{
	struct chunk *c = r->first;

	c->first += (uint32_t)item_bytes(&run__head(r)->ev);
	if (c->first < c->end)
		return;
	if (!c->next) {
		c->first = c->end = 0;
		return;
	}
	r->first = c->next;
	chunk_give(o, c);
}

/* ---- all ---- */

void order__push(struct order *o, const struct ipct_hdr *ev)
{
	struct run *run = run_for(o, ev->ts_ns);
	size_t bytes = item_bytes(ev);
	struct item *it = run ? run__append(o, run, bytes, ev->ts_ns) : xrealloc(NULL, bytes);

	it->seq = o->next_seq++;
	memcpy(&it->ev, ev, ev->size);
	o->cnt++;
	if (run)
		return;
	vec__push(&o->heap, it);
	sift_up(o->heap.v, o->heap.cnt - 1);
}

/* The next in order stays where it is; NULL: there is none. *run: where it is, NULL: in the heap. */
static struct item *peek(struct order *o, struct run **run)
{
	struct item *next = o->heap.cnt ? o->heap.v[0] : NULL;

	*run = NULL;
	for (struct run *r = o->runs; r < o->runs + o->run_cnt; r++) {
		if (run__is_empty(r) || (next && !before(run__head(r), next)))
			continue;
		next = run__head(r);
		*run = r;
	}
	return next;
}

/* fn may push more, so what it looks at stays in its place until it has returned. */
static void hand_on(struct order *o, struct item *it, struct run *run, event_fn fn, void *ctx)
{
	o->cnt--;
	if (run) {
		fn(ctx, &it->ev);
		run__drop_head(o, run);
		return;
	}
	o->heap.v[0] = o->heap.v[--o->heap.cnt];
	if (o->heap.cnt > 1)
		sift_down(o->heap.v, o->heap.cnt);
	fn(ctx, &it->ev);
	free(it);
}

static void free_spare(struct order *o, size_t kept_max)
{
	while (o->spare && o->chunk_cnt > kept_max) {
		struct chunk *c = o->spare;

		o->spare = c->next;
		o->spare_cnt--;
		o->chunk_cnt--;
		free(c);
	}
}

static void look_at_need(struct order *o)
{
	if (++o->release_cnt < LOOK_CNT)
		return;
	free_spare(o, o->used_max);
	o->release_cnt = 0;
	o->used_max = o->chunk_cnt - o->spare_cnt;
}

size_t order__release(struct order *o, uint64_t watermark_ns, size_t max, event_fn fn, void *ctx)
{
	size_t released = 0;

	for (; released < max; released++) {
		struct run *run;
		struct item *next = peek(o, &run);

		if (!next || next->ev.ts_ns > watermark_ns)
			break;
		hand_on(o, next, run, fn, ctx);
	}
	look_at_need(o);
	return released;
}

size_t order__pending(const struct order *o)
{
	return o->cnt;
}

size_t order__held_bytes(const struct order *o)
{
	return o->chunk_cnt * sizeof(struct chunk);
}

void order__free(struct order *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->run_cnt; i++) {
		while (o->runs[i].first) {
			struct chunk *c = o->runs[i].first;

			o->runs[i].first = c->next;
			chunk_give(o, c);
		}
	}
	free_spare(o, 0);
	for (size_t i = 0; i < o->heap.cnt; i++)
		free(o->heap.v[i]);
	vec__free(&o->heap);
	free(o);
}
