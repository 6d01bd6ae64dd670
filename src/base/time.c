/* SPDX-License-Identifier: GPL-2.0 */
#include "base/time.h"

#include <inttypes.h>
#include <stddef.h>
#include <time.h>

#define NS_PER_S 1000000000u

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t time__boot_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_BOOTTIME);
}

uint64_t time__mono_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

uint64_t time__cpu_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t time__mono_to_boot_ns(void)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 20; i++) {
		int64_t mono = clock_ns(CLOCK_MONOTONIC);
		int64_t apart = clock_ns(CLOCK_BOOTTIME) - mono;

		if (apart < least)
			least = apart;
	}
	return (uint64_t)least;
}

/* The two clocks cannot be read at once: of a few readings, the one least disturbed in between counts. */
int64_t time__boot_to_wall_ns(void)
{
	int64_t best_gap = INT64_MAX, offset = 0;

	for (int i = 0; i < 5; i++) {
		int64_t before = clock_ns(CLOCK_BOOTTIME);
		int64_t wall = clock_ns(CLOCK_REALTIME);
		int64_t gap = clock_ns(CLOCK_BOOTTIME) - before;

		if (gap < best_gap) {
			best_gap = gap;
			offset = wall - (before + gap / 2);
		}
	}
	return offset;
}

static void put_long(struct buf *out, uint64_t s)
{
	static const struct {
		uint64_t big_s, small_s;
		char big, small;
	} units[] = {
		{ 86400, 3600, 'd', 'h' },
		{ 3600, 60, 'h', 'm' },
		{ 60, 1, 'm', 's' },
	};
	size_t i = s >= 86400 ? 0 : s >= 3600 ? 1 : 2;

	buf__printf(out, "%" PRIu64 "%c%02" PRIu64 "%c", s / units[i].big_s, units[i].big,
		    s % units[i].big_s / units[i].small_s, units[i].small);
}

void time__put_duration(struct buf *out, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = { { 1000, "us" }, { 1000000, "ms" }, { NS_PER_S, "s" } };

	if (ns < 1000) {
		buf__u64(out, ns);
		buf__puts(out, "ns");
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		for (int decimals = 2; decimals >= 0; decimals--) {
			uint64_t scale = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;
			uint64_t step = units[i].ns / scale;
			uint64_t v = ns / step + (ns % step >= step - step / 2); /* rounded */

			if (v >= 1000 || (i == 2 && v >= 60 * scale))
				continue;
			buf__u64(out, v / scale);
			if (decimals)
				buf__printf(out, ".%0*u", decimals, (unsigned int)(v % scale));
			buf__puts(out, units[i].name);
			return;
		}
	}
	put_long(out, ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2));
}

void time__put_wall(struct buf *out, int64_t wall_ns)
{
	int64_t ns = wall_ns % NS_PER_S;
	time_t s;
	struct tm tm;

	if (ns < 0)
		ns += NS_PER_S;
	s = (time_t)((wall_ns - ns) / NS_PER_S);
	if (!localtime_r(&s, &tm))
		tm = (struct tm){ 0 };
	buf__printf(out, "%02d:%02d:%02d.%06d", tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns / 1000));
}

static void put_scaled(struct buf *out, uint64_t v, unsigned int base, const char *units)
{
	uint64_t unit = base;

	if (v < base) {
		buf__u64(out, v);
		return;
	}
	for (;; units++, unit *= base) {
		uint64_t tenths = v / unit * 10 + (v % unit * 10 + unit / 2) / unit;
		uint64_t whole = v / unit + (v % unit >= unit - unit / 2);

		if (units[1] && whole >= base)
			continue;
		if (tenths < 100)
			buf__printf(out, "%u.%u%c", (unsigned int)(tenths / 10), (unsigned int)(tenths % 10),
				    *units);
		else
			buf__printf(out, "%" PRIu64 "%c", whole, *units);
		return;
	}
}

void time__put_bytes(struct buf *out, uint64_t bytes)
{
	put_scaled(out, bytes, 1024, "KMGTPE");
}

void time__put_count(struct buf *out, uint64_t cnt)
{
	put_scaled(out, cnt, 1000, "kMGTPE");
}
