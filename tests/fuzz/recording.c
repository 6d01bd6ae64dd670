/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording of any bytes. The first byte says how much help they get: 0, they are the file; else they are packed events,
 * and a frame that is right is made of them, which no mutation would find the checksums of.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "store/format.h"
#include "store/reader.h"

#include "fuzz.h"

static void put_frame(struct buf *file, uint16_t type, uint32_t seq, const void *raw, size_t bytes)
{
	size_t room = ZSTD_compressBound(bytes), stored;
	struct store_frame_header head = {
		.magic = STORE_FRAME_MAGIC, .type = type, .seq = seq, .raw_bytes = bytes
	};
	void *packed = malloc(room);

	stored = ZSTD_compress(packed, room, raw, bytes, 1);
	head.stored_bytes = stored;
	head.crc = crc32(0, (const void *)&head, offsetof(struct store_frame_header, crc));
	buf__put(file, &head, sizeof(head));
	buf__put(file, packed, stored);
	free(packed);
}

static void wrap(struct buf *file, const uint8_t *data, size_t size)
{
	struct store_file_header head = { .magic = STORE_MAGIC,
					  .major = STORE_MAJOR,
					  .header_bytes = sizeof(head) };
	const struct store_info info = { .mechs = ~1u };
	struct buf tags = { 0 };

	head.crc = crc32(0, (const void *)&head, offsetof(struct store_file_header, crc));
	buf__put(file, &head, sizeof(head));
	store_info__put(&info, &tags);
	put_frame(file, STORE_FRAME_INFO, 0, tags.data, tags.len);
	put_frame(file, STORE_FRAME_EVENTS, 1, data, size);
	buf__free(&tags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf file = { 0 }, err = { 0 };
	struct store_reader *r;
	char path[32];
	int fd;

	if (!size || size > (256u << 10))
		return 0;
	if (*data)
		wrap(&file, data + 1, size - 1);
	else
		buf__put(&file, data + 1, size - 1);
	fd = memfd_create("recording", MFD_CLOEXEC);
	if (fd < 0 || (file.len && write(fd, file.data, file.len) != (ssize_t)file.len))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = store_reader__open(path, &err);
	if (r) {
		struct event_source *source = store_source__new(r);

		fuzz__look(source);
		store_reader__tell(r, &err);
		source->close(source);
		store_reader__close(r);
	}
	close(fd);
	buf__free(&file);
	buf__free(&err);
	return 0;
}
