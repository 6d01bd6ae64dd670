/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void samples__add(struct samples *s, uint64_t v)
{
	uint64_t nr = s->seen++;

	if (nr & ((1ull << s->thinned) - 1))
		return;
	if (s->cnt == SAMPLES_MAX) {
		for (uint32_t i = 0; i < SAMPLES_MAX / 2; i++)
			s->v[i] = s->v[2 * i];
		s->cnt /= 2;
		s->thinned++;
		if (nr & ((1ull << s->thinned) - 1))
			return;
	}
	s->v[s->cnt++] = v;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t samples__quantile(struct samples *s, double q)
{
	double rank = ceil(q * s->cnt);

	if (!s->cnt)
		return 0;
	qsort(s->v, s->cnt, sizeof(s->v[0]), compare_u64);
	if (rank < 1)
		rank = 1;
	if (rank > s->cnt)
		rank = s->cnt;
	return s->v[(uint32_t)rank - 1];
}

void series__add(struct series *s, double v)
{
	if (s->cnt < SERIES_MAX)
		s->v[s->cnt++] = v;
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double series__median(const struct series *s)
{
	double v[SERIES_MAX];

	if (!s->cnt)
		return 0;
	memcpy(v, s->v, s->cnt * sizeof(v[0]));
	qsort(v, s->cnt, sizeof(v[0]), compare_double);
	return s->cnt % 2 ? v[s->cnt / 2] : (v[s->cnt / 2 - 1] + v[s->cnt / 2]) / 2;
}

double series__min(const struct series *s)
{
	double least = s->cnt ? s->v[0] : 0;

	for (unsigned int i = 1; i < s->cnt; i++)
		least = s->v[i] < least ? s->v[i] : least;
	return least;
}

double series__max(const struct series *s)
{
	double most = s->cnt ? s->v[0] : 0;

	for (unsigned int i = 1; i < s->cnt; i++)
		most = s->v[i] > most ? s->v[i] : most;
	return most;
}

double series__spread(const struct series *s)
{
	double median = series__median(s);

	return median > 0 ? (series__max(s) - series__min(s)) / median : 0;
}
