/* SPDX-License-Identifier: GPL-2.0 */
/* The JSON of Cytoscape and cytoscape.js; networkx.cytoscape_graph() reads it, too. */
#include "view/elements.h"
#include "view/graphs.h"

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	struct json j = { .out = out };
	struct buf notes = { 0 };
	struct picture p;

	picture__init(&p, g, procs, names, opts, PICTURE_EVERYTHING);
	picture__put_notes(&notes, &p, g, names, "; ");
	json__open(&j, NULL, '{');
	json__str(&j, "format_version", "1.0");
	json__str(&j, "generated_by", "ipctrace");
	json__str(&j, "target_cytoscapejs_version", "~3.34");
	json__bool(&j, "directed", true);
	json__bool(&j, "multigraph", true);
	json__open(&j, "data", '{');
	json__str(&j, "name", "ipctrace");
	json__strn(&j, "notes", notes.data, notes.len - 2);
	elements__put_styles(&j, "styles", &p);
	json__close(&j, '}');
	json__open(&j, "elements", '{');
	elements__put(&j, &p, false);
	json__close(&j, '}');
	json__close(&j, '}');
	buf__putc(out, '\n');
	buf__free(&notes);
	picture__free(&p);
}

const struct graph_view graph_view__cytoscape = {
	.name = "cytoscape",
	.summary = "JSON for Cytoscape and cytoscape.js",
	.render = render,
};
