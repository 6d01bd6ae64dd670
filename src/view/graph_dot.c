/* SPDX-License-Identifier: GPL-2.0 */
/* The graph for Graphviz. */
#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/time.h"
#include "view/graphs.h"
#include "view/label.h"
#include "view/sorted.h"
#include "view/spokes.h"
#include "view/style.h"

#define RED "#d62728"
#define LABEL_COLS 48

static const char legend[] =
	"boxes: processes; other shapes: channels with more than two partners or a remark\\l"
	"edges: messages, bytes, 99th percentile of latency; thicker: more bytes\\l"
	"dashed: the pairing is not certain; red: somebody waited 1 ms or more\\l"
	"grey: parent and child\\l";

/* s as part of a label: without what would break it, and not longer than a picture bears. */
static void put_text(struct buf *out, const char *s, size_t len)
{
	size_t cut = len;

	if (len > LABEL_COLS) {
		/* back to the first byte of a UTF-8 sequence */
		for (cut = LABEL_COLS; cut > LABEL_COLS - 4 && ((unsigned char)s[cut] & 0xc0) == 0x80; cut--)
			;
	}
	escape__dot(out, s, cut);
	if (cut < len)
		buf__puts(out, "\xe2\x80\xa6");
}

/* Node names: of processes the id of every format, of channels a number: their names may be any bytes. */
static void put_node(struct buf *out, const struct proc *p, const char *origin)
{
	char id[LABEL_ID_BYTES];

	buf__printf(out, "\"%s\"", label__side_id(p, origin, id));
}

static void put_channel_node(struct buf *out, const struct sorted *s, const struct channel *ch)
{
	buf__printf(out, "c%" PRIu32, s->channel_nr[ch->id]);
}

/* 1.0 for nothing, about 4 for a gigabyte: by the number of digits in binary. */
static void put_penwidth(struct buf *out, uint64_t bytes)
{
	unsigned int bits = bytes ? 64 - (unsigned int)__builtin_clzll(bytes) : 0;

	buf__printf(out, ", penwidth=%u.%u", (10 + bits) / 10, (10 + bits) % 10);
}

static void put_line_style(struct buf *out, uint8_t mech, bool waited, bool doubt)
{
	const char *colour = waited ? RED : style__of(mech)->colour;

	buf__printf(out, ", color=\"%s\", fontcolor=\"%s\"", colour, colour);
	if (doubt)
		buf__puts(out, ", style=dashed");
}

static void put_traffic(struct buf *out, uint64_t messages, uint64_t bytes, uint64_t p99_ns)
{
	label__count(out, messages, "message");
	if (bytes) {
		buf__puts(out, ", ");
		label__bytes(out, bytes);
		buf__puts(out, "B");
	}
	if (p99_ns) {
		buf__puts(out, "\\np99 ");
		time__put_duration(out, p99_ns);
	}
}

static void put_proc(struct buf *out, const struct proc *p, bool takes_part)
{
	buf__putc(out, '\t');
	put_node(out, p, NULL);
	buf__puts(out, " [shape=box, style=\"rounded");
	buf__puts(out, takes_part ? "" : ",dashed");
	buf__puts(out, p->exited ? "\", color=\"#888888\", label=\"" : "\", label=\"");
	put_text(out, p->comm, strnlen(p->comm, sizeof(p->comm)));
	buf__printf(out, "\\n%" PRIu32 "\"];\n", p->pid);
}

static void put_channel(struct buf *out, const struct sorted *s, const struct channel *ch)
{
	const struct style *style = style__of(ch->mech);

	buf__putc(out, '\t');
	put_channel_node(out, s, ch);
	buf__printf(out, " [shape=%s, color=\"%s\", label=\"", style->shape, style->colour);
	put_text(out, ch->name, strlen(ch->name));
	if (sorted__has_remark(ch)) {
		buf__puts(out, "\\n");
		graphs__put_remark(out, ch);
	}
	buf__puts(out, "\"];\n");
}

static void put_flow(struct buf *out, const struct flow *f)
{
	uint64_t p99_ns = f->latency.cnt ? hist__percentile(&f->latency, 99) : 0;

	buf__putc(out, '\t');
	put_node(out, f->src, f->origin);
	buf__puts(out, " -> ");
	put_node(out, f->dst, f->origin);
	buf__puts(out, " [label=\"");
	put_text(out, f->channel->name, strlen(f->channel->name));
	buf__puts(out, "\\n");
	if (f->origin) {
		label__origin(out, f->origin);
		buf__puts(out, ", ");
	}
	put_traffic(out, f->messages, f->bytes, p99_ns);
	buf__putc(out, '"');
	put_penwidth(out, f->bytes);
	put_line_style(out, f->channel->mech, f->wait_ns >= LABEL_WAIT_NS, f->attr != ATTR_EXACT);
	buf__puts(out, "];\n");
}

static void put_spoke(struct buf *out, const struct sorted *s, const struct spoke *k)
{
	bool idle = !k->messages && !k->bytes;

	buf__putc(out, '\t');
	if (!k->to_channel) {
		put_channel_node(out, s, k->channel);
		buf__puts(out, " -> ");
	}
	put_node(out, k->proc, k->origin);
	if (k->to_channel) {
		buf__puts(out, " -> ");
		put_channel_node(out, s, k->channel);
	}
	buf__puts(out, " [label=\"");
	if (idle && k->role)
		buf__puts(out, k->role);
	else
		put_traffic(out, k->messages, k->bytes, k->p99_ns);
	buf__puts(out, idle ? "\", dir=none" : "\"");
	put_penwidth(out, k->bytes);
	put_line_style(out, k->channel->mech, k->wait_ns >= LABEL_WAIT_NS, k->doubt);
	buf__puts(out, "];\n");
}

/* Shares whose ends are not in the graph get a line of their own; the others are told by their spokes. */
static void put_share(struct buf *out, const struct share *sh)
{
	buf__putc(out, '\t');
	put_node(out, sh->a, NULL);
	buf__puts(out, " -> ");
	put_node(out, sh->b, NULL);
	buf__puts(out, " [dir=none, label=\"");
	put_text(out, sh->channel->name, strlen(sh->channel->name));
	buf__printf(out, "\\n%s, %s\"", sh->a_mode, sh->b_mode);
	put_line_style(out, sh->channel->mech, false, false);
	buf__puts(out, "];\n");
}

static void put_parent(struct buf *out, const struct proc *child)
{
	buf__putc(out, '\t');
	put_node(out, child->parent, NULL);
	buf__puts(out, " -> ");
	put_node(out, child, NULL);
	buf__puts(out, " [color=\"#bbbbbb\", style=dotted, arrowhead=none];\n");
}

static void put_nodes(struct buf *out, const struct sorted *s, const struct spokes *sp)
{
	static const char *const special[] = { "kernel", "unknown" };
	const bool used[] = { s->kernel, s->unknown };

	for (size_t i = 0; i < 2; i++) {
		if (used[i])
			buf__printf(out, "\t\"%s\" [shape=box3d, color=\"#888888\", label=\"%s\"];\n",
				    special[i], special[i]);
	}
	for (size_t i = 0; i < s->procs.cnt; i++)
		put_proc(out, s->procs.v[i], s->takes_part[s->procs.v[i]->id]);
	for (size_t i = 0; i < s->channels.cnt; i++) {
		if (sp->is_node[s->channels.v[i]->id])
			put_channel(out, s, s->channels.v[i]);
	}
}

static void put_edges(struct buf *out, const struct sorted *s, const struct spokes *sp)
{
	for (size_t i = 0; i < s->flows.cnt; i++) {
		if (!sp->is_node[s->flows.v[i]->channel->id])
			put_flow(out, s->flows.v[i]);
	}
	for (size_t i = 0; i < sp->all.cnt; i++)
		put_spoke(out, s, sp->all.v[i]);
	for (size_t i = 0; i < s->shares.cnt; i++) {
		if (!spokes__has(sp, s->shares.v[i]->channel, s->shares.v[i]->a) ||
		    !spokes__has(sp, s->shares.v[i]->channel, s->shares.v[i]->b))
			put_share(out, s->shares.v[i]);
	}
	for (size_t i = 0; i < s->procs.cnt; i++) {
		const struct proc *p = s->procs.v[i];

		if (p->parent && s->shown[p->parent->id])
			put_parent(out, p);
	}
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names)
{
	struct spokes sp;
	struct sorted s;

	sorted__init(&s, g, procs);
	spokes__init(&sp, &s, g);
	buf__puts(out, "digraph ipctrace {\n"
		       "\tgraph [rankdir=LR, labelloc=b, labeljust=l, fontname=\"sans-serif\", fontsize=9, "
		       "label=\"");
	buf__puts(out, legend);
	graphs__put_losses(out, g, names);
	buf__puts(out, "\\l\"];\n"
		       "\tnode [fontname=\"sans-serif\", fontsize=10];\n"
		       "\tedge [fontname=\"sans-serif\", fontsize=9];\n");
	put_nodes(out, &s, &sp);
	put_edges(out, &s, &sp);
	buf__puts(out, "}\n");
	spokes__free(&sp);
	sorted__free(&s);
}

const struct graph_view graph_view__dot = {
	.name = "dot",
	.summary = "for Graphviz: ipctrace graph -F dot | dot -Tsvg",
	.render = render,
};
