/* SPDX-License-Identifier: GPL-2.0 */
#include <stdlib.h>
#include <string.h>

#include "store/pack.h"
#include "suite.h"

#define EVENTS 3000

static uint8_t packed[EVENTS * 512 + UINT16_MAX + PACK_EVENT_BYTES_MAX];
static _Alignas(8) uint8_t made[UINT16_MAX + 1], scratch[UINT16_MAX + 1];

/* An event such as traces have: few threads, times that grow, most of the rest as it was. */
static const struct ipct_hdr *make_event(unsigned int n, size_t size)
{
	struct ipct_hdr *h = (struct ipct_hdr *)made;

	srand(n);
	memset(made, 0, size);
	for (size_t i = sizeof(*h); i < size; i++)
		made[i] = (uint8_t)(rand() % 5 ? (int)i : rand());
	h->ts_ns = n * 1000ull + rand() % 2000;
	h->kind = rand() % 21;
	h->size = size;
	h->op = rand() % 21;
	h->cpu = rand() % 2;
	h->pid = h->tid = 100 + rand() % 70;
	return h;
}

static size_t size_of(unsigned int n)
{
	static const size_t sizes[] = { 24, 80, 80, 136, 96, 25, 31, 32, 255, 256, 257, 263, 264, 500 };

	return sizes[n % (sizeof(sizes) / sizeof(sizes[0]))];
}

static size_t pack_all(void)
{
	struct pack p;
	size_t len = 0;

	pack__begin(&p);
	for (unsigned int n = 0; n < EVENTS; n++) {
		len += pack__event(&p, make_event(n, size_of(n)), packed + len);
		if (n % 100 == 0)
			len += pack__round(&p, n * 7919ull << n % 40, packed + len);
	}
	return len;
}

START_TEST(comes_back_as_it_was)
{
	size_t len = pack_all(), at = 0;
	struct unpacked got;
	struct pack p;

	pack__begin(&p);
	for (unsigned int n = 0; n < EVENTS; n++) {
		int bytes = unpack__next(&p, packed + at, len - at, scratch, &got);

		EXPECT(bytes > 0 && got.ev && got.ev->size == size_of(n));
		EXPECT(!memcmp(got.ev, make_event(n, size_of(n)), size_of(n)));
		at += (size_t)bytes;
		if (n % 100)
			continue;
		bytes = unpack__next(&p, packed + at, len - at, scratch, &got);
		ck_assert_uint_eq(got.watermark_ns, n * 7919ull << n % 40);
		EXPECT(bytes > 0 && !got.ev);
		at += (size_t)bytes;
	}
	ck_assert_uint_eq(at, len);
}
END_TEST

START_TEST(largest_event)
{
	const struct ipct_hdr *ev = make_event(1, UINT16_MAX);
	struct unpacked got;
	struct pack p;
	size_t len;

	pack__begin(&p);
	len = pack__event(&p, ev, packed);
	ck_assert_uint_le(len, PACK_EVENT_BYTES_MAX);
	pack__begin(&p);
	ck_assert_int_eq(unpack__next(&p, packed, len, scratch, &got), (int)len);
	ck_assert_mem_eq(got.ev, ev, UINT16_MAX);
}
END_TEST

START_TEST(like_events_become_small)
{
	struct ipct_pipe_io io = {
		.h = { .kind = IPCT_KIND_PIPE_IO, .size = sizeof(io), .pid = 77, .tid = 77 },
		.key = 12345,
		.ret = 64
	};
	struct pack p;
	size_t len = 0;

	pack__begin(&p);
	for (unsigned int n = 0; n < 100; n++) {
		io.h.ts_ns += 900 + n % 7;
		io.enter_ns = io.h.ts_ns - 300 - n % 11;
		io.s_addr = io.e_addr;
		io.e_addr += 64;
		len += pack__event(&p, &io.h, packed + len);
	}
	ck_assert_uint_lt(len, 100 * 16);
}
END_TEST

/* Every cut is noticed or lies between two events; nothing is read behind it (the sanitizer looks). */
START_TEST(torn_anywhere)
{
	struct unpacked got;
	struct pack p;
	size_t len;

	pack__begin(&p);
	len = pack__event(&p, make_event(3, 300), packed);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + !cut);

		memcpy(part, packed, cut);
		pack__begin(&p);
		EXPECT(unpack__next(&p, part, cut, scratch, &got) < 0);
		free(part);
	}
}
END_TEST

START_TEST(any_bytes_are_harmless)
{
	struct unpacked got;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t len = 1 + rand() % 60, at = 0;
		uint8_t *bytes = malloc(len);
		struct pack p;
		int n;

		for (size_t i = 0; i < len; i++)
			bytes[i] = rand() % 3 ? rand() % 64 : rand();
		pack__begin(&p);
		while (at < len && (n = unpack__next(&p, bytes + at, len - at, scratch, &got)) > 0)
			at += (size_t)n;
		EXPECT(at <= len);
		free(bytes);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { comes_back_as_it_was, largest_event, like_events_become_small,
				       torn_anywhere, any_bytes_are_harmless };

	return SUITE_RUN("store/pack", tests);
}
