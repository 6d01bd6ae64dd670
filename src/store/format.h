/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording's bytes, as docs/FORMAT.md tells them. All numbers are little-endian; types, tags and flags are
 * append-only; nothing that was written once changes its meaning.
 */
#ifndef STORE_FORMAT_H
#define STORE_FORMAT_H

#include <stdint.h>

/* A byte that is no text, line ends that a careless copy would change, and an end of file for DOS. */
#define STORE_MAGIC "\211IPT\r\n\032\n"
#define STORE_MAGIC_BYTES 8
#define STORE_MAJOR 1 /* a reader refuses others */
#define STORE_MINOR 1 /* a reader takes later ones */

struct store_file_header {
	char magic[STORE_MAGIC_BYTES];
	uint16_t major, minor;
	uint32_t header_bytes; /* the first frame begins there */
	uint32_t pad0;
	uint32_t crc; /* CRC-32 of the bytes before */
};
_Static_assert(sizeof(struct store_file_header) == 24, "on disk");
#define STORE_HEADER_BYTES_MAX 4096

#define STORE_FRAME_MAGIC 0x4d524649u /* "IFRM" */

enum store_frame_type {
	STORE_FRAME_INFO = 1, /* tags: what was recorded, where and how */
	STORE_FRAME_EVENTS = 2, /* packed events: store/pack.h */
	STORE_FRAME_END = 3, /* tags: the sums; the recording, or this file of it, is complete */
	STORE_FRAME_STATE = 4, /* packed events: what is to be known of the time before this file */
};

/* Its contents follow: one zstd frame with its content checksum. */
struct store_frame_header {
	uint32_t magic;
	uint16_t type; /* enum store_frame_type; others are skipped */
	uint16_t flags; /* 0 */
	uint32_t seq; /* counts frames from 0: a gap is a loss */
	uint32_t stored_bytes; /* behind this header */
	uint32_t raw_bytes; /* of the contents, unpacked; at most STORE_RAW_BYTES_MAX */
	uint32_t event_cnt;
	uint64_t first_ns, last_ns; /* smallest and largest time of its events; 0: none */
	uint32_t pad0;
	uint32_t crc; /* CRC-32 of the bytes before */
};
_Static_assert(sizeof(struct store_frame_header) == 48, "on disk");

#define STORE_RAW_BYTES_MAX (1u << 20)
#define STORE_STORED_BYTES_MAX ((1u << 20) + (1u << 14)) /* of what does not compress */

/* Contents of INFO and END: this, then `bytes` bytes, then the next. Unknown tags are skipped. */
struct store_tag {
	uint16_t tag;
	uint16_t pad0;
	uint32_t bytes;
};
_Static_assert(sizeof(struct store_tag) == 8, "on disk");

#endif
