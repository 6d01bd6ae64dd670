/* SPDX-License-Identifier: GPL-2.0 */
/* The graph for Graphviz, and through it as SVG and PNG. */
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "event/wire.h"
#include "view/graphs.h"
#include "view/label.h"
#include "view/picture.h"
#include "view/style.h"

#define RED "#d62728"
#define GREY "#888888"
#define LABEL_BYTES 48
#define LAYERED_NODES_MAX 300 /* dot takes 16 s for 1,000 nodes, sfdp less than one */

/* s as part of a label: without what would break it, and not longer than a picture bears. */
static void put_text(struct buf *out, const char *s, size_t len)
{
	size_t cut = label__fitting(s, len, LABEL_BYTES);

	escape__dot(out, s, cut);
	if (cut < len)
		buf__puts(out, "\xe2\x80\xa6");
}

static void put_id(struct buf *out, const char *id)
{
	buf__putc(out, '"');
	escape__dot(out, id, strlen(id));
	buf__putc(out, '"');
}

/* ---- nodes ---- */

static void put_proc(struct buf *out, const struct node *n)
{
	buf__puts(out, n->members > 1 ? " [shape=box, peripheries=2, style=\"rounded"
				      : " [shape=box, style=\"rounded");
	buf__puts(out, n->takes_part ? "\"" : ",dashed\"");
	if (n->proc->exited)
		buf__puts(out, ", color=\"" GREY "\"");
}

static void put_node_text(struct buf *out, const struct node *n)
{
	struct buf label = { 0 };

	picture__put_label(&label, n);
	put_text(out, label.data, label.len);
	buf__free(&label);
	if (n->kind == NODE_PROCESS) {
		buf__puts(out, "\\n");
		label__pid(out, n->proc);
		buf__puts(out, n->members > 1 ? "\xe2\x80\xa6" : "");
	}
	if (n->kind == NODE_CHANNEL && sorted__has_remark(n->channel)) {
		buf__puts(out, "\\n");
		graphs__put_remark(out, n->channel);
	}
}

static void put_node(struct buf *out, const struct node *n, const char *indent)
{
	buf__puts(out, indent);
	put_id(out, n->id);
	if (n->kind == NODE_PROCESS) {
		put_proc(out, n);
	} else if (n->kind == NODE_CHANNEL) {
		const struct style *style = style__of(n->channel->mech);

		buf__printf(out, " [shape=%s, color=\"%s\"", style->shape, style->colour);
	} else {
		buf__puts(out, " [shape=box3d, color=\"" GREY "\"");
	}
	buf__puts(out, ", label=\"");
	put_node_text(out, n);
	buf__puts(out, "\"];\n");
}

static void put_group(struct buf *out, const struct picture *p, const char *group)
{
	struct buf name = { 0 };

	buf__printf(&name, "cluster_%s", group);
	buf__puts(out, "\tsubgraph ");
	put_id(out, buf__cstr(&name));
	buf__puts(out, " {\n\t\tgraph [style=\"rounded,filled\", color=\"#cccccc\", fillcolor=\"#f6f6f6\", "
		       "fontsize=10, labelloc=t, labeljust=l, label=\"");
	put_text(out, group, strlen(group));
	buf__puts(out, "\"];\n");
	buf__free(&name);
	for (size_t i = 0; i < p->nodes.cnt; i++)
		if (p->nodes.v[i].group == group)
			put_node(out, &p->nodes.v[i], "\t\t");
	buf__puts(out, "\t}\n");
}

/* ---- links ---- */

/* 1.0 for nothing, about 4 for a gigabyte: by the number of digits in binary. */
static void put_penwidth(struct buf *out, uint64_t bytes)
{
	unsigned int bits = bytes ? 64 - (unsigned int)__builtin_clzll(bytes) : 0;

	buf__printf(out, ", penwidth=%u.%u", (10 + bits) / 10, (10 + bits) % 10);
}

static void put_line_style(struct buf *out, const struct link *l)
{
	const char *colour = l->waits ? RED : style__of(l->channel->mech)->colour;

	buf__printf(out, ", color=\"%s\", fontcolor=\"%s\"", colour, colour);
	if (l->doubt)
		buf__puts(out, ", style=dashed");
}

/* "8 x pipe" where the link stands for several channels. */
static void put_channel_name(struct buf *out, const struct picture *p, const struct link *l)
{
	const struct node n = { .kind = NODE_CHANNEL,
				.channel = l->channel,
				.mech = l->mech,
				.members = fold__channels(&p->sorted.fold, l->channel) };
	struct buf name = { 0 };

	picture__put_label(&name, &n);
	put_text(out, name.data, name.len);
	buf__puts(out, "\\n");
	buf__free(&name);
}

static void put_link_text(struct buf *out, const struct picture *p, const struct link *l)
{
	if (l->kind != LINK_END)
		put_channel_name(out, p, l);
	if (l->kind == LINK_SHARE) {
		buf__printf(out, "%s, %s", l->from_mode, l->to_mode);
		return;
	}
	if (l->origin && l->kind == LINK_FLOW) {
		label__origin(out, l->origin);
		buf__puts(out, ", ");
	}
	if (l->kind == LINK_END && l->role && !l->messages && !l->bytes)
		buf__puts(out, l->role);
	else
		picture__put_traffic(out, l, "\\n");
}

static void put_link(struct buf *out, const struct picture *p, const struct link *l)
{
	bool idle = l->kind == LINK_SHARE || (l->kind == LINK_END && !l->messages && !l->bytes);

	buf__putc(out, '\t');
	put_id(out, p->nodes.v[l->from].id);
	buf__puts(out, " -> ");
	put_id(out, p->nodes.v[l->to].id);
	if (l->kind == LINK_PARENT) {
		buf__puts(out, " [color=\"#bbbbbb\", style=dotted, arrowhead=none];\n");
		return;
	}
	buf__puts(out, " [label=\"");
	put_link_text(out, p, l);
	buf__puts(out, idle ? "\", dir=none" : "\"");
	put_penwidth(out, l->bytes);
	put_line_style(out, l);
	buf__puts(out, "];\n");
}

/* ---- the whole ---- */

/* What the picture uses, and only that. */
static void put_legend(struct buf *out, const struct picture *p)
{
	bool seen[IPCT_MECH_CNT] = { false };

	buf__puts(out, "box: process; grey: it has ended");
	for (size_t i = 0; i < p->links.cnt; i++) {
		const struct link *l = &p->links.v[i];
		uint8_t mech = l->channel ? l->channel->mech % IPCT_MECH_CNT : IPCT_MECH_NONE;

		if (!l->channel || seen[mech])
			continue;
		seen[mech] = true;
		buf__printf(out, "; <FONT COLOR=\"%s\">%s (%s)</FONT>", style__of(mech)->colour, l->mech,
			    style__of(mech)->shape);
	}
	buf__puts(out, "<BR ALIGN=\"LEFT\"/>"
		       "lines: messages, bytes, 99th percentile of latency; thicker: more bytes; "
		       "dashed: the pairing is not certain<BR ALIGN=\"LEFT\"/>"
		       "<FONT COLOR=\"" RED "\">red</FONT>: somebody waited 1 ms or more; "
		       "dotted grey: parent and child<BR ALIGN=\"LEFT\"/>");
}

static void put_caption(struct buf *out, const struct picture *p, const struct graph *g,
			const struct view_names *names)
{
	struct buf notes = { 0 };

	picture__put_notes(&notes, p, g, names, "\n");
	put_legend(out, p);
	for (size_t at = 0; at < notes.len;) {
		size_t len =
			(size_t)((char *)memchr(notes.data + at, '\n', notes.len - at) - notes.data) - at;

		escape__xml(out, notes.data + at, len);
		buf__puts(out, "<BR ALIGN=\"LEFT\"/>");
		at += len + 1;
	}
	buf__free(&notes);
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	struct picture p;

	picture__init(&p, g, procs, names, opts, PICTURE_READABLE);
	buf__puts(out, "digraph ipctrace {\n"
		       "\tgraph [rankdir=LR, labelloc=b, labeljust=l, fontname=\"sans-serif\", fontsize=9, "
		       "overlap=prism, label=<");
	put_caption(out, &p, g, names);
	buf__puts(out, ">");
	if (p.nodes.cnt > LAYERED_NODES_MAX)
		buf__puts(out, ", layout=sfdp");
	buf__puts(out, "];\n"
		       "\tnode [fontname=\"sans-serif\", fontsize=10];\n"
		       "\tedge [fontname=\"sans-serif\", fontsize=9];\n");
	for (size_t i = 0; i < p.nodes.cnt; i++)
		if (!p.nodes.v[i].group)
			put_node(out, &p.nodes.v[i], "\t");
	for (size_t i = 0; i < p.groups.cnt; i++)
		put_group(out, &p, p.groups.v[i]);
	for (size_t i = 0; i < p.links.cnt; i++)
		put_link(out, &p, &p.links.v[i]);
	buf__puts(out, "}\n");
	picture__free(&p);
}

const struct graph_view graph_view__dot = {
	.name = "dot",
	.summary = "for Graphviz: ipctrace graph -F dot | dot -Tsvg",
	.render = render,
};

const struct graph_view graph_view__svg = {
	.name = "svg",
	.summary = "a picture for browsers; drawn by Graphviz",
	.render = render,
	.drawn_as = "svg",
};

const struct graph_view graph_view__png = {
	.name = "png",
	.summary = "a picture of pixels; drawn by Graphviz",
	.render = render,
	.drawn_as = "png",
};
