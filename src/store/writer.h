/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes a recording, cheaply: events are packed into a block, and a full block (or one that is a second old) becomes
 * a frame. What is on disk is whole frames at any time; what the process has not written yet is all that a kill takes.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/buf.h"
#include "event/source.h"
#include "store/info.h"

#define STORE_PATH_BYTES 4200 /* PATH_MAX, and the number of a file */

struct store_writer;

/*
 * path: created, "-" is standard output; a file that is there is replaced by the first frame, not before. private: only
 * its owner may read it. NULL: failed, with one sentence in err. path must outlive the writer.
 */
struct store_writer *store_writer__new(const char *path, bool private, struct buf *err);
/* How much is kept. All zero: everything, in one file. */
struct store_limits {
	uint64_t
		file_bytes; /* a full file gets a number behind its name, and another one follows; keep_ns: of memory */
	uint32_t files; /* only the last so many stay; 0: all */
	uint64_t
		keep_ns; /* only so much is kept, in memory: nothing is written but by store_writer__dump() */
};
void store_writer__limit(struct store_writer *w, const struct store_limits *limits); /* before it begins */
/* Before the first event. */
void store_writer__begin(struct store_writer *w, const struct store_info *info);
/* Events of one round, in any order (copied), then its end, as event_source.poll tells it. */
void store_writer__event(struct store_writer *w, const struct ipct_hdr *ev);
void store_writer__round(struct store_writer *w, uint64_t watermark_ns);
/*
 * 0, or -errno of the first frame that could not be written. Everything that comes after is counted and dropped, and
 * the file ends with the last whole frame.
 */
int store_writer__error(const struct store_writer *w);
uint64_t store_writer__bytes(const struct store_writer *w); /* in all files; keep_ns: in memory */
uint32_t store_writer__files(const struct store_writer *w); /* that there are, of those that were made */
double store_writer__kept_s(const struct store_writer *w); /* keep_ns: how many seconds that is now */
/* With keep_ns: writes what is kept to a file that is replaced. 0, or -errno with one sentence in err. */
int store_writer__dump(struct store_writer *w, const char *path, struct buf *err);
const struct store_sums *store_writer__sums(const struct store_writer *w);
/* Writes what is left, and the end frame. 0, or -errno with one sentence in err. */
int store_writer__finish(struct store_writer *w, struct buf *err);
void store_writer__free(struct store_writer *w); /* a file that it made and never wrote to is removed */

/*
 * A source that gives what inner gives, and records it. With nobody to give it to (fn is NULL), it only records.
 * Owns neither; freed with its close().
 */
struct event_source *store_tee__new(struct event_source *inner, struct store_writer *w);

#endif
