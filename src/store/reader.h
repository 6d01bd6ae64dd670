/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads a recording, whatever became of it: torn, damaged in the middle, hostile. Takes what is whole, says what is not;
 * needs a few megabytes however large the file claims to be. Reads forward only, so a pipe will do.
 */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "base/buf.h"
#include "event/source.h"
#include "store/info.h"

struct store_reader;

struct store_frame {
	uint16_t type; /* enum store_frame_type */
	const uint8_t *raw; /* valid until the next frame is read */
	size_t raw_bytes;
	uint64_t missing_events; /* at least so many are missing before this one */
};

/* What is wrong with it, as far as it has been read. */
struct store_health {
	bool complete; /* its end was found */
	uint64_t damaged_bytes; /* that belong to no whole frame */
	uint64_t missing_frames, missing_events;
	uint64_t last_ns; /* of the last event that was found */
	struct store_sums sums; /* complete: what its writer counted */
};

/* path: "-" is standard input. NULL: cannot be read, or is no recording; one sentence in err. path must outlive it. */
struct store_reader *store_reader__open(const char *path, struct buf *err);
/* Of a recording in several files, path being the latest: how many are gone from its beginning. */
uint32_t store_reader__dropped_files(const struct store_reader *r);
const struct store_info *store_reader__info(const struct store_reader *r);
const struct store_health *store_reader__health(const struct store_reader *r);
/* 1: the next frame; 0: the end; -errno: the file cannot be read any further. */
int store_reader__next(struct store_reader *r, struct store_frame *frame);
/* One sentence about what is missing; false: nothing is. */
bool store_reader__tell(const struct store_reader *r, struct buf *out);
void store_reader__close(struct store_reader *r);

/*
 * The same rounds of events that the recorder saw, so that what is behind cannot tell the difference. Where frames are
 * missing, LOST events stand for them. Freed with its close(), which leaves the reader open.
 */
struct event_source *store_source__new(struct store_reader *r);
/* It ends with the first round that reaches until_ns (CLOCK_BOOTTIME of the recording). */
void store_source__until(struct event_source *s, uint64_t until_ns);

#endif
