/* SPDX-License-Identifier: GPL-2.0 */
/* Between opts.c and the parsers: what a parser's argument looks like, for messages. */
#ifndef BASE_OPTS_PARSE_H
#define BASE_OPTS_PARSE_H

/* "a whole number"; NULL for a parser that is not one of base/opts.h. */
const char *opt_parse__wants(int (*parse)(const char *arg, void *dst));

#endif
