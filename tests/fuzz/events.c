/* SPDX-License-Identifier: GPL-2.0 */
/* Events of any bytes, as they might lie in a ring: whatever passes event__check() is decoded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/check.h"

#include "fuzz.h"

struct bytes {
	struct event_source source;
	const uint8_t *data;
	size_t size;
};

static int poll(struct event_source *s, int timeout_ms, event_fn fn, void *ctx, uint64_t *watermark_ns)
{
	struct bytes *b = (struct bytes *)s;
	_Alignas(8) uint8_t record[UINT16_MAX + 1];
	struct ipct_hdr *h = (struct ipct_hdr *)record;
	size_t len;

	(void)timeout_ms;
	if (b->size < sizeof(*h))
		return -ENODATA;
	memcpy(h, b->data, sizeof(*h));
	len = h->size >= sizeof(*h) && h->size <= b->size ? h->size : b->size;
	if (len > UINT16_MAX)
		len = UINT16_MAX;
	memcpy(record, b->data, len);
	b->data += len;
	b->size -= len;
	if (event__check(record, len) >= 0)
		fn(ctx, h);
	*watermark_ns = h->ts_ns;
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { .source = { .poll = poll }, .data = data, .size = size };

	fuzz__look(&b.source);
	return 0;
}
