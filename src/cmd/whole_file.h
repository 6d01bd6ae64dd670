/* SPDX-License-Identifier: GPL-2.0 */
/* A result that is written at the end, in one piece: a file appears complete, or the old one stays. */
#ifndef CMD_WHOLE_FILE_H
#define CMD_WHOLE_FILE_H

#include <sys/types.h>

#include "base/out.h"

struct whole_file {
	struct out out; /* write into out.buf */
	const char *path;
	char *target; /* with symbolic links followed; NULL: written directly */
	char *temp; /* its neighbour, until whole_file__finish(); NULL: written directly */
};

/*
 * path: NULL or "-" is standard output. Devices and pipes are written directly. 0, or -errno with one sentence
 * in err: an unwritable place is known before the work, not after it.
 */
int whole_file__open(struct whole_file *f, const char *path, struct buf *err);
/* Writes all and puts the file into place. As out__finish(). */
int whole_file__finish(struct whole_file *f, struct buf *err);
void whole_file__drop(struct whole_file *f); /* instead of finish: nothing is left behind */
/* One of the two. 0, also where the reader went away; -errno with one sentence in err. */
int whole_file__end(struct whole_file *f, bool keep, struct buf *err);

#endif
