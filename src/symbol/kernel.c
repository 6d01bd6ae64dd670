/* SPDX-License-Identifier: GPL-2.0 */
#include "symbol/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"

struct symbol {
	uint64_t addr;
	const char *name;
};

struct kernel_symbols {
	VEC(struct symbol) all; /* by address */
	struct strtab names;
};

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* "ffffffff81000000 T name\t[module]" */
static void take_line(struct kernel_symbols *k, char *line)
{
	char *at;
	struct symbol s = { .addr = strtoull(line, &at, 16) };

	if (!s.addr || strlen(at) < 4 || !strchr("tTwW", at[1]))
		return;
	s.name = strtab__intern(&k->names, at + 3, strcspn(at + 3, "\t\n"));
	vec__push(&k->all, s);
}

struct kernel_symbols *kernel_symbols__load(void)
{
	struct kernel_symbols *k = xalloc(sizeof(*k));
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[1024];

	while (f && fgets(line, sizeof(line), f))
		take_line(k, line);
	if (f)
		fclose(f);
	if (!k->all.cnt) {
		kernel_symbols__free(k);
		return NULL;
	}
	qsort(k->all.v, k->all.cnt, sizeof(k->all.v[0]), by_address);
	return k;
}

const char *kernel_symbols__at(const struct kernel_symbols *k, uint64_t addr)
{
	size_t lo = 0, hi = k->all.cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->all.v[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* Behind the last one is no function that anybody knows. */
	return lo && lo < k->all.cnt ? k->all.v[lo - 1].name : NULL;
}

void kernel_symbols__free(struct kernel_symbols *k)
{
	if (!k)
		return;
	vec__free(&k->all);
	strtab__free(&k->names);
	free(k);
}
