/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/ring.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "event/check.h"

/*
 * Layout of a ring's pages and record headers: kernel/bpf/ringbuf.c, stable user API since 5.8. The kernel shows the data twice in a
 * row, so that a record which wraps is in one piece. Of the second time only what the longest record needs is mapped:
 * all of it would count twice in what this process has resident.
 */
#define RECORD_MAX (1ull << 16) /* ipct_hdr.size */

static size_t producer_bytes(const struct ring *r)
{
	return (size_t)sysconf(_SC_PAGESIZE) + r->bytes + (r->bytes < RECORD_MAX ? r->bytes : RECORD_MAX);
}

int ring__open(struct ring *r, uint64_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int err;

	*r = (struct ring){ .map_fd = -1, .bytes = bytes };
	r->map_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ipct_ring", 0, 0, bytes, NULL);
	if (r->map_fd < 0) {
		err = -errno;
		goto fail;
	}
	r->consumer_map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, r->map_fd, 0);
	if (r->consumer_map == MAP_FAILED) {
		err = -errno;
		r->consumer_map = NULL;
		goto fail;
	}
	r->producer_map = mmap(NULL, producer_bytes(r), PROT_READ, MAP_SHARED, r->map_fd, page);
	if (r->producer_map == MAP_FAILED) {
		err = -errno;
		r->producer_map = NULL;
		goto fail;
	}
	r->consumer = r->consumer_map;
	r->producer = r->producer_map;
	r->data = (const uint8_t *)r->producer_map + page;
	return 0;
fail:
	ring__close(r);
	return err;
}

static void take(struct ring *r, const void *record, uint32_t len, const struct ring_taker *t)
{
	const struct ipct_hdr *ev = record;

	if (event__check(record, len) < 0) {
		r->bad++;
		return;
	}
	if (ev->ts_ns > r->last_ns)
		r->last_ns = ev->ts_ns;
	t->fn(t->ctx, ev);
}

/* The header of the record at pos, as it is now. */
static uint32_t len_at(const struct ring *r, uint64_t pos)
{
	return __atomic_load_n((const uint32_t *)(r->data + (pos & (r->bytes - 1))), __ATOMIC_ACQUIRE);
}

static const void *record_at(const struct ring *r, uint64_t pos)
{
	return r->data + (pos & (r->bytes - 1)) + BPF_RINGBUF_HDR_SZ;
}

static uint64_t next_pos(uint64_t pos, uint32_t len)
{
	return pos + (((len & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) & ~7u);
}

/* A program that runs inside of another one reserves later and is done earlier, so the first that is left need not be it. */
static uint64_t earliest_left(const struct ring *r, uint64_t pos, uint64_t end, uint64_t now_ns)
{
	uint64_t earliest_ns = now_ns;

	while (pos < end) {
		uint32_t len = len_at(r, pos);
		const struct ipct_hdr *ev = record_at(r, pos);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(len & BPF_RINGBUF_DISCARD_BIT) && len >= sizeof(*ev) && ev->ts_ns < earliest_ns)
			earliest_ns = ev->ts_ns;
		pos = next_pos(pos, len);
	}
	return earliest_ns;
}

size_t ring__drain(struct ring *r, const struct ring_taker *t, uint64_t *watermark_ns)
{
	uint64_t end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	uint64_t pos = *r->consumer, begin = pos;
	size_t cnt = 0;

	*watermark_ns = t->now_ns;
	while (pos < end) {
		uint32_t len = len_at(r, pos);

		if (len & BPF_RINGBUF_BUSY_BIT) {
			*watermark_ns = r->last_ns;
			break;
		}
		if (pos - begin >= t->bytes_max) {
			*watermark_ns = earliest_left(r, pos, end, t->now_ns);
			break;
		}
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			take(r, record_at(r, pos), len, t);
			cnt++;
		}
		pos = next_pos(pos, len);
		__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
	}
	return cnt;
}

uint64_t ring__used_bytes(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - *r->consumer;
}

void ring__close(struct ring *r)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (r->consumer_map)
		munmap(r->consumer_map, page);
	if (r->producer_map)
		munmap(r->producer_map, producer_bytes(r));
	if (r->map_fd >= 0)
		close(r->map_fd);
	*r = (struct ring){ .map_fd = -1 };
}
