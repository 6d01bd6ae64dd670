/* SPDX-License-Identifier: GPL-2.0 */
/* The interactive page: one file that needs nothing else, and may load nothing else (its content security policy). */
#ifndef VIEW_PAGE_H
#define VIEW_PAGE_H

#include "view/view.h"

struct page_piece {
	const char *data;
	size_t len;
};

enum page_file { PAGE_BODY, PAGE_STYLE, PAGE_SCRIPT, PAGE_LIBRARY };

struct page_piece page_file(enum page_file which); /* of src/view/page/, as it was at build time */

/* What the page shows, as JSON. live: a server will say when there is something new. */
void page__put_data(struct buf *out, struct graph *g, struct proc_table *procs,
		    const struct view_names *names, const struct graph_opts *opts, bool live);
void page__put(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
	       const struct graph_opts *opts, bool live);

#endif
