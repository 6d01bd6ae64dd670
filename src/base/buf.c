/* SPDX-License-Identifier: GPL-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define BUF_FIRST_BYTES 256
#define DIGITS_MAX 20 /* of a uint64_t */

void buf__free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void buf__grow(struct buf *b, size_t more)
{
	size_t need = b->len + more;
	size_t cap = b->cap ? b->cap * 2 : BUF_FIRST_BYTES;

	if (need < b->len)
		log__out_of_memory();
	b->cap = cap < need ? need : cap;
	b->data = xrealloc(b->data, b->cap);
}

/* printf's %llu costs several times as much, and every JSON line has a dozen numbers. */
void buf__u64(struct buf *b, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[DIGITS_MAX];
	char *p = digits + sizeof(digits);

	while (v >= 100) {
		p -= 2;
		memcpy(p, pairs + (v % 100) * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		p -= 2;
		memcpy(p, pairs + v * 2, 2);
	} else {
		*--p = (char)('0' + v);
	}
	buf__put(b, p, (size_t)(digits + sizeof(digits) - p));
}

void buf__i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf__putc(b, '-');
	buf__u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf__printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	buf__reserve(b, 64);
	len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, args);
	if (len > 0 && (size_t)len >= b->cap - b->len) {
		buf__reserve(b, (size_t)len + 1);
		vsnprintf(b->data + b->len, b->cap - b->len, fmt, again);
	}
	if (len > 0)
		b->len += (size_t)len;
	va_end(again);
	va_end(args);
}

void buf__pad(struct buf *b, size_t column_start, size_t width)
{
	size_t end = column_start + width;

	if (b->len >= end)
		return;
	memset(buf__reserve(b, end - b->len), ' ', end - b->len);
	b->len = end;
}

const char *buf__cstr(struct buf *b)
{
	*buf__reserve(b, 1) = '\0';
	return b->data;
}
