/* SPDX-License-Identifier: GPL-2.0 */
/* What processes have in common, for --group. */
#ifndef VIEW_GROUP_H
#define VIEW_GROUP_H

#include "model/proc.h"
#include "view/view.h"

/* The group's name, raw bytes; never empty. names->cgroup and names->user make it readable. */
void group__put(struct buf *out, enum graph_group group, const struct proc *p,
		const struct view_names *names);
int group__by_name(const char *name, enum graph_group *group); /* 0, or -EINVAL */

#endif
