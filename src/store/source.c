/* SPDX-License-Identifier: GPL-2.0 */
/* A recording as an event source: its rounds again. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "event/check.h"
#include "store/format.h"
#include "store/pack.h"
#include "store/reader.h"

/*
 * Events wait behind this source until their round is over. A recorder's rounds are bounded by its rings; a file that
 * has none would make its reader hold everything, so that much ends a round anyway.
 */
#define ROUND_BYTES_MAX (256ull << 20)

struct store_source {
	struct event_source source;
	struct store_reader *reader;
	struct pack pack;
	struct store_frame frame; /* what of it was not given yet */
	uint64_t ts_ns; /* largest that was given */
	uint64_t until_ns;
	uint64_t round_bytes;
	bool ended;
	_Alignas(8) uint8_t scratch[UINT16_MAX + 1];
};

struct taker {
	event_fn fn;
	void *ctx;
	int cnt;
};

/* What is missing may have been anything: every mechanism has to doubt what it knew. */
static void give_missing(struct store_source *s, struct taker *t)
{
	uint32_t mechs = store_reader__info(s->reader)->mechs | 1;

	if (!s->frame.missing_events)
		return;
	for (uint8_t mech = 0; mech < 32; mech++) {
		struct ipct_lost ev = {
			.h = { .ts_ns = s->ts_ns, .kind = IPCT_KIND_LOST, .size = sizeof(ev), .mech = mech },
			.count = mech ? 0 : s->frame.missing_events,
		};

		if (!(mechs >> mech & 1))
			continue;
		t->fn(t->ctx, &ev.h);
		t->cnt++;
	}
	s->frame.missing_events = 0;
}

static int next_frame(struct store_source *s, struct taker *t)
{
	int ret = store_reader__next(s->reader, &s->frame);

	pack__begin(&s->pack);
	give_missing(s, t);
	s->ended = ret <= 0;
	return ret;
}

static void give(struct store_source *s, const struct ipct_hdr *ev, struct taker *t)
{
	if (event__check(ev, ev->size) < 0)
		return;
	if (ev->ts_ns > s->ts_ns)
		s->ts_ns = ev->ts_ns;
	s->round_bytes += ev->size;
	t->fn(t->ctx, ev);
	t->cnt++;
}

/* Gives one event. True: it was the end of a round. */
static bool step(struct store_source *s, struct taker *t, uint64_t *watermark_ns)
{
	struct unpacked got;
	int bytes = unpack__next(&s->pack, s->frame.raw, s->frame.raw_bytes, s->scratch, &got);

	if (bytes < 0) { /* its checksum was right, so it was written like this */
		s->frame.raw_bytes = 0;
		return false;
	}
	s->frame.raw += bytes;
	s->frame.raw_bytes -= (size_t)bytes;
	if (got.ev)
		give(s, got.ev, t);
	*watermark_ns = got.ev ? s->ts_ns : got.watermark_ns;
	return !got.ev || s->round_bytes > ROUND_BYTES_MAX;
}

static int source_poll(struct event_source *source, int timeout_ms, event_fn fn, void *ctx,
		       uint64_t *watermark_ns)
{
	struct store_source *s =
		(struct store_source *)((char *)source - offsetof(struct store_source, source));
	struct taker t = { fn, ctx, 0 };
	int ret = 0;

	(void)timeout_ms;
	s->round_bytes = 0;
	while (!s->ended) {
		if (!s->frame.raw_bytes) {
			ret = next_frame(s, &t);
		} else if (step(s, &t, watermark_ns)) {
			s->ended = *watermark_ns >= s->until_ns;
			return t.cnt;
		}
	}
	*watermark_ns = 0; /* a round without its end */
	if (ret < 0)
		return ret;
	return t.cnt ? t.cnt : -ENODATA;
}

static void source_close(struct event_source *source)
{
	free((char *)source - offsetof(struct store_source, source));
}

struct event_source *store_source__new(struct store_reader *r)
{
	struct store_source *s = xalloc(sizeof(*s));

	s->source = (struct event_source){ .poll = source_poll, .close = source_close };
	s->reader = r;
	s->until_ns = UINT64_MAX;
	pack__begin(&s->pack);
	return &s->source;
}

void store_source__until(struct event_source *source, uint64_t until_ns)
{
	((struct store_source *)((char *)source - offsetof(struct store_source, source)))->until_ns =
		until_ns;
}
