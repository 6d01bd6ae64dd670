/* SPDX-License-Identifier: GPL-2.0 */
/* What is said of the mechanisms, held against what was measured. Pure. */
#ifndef BENCH_RULES_H
#define BENCH_RULES_H

#include "bench/bench.h"

enum verdict {
	VERDICT_NONE, /* what it speaks of was not measured */
	VERDICT_HOLDS,
	VERDICT_FAILS,
	VERDICT_CLOSE, /* the rounds contradict each other */
};

size_t rule__cnt(void);
const char *rule__sentence(size_t i);
/* Appends the numbers it rests on. */
enum verdict rule__check(size_t i, const struct bench *b, struct buf *evidence);
const char *verdict__words(enum verdict v); /* "holds here" */

/* Are the numbers of a larger than those of b? By the share of pairs in which they are. */
enum verdict rule__compare(const struct series *a, const struct series *b);

#endif
