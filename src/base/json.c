/* SPDX-License-Identifier: GPL-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

/* Comma and key. Keys are our own words and need no escaping. */
static void begin(struct json *j, const char *key)
{
	size_t len = key ? strlen(key) : 0;
	char *p = buf__reserve(j->out, len + 4);
	char *start = p;

	if (j->comma)
		*p++ = ',';
	j->comma = true;
	if (key) {
		*p++ = '"';
		memcpy(p, key, len);
		p += len;
		*p++ = '"';
		*p++ = ':';
	}
	j->out->len += (size_t)(p - start);
}

void json__open(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	buf__putc(j->out, bracket);
	j->comma = false;
}

void json__close(struct json *j, char bracket)
{
	buf__putc(j->out, bracket);
	j->comma = true;
}

void json__u64(struct json *j, const char *key, uint64_t v)
{
	begin(j, key);
	buf__u64(j->out, v);
}

void json__raw(struct json *j, const char *key, const char *text, size_t len)
{
	begin(j, key);
	buf__put(j->out, text, len);
}

void json__i64(struct json *j, const char *key, int64_t v)
{
	begin(j, key);
	buf__i64(j->out, v);
}

void json__bool(struct json *j, const char *key, bool v)
{
	begin(j, key);
	buf__puts(j->out, v ? "true" : "false");
}

void json__null(struct json *j, const char *key)
{
	begin(j, key);
	buf__put(j->out, "null", 4);
}

void json__double(struct json *j, const char *key, double v)
{
	char text[32] = "";
	char *comma;

	if (!isfinite(v)) {
		json__null(j, key);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	comma = strchr(text, ','); /* the locale's, which JSON does not know */
	if (comma)
		*comma = '.';
	begin(j, key);
	buf__puts(j->out, text);
}

void json__str(struct json *j, const char *key, const char *s)
{
	if (s)
		json__strn(j, key, s, strlen(s));
	else
		json__null(j, key);
}

void json__strn(struct json *j, const char *key, const char *s, size_t len)
{
	begin(j, key);
	buf__putc(j->out, '"');
	escape__json(j->out, s, len);
	buf__putc(j->out, '"');
}

void json__base64(struct json *j, const char *key, const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = data;
	char *p;

	begin(j, key);
	p = buf__reserve(j->out, (len + 2) / 3 * 4 + 2);
	j->out->len += (len + 2) / 3 * 4 + 2;
	*p++ = '"';
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)s[i + 1] << 8;
		if (i + 2 < len)
			v |= s[i + 2];
		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*p++ = i + 2 < len ? digits[v & 63] : '=';
	}
	*p = '"';
}
