/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes JSON into a buffer: commas and quotes are its business, order is the
 * caller's. Member functions take a key inside an object, NULL inside an array
 * or at the top.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>

#include "base/buf.h"

struct json {
	struct buf *out;
	bool comma; /* the next member needs one */
};

void json__open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json__close(struct json *j, char bracket); /* '}' or ']' */
void json__u64(struct json *j, const char *key, uint64_t v);
void json__i64(struct json *j, const char *key, int64_t v);
void json__bool(struct json *j, const char *key, bool v);
void json__null(struct json *j, const char *key);
void json__double(struct json *j, const char *key, double v); /* shortest form; non-finite becomes null */
void json__str(struct json *j, const char *key, const char *s); /* NULL becomes null */
void json__strn(struct json *j, const char *key, const char *s, size_t len);
void json__raw(struct json *j, const char *key, const char *text, size_t len); /* text is JSON already */
void json__base64(struct json *j, const char *key, const void *data, size_t len);

#endif
