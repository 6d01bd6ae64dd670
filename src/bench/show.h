/* SPDX-License-Identifier: GPL-2.0 */
/* Words that all outputs share. */
#ifndef BENCH_SHOW_H
#define BENCH_SHOW_H

#include "bench/bench.h"

const char *show__answer(enum answer a); /* "yes"; NULL: open */
const char *show__priority(const struct properties *p); /* NULL: open */
const char *show__records(const struct properties *p); /* NULL: open */
const char *show__short_read(const struct properties *p); /* what happens to the rest; NULL: open */
const char *show__errno(int err); /* "EAGAIN" */
void show__size(struct buf *out, uint64_t bytes); /* 1, 16, 4K, 1M */
void show__conditions(struct buf *out, const struct bench *b); /* "3 rounds of 50.0ms, not pinned" */

#endif
