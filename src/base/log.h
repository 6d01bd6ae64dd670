/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ipctrace says to its user: sentences on standard error, prefixed
 * "ipctrace: ", each complete: what, why, what to do. Only cmd/ and main.c call
 * log__error(); other rooms return -errno.
 *
 * One call is one write(2), so that sentences of two processes do not mix. Control
 * bytes in a message are replaced by '?', as a last resort: escape names before (base/escape.h).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>

void log__error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log__warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log__info(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* only with --verbose */
void log__set_verbose(int on);
void log__out_of_memory(void) __attribute__((noreturn)); /* says so, exit status 1 */

/* malloc and friends that end the program with one sentence when memory is out. */
void *xalloc(size_t bytes); /* zeroed */
void *xrealloc(void *p, size_t bytes);
char *xstrndup(const char *s, size_t len);

#endif
