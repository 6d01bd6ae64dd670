/* SPDX-License-Identifier: GPL-2.0 */
#include <stdlib.h>

#include "base/log.h"
#include "store/writer.h"

struct tee {
	struct event_source source;
	struct event_source *inner;
	struct store_writer *writer;
	event_fn fn; /* of the poll that runs; NULL: nobody listens */
	void *ctx;
};

static void on_event(void *ctx, const struct ipct_hdr *ev)
{
	struct tee *t = ctx;

	store_writer__event(t->writer, ev);
	if (t->fn)
		t->fn(t->ctx, ev);
}

static int tee_poll(struct event_source *s, int timeout_ms, event_fn fn, void *ctx, uint64_t *watermark_ns)
{
	struct tee *t = (struct tee *)((char *)s - offsetof(struct tee, source));
	int ret;

	t->fn = fn;
	t->ctx = ctx;
	ret = t->inner->poll(t->inner, timeout_ms, on_event, t, watermark_ns);
	if (ret >= 0)
		store_writer__round(t->writer, *watermark_ns);
	return ret;
}

static void tee_close(struct event_source *s)
{
	free((char *)s - offsetof(struct tee, source));
}

struct event_source *store_tee__new(struct event_source *inner, struct store_writer *w)
{
	struct tee *t = xalloc(sizeof(*t));

	t->source = (struct event_source){ .poll = tee_poll, .close = tee_close };
	t->inner = inner;
	t->writer = w;
	return &t->source;
}
