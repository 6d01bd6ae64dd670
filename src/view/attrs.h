/* SPDX-License-Identifier: GPL-2.0 */
/* What formats for programs say about a picture's nodes and links: one table each, for GraphML, GEXF and Cytoscape. */
#ifndef VIEW_ATTRS_H
#define VIEW_ATTRS_H

#include "view/picture.h"

enum attr_type { VALUE_TEXT, VALUE_NUMBER, VALUE_FLAG };

struct attr_row {
	const char *name;
	enum attr_type type;
	/* Writes the value as raw bytes, or nothing where there is none. item: struct node or struct link. */
	void (*put)(struct buf *out, const void *item);
};

extern const struct attr_row node_attrs[], link_attrs[]; /* ended by a row without a name */
/* The first row, from rows on, for which item has a value, which it puts in place of what was in value; NULL: none. */
const struct attr_row *attrs__next(const struct attr_row *rows, const void *item, struct buf *value);

#endif
