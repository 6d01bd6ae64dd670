/* SPDX-License-Identifier: GPL-2.0 */
/* Who sends to one process and whom it sends to, in boxes and lines. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "model/graph.h"
#include "tui/tui_impl.h"
#include "view/label.h"

#define SIDE_MAX 64

struct edge {
	const struct line *line;
	bool in;
};

struct edges {
	const struct line *v[SIDE_MAX];
	size_t cnt, more;
};

static void add_edge(struct edges *e, const struct line *l)
{
	if (e->cnt < SIDE_MAX)
		e->v[e->cnt++] = l;
	else
		e->more++;
}

static void put_rate(struct buf *out, const struct line *l, const struct top_ctx *c)
{
	double s = (double)(c->until_ns - c->from_ns) / 1e9;

	time__put_count(out, s > 0 ? (uint64_t)((double)l->last.messages / s + 0.5) : 0);
	buf__puts(out, "/s");
}

/* "123 sh", or several; escaped. */
static void put_side(struct buf *out, const struct side *s, const struct top_ctx *c, size_t cols)
{
	struct buf raw = { 0 };

	top__put_side(&raw, s, c);
	label__text(out, raw.data ? raw.data : "", raw.len, cols);
	buf__free(&raw);
}

static void put_channel(struct buf *out, const struct line *l, const struct top_ctx *c, size_t cols)
{
	size_t from = out->len;

	if (l->channel)
		label__text(out, l->channel->name, strlen(l->channel->name), cols > 10 ? cols - 8 : cols);
	else
		buf__puts(out, c->names->mech(l->mech));
	buf__putc(out, ' ');
	put_rate(out, l, c);
	label__cut(out, from, cols);
}

/* One neighbour: its name, a line with what is on it, the arrow's head. */
static void draw_edge(struct tui *t, const struct line *l, bool in, int row, int from, int to, bool selected)
{
	int name_cols = (to - from) / 2 > 20 ? 20 : (to - from) / 2, at;
	struct buf name = { 0 }, label = { 0 };
	enum look look = selected ? LOOK_SELECTED : LOOK_PLAIN;

	put_side(&name, in ? &l->src : &l->dst, t->opts.ctx, (size_t)name_cols);
	put_channel(&label, l, t->opts.ctx,
		    (size_t)(to - from - name_cols - 4 > 4 ? to - from - name_cols - 4 : 4));
	if (in) {
		at = screen__put(row, from, look, name.data, name.len);
		screen__line(row, at + 1, to - 1, LOOK_DIM);
		screen__piece(row, to, PIECE_RIGHT, LOOK_DIM);
		screen__put(row, from + name_cols + 2, LOOK_PLAIN, label.data, label.len);
	} else {
		screen__line(row, from, to - name_cols - 2, LOOK_DIM);
		screen__piece(row, to - name_cols - 1, PIECE_RIGHT, LOOK_DIM);
		screen__put(row, from + 2, LOOK_PLAIN, label.data, label.len);
		screen__put(row, to - name_cols + 1, look, name.data, name.len);
	}
	buf__free(&name);
	buf__free(&label);
}

static void draw_box(struct tui *t, int top, int bottom, int left, int right)
{
	struct side side = { .id = 1, .proc = (struct proc *)t->centre, .proc_cnt = 1 };
	struct buf name = { 0 };

	screen__piece(top, left, PIECE_UL, LOOK_TITLE);
	screen__line(top, left + 1, right - 1, LOOK_TITLE);
	screen__piece(top, right, PIECE_UR, LOOK_TITLE);
	for (int row = top + 1; row < bottom; row++) {
		screen__piece(row, left, PIECE_V, LOOK_TITLE);
		screen__piece(row, right, PIECE_V, LOOK_TITLE);
	}
	screen__piece(bottom, left, PIECE_LL, LOOK_TITLE);
	screen__line(bottom, left + 1, right - 1, LOOK_TITLE);
	screen__piece(bottom, right, PIECE_LR, LOOK_TITLE);
	put_side(&name, &side, t->opts.ctx, (size_t)(right - left - 1));
	screen__put((top + bottom) / 2, left + 1, LOOK_TITLE, name.data, name.len);
	buf__free(&name);
}

static void remember(struct tui *t, const struct edges *e, bool in)
{
	for (size_t i = 0; i < e->cnt; i++) {
		const struct proc *p = in ? e->v[i]->src.proc : e->v[i]->dst.proc;

		vec__push(&t->neighbours, p);
	}
}

static void draw(struct tui *t, const struct edges *in, const struct edges *out, int first_row, int row_cnt)
{
	size_t most = in->cnt > out->cnt ? in->cnt : out->cnt, rows = most ? most : 1, first = 0, at;
	int box = t->cols >= 60 ? 18 : 12, left = (t->cols - box) / 2, right = left + box - 1;

	if (rows > (size_t)(row_cnt - 2))
		rows = (size_t)(row_cnt - 2);
	at = t->neighbour_at < in->cnt ? t->neighbour_at : t->neighbour_at - in->cnt;
	if (at >= rows)
		first = at - rows + 1;
	draw_box(t, first_row, first_row + (int)rows + 1, left, right);
	for (size_t i = first; i < first + rows; i++) {
		int row = first_row + 1 + (int)(i - first);

		if (i < in->cnt)
			draw_edge(t, in->v[i], true, row, 0, left - 1, t->neighbour_at == i);
		if (i < out->cnt)
			draw_edge(t, out->v[i], false, row, right + 1, t->cols - 1,
				  t->neighbour_at == in->cnt + i);
	}
}

void graph_tab__draw(struct tui *t, int first_row, int row_cnt)
{
	struct table_opts opts = {
		.kind = TABLE_FLOWS, .group = t->opts.ctx->group, .proc = t->centre, .with_idle = true
	};
	struct edges in = { .cnt = 0 }, out = { .cnt = 0 };
	const void **rows;

	if (!t->centre) {
		screen__puts(first_row + 1, 2, LOOK_DIM, "select a process in another tab first");
		return;
	}
	meter_table__fill(&t->list.table, t->opts.meter, &opts);
	rows = calloc(t->list.table.lines.cnt + 1, sizeof(*rows));
	for (size_t i = 0; rows && i < t->list.table.lines.cnt; i++)
		rows[i] = &t->list.table.lines.v[i];
	top_table__sort(&top_tables[TOP_FLOWS], t->sort[TOP_FLOWS], t->ascending[TOP_FLOWS], rows,
			t->list.table.lines.cnt, t->opts.ctx);
	for (size_t i = 0; rows && i < t->list.table.lines.cnt; i++) {
		const struct line *l = rows[i];
		bool from = table_group__same(opts.group, t->centre, l->src.proc);

		add_edge(from ? &out : &in, l);
	}
	t->neighbours.cnt = 0;
	remember(t, &in, true);
	remember(t, &out, false);
	if (t->neighbour_at >= t->neighbours.cnt)
		t->neighbour_at = t->neighbours.cnt ? t->neighbours.cnt - 1 : 0;
	if (row_cnt >= 3)
		draw(t, &in, &out, first_row, row_cnt);
	free(rows);
}

/* ---- the graph of what is on the screen ---- */

static bool on_screen(const struct tui *t, const struct flow_meter *f)
{
	const struct place *p = &t->places[t->place_cnt - 1];
	const struct proc *of = p->tab == TAB_GRAPH ? t->centre : p->proc;
	enum table_group group = t->opts.ctx->group;

	if (p->channel && channel__resolve((struct channel *)p->channel) != channel__resolve(f->channel))
		return false;
	if (p->mech && p->mech != f->channel->mech)
		return false;
	return !of || table_group__same(group, of, f->src) || table_group__same(group, of, f->dst);
}

void graph_tab__make(struct tui *t, struct graph *g)
{
	struct meter_view v;

	meter__view(t->opts.meter, &v);
	g->start_ns = v.begin_ns;
	g->end_ns = v.until_ns;
	for (size_t i = 0; i < v.flow_cnt; i++) {
		const struct flow_meter *f = v.flows[i];
		const struct channel *whole = channel__resolve(f->channel);
		struct message m = { .ts_ns = v.until_ns,
				     .mech = whole->mech,
				     .attr = f->attr,
				     .src = { .proc = f->src },
				     .dst = { .proc = f->dst },
				     .origin = f->origin,
				     .bytes = f->total.bytes,
				     .messages = f->total.messages };

		if (!on_screen(t, f))
			continue;
		m.channel = graph__channel(g, whole->mech, whole->name, strlen(whole->name));
		m.channel->capacity_bytes = whole->capacity_bytes;
		graph__add_message(g, &m);
		if (g->flows.cnt && f->dst && (f->src || f->origin))
			hist__merge(&g->flows.v[g->flows.cnt - 1]->latency, &f->total.latency);
	}
}
