/* SPDX-License-Identifier: GPL-2.0 */
#include "store/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "store/flight.h"
#include "store/pack.h"

#define BLOCK_BYTES (256u << 10) /* of packed events; the memory of a CPU's second level */
#define BLOCK_MAX_NS 1000000000ull /* how much a kill may take */
#define END_BYTES 256 /* that the end frame may take */
_Static_assert(BLOCK_BYTES + PACK_EVENT_BYTES_MAX + PACK_ROUND_BYTES_MAX <= STORE_RAW_BYTES_MAX,
	       "the last event of a block still fits into it");

struct store_writer {
	const char *path;
	bool private, begun;
	struct store_limits limits;
	struct frames file;
	uint64_t bytes_before; /* in files that are finished */
	uint32_t kept_blocks; /* EVENTS frames in this file */
	struct packer *block_packer, *packer;
	struct store_info info;
	struct state *state; /* of what lies before this file's end; NULL: one file has all */
	struct flight *flight; /* NULL: everything is written */
	struct pack pack;
	uint8_t *block;
	size_t block_bytes;
	struct store_frame_header head; /* of the block */
	uint64_t block_begin_ns, block_lost;
	uint32_t block_seq;
	struct store_sums sums, file_sums;
};

struct store_writer *store_writer__new(const char *path, bool private, struct buf *err)
{
	struct store_writer *w = xalloc(sizeof(*w));
	int ret = frames__open(&w->file, path, private);

	w->path = path;
	w->private = private;
	if (ret) {
		buf__printf(err, "cannot write %s: %s", path, strerror(-ret));
		store_writer__free(w);
		return NULL;
	}
	w->packer = packer__new();
	w->block_packer = packer__new();
	w->block = xalloc(STORE_RAW_BYTES_MAX);
	return w;
}

void store_writer__limit(struct store_writer *w, const struct store_limits *limits)
{
	w->limits = *limits;
}

/* ---- one of several files ---- */

static void name_of(const struct store_writer *w, uint32_t file, char *to, size_t size)
{
	snprintf(to, size, "%s.%" PRIu32, w->path, file);
}

/* The file that is full gets its number for a name; the new one has the name that was asked for. */
static int change_names(struct store_writer *w)
{
	char name[STORE_PATH_BYTES];

	name_of(w, w->info.file, name, sizeof(name));
	if (rename(w->path, name))
		return -errno;
	if (w->limits.files && w->info.file >= w->limits.files) {
		name_of(w, w->info.file - w->limits.files + 1, name, sizeof(name));
		if (unlink(name) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static void next_file(struct store_writer *w)
{
	uint64_t now_ns = w->head.first_ns;
	int ret;

	w->file_sums.goes_on = true;
	frames__end(&w->file, w->packer, &w->file_sums);
	w->file_sums = (struct store_sums){ 0 };
	w->bytes_before += w->file.bytes;
	ret = frames__close(&w->file);
	if (!ret)
		ret = change_names(w);
	if (!ret)
		ret = frames__open(&w->file, w->path, w->private);
	if (ret) {
		w->file.err = ret;
		return;
	}
	w->info.file++;
	w->info.start_ns = now_ns;
	w->kept_blocks = 0;
	frames__begin(&w->file, w->packer, &w->info);
	frames__put_state(&w->file, w->packer, w->state, now_ns);
}

/* ---- blocks ---- */

static void begin_block(struct store_writer *w)
{
	pack__begin(&w->pack);
	w->block_bytes = 0;
	w->block_lost = 0;
	w->head = (struct store_frame_header){ .type = STORE_FRAME_EVENTS, .first_ns = UINT64_MAX };
}

static void write_block(struct store_writer *w, const void *stored, uint32_t bytes)
{
	uint64_t after = w->file.bytes + sizeof(w->head) + bytes + END_BYTES;

	if (w->limits.file_bytes && w->kept_blocks && after > w->limits.file_bytes && !w->file.err)
		next_file(w);
	frames__put(&w->file, &w->head, stored, bytes);
	w->kept_blocks++;
	w->file_sums.events += w->head.event_cnt;
	w->file_sums.lost += w->block_lost;
	w->file_sums.end_ns = w->sums.end_ns;
	if (w->state)
		state__frame(w->state, w->block, w->block_bytes);
}

static void end_block(struct store_writer *w)
{
	const void *stored;
	uint32_t bytes;

	if (w->block_bytes) {
		if (w->head.first_ns == UINT64_MAX)
			w->head.first_ns = 0;
		w->head.raw_bytes = (uint32_t)w->block_bytes;
		stored = packer__pack(w->block_packer, w->block, w->block_bytes, &bytes);
		if (w->flight)
			flight__push(w->flight, &w->head, stored, bytes, w->block_lost, w->sums.end_ns);
		else
			write_block(w, stored, bytes);
		w->block_seq++;
	}
	begin_block(w);
}

/* An own copy of what the caller knows: its strings are his. */
static void keep_info(struct store_writer *w, const struct store_info *info)
{
	struct buf tags = { 0 };

	store_info__put(info, &tags);
	store_info__get(&w->info, tags.data, tags.len);
	buf__free(&tags);
}

static void begin_set(struct store_writer *w)
{
	w->state = state__new();
	w->info.file = 1;
	if (getrandom(&w->info.set, sizeof(w->info.set), 0) != sizeof(w->info.set) || !w->info.set)
		w->info.set = w->info.start_ns | 1;
}

void store_writer__begin(struct store_writer *w, const struct store_info *info)
{
	keep_info(w, info);
	if (w->limits.keep_ns) {
		frames__close(&w->file);
		if (w->file.made)
			unlink(w->path);
		w->file.made = false;
		w->flight = flight__new(w->limits.keep_ns, w->limits.file_bytes);
	} else {
		if (w->limits.file_bytes)
			begin_set(w);
		frames__begin(&w->file, w->packer, &w->info);
	}
	w->begun = true;
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
		w->sums.table_full += lost->why == IPCT_LOST_TABLE_FULL ? lost->count : 0;
		w->block_lost += lost->count;
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
	if (w->block_bytes < BLOCK_BYTES && w->block_seq && watermark_ns - w->block_begin_ns < BLOCK_MAX_NS)
		return;
	end_block(w);
	w->block_begin_ns = watermark_ns;
}

int store_writer__dump(struct store_writer *w, const char *path, struct buf *err)
{
	int ret;

	end_block(w);
	w->block_begin_ns = w->sums.end_ns;
	ret = flight__write(w->flight, path, w->private, &w->info);
	if (ret)
		buf__printf(err, "cannot write %s: %s", path, strerror(-ret));
	return ret;
}

double store_writer__kept_s(const struct store_writer *w)
{
	uint64_t begin_ns = flight__begin_ns(w->flight);

	if (begin_ns < w->info.start_ns)
		begin_ns = w->info.start_ns;
	return w->sums.end_ns > begin_ns ? (double)(w->sums.end_ns - begin_ns) / 1e9 : 0;
}

int store_writer__error(const struct store_writer *w)
{
	return w->flight ? 0 : w->file.err;
}

uint64_t store_writer__bytes(const struct store_writer *w)
{
	return w->flight ? flight__bytes(w->flight) : w->bytes_before + w->file.bytes;
}

uint32_t store_writer__files(const struct store_writer *w)
{
	uint32_t made = w->info.file ? w->info.file : 1;

	return w->limits.files && made > w->limits.files ? w->limits.files : made;
}

const struct store_sums *store_writer__sums(const struct store_writer *w)
{
	return &w->sums;
}

int store_writer__finish(struct store_writer *w, struct buf *err)
{
	int ret;

	if (w->flight)
		return 0;
	if (w->begun) {
		end_block(w);
		w->file_sums.end_ns = w->sums.end_ns;
		frames__end(&w->file, w->packer, &w->file_sums);
	}
	ret = frames__close(&w->file);
	if (ret)
		buf__printf(err, "cannot write %s: %s; it holds what was recorded until then", w->path,
			    strerror(-ret));
	return ret;
}

void store_writer__free(struct store_writer *w)
{
	if (!w)
		return;
	frames__close(&w->file);
	if (w->file.regular && w->file.made && !w->begun)
		unlink(w->path);
	store_info__free(&w->info);
	packer__free(w->packer);
	packer__free(w->block_packer);
	state__free(w->state);
	flight__free(w->flight);
	free(w->block);
	free(w);
}
