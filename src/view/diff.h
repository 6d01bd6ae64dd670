/* SPDX-License-Identifier: GPL-2.0 */
/* The differences of two graphs, as bytes. */
#ifndef VIEW_DIFF_H
#define VIEW_DIFF_H

#include "model/compare.h"
#include "view/view.h"

struct diff_view {
	const char *name, *summary;
	void (*render)(struct buf *out, const struct compare *c, const struct view_names *names,
		       double factor);
};
const struct diff_view *const *diff_view__all(void); /* NULL-terminated */
const struct diff_view *diff_view__by_name(const char *name); /* NULL: none */

#endif
