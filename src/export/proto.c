/* SPDX-License-Identifier: GPL-2.0 */
#include "export/proto.h"

#include "base/escape.h"

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

void proto__varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf__putc(b, (char)(v | 0x80));
	buf__putc(b, (char)v);
}

static void put_key(struct buf *b, uint32_t field, enum wire wire)
{
	proto__varint(b, field << 3 | wire);
}

void proto__uint(struct buf *b, uint32_t field, uint64_t v)
{
	put_key(b, field, WIRE_VARINT);
	proto__varint(b, v);
}

void proto__fixed64(struct buf *b, uint32_t field, uint64_t v)
{
	put_key(b, field, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		buf__putc(b, (char)(v >> 8 * i));
}

void proto__bytes(struct buf *b, uint32_t field, const void *data, size_t len)
{
	put_key(b, field, WIRE_BYTES);
	proto__varint(b, len);
	buf__put(b, data, len);
}

void proto__text(struct buf *b, uint32_t field, const char *s, size_t len)
{
	struct buf text = { 0 };

	escape__terminal(&text, s, len);
	proto__bytes(b, field, text.data, text.len);
	buf__free(&text);
}

void proto__message(struct buf *b, uint32_t field, const struct buf *message)
{
	proto__bytes(b, field, message->data, message->len);
}
