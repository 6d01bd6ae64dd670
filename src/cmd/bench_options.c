/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/bench_options.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stage.h"

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* dst: struct bench_sizes; sorted, each once. */
static int parse_sizes(const char *arg, void *dst)
{
	struct bench_sizes *s = dst;
	size_t kept = 0;

	for (s->cnt = 0; arg; s->cnt++) {
		const char *comma = strchr(arg, ',');
		size_t len = comma ? (size_t)(comma - arg) : strlen(arg);
		char word[24] = "";
		uint64_t v;

		if (len >= sizeof(word) || s->cnt == BENCH_SIZES_MAX)
			return -EINVAL;
		memcpy(word, arg, len);
		if (opt_parse__bytes(word, &v) || v == 0 || v > BENCH_BYTES_MAX)
			return -EINVAL;
		s->v[s->cnt] = v;
		arg = comma ? comma + 1 : NULL;
	}
	qsort(s->v, s->cnt, sizeof(s->v[0]), compare_u64);
	for (size_t i = 0; i < s->cnt; i++)
		if (!kept || s->v[i] != s->v[kept - 1])
			s->v[kept++] = s->v[i];
	s->cnt = kept;
	return 0;
}

static int parse_time(const char *arg, void *dst)
{
	uint64_t ns;
	int rc = opt_parse__duration(arg, &ns);

	if (rc || ns < NS_PER_MS || ns > 3600 * NS_PER_S)
		return -EINVAL;
	*(uint64_t *)dst = ns;
	return 0;
}

static int parse_rounds(const char *arg, void *dst)
{
	uint32_t rounds;

	if (opt_parse__u32(arg, &rounds) || !rounds || rounds > SERIES_MAX)
		return -EINVAL;
	*(uint32_t *)dst = rounds;
	return 0;
}

static int parse_pin(const char *arg, void *dst)
{
	*(struct bench_pin *)dst = (struct bench_pin){ true, arg ? arg : "" };
	return 0;
}

#define AT(member) offsetof(struct bench_options, member)

/* clang-format off */
const struct opt bench_options_table[] = {
	{ 0, "sizes", "N[,N...]", "bytes of a message (1,16,256,1k,4k,16k,64k,256k,1M), at most 16M",
	  parse_sizes, AT(sizes), ~0u },
	{ 0, "seconds", "T", "how long each measurement takes (30ms); at least 1ms", parse_time, AT(time_ns), ~0u },
	{ 0, "rounds", "N", "how often each is done; the medians count (5)", parse_rounds, AT(rounds), ~0u },
	{ 0, "quick", NULL, "fewer sizes, for a shorter time: under ten seconds in all", opt_parse__flag, AT(quick), ~0u },
	{ 0, "pin", "[=A,B]", "keep the two processes on these CPUs (the first two)", parse_pin, AT(pin), ~0u },
	{ 'o', "output", "FILE", "write there (-: standard output)", opt_parse__str, AT(output), ~0u },
	{ 'F', "format", "NAME", "text, json or svg", opt_parse__str, AT(format), ~0u },
	{ 0, "json", NULL, "the same as --format json", opt_parse__flag, AT(json), ~0u },
	{ 0, "list", NULL, "list the mechanisms, and how each is measured", opt_parse__flag, AT(list), ~0u },
	{ 'h', "help", NULL, "show this", opt_parse__flag, AT(help), ~0u },
};
/* clang-format on */
#define TABLE_CNT (sizeof(bench_options_table) / sizeof(bench_options_table[0]))

const size_t bench_options_cnt = TABLE_CNT;

static bool in_group(const struct duct_kind *kind, const char *word)
{
	const char *groups = kind->groups;
	size_t len = strlen(word);

	while (len && (groups = strstr(groups, word))) {
		if (groups[len] == 0 || groups[len] == ' ')
			return true;
		groups += len;
	}
	return false;
}

/* By name or group; all names in the table's order, each once. 0, or -EINVAL with a sentence. */
static int choose(const char *const *words, size_t cnt, struct bench_opts *bo, struct buf *err)
{
	size_t kinds;
	const struct duct_kind *const *all = duct_kind__all(&kinds);
	bool chosen[BENCH_KINDS_MAX] = { false };

	for (size_t w = 0; w < cnt; w++) {
		bool found = false;

		for (size_t i = 0; i < kinds; i++) {
			if (strcmp(words[w], "all") && strcmp(words[w], all[i]->name) &&
			    !in_group(all[i], words[w]))
				continue;
			chosen[i] = found = true;
		}
		if (!found) {
			buf__printf(err, "no mechanism '%s' to measure; ipctrace bench --list shows them",
				    words[w]);
			return -EINVAL;
		}
	}
	for (size_t i = 0; i < kinds; i++)
		if (chosen[i] || !cnt)
			bo->kinds[bo->kind_cnt++] = all[i];
	return 0;
}

static int set_pin(const struct bench_pin *pin, struct speed_opts *so, struct buf *err)
{
	cpu_set_t usable;
	int cnt = 0;
	char end;

	if (!pin->on)
		return 0;
	so->pin = true;
	if (*pin->cpus && sscanf(pin->cpus, "%d,%d%c", &so->cpu[0], &so->cpu[1], &end) != 2) {
		buf__printf(err, "--pin wants two numbers of CPUs such as 0,1, not '%s'", pin->cpus);
		return -EINVAL;
	}
	if (sched_getaffinity(0, sizeof(usable), &usable))
		return -errno;
	for (int cpu = 0; !*pin->cpus && cpu < CPU_SETSIZE && cnt < 2; cpu++)
		if (CPU_ISSET(cpu, &usable))
			so->cpu[cnt++] = cpu;
	if (cnt == 1)
		so->cpu[1] = so->cpu[0];
	for (int i = 0; i < 2; i++) {
		if (so->cpu[i] >= 0 && so->cpu[i] < CPU_SETSIZE && CPU_ISSET(so->cpu[i], &usable))
			continue;
		buf__printf(err, "--pin: there is no CPU %d here that ipctrace may use", so->cpu[i]);
		return -EINVAL;
	}
	return 0;
}

static const struct plan {
	struct bench_sizes sizes;
	uint64_t time_ns, budget_ns;
	unsigned int rounds;
} plans[2] = {
	{ { { 1, 16, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20 }, 9 },
	  30 * NS_PER_MS,
	  54 * NS_PER_S,
	  5 },
	{ { { 1, 4 << 10, 64 << 10, 1 << 20 }, 4 }, 8 * NS_PER_MS, 8500 * NS_PER_MS, 3 },
};

int bench_options__make(const struct bench_options *o, const char *const *words, size_t cnt,
			struct bench_opts *bo, struct buf *err)
{
	const struct plan *plan = &plans[o->quick];
	const struct bench_sizes *sizes = o->sizes.cnt ? &o->sizes : &plan->sizes;
	bool own = o->sizes.cnt || o->time_ns || o->rounds;

	*bo = (struct bench_opts){ .rounds = o->rounds ? o->rounds : plan->rounds, .size_cnt = sizes->cnt };
	memcpy(bo->sizes, sizes->v, sizeof(bo->sizes));
	bo->speed.time_ns = o->time_ns ? o->time_ns : plan->time_ns;
	bo->budget_ns = own ? 0 : plan->budget_ns; /* who asks for more gets more */
	if (choose(words, cnt, bo, err))
		return -EINVAL;
	return set_pin(&o->pin, &bo->speed, err);
}

int bench_options__parse(int argc, char **argv, struct bench_options *o, const char **words, struct buf *err)
{
	int cnt = 0;

	for (int at = 0; at + 1 < argc;) {
		int n = 1;

		if (argv[at + 1][0] == '-')
			n = opts__parse(bench_options_table, TABLE_CNT, ~0u, argc - at, argv + at, o, err);
		if (n < 0)
			return n;
		at += n;
		if (at < argc)
			words[cnt++] = argv[at];
	}
	return cnt;
}
