/* SPDX-License-Identifier: GPL-2.0 */
/* The whole of `ipctrace bench`: what to measure, what came out, and how it is shown. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/buf.h"
#include "bench/probe.h"
#include "bench/speed.h"
#include "bench/stats.h"

#define BENCH_SIZES_MAX 24
#define BENCH_KINDS_MAX 32
#define BENCH_BYTES_MAX (16u << 20) /* of a message */

struct bench_opts {
	const struct duct_kind *kinds[BENCH_KINDS_MAX];
	size_t kind_cnt;
	uint64_t sizes[BENCH_SIZES_MAX]; /* ascending */
	size_t size_cnt;
	unsigned int rounds; /* 1 .. SERIES_MAX */
	struct speed_opts speed;
	uint64_t
		budget_ns; /* no measurement begins later; the first round may take twice that. 0: no limit */
	void (*progress)(size_t done, size_t all); /* NULL: none */
};

/* The results of all rounds for one mechanism and one size. */
struct point {
	uint64_t bytes;
	struct series p50_ns, p99_ns, bytes_per_s, messages_per_s, lost;
	uint64_t round_trips;
	int error; /* the last -errno of a measurement that failed; 0: none */
};

struct row {
	const struct duct_kind *kind;
	int error; /* -errno: there is no such mechanism here */
	struct properties props;
	struct point *points; /* of the sizes that it can carry; notices: one */
	size_t cnt;
};

/* The system's, as /proc/sys names them; 0: unknown. */
struct limits {
	uint64_t msgmax, msgmnb; /* kernel/ */
	uint64_t mq_msgsize_max, mq_msg_max; /* fs/mqueue/ */
};

struct bench {
	struct bench_opts o;
	struct row *rows;
	size_t cnt;
	unsigned int rounds; /* that were finished; of a further one, there may be a part */
	bool stopped; /* before the end, by the user */
	uint64_t took_ns;
	char kernel[80], machine[80], host[80];
	unsigned int cpus;
	struct limits limits;
};

/* Measures. Ends early after stage__ask_stop(). Nothing of it fails as a whole: see row.error and point.error. */
void bench__run(const struct bench_opts *o, struct bench *b);
void bench__free(struct bench *b);
const struct row *bench__row(const struct bench *b, const char *mech); /* NULL: not measured */
const struct point *row__point(const struct row *r, uint64_t bytes); /* NULL: not measured */

void bench__put_text(struct buf *out, const struct bench *b);
void bench__put_json(struct buf *out, const struct bench *b);
void bench__put_svg(struct buf *out, const struct bench *b); /* one image; neutral on light and dark */

#endif
