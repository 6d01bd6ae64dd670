/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every byte says who wrote it and whether it ends its write, so any split of
 * a stream among readers can be counted exactly, without headers to reassemble.
 */
#include <string.h>

#include "workload/engine.h"

void cell__add(struct cell *c, uint64_t messages, uint64_t bytes)
{
	atomic_store_explicit(&c->bytes, atomic_load_explicit(&c->bytes, memory_order_relaxed) + bytes,
			      memory_order_relaxed);
	atomic_store(&c->messages, atomic_load_explicit(&c->messages, memory_order_relaxed) + messages);
}

void payload__fill(struct worker *w, size_t bytes)
{
	memset(w->buf, (int)(w->index << 1), bytes);
	w->buf[bytes - 1] |= 1;
}

/* Whose message it is; -1 after fail. */
static int writer_of(struct worker *w, const unsigned char *buf, size_t bytes)
{
	unsigned writer = bytes ? buf[0] >> 1 : PREFILL_WRITER + 1;

	if (writer == PREFILL_WRITER || writer < w->run->cnt[ROLE_WRITER])
		return (int)writer;
	if (!bytes)
		return worker__fail(w, "a reader took an empty message that nobody sent");
	return worker__fail(w, "a reader took a byte %#x that nobody sent", buf[0]);
}

/* Length of the run of equal bytes at the front. */
static size_t equal_bytes(const unsigned char *buf, size_t bytes)
{
	size_t n = 1;

	while (n < bytes && buf[n] == buf[0])
		n++;
	return n;
}

int payload__count_stream(struct worker *w, size_t bytes)
{
	for (size_t at = 0, n; at < bytes; at += n) {
		int writer = writer_of(w, w->buf + at, bytes - at);

		if (writer < 0)
			return -1;
		n = equal_bytes(w->buf + at, bytes - at);
		if (writer == PREFILL_WRITER)
			atomic_fetch_add(run__prefill_taken(w->run), n);
		else
			cell__add(run__cell(w->run, w->index, (uint32_t)writer), (w->buf[at] & 1) * n, n);
	}
	return 0;
}

int payload__count_message(struct worker *w, size_t bytes)
{
	int writer = writer_of(w, w->buf, bytes);

	if (writer < 0)
		return -1;
	for (size_t i = 0; i < bytes; i++)
		if (w->buf[i] >> 1 != writer || (i + 1 < bytes && (w->buf[i] & 1)))
			return worker__fail(w, "a reader took a message that mixes several");
	cell__add(run__cell(w->run, w->index, (uint32_t)writer), 1, bytes);
	return 0;
}
