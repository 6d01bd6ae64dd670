/* SPDX-License-Identifier: GPL-2.0 */
#include "event/check.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define LENS_MAX 3

struct kind_row {
	const char *name;
	uint16_t fixed_bytes;
};

#define KIND_ROW(sym, num, type, text) [num] = { .name = text, .fixed_bytes = sizeof(struct type) },
static const struct kind_row kinds[] = { IPCT_KIND_LIST(KIND_ROW) };
#undef KIND_ROW

/* Offsets of the 16-bit lengths that count bytes of the variable tail; 0: none. */
static const uint16_t lens[sizeof(kinds) / sizeof(kinds[0])][LENS_MAX] = {
	[IPCT_KIND_TASK] = { offsetof(struct ipct_task, exe_len), offsetof(struct ipct_task, args_len) },
	[IPCT_KIND_OBJECT] = { offsetof(struct ipct_object, name_start),
			       offsetof(struct ipct_object, name_len) },
	[IPCT_KIND_PAYLOAD] = { offsetof(struct ipct_payload, len), 0 },
	[IPCT_KIND_STACK] = { offsetof(struct ipct_stack, len), 0 },
	[IPCT_KIND_FRAME] = { offsetof(struct ipct_frame, function_len),
			      offsetof(struct ipct_frame, binary_len),
			      offsetof(struct ipct_frame, source_len) },
	[IPCT_KIND_PASS] = { offsetof(struct ipct_pass, name_start), offsetof(struct ipct_pass, name_len) },
};

static const struct kind_row *row_of(unsigned int kind)
{
	if (kind >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[kind].name)
		return NULL;
	return &kinds[kind];
}

/* Bytes of the length that a shorter record does not have are 0, exactly as event__widen() will make them. */
static size_t read_len(const char *rec, size_t size, uint16_t offset)
{
	uint16_t len = 0;

	if (offset && offset < size)
		memcpy(&len, rec + offset, size - offset < sizeof(len) ? size - offset : sizeof(len));
	return len;
}

int event__check(const void *data, size_t avail)
{
	const struct kind_row *row;
	struct ipct_hdr h;
	size_t tail_bytes, used = 0;

	if (avail < sizeof(h))
		return -EMSGSIZE;
	memcpy(&h, data, sizeof(h));
	if (h.size < sizeof(h))
		return -EBADMSG;
	if (h.size > avail)
		return -EMSGSIZE;
	row = row_of(h.kind);
	if (!row)
		return h.size;
	tail_bytes = h.size > row->fixed_bytes ? h.size - row->fixed_bytes : 0;
	for (size_t i = 0; i < LENS_MAX; i++)
		used += read_len(data, h.size, lens[h.kind][i]);
	return used <= tail_bytes ? h.size : -EBADMSG;
}

const struct ipct_hdr *event__widen(const struct ipct_hdr *ev, void *scratch)
{
	const struct kind_row *row = row_of(ev->kind);

	if (!row || ev->size >= row->fixed_bytes)
		return ev;
	memcpy(scratch, ev, ev->size);
	memset((char *)scratch + ev->size, 0, row->fixed_bytes - ev->size);
	/* hdr.size stays what was recorded: the variable tail is bounded by it, and there is none. */
	return scratch;
}

const char *event__kind_name(unsigned int kind)
{
	const struct kind_row *row = row_of(kind);

	return row ? row->name : "?";
}
