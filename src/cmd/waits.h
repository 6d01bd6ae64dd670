/* SPDX-License-Identifier: GPL-2.0 */
/* Who is blocked now, on which objects of ours, and who could end it: for top's table of waits. */
#ifndef CMD_WAITS_H
#define CMD_WAITS_H

#include "cmd/pipeline.h"
#include "model/meter.h"
#include "model/waits.h"

struct waits;

struct waits *waits__new(uint32_t mechs);
/*
 * Looks anew. Those of threads that the pipeline's filter selects are given to fn (valid until the next look), and
 * counted in the meter's last interval, which has just been ticked.
 */
void waits__look(struct waits *w, struct pipeline *p, struct meter *m,
		 void (*fn)(void *ctx, const struct wait_line *line), void *ctx);
void waits__free(struct waits *w);

#endif
