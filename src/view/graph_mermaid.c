/* SPDX-License-Identifier: GPL-2.0 */
/* A Mermaid flowchart, for documents: GitHub, GitLab and wikis draw it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "view/graphs.h"
#include "view/label.h"
#include "view/picture.h"
#include "view/style.h"

/* What Mermaid draws at most (maxEdges, maxTextSize); some room is left for what wraps it. */
#define LINKS_MAX 500
#define TEXT_MAX 49000
#define LABEL_BYTES 48
#define RED "#d62728"

/* Any bytes; only letters, digits, '_' are safe in a name. FNV-1a, so that it depends on the id alone. */
static void put_name(struct buf *out, const struct node *n)
{
	uint64_t h = 0xcbf29ce484222325u;

	if (n->kind == NODE_PROCESS) {
		buf__printf(out, "p%" PRIu32 "_%" PRIu64, n->proc->pid,
			    n->proc->folded_cnt ? n->proc->folded_nr : n->proc->start_ns);
		return;
	}
	for (const char *s = n->id; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	buf__printf(out, "c%016" PRIx64, h);
}

static void put_text(struct buf *out, const char *s, size_t len)
{
	size_t cut = label__fitting(s, len, LABEL_BYTES);

	escape__mermaid(out, s, cut);
	if (cut < len)
		buf__puts(out, "\xe2\x80\xa6");
}

/* ---- nodes ---- */

/* Mermaid's shapes are pairs of brackets. */
static void put_node(struct buf *out, const struct node *n, const char *indent)
{
	struct buf label = { 0 };
	bool channel = n->kind == NODE_CHANNEL;

	picture__put_label(&label, n);
	buf__puts(out, indent);
	put_name(out, n);
	buf__puts(out, channel ? "([\"" : "[\"");
	put_text(out, label.data, label.len);
	if (n->kind == NODE_PROCESS) {
		buf__puts(out, "<br/>");
		label__pid(out, n->proc);
	}
	buf__puts(out, channel ? "\"])\n" : "\"]\n");
	if (channel) {
		buf__puts(out, indent);
		buf__puts(out, "style ");
		put_name(out, n);
		buf__printf(out, " stroke:%s\n", style__of(n->channel->mech)->colour);
	}
	buf__free(&label);
}

static void put_nodes(struct buf *out, const struct picture *p, const bool *shown)
{
	for (size_t i = 0; i < p->nodes.cnt; i++)
		if (shown[i] && !p->nodes.v[i].group)
			put_node(out, &p->nodes.v[i], "  ");
	for (size_t g = 0; g < p->groups.cnt; g++) {
		buf__printf(out, "  subgraph g%zu [\"", g);
		put_text(out, p->groups.v[g], strlen(p->groups.v[g]));
		buf__puts(out, "\"]\n");
		for (size_t i = 0; i < p->nodes.cnt; i++)
			if (shown[i] && p->nodes.v[i].group == p->groups.v[g])
				put_node(out, &p->nodes.v[i], "    ");
		buf__puts(out, "  end\n");
	}
}

/* ---- links ---- */

static void put_traffic(struct buf *out, const struct link *l)
{
	if (l->kind == LINK_FLOW || l->kind == LINK_SHARE) {
		put_text(out, l->channel->name, strlen(l->channel->name));
		buf__puts(out, "<br/>");
	}
	if (l->kind == LINK_SHARE) {
		buf__printf(out, "%s, %s", l->from_mode, l->to_mode);
		return;
	}
	picture__put_traffic(out, l, "<br/>");
}

static void put_link(struct buf *out, const struct picture *p, const struct link *l)
{
	buf__puts(out, "  ");
	put_name(out, &p->nodes.v[l->from]);
	if (l->kind == LINK_PARENT) {
		buf__puts(out, " -.- ");
	} else {
		buf__puts(out, l->kind == LINK_SHARE ? " ---|\"" : l->doubt ? " -.->|\"" : " -->|\"");
		put_traffic(out, l);
		buf__puts(out, "\"| ");
	}
	put_name(out, &p->nodes.v[l->to]);
	buf__putc(out, '\n');
}

static void put_link_styles(struct buf *out, const struct link *const *links, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		const struct link *l = links[i];

		if (l->channel)
			buf__printf(out, "  linkStyle %zu stroke:%s\n", i,
				    l->waits ? RED : style__of(l->channel->mech)->colour);
	}
}

/* ---- the whole ---- */

static uint64_t importance(const struct link *l)
{
	return l->kind == LINK_PARENT ? 0 : l->bytes + l->messages + 1;
}

static int by_importance(const void *x, const void *y)
{
	const struct link *a = *(const struct link *const *)x, *b = *(const struct link *const *)y;

	if (importance(a) != importance(b))
		return importance(a) > importance(b) ? -1 : 1;
	return a < b ? -1 : a > b; /* they stand in one array, in the graph's order */
}

static int by_place(const void *x, const void *y)
{
	const struct link *a = *(const struct link *const *)x, *b = *(const struct link *const *)y;

	return a < b ? -1 : a > b;
}

/* links[0..cnt): the ones to draw, in the graph's order afterwards. */
static void put_chart(struct buf *out, const struct picture *p, const struct graph *g,
		      const struct view_names *names, const struct link **links, size_t cnt)
{
	bool *shown = xalloc(p->nodes.cnt + 1);
	struct buf notes = { 0 };

	for (size_t i = 0; i < p->nodes.cnt; i++)
		shown[i] = cnt == p->links.cnt && p->nodes.v[i].takes_part;
	for (size_t i = 0; i < cnt; i++)
		shown[links[i]->from] = shown[links[i]->to] = true;
	if (cnt)
		qsort(links, cnt, sizeof(*links), by_place);
	picture__put_notes(&notes, p, g, names, "; ");
	buf__puts(out, "%% ipctrace: ");
	escape__mermaid(out, notes.data, notes.len - 2);
	if (cnt < p->links.cnt)
		buf__printf(out, "; left out for Mermaid: the smallest %zu of %zu lines", p->links.cnt - cnt,
			    p->links.cnt);
	buf__puts(out, "\nflowchart LR\n");
	put_nodes(out, p, shown);
	for (size_t i = 0; i < cnt; i++)
		put_link(out, p, links[i]);
	put_link_styles(out, links, cnt);
	buf__free(&notes);
	free(shown);
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	const struct link **links;
	struct picture p;
	size_t begin = out->len, cnt;

	picture__init(&p, g, procs, names, opts, PICTURE_READABLE);
	links = xalloc((p.links.cnt + 1) * sizeof(*links));
	cnt = p.links.cnt > LINKS_MAX ? LINKS_MAX : p.links.cnt;
	for (;;) {
		for (size_t i = 0; i < p.links.cnt; i++)
			links[i] = &p.links.v[i];
		if (p.links.cnt)
			qsort(links, p.links.cnt, sizeof(*links), by_importance);
		out->len = begin;
		put_chart(out, &p, g, names, links, cnt);
		if (out->len - begin <= TEXT_MAX || !cnt)
			break;
		cnt -= cnt / 8 + 1;
	}
	free(links);
	picture__free(&p);
}

const struct graph_view graph_view__mermaid = {
	.name = "mermaid",
	.summary = "a flowchart for documents; the largest 500 lines at most",
	.render = render,
};
