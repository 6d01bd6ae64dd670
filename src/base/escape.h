/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of traced processes and objects are hostile bytes. Each output syntax
 * has one function here that makes any bytes harmless; nothing else may print them.
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buf.h"

/* Control bytes, invalid UTF-8, bidirectional and zero-width controls become \xHH (terminal), \u00HH (JSON), ... */
void escape__terminal(struct buf *out, const char *s, size_t len);
void escape__json(struct buf *out, const char *s, size_t len); /* without the quotes; also '<' as \u003c */
void escape__dot(struct buf *out, const char *s, size_t len); /* inside a double-quoted DOT string */
void escape__xml(struct buf *out, const char *s,
		 size_t len); /* text and attribute values, XML 1.0 and HTML */
void escape__mermaid(struct buf *out, const char *s, size_t len); /* inside a quoted label */
void escape__openmetrics(struct buf *out, const char *s,
			 size_t len); /* a label's value, without the quotes */

#endif
