/* SPDX-License-Identifier: GPL-2.0 */
/* What the formats for programs that are XML have in common. */
#ifndef VIEW_XML_H
#define VIEW_XML_H

#include "view/picture.h"

void xml__put(struct buf *out, const char *s); /* escaped */
void xml__put_ends(struct buf *out, const struct picture *p,
		   const struct link *l); /* id, source and target */
/* As picture__put_notes(), on one line. */
void xml__put_notes(struct buf *out, const struct picture *p, const struct graph *g,
		    const struct view_names *names);

#endif
