/* SPDX-License-Identifier: GPL-2.0 */
/* Pictures, drawn by Graphviz as a program of its own. */
#ifndef CMD_GRAPHVIZ_H
#define CMD_GRAPHVIZ_H

#include "base/buf.h"

/* Known before the trace begins: 0, or -ENOENT with one sentence in err. */
int graphviz__check(const char *format, struct buf *err);
/*
 * Makes text in the DOT language a picture, in place. format: "svg", "png". 0, or -errno with one sentence in err;
 * the text is then kept in a file, which the sentence names.
 */
int graphviz__draw(const char *format, struct buf *text, struct buf *err);

#endif
