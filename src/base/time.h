/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time since boot (CLOCK_BOOTTIME, the clock of every event), its distance to the
 * wall clock, and how times, sizes and counts are written for people.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

#include "base/buf.h"

uint64_t time__boot_ns(void); /* CLOCK_BOOTTIME now */
uint64_t time__mono_ns(void); /* CLOCK_MONOTONIC now */
uint64_t time__cpu_ns(void); /* what this process has used so far */
/* CLOCK_BOOTTIME - CLOCK_MONOTONIC: how long the machine slept; never less than it is, and tens of ns more at most. */
uint64_t time__mono_to_boot_ns(void);
int64_t time__boot_to_wall_ns(void); /* add to a boot time to get CLOCK_REALTIME, as the clocks stand now */

/* Three digits and a unit: 0ns, 999ns, 12.0us, 1.20ms, 59.9s; then 2m03s, 1h02m, 3d04h. */
void time__put_duration(struct buf *out, uint64_t ns);
/* Local time of day, HH:MM:SS.ffffff, of nanoseconds since the epoch. */
void time__put_wall(struct buf *out, int64_t wall_ns);
/* Powers of 1,024: 0, 1023, 1.2K, 12K, 3.4M, ... */
void time__put_bytes(struct buf *out, uint64_t bytes);
/* Powers of 1,000: 0, 999, 1.2k, 12k, 3.4M, ... */
void time__put_count(struct buf *out, uint64_t cnt);

#endif
