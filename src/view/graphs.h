/* SPDX-License-Identifier: GPL-2.0 */
/* The graph views, one file each; graphs.c lists them. */
#ifndef VIEW_GRAPHS_H
#define VIEW_GRAPHS_H

#include "view/view.h"

extern const struct graph_view graph_view__text, graph_view__dot, graph_view__svg, graph_view__png,
	graph_view__json, graph_view__graphml, graph_view__gexf, graph_view__mermaid, graph_view__cytoscape,
	graph_view__html;

/* "nothing lost", or "lost 3 events of pipe, ...: the graph may be incomplete". No newline. */
void graphs__put_losses(struct buf *out, const struct graph *g, const struct view_names *names);
/* What a reader must know about a channel: "12 bytes sent and not taken; ...", or nothing. */
void graphs__put_remark(struct buf *out, const struct channel *ch);

#endif
