/* SPDX-License-Identifier: GPL-2.0 */
#include "view/xml.h"

#include <string.h>

#include "base/escape.h"

void xml__put(struct buf *out, const char *s)
{
	escape__xml(out, s, strlen(s));
}

void xml__put_ends(struct buf *out, const struct picture *p, const struct link *l)
{
	buf__puts(out, "id=\"");
	xml__put(out, l->id);
	buf__puts(out, "\" source=\"");
	xml__put(out, p->nodes.v[l->from].id);
	buf__puts(out, "\" target=\"");
	xml__put(out, p->nodes.v[l->to].id);
	buf__putc(out, '"');
}

void xml__put_notes(struct buf *out, const struct picture *p, const struct graph *g,
		    const struct view_names *names)
{
	static const char newline[] = "; ";
	struct buf notes = { 0 };

	picture__put_notes(&notes, p, g, names, newline);
	escape__xml(out, notes.data, notes.len - strlen(newline));
	buf__free(&notes);
}
