/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A growable byte buffer: what every view writes into. It never fails from the
 * caller's view: out of memory ends the program with one sentence (base/log.h).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *data; /* not NUL-terminated unless buf__cstr() was called */
	size_t len;
	size_t cap;
};

void buf__free(struct buf *b);
void buf__grow(struct buf *b, size_t more); /* buf__reserve()'s rare half */
static inline void buf__reset(struct buf *b)
{
	b->len = 0;
}
/* Room for at least `more` bytes behind len; returns a pointer to it. */
static inline char *buf__reserve(struct buf *b, size_t more)
{
	if (__builtin_expect(b->cap - b->len < more, 0))
		buf__grow(b, more);
	return b->data + b->len;
}
static inline void buf__put(struct buf *b, const void *data, size_t len)
{
	if (!len)
		return; /* data may be NULL */
	memcpy(buf__reserve(b, len), data, len);
	b->len += len;
}
static inline void buf__puts(struct buf *b, const char *s)
{
	buf__put(b, s, strlen(s));
}
static inline void buf__putc(struct buf *b, char c)
{
	*buf__reserve(b, 1) = c;
	b->len++;
}
void buf__u64(struct buf *b, uint64_t v); /* decimal */
void buf__i64(struct buf *b, int64_t v);
void buf__printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf__pad(struct buf *b, size_t column_start,
	      size_t width); /* spaces until len == column_start + width */
const char *buf__cstr(struct buf *b); /* NUL-terminated view, valid until the next change */

#endif
