/* SPDX-License-Identifier: GPL-2.0 */
#include "store/frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/log.h"
#include "store/pack.h"

/*
 * Below level 1: faster; packed events leave little for the better levels. What repeats in them is long, so that looking for
 * short matches, in a table beyond the first-level cache, finds 1 % more and takes an eighth longer.
 */
#define LEVEL (-3)
#define MATCH_BYTES_MIN 7
#define HASH_LOG 12

struct packer {
	ZSTD_CCtx *zstd;
	size_t room;
	uint8_t to[];
};

struct packer *packer__new(void)
{
	size_t room = ZSTD_compressBound(STORE_RAW_BYTES_MAX);
	struct packer *p = xalloc(sizeof(*p) + room);

	p->room = room;
	p->zstd = ZSTD_createCCtx();
	if (!p->zstd)
		log__out_of_memory();
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_minMatch, MATCH_BYTES_MIN);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_hashLog, HASH_LOG);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1);
	return p;
}

const void *packer__pack(struct packer *p, const void *raw, size_t bytes, uint32_t *stored_bytes)
{
	size_t n = ZSTD_compress2(p->zstd, p->to, p->room, raw, bytes);

	if (ZSTD_isError(n))
		log__out_of_memory(); /* the room is enough for all contents: nothing else can fail */
	*stored_bytes = (uint32_t)n;
	return p->to;
}

void packer__free(struct packer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->zstd);
	free(p);
}

int frames__open(struct frames *f, const char *path, bool private)
{
	struct stat st;

	*f = (struct frames){ .fd = STDOUT_FILENO };
	if (!strcmp(path, "-"))
		return 0;
	f->made = access(path, F_OK) < 0;
	f->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, private ? 0600 : 0666);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return -errno;
	f->regular = S_ISREG(st.st_mode);
	if (private && f->regular && fchmod(f->fd, 0600) < 0)
		return -errno;
	return 0;
}

static void put_bytes(struct frames *f, const void *data, size_t bytes)
{
	const char *at = data;

	while (!f->err && bytes) {
		ssize_t n = write(f->fd, at, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			f->err = n < 0 ? -errno : -EIO;
			return;
		}
		at += n;
		bytes -= (size_t)n;
	}
}

/* Both parts, or neither: where the file cannot be cut, its reader finds the torn frame, and says so. */
static void put_whole(struct frames *f, const void *head, size_t head_bytes, const void *data, size_t bytes)
{
	if (f->err)
		return;
	put_bytes(f, head, head_bytes);
	put_bytes(f, data, bytes);
	if (!f->err)
		f->bytes += head_bytes + bytes;
	else if (f->regular && ftruncate(f->fd, (off_t)f->bytes))
		return;
}

void frames__put(struct frames *f, const struct store_frame_header *head, const void *stored,
		 uint32_t stored_bytes)
{
	struct store_frame_header out = *head;

	out.magic = STORE_FRAME_MAGIC;
	out.seq = f->seq++;
	out.stored_bytes = stored_bytes;
	out.crc = (uint32_t)crc32(0, (const void *)&out, offsetof(struct store_frame_header, crc));
	put_whole(f, &out, sizeof(out), stored, stored_bytes);
}

static void put_raw(struct frames *f, struct packer *p, struct store_frame_header *head, const void *raw)
{
	uint32_t bytes;
	const void *stored = packer__pack(p, raw, head->raw_bytes, &bytes);

	frames__put(f, head, stored, bytes);
}

static void put_tags(struct frames *f, struct packer *p, enum store_frame_type type, struct buf *tags)
{
	struct store_frame_header head = { .type = type, .raw_bytes = (uint32_t)tags->len };

	put_raw(f, p, &head, tags->data);
	buf__free(tags);
}

void frames__begin(struct frames *f, struct packer *p, const struct store_info *info)
{
	struct store_file_header head = {
		.magic = STORE_MAGIC,
		.major = STORE_MAJOR,
		.minor = STORE_MINOR,
		.header_bytes = sizeof(head),
	};
	struct buf tags = { 0 };

	if (f->regular && ftruncate(f->fd, 0) < 0)
		f->err = -errno;
	head.crc = (uint32_t)crc32(0, (const void *)&head, offsetof(struct store_file_header, crc));
	put_whole(f, &head, sizeof(head), NULL, 0);
	store_info__put(info, &tags);
	put_tags(f, p, STORE_FRAME_INFO, &tags);
}

/* ---- state ---- */

#define STATE_BLOCK_BYTES (256u << 10)

struct block {
	struct frames *frames;
	struct packer *packer;
	struct pack pack;
	uint32_t event_cnt;
	size_t bytes;
	uint8_t *raw;
};

static void end_block(struct block *b)
{
	struct store_frame_header head = { .type = STORE_FRAME_STATE,
					   .raw_bytes = (uint32_t)b->bytes,
					   .event_cnt = b->event_cnt };

	if (b->bytes)
		put_raw(b->frames, b->packer, &head, b->raw);
	b->bytes = b->event_cnt = 0;
	pack__begin(&b->pack);
}

static void take(void *ctx, const struct ipct_hdr *ev)
{
	struct block *b = ctx;

	b->bytes += pack__event(&b->pack, ev, b->raw + b->bytes);
	b->event_cnt++;
	if (b->bytes >= STATE_BLOCK_BYTES)
		end_block(b);
}

void frames__put_state(struct frames *f, struct packer *p, struct state *state, uint64_t ts_ns)
{
	struct block *b = xalloc(sizeof(*b));

	b->frames = f;
	b->packer = p;
	b->raw = xalloc(STORE_RAW_BYTES_MAX);
	pack__begin(&b->pack);
	state__give(state, ts_ns, take, b);
	end_block(b);
	free(b->raw);
	free(b);
}

/* ---- end ---- */

void frames__end(struct frames *f, struct packer *p, const struct store_sums *sums)
{
	struct buf tags = { 0 };

	store_sums__put(sums, &tags);
	put_tags(f, p, STORE_FRAME_END, &tags);
}

int frames__close(struct frames *f)
{
	if (f->fd > STDERR_FILENO && close(f->fd) < 0 && !f->err)
		f->err = -errno;
	f->fd = -1;
	return f->err;
}
