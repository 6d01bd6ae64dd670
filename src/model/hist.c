/* SPDX-License-Identifier: GPL-2.0 */
#include "model/hist.h"

#include <stdlib.h>

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

void hist__add(struct hist *h, uint64_t v)
{
	uint32_t *bucket;

	if (!h->bucket)
		h->bucket = xalloc(HIST_BUCKETS * sizeof(*h->bucket));
	bucket = &h->bucket[bucket_of(v)];
	if (*bucket != UINT32_MAX)
		(*bucket)++;
	if (!h->cnt || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->cnt++;
	h->sum += v;
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
	unsigned int i;

	if (!h->cnt)
		return 0;
	rank = rank_of(p, h->cnt);
	if (rank >= h->cnt)
		return h->max;
	if (rank == 1)
		return h->min;
	for (i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			break;
	}
	if (i == HIST_BUCKETS)
		return h->max;
	v = bucket_value(i);
	if (v < h->min)
		return h->min;
	return v > h->max ? h->max : v;
}

void hist__octaves(const struct hist *h, uint64_t cnt[64])
{
	for (unsigned int i = 0; i < 64; i++)
		cnt[i] = 0;
	for (unsigned int i = 0; h->bucket && i < HIST_BUCKETS; i++) {
		uint64_t v = bucket_value(i);

		cnt[v ? 63 - (unsigned int)__builtin_clzll(v) : 0] += h->bucket[i];
	}
}

void hist__merge(struct hist *to, const struct hist *from)
{
	unsigned int i;

	if (!from->cnt)
		return;
	if (!to->bucket)
		to->bucket = xalloc(HIST_BUCKETS * sizeof(*to->bucket));
	for (i = 0; i < HIST_BUCKETS; i++) {
		uint64_t sum = (uint64_t)to->bucket[i] + from->bucket[i];

		to->bucket[i] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
	}
	if (!to->cnt || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->cnt += from->cnt;
	to->sum += from->sum;
}

void hist__free(struct hist *h)
{
	free(h->bucket);
	*h = (struct hist){ 0 };
}
