/* SPDX-License-Identifier: GPL-2.0 */
/* GEXF for Gephi. Version 1.2draft: Gephi reads it as well as 1.3, networkx reads no other. */
#include <inttypes.h>

#include "base/escape.h"
#include "view/attrs.h"
#include "view/graphs.h"
#include "view/style.h"
#include "view/xml.h"

static void put_attributes(struct buf *out, const struct attr_row *rows, const char *of)
{
	static const char *const types[] = { "string", "long", "boolean" };

	buf__printf(out, "    <attributes class=\"%s\" mode=\"static\">\n", of);
	for (; rows->name; rows++)
		buf__printf(out, "      <attribute id=\"%s_%s\" title=\"%s\" type=\"%s\"/>\n", of, rows->name,
			    rows->name, types[rows->type]);
	buf__puts(out, "    </attributes>\n");
}

static void put_values(struct buf *out, const struct attr_row *rows, const char *of, const void *item)
{
	struct buf value = { 0 };

	buf__puts(out, "        <attvalues>\n");
	for (; (rows = attrs__next(rows, item, &value)); rows++) {
		buf__printf(out, "          <attvalue for=\"%s_%s\" value=\"", of, rows->name);
		escape__xml(out, value.data, value.len);
		buf__puts(out, "\"/>\n");
	}
	buf__puts(out, "        </attvalues>\n");
	buf__free(&value);
}

static unsigned int hex_pair(const char *s)
{
	unsigned int v = 0;

	for (int i = 0; i < 2; i++)
		v = v << 4 | (unsigned int)(s[i] >= 'a' ? s[i] - 'a' + 10 : s[i] - '0');
	return v;
}

static void put_colour(struct buf *out, uint8_t mech)
{
	const char *c = style__of(mech)->colour;

	buf__printf(out, "        <viz:color r=\"%u\" g=\"%u\" b=\"%u\"/>\n", hex_pair(c + 1),
		    hex_pair(c + 3), hex_pair(c + 5));
}

static void put_node(struct buf *out, const struct node *n)
{
	struct buf label = { 0 };

	picture__put_label(&label, n);
	buf__puts(out, "      <node id=\"");
	xml__put(out, n->id);
	buf__puts(out, "\" label=\"");
	escape__xml(out, label.data, label.len);
	buf__puts(out, "\">\n");
	put_values(out, node_attrs, "node", n);
	put_colour(out, n->channel ? n->channel->mech : 0);
	buf__puts(out, "      </node>\n");
	buf__free(&label);
}

static void put_link(struct buf *out, const struct picture *p, const struct link *l)
{
	buf__puts(out, "      <edge ");
	xml__put_ends(out, p, l);
	buf__printf(out, " weight=\"%" PRIu64 ".0\">\n", l->bytes ? l->bytes : l->messages ? l->messages : 1);
	put_values(out, link_attrs, "edge", l);
	put_colour(out, l->channel ? l->channel->mech : 0);
	buf__puts(out, "      </edge>\n");
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	struct picture p;

	picture__init(&p, g, procs, names, opts, PICTURE_EVERYTHING);
	buf__puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		       "<gexf xmlns=\"http://www.gexf.net/1.2draft\" "
		       "xmlns:viz=\"http://www.gexf.net/1.2draft/viz\" version=\"1.2\">\n"
		       "  <meta>\n    <creator>ipctrace</creator>\n    <description>");
	xml__put_notes(out, &p, g, names);
	buf__puts(out, "</description>\n  </meta>\n"
		       "  <graph mode=\"static\" defaultedgetype=\"directed\">\n");
	put_attributes(out, node_attrs, "node");
	put_attributes(out, link_attrs, "edge");
	buf__printf(out, "    <nodes count=\"%zu\">\n", p.nodes.cnt);
	for (size_t i = 0; i < p.nodes.cnt; i++)
		put_node(out, &p.nodes.v[i]);
	buf__printf(out, "    </nodes>\n    <edges count=\"%zu\">\n", p.links.cnt);
	for (size_t i = 0; i < p.links.cnt; i++)
		put_link(out, &p, &p.links.v[i]);
	buf__puts(out, "    </edges>\n  </graph>\n</gexf>\n");
	picture__free(&p);
}

const struct graph_view graph_view__gexf = {
	.name = "gexf",
	.summary = "XML for Gephi",
	.render = render,
};
