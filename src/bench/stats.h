/* SPDX-License-Identifier: GPL-2.0 */
/* What many measurements come to. Pure. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdint.h>

#define SAMPLES_MAX 8192

/*
 * A bounded record of an unbounded series: when it is full, every second sample goes, and from then on only
 * every second one is taken. So the kept ones lie evenly over the whole time. Zeroed memory is empty.
 */
struct samples {
	uint64_t seen; /* how many were added */
	uint32_t cnt; /* how many are kept */
	uint32_t thinned; /* log2 of the distance between kept ones */
	uint64_t v[SAMPLES_MAX];
};

void samples__add(struct samples *s, uint64_t v);
/* The smallest kept sample that is not below the share q (0..1) of all; sorts them. 0 when there are none. */
uint64_t samples__quantile(struct samples *s, double q);

#define SERIES_MAX 32

/* One result of each round. */
struct series {
	unsigned int cnt;
	double v[SERIES_MAX];
};

void series__add(struct series *s, double v); /* more than SERIES_MAX are left out */
/* The middle one, or the mean of the two in the middle; 0 when empty. */
double series__median(const struct series *s);
double series__min(const struct series *s);
double series__max(const struct series *s);
/* How far apart the rounds lie: (max - min) / median; 0 when there is nothing to compare. */
double series__spread(const struct series *s);

#endif
