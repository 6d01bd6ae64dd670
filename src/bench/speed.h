/* SPDX-License-Identifier: GPL-2.0 */
/* One measurement: two new processes, one duct, one size, for a given time. */
#ifndef BENCH_SPEED_H
#define BENCH_SPEED_H

#include "bench/duct.h"

struct speed_opts {
	uint64_t time_ns; /* of the measurement itself; some warming up comes before */
	bool pin;
	int cpu[2]; /* of the two sides, if pin */
};

struct latency {
	double p50_ns, p99_ns; /* one way: half of a round trip */
	uint64_t round_trips; /* measured */
};

struct flood {
	double messages_per_s, bytes_per_s; /* what arrived; notices: units, and 0 bytes */
	double lost; /* share of what was sent that had not arrived; includes what was still under way */
};

/* 0, or -errno: -ETIMEDOUT nothing came through, -EINTR stop asked for, -EMSGSIZE and others from the mechanism. */
int speed__latency(const struct duct_kind *kind, size_t bytes, const struct speed_opts *o,
		   struct latency *out);
int speed__flood(const struct duct_kind *kind, size_t bytes, const struct speed_opts *o, struct flood *out);

#endif
