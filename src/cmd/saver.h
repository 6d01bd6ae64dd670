/* SPDX-License-Identifier: GPL-2.0 */
/* A recording that is being made, by `record` or beside a live view (--record FILE). */
#ifndef CMD_SAVER_H
#define CMD_SAVER_H

#include "cmd/options.h"
#include "kern/kern.h"
#include "store/writer.h"

struct saver;

struct saver_begin {
	const struct kern *kern;
	const struct select_opts *select; /* what is shown; NULL: everything */
	int64_t boot_to_wall_ns;
	uint64_t start_ns;
};

/* Where it is to be written must be writable before anything is traced. NULL: it is not; one sentence in err. */
struct saver *saver__new(const struct options *o, struct buf *err);
/* Returns the source to poll instead of inner, which it records. Owned by the saver. */
struct event_source *saver__begin(struct saver *s, struct event_source *inner, const struct saver_begin *b);
/* --keep: what happened at at_ns met the condition. */
void saver__trigger(struct saver *s, uint64_t at_ns);
/*
 * --keep, after each round: writes what is kept when the trigger was met, or when asked, and says so. 1: that was the last file that is
 * wanted; 0; or -errno with one sentence in err.
 */
int saver__look(struct saver *s, bool asked, struct buf *err);
bool saver__failed(const struct saver *s); /* the file takes no more */
const struct store_writer *saver__writer(const struct saver *s);
/* Completes the file. 0, or -errno with one sentence in err. */
int saver__finish(struct saver *s, struct buf *err);
void saver__free(struct saver *s);

#endif
