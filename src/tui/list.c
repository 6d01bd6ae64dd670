/* SPDX-License-Identifier: GPL-2.0 */
/* Tables on the screen: rows in order, columns that fit, the selected row stays the same one. */
#include <stdlib.h>
#include <string.h>

#include "tui/tui_impl.h"
#include "view/label.h"

#define TEXT_COLS_MIN 8
#define TEXT_COLS_SMALL 6
#define SMALL_COLS 60
#define ROOMY_COLS 100 /* from here on texts get the room they want before further columns do */

static enum top_table_nr number_of(const struct tui *t)
{
	return (enum top_table_nr)t->places[t->place_cnt - 1].tab;
}

const struct top_table *list__kind(const struct tui *t)
{
	enum tab tab = t->places[t->place_cnt - 1].tab;

	return tab <= TAB_WAITS ? &top_tables[tab] : NULL;
}

/* ---- rows ---- */

static struct row_id id_of(const struct tui *t, const void *row)
{
	const struct line *l = row;
	const struct wait_line *w = row;

	switch (t->list.kind - top_tables) {
	case TOP_WAITS:
		return (struct row_id){ w->tid, 0, 0 };
	case TOP_FLOWS:
		return (struct row_id){ (uint64_t)l->src.id << 32 | l->dst.id, (uintptr_t)l->channel,
					l->mech };
	case TOP_PROCESSES:
		return (struct row_id){ l->src.id, 0, 0 };
	default:
		return (struct row_id){ 0, (uintptr_t)l->channel, l->mech };
	}
}

static bool same_id(const struct row_id *a, const struct row_id *b)
{
	return a->a == b->a && a->b == b->b && a->c == b->c;
}

static void collect_lines(struct tui *t)
{
	const struct place *p = tui__place(t);
	struct table_opts opts = { .kind = (enum table_kind)number_of(t),
				   .group = t->opts.ctx->group,
				   .proc = p->proc,
				   .channel = p->channel,
				   .mech = p->mech,
				   .with_idle = true };

	meter_table__fill(&t->list.table, t->opts.meter, &opts);
	if (t->paused)
		meter_table__hold(&t->list.table);
	for (size_t i = 0; i < t->list.table.lines.cnt; i++)
		vec__push(&t->list.rows, (const void *)&t->list.table.lines.v[i]);
}

static void collect_waits(struct tui *t)
{
	const struct place *p = tui__place(t);

	for (size_t i = 0; i < t->waits.cnt; i++) {
		const struct wait_line *w = &t->waits.v[i];

		if (!p->proc || table_group__same(t->opts.ctx->group, p->proc, w->proc))
			vec__push(&t->list.rows, (const void *)w);
	}
}

static const void *row_at(const struct tui *t, size_t i)
{
	return t->list.rows.v[i];
}

/* The selected row is found again; where it is gone, the one in its place is selected. */
static void find_selected(struct tui *t)
{
	struct place *p = tui__place(t);

	for (size_t i = 0; i < t->list.rows.cnt; i++) {
		struct row_id id = id_of(t, row_at(t, i));

		if (same_id(&id, &p->selected)) {
			p->at = i;
			return;
		}
	}
	if (p->at >= t->list.rows.cnt)
		p->at = t->list.rows.cnt ? t->list.rows.cnt - 1 : 0;
	if (p->at && t->list.rows.cnt)
		p->selected = id_of(t, row_at(t, p->at));
}

void list__refill(struct tui *t)
{
	const struct top_table *kind = list__kind(t);
	enum top_table_nr nr;

	t->list.kind = kind;
	t->list.rows.cnt = t->list.depth.cnt = 0;
	if (!kind)
		return;
	nr = number_of(t);
	if (nr == TOP_WAITS)
		collect_waits(t);
	else
		collect_lines(t);
	top_table__sort(kind, t->sort[nr], t->ascending[nr], t->list.rows.v, t->list.rows.cnt, t->opts.ctx);
	if (t->tree && nr == TOP_PROCESSES && t->opts.ctx->group == GROUP_NONE)
		tree__arrange(&t->list);
	find_selected(t);
}

void list__select(struct tui *t, size_t at)
{
	struct place *p = tui__place(t);

	if (!t->list.kind || !t->list.rows.cnt)
		return;
	p->at = at < t->list.rows.cnt ? at : t->list.rows.cnt - 1;
	p->selected = id_of(t, row_at(t, p->at));
	t->dirty = true;
}

const void *list__selected(const struct tui *t)
{
	const struct place *p = &t->places[t->place_cnt - 1];

	return t->list.kind && p->at < t->list.rows.cnt ? row_at(t, p->at) : NULL;
}

struct proc *list__selected_proc(const struct tui *t)
{
	const void *row = list__selected(t);
	const struct line *l = row;

	if (!row || t->list.kind == &top_tables[TOP_CHANNELS] || t->list.kind == &top_tables[TOP_MECHANISMS])
		return NULL;
	if (t->list.kind == &top_tables[TOP_WAITS])
		return ((const struct wait_line *)row)->proc;
	return l->src.proc ? l->src.proc : l->dst.proc;
}

void list__find(struct tui *t, const char *text, bool again)
{
	struct place *p = tui__place(t);
	struct buf b = { 0 };

	for (size_t i = 0; i < t->list.rows.cnt; i++) {
		size_t at = (p->at + i + (again ? 1 : 0)) % t->list.rows.cnt;

		buf__reset(&b);
		for (size_t c = 0; c < t->list.kind->column_cnt; c++)
			if (t->list.kind->columns[c].unit == TOP_TEXT && t->list.kind->columns[c].header)
				t->list.kind->columns[c].text(&b, row_at(t, at), t->opts.ctx);
		if (strcasestr(buf__cstr(&b), text)) {
			list__select(t, at);
			break;
		}
		if (i + 1 == t->list.rows.cnt)
			tui__say(t, "'%s' is in no row", text);
	}
	buf__free(&b);
}

void list__sort_by(struct tui *t, const struct top_column *col)
{
	enum top_table_nr nr = number_of(t);

	if (!col || !t->list.kind)
		return;
	if (t->sort[nr] == col)
		t->ascending[nr] = !t->ascending[nr];
	else
		t->ascending[nr] = col->unit == TOP_TEXT;
	t->sort[nr] = col;
	t->stale = true;
}

/* ---- columns ---- */

struct layout {
	const struct top_column *col[TOP_COLUMNS_MAX];
	int at[TOP_COLUMNS_MAX], cols[TOP_COLUMNS_MAX];
	size_t cnt;
};

static bool is_left(const struct top_column *c)
{
	return c->unit == TOP_TEXT || c->unit == TOP_SPARK;
}

static int least_cols(const struct tui *t, const struct top_column *c)
{
	int header = (int)strlen(c->header), width = c->width;

	if (is_left(c) && t->cols < SMALL_COLS)
		return width > TEXT_COLS_SMALL ? TEXT_COLS_SMALL : width;
	if (is_left(c) && width > TEXT_COLS_MIN && t->cols < ROOMY_COLS)
		width = TEXT_COLS_MIN;
	return width > header ? width : header;
}

/* The first column stays, the next ones may be scrolled away; what does not fit is left out. */
static void choose_columns(const struct tui *t, struct layout *l)
{
	const struct top_table *kind = t->list.kind;
	size_t skip = t->scroll_cols;
	int used = 0;

	l->cnt = 0;
	for (size_t i = 0; i < kind->column_cnt && i < TOP_COLUMNS_MAX; i++) {
		const struct top_column *c = &kind->columns[i];
		int cols;

		if (!c->header || !t->shown[kind - top_tables][i] || !top_column__applies(c, t->opts.ctx))
			continue;
		if (l->cnt && skip) {
			skip--;
			continue;
		}
		cols = least_cols(t, c);
		if (l->cnt && used + 1 + cols > t->cols)
			break;
		used += cols + (l->cnt ? 1 : 0);
		l->cols[l->cnt] = cols < t->cols ? cols : t->cols;
		l->col[l->cnt++] = c;
	}
}

/* What is left goes to texts, up to the width they want, then to the one that takes all. */
static void lay_out(const struct tui *t, struct layout *l)
{
	int left = t->cols, want;

	choose_columns(t, l);
	for (size_t i = 0; i < l->cnt; i++)
		left -= l->cols[i] + (i ? 1 : 0);
	for (size_t i = 0; i < l->cnt && left > 0; i++) {
		want = is_left(l->col[i]) ? l->col[i]->width - l->cols[i] : 0;
		want = want > left ? left : want;
		if (want > 0) {
			l->cols[i] += want;
			left -= want;
		}
	}
	for (size_t i = 0; i < l->cnt && left > 0; i++) {
		if (l->col[i]->flags & TOP_GROW) {
			l->cols[i] += left;
			left = 0;
		}
	}
	for (size_t i = 0, at = 0; i < l->cnt; at += (size_t)l->cols[i] + 1, i++)
		l->at[i] = (int)at;
}

const struct top_column *list__header_at(struct tui *t, int col)
{
	struct layout l;

	if (!t->list.kind)
		return NULL;
	lay_out(t, &l);
	for (size_t i = 0; i < l.cnt; i++)
		if (col >= l.at[i] && col <= l.at[i] + l.cols[i])
			return l.col[i];
	return NULL;
}

/* ---- drawing ---- */

static void draw_header(struct tui *t, const struct layout *l, int row)
{
	const struct top_column *sort = t->sort[t->list.kind - top_tables];

	screen__fill(row, 0, LOOK_HEADER);
	for (size_t i = 0; i < l->cnt; i++) {
		const struct top_column *c = l->col[i];
		int len = (int)strlen(c->header);
		int at = is_left(c) ? l->at[i] : l->at[i] + l->cols[i] - len;

		screen__put(row, at < 0 ? 0 : at, c == sort ? LOOK_SORTED : LOOK_HEADER, c->header,
			    (size_t)(len < l->cols[i] ? len : l->cols[i]));
	}
}

static enum look look_of(const struct tui *t, const struct line *l, bool selected)
{
	if (selected)
		return LOOK_SELECTED;
	if (t->list.kind == &top_tables[TOP_WAITS])
		return LOOK_PLAIN;
	if (!l->last.messages && !l->last.bytes && !l->last.in_messages && !l->last.errors)
		return LOOK_DIM;
	return l->last.errors ? LOOK_WARNING : LOOK_PLAIN;
}

static void draw_row(struct tui *t, const struct layout *l, int row, size_t nr)
{
	const void *data = row_at(t, nr);
	enum look look = look_of(t, data, nr == tui__place(t)->at);
	struct buf line = { 0 };

	for (size_t i = 0; i < l->cnt; i++) {
		size_t indent = !i && nr < t->list.depth.cnt ? 2u * t->list.depth.v[nr] : 0;

		if (i)
			buf__putc(&line, ' ');
		if (indent + 4 > (size_t)l->cols[i])
			indent = 0;
		for (size_t k = 0; k < indent; k++)
			buf__putc(&line, k + 2 == indent ? '`' : k + 1 == indent ? '-' : ' ');
		top_column__put(&line, l->col[i], data, t->opts.ctx, (size_t)l->cols[i] - indent);
	}
	screen__fill(row, screen__put(row, 0, look, line.data ? line.data : "", line.len), look);
	buf__free(&line);
}

static void scroll_to_selected(struct place *p, size_t rows, size_t total)
{
	if (p->at < p->first)
		p->first = p->at;
	if (rows && p->at >= p->first + rows)
		p->first = p->at - rows + 1;
	if (p->first + rows > total)
		p->first = total > rows ? total - rows : 0;
}

void list__draw(struct tui *t, int first_row, int row_cnt)
{
	struct place *p = tui__place(t);
	struct layout l;

	if (!t->list.kind || row_cnt < 1)
		return;
	lay_out(t, &l);
	draw_header(t, &l, first_row);
	t->list.shown_rows = (size_t)(row_cnt - 1);
	scroll_to_selected(p, t->list.shown_rows, t->list.rows.cnt);
	for (size_t i = 0; i < t->list.shown_rows && p->first + i < t->list.rows.cnt; i++)
		draw_row(t, &l, first_row + 1 + (int)i, p->first + i);
	if (!t->list.rows.cnt)
		screen__puts(first_row + 2, 2, LOOK_DIM,
			     !t->status.source ? "the first interval has not ended yet"
			     : t->list.kind == &top_tables[TOP_WAITS] && !t->opts.actions.signal
				     ? "a recording does not tell who waits"
				     : "nothing yet");
}

void list__draw_menu(struct tui *t)
{
	const struct top_table *kind = t->list.kind;
	int row = 3, line = 0;

	screen__clear();
	screen__puts(0, 0, LOOK_TITLE, "Columns");
	screen__puts(1, 0, LOOK_DIM, "Space shows or hides one, Enter sorts by it, Esc goes back");
	for (size_t i = 0; i < kind->column_cnt; i++) {
		const struct top_column *c = &kind->columns[i];
		int at;

		if (!c->header)
			continue;
		at = row + line - (t->menu_at >= (size_t)(t->rows - 5) ? (int)t->menu_at - (t->rows - 6) : 0);
		if (at >= row && at < t->rows - 1)
			screen__printf(at, 2, (size_t)line == t->menu_at ? LOOK_SELECTED : LOOK_PLAIN,
				       "[%c] %-12s %s", t->shown[kind - top_tables][i] ? 'x' : ' ', c->header,
				       c->name);
		line++;
	}
}
