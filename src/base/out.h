/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a command's data goes: a buffered stream over a descriptor that remembers
 * its first error. After an error it swallows what is put into it, so a loop need
 * only look at out__error() now and then, and ask out__finish() for the sentence.
 *
 * Write into out->buf (views do), then out__commit(). A live command also calls
 * out__flush() whenever it has nothing else to do, so that a pipe's reader sees lines in time.
 * main() ignores SIGPIPE; a reader that went away is -EPIPE here, and no complaint.
 */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stdbool.h>

#include "base/buf.h"

struct out {
	struct buf buf; /* not yet written */
	const char *name; /* for messages; not owned */
	int fd;
	int err; /* 0, or -errno of the first write that failed */
	bool interactive; /* a terminal: every commit is flushed */
	bool owns_fd;
	bool told; /* the sentence was handed out */
};

/*
 * path: NULL or "-" is standard output; else created or truncated. It must outlive the stream.
 * 0, or -errno with one sentence in err.
 */
int out__open(struct out *o, const char *path, struct buf *err);
/*
 * An empty file beside path that nobody else has, with the mode that path has or would get, to be put into its place
 * later: *temp is its name, freed by the caller. A descriptor, or -errno; then *temp is NULL.
 */
int out__make_beside(const char *path, char **temp);
void out__from_fd(struct out *o, int fd, const char *name); /* fd stays the caller's */
int out__commit(struct out *o); /* flushes when interactive or when much has gathered; 0 or -errno */
int out__flush(struct out *o); /* 0 or -errno */
static inline int out__error(const struct out *o)
{
	return o->err;
}
/*
 * Flushes, closes what out__open() opened, frees the buffer. 0; -EPIPE: the reader went away, end quietly;
 * other -errno: with one sentence in err, but only the first time.
 */
int out__finish(struct out *o, struct buf *err);

#endif
