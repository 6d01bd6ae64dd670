/* SPDX-License-Identifier: GPL-2.0 */
/* A trace in a few tables. */
#ifndef VIEW_REPORT_H
#define VIEW_REPORT_H

#include "view/view.h"

struct report_about {
	const char *tool, *command_line; /* of the recorder; may be NULL */
	uint64_t begin_ns, end_ns; /* CLOCK_BOOTTIME */
	int64_t boot_to_wall_ns;
	const struct model_stats *stats;
	struct report_stacks *stacks; /* view/report_stacks.h; NULL: not asked for */
};

#define REPORT_ROWS_DEFAULT 15 /* of each table */

void report__text(struct buf *out, const struct report_about *about, struct graph *g,
		  const struct view_names *names);
void report__json(struct buf *out, const struct report_about *about, struct graph *g,
		  const struct view_names *names);

#endif
