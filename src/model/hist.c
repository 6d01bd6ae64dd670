/* SPDX-License-Identifier: GPL-2.0 */
#include "model/hist.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define SUB_CNT (1u << HIST_SUB_BITS)

static unsigned int bucket_of(uint64_t v)
{
	unsigned int shift;

	if (v < SUB_CNT)
		return (unsigned int)v;
	shift = 63 - (unsigned int)__builtin_clzll(v) - HIST_SUB_BITS;
	return ((shift + 1) << HIST_SUB_BITS) + (unsigned int)((v >> shift) & (SUB_CNT - 1));
}

/* The value with the least relative distance to both ends of the bucket: their harmonic mean. */
static uint64_t bucket_value(unsigned int bucket)
{
	unsigned int shift;
	uint64_t low, width;

	if (bucket < SUB_CNT)
		return bucket;
	shift = (bucket >> HIST_SUB_BITS) - 1;
	low = (uint64_t)(SUB_CNT + (bucket & (SUB_CNT - 1))) << shift;
	width = (1ull << shift) - 1;
	return low + (uint64_t)((unsigned __int128)low * width / ((unsigned __int128)low + low + width));
}

#define GROW_BUCKETS 8u /* at a time: a power of two */

static void cover(struct hist *h, unsigned int from, unsigned int until)
{
	uint32_t *grown;

	if (h->bucket_cnt) {
		from = from < h->first ? from : h->first;
		until = until > h->first + h->bucket_cnt ? until : h->first + h->bucket_cnt;
	}
	from &= ~(GROW_BUCKETS - 1);
	until = (until + GROW_BUCKETS - 1) & ~(GROW_BUCKETS - 1);
	if (h->bucket_cnt == until - from)
		return;
	grown = xalloc((until - from) * sizeof(*grown));
	if (h->bucket_cnt)
		memcpy(grown + (h->first - from), h->bucket, h->bucket_cnt * sizeof(*grown));
	free(h->bucket);
	h->bucket = grown;
	h->first = (uint16_t)from;
	h->bucket_cnt = (uint16_t)(until - from);
}

static void count(struct hist *h, unsigned int nr, uint32_t by)
{
	uint32_t *bucket;

	cover(h, nr, nr + 1);
	bucket = &h->bucket[nr - h->first];
	*bucket = by > UINT32_MAX - *bucket ? UINT32_MAX : *bucket + by;
}

void hist__add(struct hist *h, uint64_t v)
{
	if (h->recent_cnt == HIST_RECENT_MAX) {
		for (unsigned int i = 0; i < HIST_RECENT_MAX; i++)
			count(h, h->recent[i], 1);
		h->recent_cnt = 0;
	}
	h->recent[h->recent_cnt++] = (uint16_t)bucket_of(v);
	if (!h->cnt || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->cnt++;
	h->sum += v;
}

/* All values are in buckets from *from on, before *until. */
static void range(const struct hist *h, unsigned int *from, unsigned int *until)
{
	*from = h->bucket_cnt ? h->first : HIST_BUCKETS;
	*until = h->bucket_cnt ? h->first + h->bucket_cnt : 0;
	for (unsigned int i = 0; i < h->recent_cnt; i++) {
		if (h->recent[i] < *from)
			*from = h->recent[i];
		if (h->recent[i] >= *until)
			*until = h->recent[i] + 1u;
	}
}

static uint64_t count_of(const struct hist *h, unsigned int nr)
{
	uint64_t cnt = nr >= h->first && nr < h->first + h->bucket_cnt ? h->bucket[nr - h->first] : 0;

	for (unsigned int i = 0; i < h->recent_cnt; i++)
		cnt += h->recent[i] == nr;
	return cnt;
}

/* Nearest rank, 1-based. The factor keeps 99.9 * 1000 / 100 from becoming 999.0000000000001. */
static uint64_t rank_of(double p, uint64_t cnt)
{
	double exact = p * (double)cnt / 100.0 * (1 - 1e-12);
	uint64_t rank = (uint64_t)exact;

	if ((double)rank < exact)
		rank++;
	return rank ? rank : 1;
}

uint64_t hist__percentile(const struct hist *h, double p)
{
	uint64_t rank, seen = 0, v;
	unsigned int nr, until;

	if (!h->cnt)
		return 0;
	rank = rank_of(p, h->cnt);
	if (rank >= h->cnt)
		return h->max;
	if (rank == 1)
		return h->min;
	for (range(h, &nr, &until); nr < until; nr++) {
		seen += count_of(h, nr);
		if (seen >= rank)
			break;
	}
	if (nr >= until)
		return h->max;
	v = bucket_value(nr);
	if (v < h->min)
		return h->min;
	return v > h->max ? h->max : v;
}

void hist__octaves(const struct hist *h, uint64_t cnt[64])
{
	unsigned int nr, until;

	for (unsigned int i = 0; i < 64; i++)
		cnt[i] = 0;
	for (range(h, &nr, &until); nr < until; nr++) {
		uint64_t v = bucket_value(nr);

		cnt[v ? 63 - (unsigned int)__builtin_clzll(v) : 0] += count_of(h, nr);
	}
}

void hist__merge(struct hist *to, const struct hist *from)
{
	if (!from->cnt)
		return;
	if (from->bucket_cnt)
		cover(to, from->first, from->first + from->bucket_cnt);
	for (unsigned int i = 0; i < from->bucket_cnt; i++)
		count(to, from->first + i, from->bucket[i]);
	for (unsigned int i = 0; i < from->recent_cnt; i++)
		count(to, from->recent[i], 1);
	if (!to->cnt || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->cnt += from->cnt;
	to->sum += from->sum;
}

void hist__clear(struct hist *h)
{
	struct hist empty = { .bucket = h->bucket, .first = h->first, .bucket_cnt = h->bucket_cnt };

	if (h->bucket)
		memset(h->bucket, 0, h->bucket_cnt * sizeof(*h->bucket));
	*h = empty;
}

void hist__free(struct hist *h)
{
	free(h->bucket);
	*h = (struct hist){ 0 };
}
