/* SPDX-License-Identifier: GPL-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "event/order.h"
#include "suite.h"

#define EVENTS 4000

struct sample {
	uint64_t ts_ns;
	uint32_t seq; /* of pushing; travels as hdr.pid */
};

struct seen {
	struct sample v[EVENTS];
	size_t cnt;
};

static struct seen seen;

static int by_time_then_seq(const void *pa, const void *pb)
{
	const struct sample *a = pa, *b = pb;

	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static void record(void *ctx, const struct ipct_hdr *ev)
{
	struct seen *s = ctx;
	const unsigned char *tail = (const unsigned char *)(ev + 1);

	ck_assert_uint_lt(s->cnt, EVENTS);
	for (size_t i = 0; i < ev->size - sizeof(*ev); i++)
		EXPECT(tail[i] == (unsigned char)ev->pid); /* ck_assert() takes a minute for all of them */
	s->v[s->cnt++] = (struct sample){ ev->ts_ns, ev->pid };
}

static void push(struct order *o, uint64_t ts_ns, uint32_t seq, size_t tail_bytes)
{
	static _Alignas(8) char rec[UINT16_MAX];
	struct ipct_hdr *h = (struct ipct_hdr *)rec;

	memset(rec, 0, sizeof(*h));
	h->ts_ns = ts_ns;
	h->kind = IPCT_KIND_CALL;
	h->size = sizeof(*h) + tail_bytes;
	h->pid = seq;
	memset(h + 1, seq, tail_bytes);
	order__push(o, h);
}

START_TEST(random_order_is_sorted_like_qsort)
{
	static struct sample want[EVENTS];
	struct order *o = order__new();

	srand(7);
	memset(&seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < EVENTS; i++) {
		want[i] = (struct sample){ rand() % 5000, i }; /* many equal times */
		push(o, want[i].ts_ns, i, rand() % 200);
	}
	ck_assert_uint_eq(order__pending(o), EVENTS);
	ck_assert_uint_eq(order__release(o, UINT64_MAX, SIZE_MAX, record, &seen), EVENTS);
	qsort(want, EVENTS, sizeof(want[0]), by_time_then_seq);
	for (size_t i = 0; i < EVENTS; i++) {
		ck_assert_uint_eq(seen.v[i].ts_ns, want[i].ts_ns);
		ck_assert_uint_eq(seen.v[i].seq, want[i].seq);
	}
	ck_assert_uint_eq(order__pending(o), 0);
	order__free(o);
}
END_TEST

START_TEST(watermark_holds_back)
{
	struct order *o = order__new();

	memset(&seen, 0, sizeof(seen));
	push(o, 30, 3, 0);
	push(o, 10, 1, 0);
	push(o, 20, 2, 0);
	ck_assert_uint_eq(order__release(o, 9, SIZE_MAX, record, &seen), 0);
	ck_assert_uint_eq(order__release(o, 20, 1, record, &seen), 1);
	ck_assert_uint_eq(order__release(o, 20, SIZE_MAX, record, &seen), 1);
	ck_assert_uint_eq(order__release(o, 20, 1, record, &seen), 0);
	ck_assert_uint_eq(seen.v[0].seq, 1);
	ck_assert_uint_eq(seen.v[1].seq, 2);
	ck_assert_uint_eq(order__pending(o), 1);
	push(o, 25, 4, 0);
	ck_assert_uint_eq(order__release(o, UINT64_MAX, SIZE_MAX, record, &seen), 2);
	ck_assert_uint_eq(seen.v[2].seq, 4);
	ck_assert_uint_eq(seen.v[3].seq, 3);
	order__free(o);
}
END_TEST

/* As it runs: several CPUs, each in order, a watermark that follows; all sizes a record can have. */
START_TEST(rounds_of_push_and_release)
{
	struct order *o = order__new();
	uint64_t cpu_ts[4] = { 0 };
	uint32_t seq = 0;

	srand(11);
	memset(&seen, 0, sizeof(seen));
	while (seq < EVENTS) {
		uint64_t low = UINT64_MAX;

		for (int i = 0; i < 100 && seq < EVENTS; i++) {
			int cpu = rand() % 4;
			size_t tail_bytes = rand() % 100;

			if (rand() % 64 == 0)
				tail_bytes = UINT16_MAX - sizeof(struct ipct_hdr);
			cpu_ts[cpu] += rand() % 50;
			push(o, cpu_ts[cpu], seq++, tail_bytes);
		}
		for (int cpu = 0; cpu < 4; cpu++)
			low = cpu_ts[cpu] < low ? cpu_ts[cpu] : low;
		order__release(o, low - 1, SIZE_MAX, record, &seen);
	}
	order__release(o, UINT64_MAX, SIZE_MAX, record, &seen);
	ck_assert_uint_eq(seen.cnt, EVENTS);
	for (size_t i = 1; i < EVENTS; i++)
		ck_assert_int_lt(by_time_then_seq(&seen.v[i - 1], &seen.v[i]), 0);
	order__free(o);
}
END_TEST

struct nested {
	struct order *o;
	int left;
	uint64_t last_ns;
};

static void push_more(void *ctx, const struct ipct_hdr *ev)
{
	struct nested *n = ctx;

	ck_assert_uint_ge(ev->ts_ns, n->last_ns);
	n->last_ns = ev->ts_ns;
	if (n->left-- > 0)
		push(n->o, ev->ts_ns + 1, 0, 0);
}

START_TEST(callback_may_push)
{
	struct nested n = { .o = order__new(), .left = 1000 };

	push(n.o, 1, 0, 0);
	ck_assert_uint_eq(order__release(n.o, UINT64_MAX, SIZE_MAX, push_more, &n), 1001);
	ck_assert_uint_eq(n.last_ns, 1001);
	order__free(n.o);
}
END_TEST

/* What a burst took is given back when no such burst came for a while, also where the rest goes on. */
START_TEST(memory_follows_need)
{
	struct order *o = order__new();
	size_t few, many;

	memset(&seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < 10; i++)
		push(o, i, i, 100);
	few = order__held_bytes(o);
	for (uint32_t i = 10; i < EVENTS - 1000; i++)
		push(o, i, i, 1000);
	many = order__held_bytes(o);
	ck_assert_uint_gt(many, 10 * few);
	order__release(o, EVENTS, SIZE_MAX, record, &seen);
	for (uint32_t i = EVENTS - 1000; i < EVENTS; i++) {
		push(o, i, i, 100);
		order__release(o, i - 1, SIZE_MAX, record, &seen);
		ck_assert_uint_eq(order__pending(o), 1);
	}
	ck_assert_uint_le(order__held_bytes(o), 2 * few);
	order__release(o, EVENTS, SIZE_MAX, record, &seen);
	ck_assert_uint_eq(seen.cnt, EVENTS);
	order__free(o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("event/order");
	TCase *t = tcase_create("order");
	SRunner *r;
	int run, failed;

	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, random_order_is_sorted_like_qsort);
	tcase_add_test(t, watermark_holds_back);
	tcase_add_test(t, rounds_of_push_and_release);
	tcase_add_test(t, callback_may_push);
	tcase_add_test(t, memory_follows_need);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	run = srunner_ntests_run(r);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
