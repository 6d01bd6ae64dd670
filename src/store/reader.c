/* SPDX-License-Identifier: GPL-2.0 */
#include "store/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/log.h"
#include "store/format.h"
#include "store/writer.h"

#define INPUT_BYTES (4u << 20) /* some frames at a time */
_Static_assert(INPUT_BYTES >= 2 * (sizeof(struct store_frame_header) + STORE_STORED_BYTES_MAX),
	       "the largest frame fits, wherever it begins");

struct store_reader {
	const char *path;
	int fd;
	bool at_end; /* of the file */
	int err; /* reading failed */
	uint8_t *input;
	size_t begin, end; /* what of input is not used yet */
	uint32_t next_seq;
	uint8_t *raw;
	ZSTD_DCtx *zstd;
	struct store_info info;
	struct store_health health;
	uint64_t missing_events; /* not told with a frame yet */
	unsigned int rescans; /* how often a bad frame was searched for others */
	uint32_t first_file; /* of a set: the oldest that is there */
	uint32_t last_file; /* of a set: the one that has the path itself; 0: one file */
	uint32_t file; /* that is being read */
	bool has_before; /* what a STATE frame says is known: the file before has been read */
};

#define RESCANS_MAX \
	64 /* each costs up to a frame's unpacking: a hostile file could ask for one every 48 bytes */

/* ---- bytes ---- */

/* Whether `bytes` bytes lie at input + begin. */
static bool have(struct store_reader *r, size_t bytes)
{
	if (r->end - r->begin >= bytes)
		return true;
	if (INPUT_BYTES - r->begin < bytes) {
		memmove(r->input, r->input + r->begin, r->end - r->begin);
		r->end -= r->begin;
		r->begin = 0;
	}
	while (!r->at_end && r->end - r->begin < bytes) {
		ssize_t n = read(r->fd, r->input + r->end, INPUT_BYTES - r->end);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r->err = -errno;
		r->at_end = n <= 0;
		r->end += n > 0 ? (size_t)n : 0;
	}
	return r->end - r->begin >= bytes;
}

/* ---- frames ---- */

static bool header_ok(const struct store_frame_header *head)
{
	return head->magic == STORE_FRAME_MAGIC &&
	       head->crc == crc32(0, (const void *)head, offsetof(struct store_frame_header, crc)) &&
	       head->raw_bytes <= STORE_RAW_BYTES_MAX && head->stored_bytes <= STORE_STORED_BYTES_MAX;
}

/* Finds the next header that is whole, and counts what lies before it. */
static bool find_header(struct store_reader *r, struct store_frame_header *head)
{
	while (have(r, sizeof(*head))) {
		memcpy(head, r->input + r->begin, sizeof(*head));
		if (header_ok(head))
			return true;
		r->begin++;
		r->health.damaged_bytes++;
	}
	r->health.damaged_bytes += r->end - r->begin;
	r->begin = r->end;
	return false;
}

static void miss(struct store_reader *r, uint64_t frames, uint64_t events)
{
	r->health.missing_frames += frames;
	r->health.missing_events += events;
	r->missing_events += events;
}

static bool unpack(struct store_reader *r, const struct store_frame_header *head, struct store_frame *frame)
{
	size_t n = ZSTD_decompressDCtx(r->zstd, r->raw, STORE_RAW_BYTES_MAX, r->input + r->begin,
				       head->stored_bytes);

	if (ZSTD_isError(n) || n != head->raw_bytes) {
		miss(r, 1, head->event_cnt);
		return false;
	}
	*frame = (struct store_frame){ .type = head->type, .raw = r->raw, .raw_bytes = n };
	if (head->last_ns > r->health.last_ns)
		r->health.last_ns = head->last_ns;
	return true;
}

/*
 * Behind the header of a frame that cannot be unpacked. Where the next one begins as it should, only contents are bad;
 * else bytes were lost or added, and the next header may lie within.
 */
static void skip_bad(struct store_reader *r, const struct store_frame_header *head)
{
	struct store_frame_header next;
	size_t to_next = head->stored_bytes + sizeof(next);
	bool at_end = !have(r, to_next);

	if (!at_end)
		memcpy(&next, r->input + r->begin + head->stored_bytes, sizeof(next));
	if ((!at_end && !header_ok(&next)) && r->rescans++ < RESCANS_MAX)
		return;
	r->health.damaged_bytes += head->stored_bytes;
	r->begin += head->stored_bytes;
}

/* One frame that is whole, of whatever type. */
static bool next_frame(struct store_reader *r, struct store_frame *frame)
{
	struct store_frame_header head;

	for (;;) {
		if (!find_header(r, &head))
			return false;
		if (!have(r, sizeof(head) + head.stored_bytes)) {
			r->health.damaged_bytes += r->end - r->begin;
			r->begin = r->end;
			return false;
		}
		r->begin += sizeof(head);
		if (head.seq < r->next_seq) { /* a copy of what was there already */
			r->health.damaged_bytes += sizeof(head) + head.stored_bytes;
			r->begin += head.stored_bytes;
			continue;
		}
		if (head.seq > r->next_seq) /* no telling what was in them: at least an event each */
			miss(r, head.seq - r->next_seq, head.seq - r->next_seq);
		r->next_seq = head.seq + 1;
		if (unpack(r, &head, frame)) {
			r->begin += head.stored_bytes;
			return true;
		}
		skip_bad(r, &head);
	}
}

/* ---- a file's beginning ---- */

static bool read_file_header(struct store_reader *r, struct buf *err)
{
	struct store_file_header head;

	if (!have(r, sizeof(head)) || memcmp(r->input, STORE_MAGIC, STORE_MAGIC_BYTES) != 0) {
		buf__printf(err, r->err ? "cannot read %s: %s" : "%s is no recording of ipctrace%s", r->path,
			    r->err   ? strerror(-r->err)
			    : r->end ? ""
				     : ": it is empty");
		return false;
	}
	memcpy(&head, r->input, sizeof(head));
	if (head.crc != crc32(0, (const void *)&head, offsetof(struct store_file_header, crc)) ||
	    head.header_bytes < sizeof(head) || head.header_bytes > STORE_HEADER_BYTES_MAX) {
		buf__printf(err, "%s is damaged: its header does not add up", r->path);
		return false;
	}
	if (head.major != STORE_MAJOR) {
		buf__printf(
			err,
			"%s has format %u.%u, and this version of ipctrace reads %u.x: use the version that "
			"recorded it",
			r->path, head.major, head.minor, STORE_MAJOR);
		return false;
	}
	if (!have(r, head.header_bytes)) {
		buf__printf(err, "%s is torn within its header", r->path);
		return false;
	}
	r->begin += head.header_bytes;
	return true;
}

static bool read_info(struct store_reader *r, struct buf *err)
{
	struct store_frame frame;

	if (next_frame(r, &frame) && frame.type == STORE_FRAME_INFO &&
	    !store_info__get(&r->info, frame.raw, frame.raw_bytes))
		return true;
	buf__printf(err, "%s is torn or damaged at its beginning: nothing in it can be read", r->path);
	return false;
}

static struct store_reader *open_one(const char *path, struct buf *err)
{
	struct store_reader *r = xalloc(sizeof(*r));

	r->path = path;
	r->fd = STDIN_FILENO;
	r->input = xalloc(INPUT_BYTES);
	r->raw = xalloc(STORE_RAW_BYTES_MAX);
	r->zstd = ZSTD_createDCtx();
	if (!r->zstd)
		log__out_of_memory();
	if (strcmp(path, "-") != 0)
		r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		buf__printf(err, "cannot read %s: %s", path, strerror(errno));
	else if (read_file_header(r, err) && read_info(r, err))
		return r;
	store_reader__close(r);
	return NULL;
}

/* ---- a set of files ---- */

static void name_of(const struct store_reader *r, uint32_t file, char *to, size_t size)
{
	if (file == r->last_file)
		snprintf(to, size, "%s", r->path);
	else
		snprintf(to, size, "%s.%" PRIu32, r->path, file);
}

/* NULL: it is not there, or it is another set's. */
static struct store_reader *open_member(const struct store_reader *r, uint32_t file)
{
	char name[STORE_PATH_BYTES];
	struct store_reader *member;
	struct buf err = { 0 };

	name_of(r, file, name, sizeof(name));
	member = open_one(name, &err);
	buf__free(&err);
	if (!member || (member->info.set == r->info.set && member->info.file == file))
		return member;
	store_reader__close(member);
	return NULL;
}

/* What is read from now on is what `from` reads, which is freed; the health goes on, with keep_info the info, too. */
static void become(struct store_reader *r, struct store_reader *from, uint32_t file, bool keep_info)
{
	struct store_reader was = *r;

	*r = *from;
	r->path = was.path;
	r->health = was.health;
	r->missing_events = was.missing_events;
	r->rescans = was.rescans;
	r->last_file = was.last_file;
	r->has_before = was.has_before;
	r->first_file = was.first_file;
	r->file = file;
	if (keep_info) {
		r->info = was.info;
		was.info = from->info;
	}
	*from = was;
	store_reader__close(from);
}

static bool next_file(struct store_reader *r)
{
	struct store_reader *member = open_member(r, r->file + 1);

	if (member)
		become(r, member, r->file + 1, true); /* strings of the first are in use */
	else
		r->last_file = r->file; /* it ends here, and not as it should */
	return member != NULL;
}

/* The recorder's latest file has the name that was asked for; those before it have numbers, and the oldest may be gone. */
static void find_first_file(struct store_reader *r)
{
	struct store_reader *first = NULL, *before;

	r->last_file = r->file = r->first_file = r->info.file;
	while (r->first_file > 1 && (before = open_member(r, r->first_file - 1))) {
		store_reader__close(first);
		first = before;
		r->first_file--;
	}
	if (first)
		become(r, first, r->first_file, false);
}

static void take_end(struct store_reader *r, const struct store_frame *frame)
{
	struct store_sums sums = { 0 };

	if (store_sums__get(&sums, frame->raw, frame->raw_bytes))
		return;
	r->health.sums = sums;
	r->has_before = true;
	if (r->file >= r->last_file)
		r->health.complete = true;
	else if (!next_file(r))
		miss(r, 1, 1);
}

static bool has_events(const struct store_reader *r, const struct store_frame *frame)
{
	return frame->type == STORE_FRAME_EVENTS || (frame->type == STORE_FRAME_STATE && !r->has_before);
}

int store_reader__next(struct store_reader *r, struct store_frame *frame)
{
	for (;;) {
		if (r->health.complete)
			break;
		if (!next_frame(r, frame)) {
			if (r->file >= r->last_file)
				break;
			miss(r, 1, 1); /* it is torn: at least its end is missing */
			r->has_before = false;
			if (!next_file(r))
				break;
			continue;
		}
		if (frame->type == STORE_FRAME_END) {
			take_end(r, frame);
		} else if (has_events(r, frame)) {
			frame->missing_events = r->missing_events;
			r->missing_events = 0;
			return 1;
		}
	}
	*frame = (struct store_frame){ .missing_events = r->missing_events };
	r->missing_events = 0;
	return r->err;
}

/* ---- begin and end ---- */

struct store_reader *store_reader__open(const char *path, struct buf *err)
{
	struct store_reader *r = open_one(path, err);

	if (r && r->info.set && strcmp(path, "-") != 0)
		find_first_file(r);
	return r;
}

uint32_t store_reader__dropped_files(const struct store_reader *r)
{
	return r->first_file ? r->first_file - 1 : 0;
}

const struct store_info *store_reader__info(const struct store_reader *r)
{
	return &r->info;
}

const struct store_health *store_reader__health(const struct store_reader *r)
{
	return &r->health;
}

bool store_reader__tell(const struct store_reader *r, struct buf *out)
{
	const struct store_health *h = &r->health;

	if (h->complete && !h->missing_frames && !h->damaged_bytes)
		return false;
	buf__printf(out, "%s is not whole: ", r->path);
	if (h->missing_frames)
		buf__printf(out, "%" PRIu64 " of its frames are missing, with %" PRIu64 " events or more%s",
			    h->missing_frames, h->missing_events, h->complete ? "" : "; ");
	else if (h->complete)
		buf__puts(out, "nothing of the trace is missing, but there is something between its frames");
	if (!h->complete)
		buf__puts(out,
			  "it has no end, so the recorder was killed or the disk was full; what came after ");
	if (!h->complete && h->last_ns > r->info.start_ns)
		buf__printf(out, "%.3f s of the trace is missing",
			    (double)(h->last_ns - r->info.start_ns) / 1e9);
	else if (!h->complete)
		buf__puts(out, "its beginning is missing");
	if (h->damaged_bytes)
		buf__printf(out, " (%" PRIu64 " bytes make no frame)", h->damaged_bytes);
	return true;
}

void store_reader__close(struct store_reader *r)
{
	if (!r)
		return;
	if (r->fd > STDERR_FILENO)
		close(r->fd);
	ZSTD_freeDCtx(r->zstd);
	store_info__free(&r->info);
	free(r->input);
	free(r->raw);
	free(r);
}
