/* SPDX-License-Identifier: GPL-2.0 */
/* What the user can say to `ipctrace bench`. */
#ifndef CMD_BENCH_OPTIONS_H
#define CMD_BENCH_OPTIONS_H

#include "base/opts.h"
#include "bench/bench.h"

struct bench_sizes {
	uint64_t v[BENCH_SIZES_MAX];
	size_t cnt;
};

struct bench_pin {
	bool on;
	const char *cpus; /* "" or "A,B" */
};

struct bench_options {
	struct bench_sizes sizes;
	uint64_t time_ns;
	uint32_t rounds;
	bool quick, list, help, json;
	struct bench_pin pin;
	const char *output, *format;
};

extern const struct opt bench_options_table[];
extern const size_t bench_options_cnt;

/*
 * Parses argv[1..]; mechanisms may stand before, among and behind the options. words: room for argc.
 * Returns how many words there are, or -EINVAL with a sentence in err.
 */
int bench_options__parse(int argc, char **argv, struct bench_options *o, const char **words, struct buf *err);
/* What to measure. 0, or -EINVAL with a sentence. */
int bench_options__make(const struct bench_options *o, const char *const *words, size_t cnt,
			struct bench_opts *bo, struct buf *err);

#endif
