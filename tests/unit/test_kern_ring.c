/* SPDX-License-Identifier: GPL-2.0 */
/* The reader of a BPF ring buffer, with this program as the kernel: records lie as kernel/bpf/ringbuf.c puts them. */
#include <string.h>

#include <linux/bpf.h>

#include "kern/ring.h"
#include "suite.h"

#define RING_BYTES 4096u
#define NOW_NS 1000000
#define STEP (BPF_RINGBUF_HDR_SZ + sizeof(struct ipct_call))

struct rig {
	struct ring ring;
	uint64_t consumer, producer;
	_Alignas(8) uint8_t data[RING_BYTES];
	uint64_t seen_ns[32];
	size_t seen_cnt;
	uint64_t watermark_ns;
};

static void rig__init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	r->ring = (struct ring){
		.map_fd = -1,
		.bytes = RING_BYTES,
		.consumer = &r->consumer,
		.producer = &r->producer,
		.data = r->data,
	};
}

static uint32_t *put(struct rig *r, uint64_t ts_ns, uint32_t state)
{
	uint32_t *hdr = (uint32_t *)(r->data + r->producer % RING_BYTES);
	struct ipct_call *call = (struct ipct_call *)(hdr + 2);

	*call = (struct ipct_call){
		.h = { .ts_ns = ts_ns,
		       .kind = IPCT_KIND_CALL,
		       .size = sizeof(*call),
		       .mech = IPCT_MECH_PIPE },
	};
	*hdr = sizeof(*call) | state;
	r->producer += STEP;
	return hdr;
}

static void take(void *ctx, const struct ipct_hdr *ev)
{
	struct rig *r = ctx;

	r->seen_ns[r->seen_cnt++] = ev->ts_ns;
}

static size_t drain(struct rig *r, uint64_t bytes_max)
{
	const struct ring_taker t = { NOW_NS, bytes_max, take, r };

	return ring__drain(&r->ring, &t, &r->watermark_ns);
}

START_TEST(an_unfinished_record_holds_time_back)
{
	struct rig r;
	uint32_t *unfinished;

	rig__init(&r);
	put(&r, 100, 0);
	unfinished = put(&r, 101, BPF_RINGBUF_BUSY_BIT);
	put(&r, 102, 0);
	ck_assert_uint_eq(drain(&r, UINT64_MAX), 1);
	ck_assert_uint_eq(r.watermark_ns, 100);
	*unfinished &= ~BPF_RINGBUF_BUSY_BIT;
	ck_assert_uint_eq(drain(&r, UINT64_MAX), 2);
	ck_assert_uint_eq(r.watermark_ns, NOW_NS);
	ck_assert_uint_eq(r.consumer, r.producer);
	ck_assert_uint_eq(r.ring.bad, 0);
}
END_TEST

START_TEST(discarded_records_are_left_out)
{
	struct rig r;

	rig__init(&r);
	put(&r, 100, BPF_RINGBUF_DISCARD_BIT);
	put(&r, 101, 0);
	ck_assert_uint_eq(drain(&r, UINT64_MAX), 1);
	ck_assert_uint_eq(r.seen_ns[0], 101);
	ck_assert_uint_eq(r.consumer, r.producer);
}
END_TEST

/* A program that interrupts another one reserves its record later and has it done earlier. */
START_TEST(what_is_left_holds_time_back)
{
	struct rig r;

	rig__init(&r);
	put(&r, 100, 0);
	put(&r, 101, 0);
	put(&r, 120, 0);
	put(&r, 5, BPF_RINGBUF_DISCARD_BIT);
	put(&r, 110, 0);
	put(&r, 50, BPF_RINGBUF_BUSY_BIT);
	put(&r, 40, 0); /* not looked at yet: what is behind an unfinished one is later */
	ck_assert_uint_eq(drain(&r, 2 * STEP), 2);
	ck_assert_uint_eq(r.watermark_ns, 110);
	ck_assert_uint_eq(r.consumer, 2 * STEP);
	ck_assert_uint_eq(drain(&r, UINT64_MAX), 2);
	ck_assert_uint_eq(r.watermark_ns, 120);
	ck_assert_uint_eq(r.seen_cnt, 4);
}
END_TEST

/* However it is cut into pieces: nothing earlier than a watermark comes behind it, and all of it comes. */
START_TEST(pieces_of_all_sizes)
{
	for (size_t piece = 1; piece < 20; piece++) {
		uint64_t ts_ns = 1000;
		struct rig r;

		rig__init(&r);
		for (int i = 0; i < 20; i++) {
			ts_ns += 10;
			put(&r, i % 3 ? ts_ns : ts_ns + 25, 0);
		}
		while (r.consumer < r.producer) {
			uint64_t before_ns = r.watermark_ns;
			size_t from = r.seen_cnt;

			drain(&r, piece * STEP);
			for (size_t i = from; i < r.seen_cnt; i++)
				ck_assert_uint_ge(r.seen_ns[i], before_ns);
		}
		ck_assert_uint_eq(r.seen_cnt, 20);
		ck_assert_uint_eq(r.watermark_ns, NOW_NS);
	}
}
END_TEST

int main(void)
{
	const TTest *tests[] = { an_unfinished_record_holds_time_back, discarded_records_are_left_out,
				 what_is_left_holds_time_back, pieces_of_all_sizes };

	return SUITE_RUN("kern_ring", tests);
}
