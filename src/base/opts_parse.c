/* SPDX-License-Identifier: GPL-2.0 */
/* -EINVAL: not of this form; -ERANGE: of this form, but too large. */
#include "base/opts_parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/opts.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit no_units[] = { { "", 1 }, { NULL } };
static const struct unit byte_units[] = {
	{ "", 1 },	     { "k", 1ull << 10 }, { "m", 1ull << 20 },
	{ "g", 1ull << 30 }, { "t", 1ull << 40 }, { NULL },
};
static const struct unit time_units[] = {
	{ "", 1000000000 },  { "ns", 1 },	   { "us", 1000 },	   { "ms", 1000000 },
	{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 }, { NULL },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct unit *unit__find(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (!strcasecmp(units->name, name))
			return units;
	return NULL;
}

/* NUMBER[.FRACTION][UNIT]; a fraction only where there are units. */
static int parse_scaled(const char *arg, const struct unit *units, uint64_t max, uint64_t *v)
{
	unsigned __int128 whole = 0, fraction = 0, total;
	uint64_t fraction_unit = 1;
	bool too_large = false;

	if (!arg || !is_digit(*arg))
		return -EINVAL;
	for (; is_digit(*arg); arg++) {
		whole = whole * 10 + (unsigned int)(*arg - '0');
		too_large |= whole > UINT64_MAX;
		if (too_large)
			whole = 0;
	}
	if (*arg == '.' && units != no_units && is_digit(arg[1])) {
		for (arg++; is_digit(*arg); arg++) {
			if (fraction_unit > UINT64_MAX / 10)
				continue; /* digits that no unit can tell */
			fraction = fraction * 10 + (unsigned int)(*arg - '0');
			fraction_unit *= 10;
		}
	}
	units = unit__find(units, arg);
	if (!units)
		return -EINVAL;
	total = whole * units->factor + fraction * units->factor / fraction_unit;
	if (too_large || total > max)
		return -ERANGE;
	*v = (uint64_t)total;
	return 0;
}

int opt_parse__flag(const char *arg, void *dst)
{
	if (arg)
		return -EINVAL;
	*(bool *)dst = true;
	return 0;
}

int opt_parse__u32(const char *arg, void *dst)
{
	uint64_t v;
	int rc = parse_scaled(arg, no_units, UINT32_MAX, &v);

	if (!rc)
		*(uint32_t *)dst = (uint32_t)v;
	return rc;
}

int opt_parse__u64(const char *arg, void *dst)
{
	return parse_scaled(arg, no_units, UINT64_MAX, dst);
}

int opt_parse__bytes(const char *arg, void *dst)
{
	return parse_scaled(arg, byte_units, UINT64_MAX, dst);
}

int opt_parse__duration(const char *arg, void *dst)
{
	return parse_scaled(arg, time_units, UINT64_MAX, dst);
}

int opt_parse__str(const char *arg, void *dst)
{
	*(const char **)dst = arg ? arg : "";
	return 0;
}

const char *opt_parse__wants(int (*parse)(const char *arg, void *dst))
{
	static const struct {
		int (*parse)(const char *arg, void *dst);
		const char *wants;
	} rows[] = {
		{ opt_parse__flag, "no argument" },
		{ opt_parse__u32, "a whole number" },
		{ opt_parse__u64, "a whole number" },
		{ opt_parse__bytes, "a size such as 64, 4k or 1M" },
		{ opt_parse__duration, "a time such as 5, 1.5, 10ms or 3us" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].parse == parse)
			return rows[i].wants;
	return NULL;
}
