/* SPDX-License-Identifier: GPL-2.0 */
/* GraphML (http://graphml.graphdrawing.org/), for networkx, igraph, yEd, Gephi. */
#include "base/escape.h"
#include "view/attrs.h"
#include "view/graphs.h"
#include "view/xml.h"

static void put_keys(struct buf *out, const struct attr_row *rows, const char *of)
{
	static const char *const types[] = { "string", "long", "boolean" };

	for (; rows->name; rows++)
		buf__printf(out, "  <key id=\"%s_%s\" for=\"%s\" attr.name=\"%s\" attr.type=\"%s\"/>\n", of,
			    rows->name, of, rows->name, types[rows->type]);
}

static void put_data(struct buf *out, const struct attr_row *rows, const char *of, const void *item)
{
	struct buf value = { 0 };

	for (; (rows = attrs__next(rows, item, &value)); rows++) {
		buf__printf(out, "      <data key=\"%s_%s\">", of, rows->name);
		escape__xml(out, value.data, value.len);
		buf__puts(out, "</data>\n");
	}
	buf__free(&value);
}

static void put_node(struct buf *out, const struct node *n)
{
	buf__puts(out, "    <node id=\"");
	xml__put(out, n->id);
	buf__puts(out, "\">\n");
	put_data(out, node_attrs, "node", n);
	buf__puts(out, "    </node>\n");
}

static void put_link(struct buf *out, const struct picture *p, const struct link *l)
{
	buf__puts(out, "    <edge ");
	xml__put_ends(out, p, l);
	buf__puts(out, ">\n");
	put_data(out, link_attrs, "edge", l);
	buf__puts(out, "    </edge>\n");
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	struct picture p;

	picture__init(&p, g, procs, names, opts, PICTURE_EVERYTHING);
	buf__puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
		       "  <desc>");
	xml__put_notes(out, &p, g, names);
	buf__puts(out, "</desc>\n");
	put_keys(out, node_attrs, "node");
	put_keys(out, link_attrs, "edge");
	buf__puts(out, "  <graph id=\"ipctrace\" edgedefault=\"directed\">\n");
	for (size_t i = 0; i < p.nodes.cnt; i++)
		put_node(out, &p.nodes.v[i]);
	for (size_t i = 0; i < p.links.cnt; i++)
		put_link(out, &p, &p.links.v[i]);
	buf__puts(out, "  </graph>\n</graphml>\n");
	picture__free(&p);
}

const struct graph_view graph_view__graphml = {
	.name = "graphml",
	.summary = "XML that networkx, igraph and yEd read",
	.render = render,
};
