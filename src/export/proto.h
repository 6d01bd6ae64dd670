/* SPDX-License-Identifier: GPL-2.0 */
/* Protocol buffers' wire format, as far as Perfetto's traces need it: fields into a buffer. */
#ifndef EXPORT_PROTO_H
#define EXPORT_PROTO_H

#include "base/buf.h"

void proto__varint(struct buf *b, uint64_t v);
void proto__uint(struct buf *b, uint32_t field, uint64_t v);
void proto__fixed64(struct buf *b, uint32_t field, uint64_t v);
void proto__bytes(struct buf *b, uint32_t field, const void *data, size_t len);
void proto__text(struct buf *b, uint32_t field, const char *s, size_t len); /* any bytes; made valid UTF-8 */
void proto__message(struct buf *b, uint32_t field, const struct buf *message);

#endif
