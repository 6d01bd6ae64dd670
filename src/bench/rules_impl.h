/* SPDX-License-Identifier: GPL-2.0 */
/* The rules: those of speed in rules.c, those of properties in rules_of_properties.c, their table in rules_table.c. */
#ifndef BENCH_RULES_IMPL_H
#define BENCH_RULES_IMPL_H

#include "bench/rules.h"

enum verdict rule__memory_fastest(const struct bench *b, struct buf *evidence);
enum verdict rule__waking_dominates(const struct bench *b, struct buf *evidence);
enum verdict rule__cost_by_number(const struct bench *b, struct buf *evidence);
enum verdict rule__unix_before_tcp(const struct bench *b, struct buf *evidence);
enum verdict rule__unix_over_tcp(const struct bench *b, struct buf *evidence);
enum verdict rule__pipe_over_unix(const struct bench *b, struct buf *evidence);
enum verdict rule__one_copy(const struct bench *b, struct buf *evidence);
enum verdict rule__signal_slowest(const struct bench *b, struct buf *evidence);
enum verdict rule__posix_sem_first(const struct bench *b, struct buf *evidence);

enum verdict rule__udp_loses(const struct bench *b, struct buf *evidence);
enum verdict rule__unix_dgram_loses(const struct bench *b, struct buf *evidence);
enum verdict rule__memory_overwrites(const struct bench *b, struct buf *evidence);
enum verdict rule__queues_limited(const struct bench *b, struct buf *evidence);
enum verdict rule__only_mq_priorities(const struct bench *b, struct buf *evidence);
enum verdict rule__boundaries(const struct bench *b, struct buf *evidence);
enum verdict rule__pipe_holds_64k(const struct bench *b, struct buf *evidence);
enum verdict rule__signals_merge(const struct bench *b, struct buf *evidence);
enum verdict rule__queues_are_opened(const struct bench *b, struct buf *evidence);

#endif
