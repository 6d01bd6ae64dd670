/* SPDX-License-Identifier: GPL-2.0 */
/* Logarithmic histogram with 8 sub-buckets per power of two: percentiles within 6 %, exact min, max and sum. */
#ifndef MODEL_HIST_H
#define MODEL_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS 3
#define HIST_BUCKETS ((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

#define HIST_RECENT_MAX 5

struct hist {
	uint64_t cnt, sum, min, max;
	/* Those from `first` on, as many as the values so far needed, without those of `recent`. */
	uint32_t *bucket;
	uint16_t first, bucket_cnt;
	/*
	 * In which buckets the last values are. They are counted there together: with thousands of histograms each bucket has to
	 * come from memory, and several do so at a time. Most flows are short, and never need any.
	 */
	uint16_t recent_cnt, recent[HIST_RECENT_MAX];
};

void hist__add(struct hist *h, uint64_t v);
uint64_t hist__percentile(const struct hist *h, double p); /* 0 < p <= 100; 0 when empty; never above max */
void hist__octaves(const struct hist *h, uint64_t cnt[64]); /* by floor(log2(v)); 0 counts with 1 */
void hist__merge(struct hist *to, const struct hist *from);
void hist__clear(struct hist *h); /* forgets the values and keeps the memory */
void hist__free(struct hist *h);

#endif
