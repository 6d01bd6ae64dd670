/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options as data: one row is parsed, documented by --help, completed by
 * shells and held against the man page. Parsing stops at the first word that
 * is no option ("--" is taken).
 */
#ifndef BASE_OPTS_H
#define BASE_OPTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct opt {
	char short_name; /* 0: none */
	const char *name; /* long name, without the dashes */
	const char *arg; /* what --help calls its argument; NULL: takes none; "[=N]" form: optional */
	const char *help; /* one line */
	/* arg is NULL for a flag. dst points into the options struct. 0, or -EINVAL: not of this form. */
	int (*parse)(const char *arg, void *dst);
	size_t offset; /* of dst in the options struct */
	uint32_t commands; /* bit per command that takes it */
};

/*
 * Parses argv[1..]. Returns the index of the first word that is no option, or -EINVAL with one
 * sentence in err ("--count wants a whole number, not 'x'"). Long names may be abbreviated while unambiguous.
 */
int opts__parse(const struct opt *table, size_t cnt, uint32_t command, int argc, char **argv, void *options,
		struct buf *err);
void opts__help(const struct opt *table, size_t cnt, uint32_t command, struct buf *out);

/* Parsers for the common types; dst is of the type named. */
int opt_parse__flag(const char *arg, void *dst); /* bool */
int opt_parse__u32(const char *arg, void *dst); /* uint32_t, decimal */
int opt_parse__u64(const char *arg, void *dst);
int opt_parse__bytes(const char *arg, void *dst); /* uint64_t; 64, 4k, 1M, 2G (powers of 1,024) */
int opt_parse__duration(const char *arg, void *dst); /* uint64_t ns; 5, 1.5 (seconds), 10ms, 3us, 2m, 100ns */
int opt_parse__str(const char *arg, void *dst); /* const char *, points into argv */

#endif
