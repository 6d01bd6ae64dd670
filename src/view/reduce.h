/* SPDX-License-Identifier: GPL-2.0 */
/* What a graph loses before it is shown: --hide and --top. */
#ifndef VIEW_REDUCE_H
#define VIEW_REDUCE_H

#include "base/buf.h"

struct sorted;

void reduce__hide(struct sorted *s, const char *list); /* as graph_opts.hide */
/* Keeps the cnt flows that moved most (then shares, where flows are fewer), and what these touch. */
void reduce__top(struct sorted *s, uint64_t cnt);

/* 0, or -EINVAL with one sentence in err. */
int hide__check(const char *list, struct buf *err);
void hide__put_presets(struct buf *out); /* one line each: name and meaning, for --help */

#endif
