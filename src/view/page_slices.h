/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VIEW_PAGE_SLICES_H
#define VIEW_PAGE_SLICES_H

#include "base/json.h"
#include "view/picture.h"

/*
 * The member "slices": of each slice of time, when it was after the graph's start, and what went over which of the
 * picture's links then ("links": {"INDEX": [messages, bytes]}). Nothing where opts have no slices.
 */
void page_slices__put(struct json *j, const struct picture *p, struct graph *g,
		      const struct graph_opts *opts);

#endif
