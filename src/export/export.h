/* SPDX-License-Identifier: GPL-2.0 */
/* A recording in other tools' formats: fed like a view, it writes a stream or a file of its own. */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "base/out.h"
#include "view/view.h"

struct export_opts {
	const struct view_names *names;
	int64_t boot_to_wall_ns;
	const char *path; /* formats with own_file: where to write */
};

struct export;

struct export_format {
	const char *name, *summary;
	bool binary; /* not for a terminal */
	bool own_file; /* writes opts.path itself, and nothing to out */
	/* NULL: failed, with one sentence in err. opts and out must outlive it. */
	struct export *(*begin)(const struct export_opts *opts, struct out *out, struct buf *err);
	/* Each may be NULL. */
	void (*message)(struct export *e, const struct message *m);
	void (*op)(struct export *e, const struct op *op, const struct channel *ch, const struct party *task);
	void (*lost)(struct export *e, uint8_t mech, uint64_t cnt, int cpu);
	/* All is known; frees e. 0, or -errno with one sentence in err. */
	int (*end)(struct export *e, struct graph *g, struct proc_table *procs,
		   const struct model_stats *stats, struct buf *err);
};

/* NULL-terminated. */
const struct export_format *const *export_format__all(void);
const struct export_format *export_format__by_name(const char *name); /* NULL: none */

#endif
