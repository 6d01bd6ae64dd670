/* SPDX-License-Identifier: GPL-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "workload/workload.h"

void truth__free(struct truth *t)
{
	vec__free(t);
}

void truth__add(struct truth *t, enum truth_kind kind, pid_t src, pid_t dst, const char *mech,
		const char *object, uint64_t messages, uint64_t bytes)
{
	struct truth_line line = { .kind = kind, .src = src, .dst = dst, .mech = mech };

	for (size_t i = 0; i < t->cnt; i++) {
		struct truth_line *l = &t->v[i];

		if (l->kind == kind && l->src == src && l->dst == dst && !strcmp(l->mech, mech) &&
		    !strcmp(l->object, object)) {
			l->messages += messages;
			l->bytes += bytes;
			return;
		}
	}
	line.messages = messages;
	line.bytes = bytes;
	snprintf(line.object, sizeof(line.object), "%s", object);
	vec__push(t, line);
}
