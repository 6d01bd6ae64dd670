/* SPDX-License-Identifier: GPL-2.0 */
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/log.h"
#include "store/format.h"
#include "store/pack.h"

#define LEVEL (-3) /* below 1: faster; packed events leave little for the better levels */
#define BLOCK_BYTES (256u << 10) /* of packed events; the memory of a CPU's second level */
#define BLOCK_MAX_NS 1000000000ull /* how much a kill may take */
_Static_assert(BLOCK_BYTES + PACK_EVENT_BYTES_MAX + PACK_ROUND_BYTES_MAX <= STORE_RAW_BYTES_MAX,
	       "the last event of a block still fits into it");

struct store_writer {
	const char *path;
	int fd;
	bool regular, made, begun;
	int err;
	uint64_t written_bytes; /* whole frames */
	uint32_t seq;
	ZSTD_CCtx *zstd;
	struct pack pack;
	uint8_t *block;
	size_t block_bytes;
	struct store_frame_header head; /* of the block */
	uint64_t block_begin_ns;
	uint8_t *frame; /* header and packed contents, as they are written */
	size_t frame_cap;
	struct store_sums sums;
};

static int open_file(struct store_writer *w, bool private)
{
	struct stat st;

	w->made = access(w->path, F_OK) < 0;
	w->fd = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC, private ? 0600 : 0666);
	if (w->fd < 0 || fstat(w->fd, &st) < 0)
		return -errno;
	w->regular = S_ISREG(st.st_mode);
	if (private && w->regular && fchmod(w->fd, 0600) < 0)
		return -errno;
	return 0;
}

struct store_writer *store_writer__new(const char *path, bool private, struct buf *err)
{
	struct store_writer *w = xalloc(sizeof(*w));
	int ret = 0;

	w->path = path;
	w->fd = STDOUT_FILENO;
	if (strcmp(path, "-") != 0)
		ret = open_file(w, private);
	if (ret) {
		buf__printf(err, "cannot write %s: %s", path, strerror(-ret));
		store_writer__free(w);
		return NULL;
	}
	w->zstd = ZSTD_createCCtx();
	w->frame_cap = sizeof(struct store_frame_header) + ZSTD_compressBound(STORE_RAW_BYTES_MAX);
	w->frame = xalloc(w->frame_cap);
	w->block = xalloc(STORE_RAW_BYTES_MAX);
	if (!w->zstd)
		log__out_of_memory();
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
	return w;
}

/* A frame is there as a whole, or not at all. */
static void put_bytes(struct store_writer *w, const void *data, size_t bytes)
{
	const char *at = data;
	size_t left = bytes;

	while (!w->err && left) {
		ssize_t n = write(w->fd, at, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			w->err = n < 0 ? -errno : -EIO;
			if (w->regular && ftruncate(w->fd, (off_t)w->written_bytes))
				continue; /* the reader finds the torn frame, and says so */
			return;
		}
		at += n;
		left -= (size_t)n;
	}
	if (!w->err)
		w->written_bytes += bytes;
}

static void put_frame(struct store_writer *w, struct store_frame_header *head, const void *raw)
{
	size_t room = w->frame_cap - sizeof(*head);
	size_t stored = ZSTD_compress2(w->zstd, w->frame + sizeof(*head), room, raw, head->raw_bytes);

	if (ZSTD_isError(stored))
		log__out_of_memory(); /* the room is enough for all contents: nothing else can fail */
	head->magic = STORE_FRAME_MAGIC;
	head->seq = w->seq++;
	head->stored_bytes = (uint32_t)stored;
	head->crc = (uint32_t)crc32(0, (const void *)head, offsetof(struct store_frame_header, crc));
	memcpy(w->frame, head, sizeof(*head));
	put_bytes(w, w->frame, sizeof(*head) + stored);
}

static void put_tags(struct store_writer *w, enum store_frame_type type, const struct buf *tags)
{
	struct store_frame_header head = { .type = type, .raw_bytes = (uint32_t)tags->len };

	put_frame(w, &head, tags->data);
}

static void put_file_header(struct store_writer *w)
{
	struct store_file_header head = {
		.magic = STORE_MAGIC,
		.major = STORE_MAJOR,
		.minor = STORE_MINOR,
		.header_bytes = sizeof(head),
	};

	head.crc = (uint32_t)crc32(0, (const void *)&head, offsetof(struct store_file_header, crc));
	put_bytes(w, &head, sizeof(head));
}

static void begin_block(struct store_writer *w)
{
	pack__begin(&w->pack);
	w->block_bytes = 0;
	w->head = (struct store_frame_header){ .type = STORE_FRAME_EVENTS, .first_ns = UINT64_MAX };
}

static void end_block(struct store_writer *w)
{
	if (w->block_bytes) {
		if (w->head.first_ns == UINT64_MAX)
			w->head.first_ns = 0;
		w->head.raw_bytes = (uint32_t)w->block_bytes;
		put_frame(w, &w->head, w->block);
	}
	begin_block(w);
}

void store_writer__begin(struct store_writer *w, const struct store_info *info)
{
	struct buf tags = { 0 };

	w->begun = true;
	if (w->regular && ftruncate(w->fd, 0) < 0)
		w->err = -errno;
	put_file_header(w);
	store_info__put(info, &tags);
	put_tags(w, STORE_FRAME_INFO, &tags);
	buf__free(&tags);
	begin_block(w);
}

void store_writer__event(struct store_writer *w, const struct ipct_hdr *ev)
{
	w->block_bytes += pack__event(&w->pack, ev, w->block + w->block_bytes);
	w->head.event_cnt++;
	if (ev->ts_ns < w->head.first_ns)
		w->head.first_ns = ev->ts_ns;
	if (ev->ts_ns > w->head.last_ns)
		w->head.last_ns = ev->ts_ns;
	w->sums.events++;
	if (ev->kind == IPCT_KIND_LOST && ev->size >= sizeof(struct ipct_lost)) {
		const struct ipct_lost *lost = (const struct ipct_lost *)ev;

		w->sums.lost += lost->count;
		w->sums.skipped += lost->why == IPCT_LOST_SKIPPED ? lost->count : 0;
	}
	if (w->block_bytes >= BLOCK_BYTES)
		end_block(w);
}

void store_writer__round(struct store_writer *w, uint64_t watermark_ns)
{
	w->block_bytes += pack__round(&w->pack, watermark_ns, w->block + w->block_bytes);
	if (watermark_ns > w->sums.end_ns)
		w->sums.end_ns = watermark_ns;
	/* The first round has what existed before, which a reader needs for all the rest. */
	if (w->block_bytes < BLOCK_BYTES && w->seq > 1 && watermark_ns - w->block_begin_ns < BLOCK_MAX_NS)
		return;
	end_block(w);
	w->block_begin_ns = watermark_ns;
}

int store_writer__error(const struct store_writer *w)
{
	return w->err;
}

uint64_t store_writer__bytes(const struct store_writer *w)
{
	return w->written_bytes;
}

const struct store_sums *store_writer__sums(const struct store_writer *w)
{
	return &w->sums;
}

int store_writer__finish(struct store_writer *w, struct buf *err)
{
	struct buf tags = { 0 };

	if (w->begun) {
		end_block(w);
		store_sums__put(&w->sums, &tags);
		put_tags(w, STORE_FRAME_END, &tags);
		buf__free(&tags);
	}
	if (w->fd > STDERR_FILENO && close(w->fd) < 0 && !w->err)
		w->err = -errno;
	w->fd = -1;
	if (w->err)
		buf__printf(err, "cannot write %s: %s; it holds what was recorded until then", w->path,
			    strerror(-w->err));
	return w->err;
}

void store_writer__free(struct store_writer *w)
{
	if (!w)
		return;
	if (w->fd > STDERR_FILENO)
		close(w->fd);
	if (w->regular && w->made && !w->begun)
		unlink(w->path);
	ZSTD_freeCCtx(w->zstd);
	free(w->block);
	free(w->frame);
	free(w);
}
