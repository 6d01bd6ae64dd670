/* SPDX-License-Identifier: GPL-2.0 */
/* The screen as a whole, and the step between two rounds of events. */
#include "tui/tui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/time.h"
#include "model/keep.h"
#include "tui/tui_impl.h"
#include "view/label.h"

#define ROWS_MIN 5
#define COLS_MIN 20

static const char *const tab_names[TAB_CNT] = { "Flows", "Processes", "Channels", "Mechanisms",
						"Waits", "Events",    "Graph" };

void tui__say(struct tui *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->said, sizeof(t->said), fmt, args);
	va_end(args);
	t->dirty = true;
}

/* ---- the parts of the screen ---- */

/* Short names where the long ones do not fit. */
static size_t tab_letters(const struct tui *t)
{
	size_t all = 0;

	for (size_t i = 0; i < TAB_CNT; i++)
		all += strlen(tab_names[i]) + 4;
	return all <= (size_t)t->cols	       ? SIZE_MAX
	       : (size_t)t->cols / TAB_CNT > 5 ? (size_t)t->cols / TAB_CNT - 3
					       : 2;
}

static int tab_cols(size_t tab, size_t letters)
{
	size_t len = strlen(tab_names[tab]);

	return (int)(len < letters ? len : letters) + 2;
}

int tui__tab_at(const struct tui *t, int col)
{
	size_t letters = tab_letters(t);

	for (int i = 0, at = 0; i < TAB_CNT; i++) {
		int end = at + tab_cols((size_t)i, letters) + 1;

		if (col >= at && col < end)
			return i;
		at = end;
	}
	return -1;
}

static void draw_tabs(struct tui *t)
{
	size_t letters = tab_letters(t);

	for (int i = 0, at = 0; i < TAB_CNT && at < t->cols; i++) {
		enum look look = t->places[0].tab == (enum tab)i ? LOOK_TAB_ON : LOOK_TAB;
		int cols = tab_cols((size_t)i, letters);

		screen__printf(0, at, look, "%d %.*s", i + 1, cols - 2, tab_names[i]);
		at += cols + 1;
	}
}

static void put_status(const struct tui *t, struct buf *b)
{
	const struct tui_status *s = &t->status;

	time__put_count(b, (uint64_t)(s->events_per_s + 0.5));
	buf__puts(b, " events/s");
	if (s->ring_percent >= 0)
		buf__printf(b, "  ring %.0f%%", s->ring_percent);
	buf__printf(b, "  cpu %.1f%%  mem ", s->cpu_percent);
	time__put_bytes(b, s->rss_bytes);
	if (s->attach)
		buf__printf(b, "  %s", s->attach);
	if (s->source && strcmp(s->source, "live") != 0) {
		buf__puts(b, "  ");
		escape__terminal(b, s->source, strlen(s->source));
	}
	buf__puts(b, "  every ");
	time__put_duration(b, t->opts.interval_ns);
	if (t->opts.ctx->group != GROUP_NONE)
		buf__printf(b, "  by %s", table_group__name(t->opts.ctx->group));
	if (*t->filter) {
		buf__puts(b, "  filter ");
		escape__terminal(b, t->filter, strlen(t->filter));
	}
}

static void put_lost(const struct tui *t, struct buf *b)
{
	struct meter_view v;

	meter__view(t->opts.meter, &v);
	for (uint8_t m = 0; m < 32; m++) {
		if (!v.lost_total[m])
			continue;
		buf__printf(b, "%s %s ", b->len ? "," : "LOST", t->opts.ctx->names->mech(m));
		time__put_count(b, v.lost_total[m]);
	}
	if (v.table_full) {
		buf__puts(b, " (");
		time__put_count(b, v.table_full);
		buf__puts(b, ": A TABLE WAS FULL)");
	}
	if (b->len)
		buf__puts(b, "  ");
	if (v.sums_since_ns)
		buf__puts(b, "ONLY SUMS  ");
}

static void draw_status(struct tui *t)
{
	struct buf b = { 0 };
	int at = 0;

	if (t->paused)
		at = screen__puts(1, at, LOOK_WARNING, "PAUSED  ");
	if (t->status.note)
		at = screen__printf(1, at, LOOK_WARNING, "%s  ", t->status.note);
	put_lost(t, &b);
	if (b.len)
		at = screen__put(1, at, LOOK_WARNING, b.data, b.len);
	buf__reset(&b);
	put_status(t, &b);
	screen__put(1, at, LOOK_PLAIN, b.data, b.len);
	buf__free(&b);
}

static void draw_title(struct tui *t)
{
	struct buf raw = { 0 }, b = { 0 };

	places__title(t, &raw);
	label__text(&b, raw.data ? raw.data : "", raw.len, (size_t)t->cols);
	screen__put(2, 0, LOOK_TITLE, b.data ? b.data : "", b.len);
	buf__free(&raw);
	buf__free(&b);
}

static void draw_bottom(struct tui *t)
{
	int row = t->rows - 1, at;

	if (t->prompt.label) {
		struct buf b = { 0 };

		at = screen__puts(row, 0, LOOK_TITLE, t->prompt.label);
		escape__terminal(&b, t->prompt.text, t->prompt.len);
		at = screen__put(row, at, LOOK_PLAIN, b.data ? b.data : "", b.len);
		buf__free(&b);
		screen__cursor(row, at < t->cols ? at : t->cols - 1);
		return;
	}
	screen__cursor(-1, 0);
	if (*t->said)
		screen__puts(row, 0, LOOK_TITLE, t->said);
	else
		screen__puts(row, 0, LOOK_DIM, keys__hints);
}

static void draw(struct tui *t)
{
	int first = TUI_FIRST_ROW, cnt = t->rows - TUI_FIRST_ROW - 1;

	screen__clear();
	if (t->rows < ROWS_MIN || t->cols < COLS_MIN) {
		screen__puts(0, 0, LOOK_PLAIN, "too small");
		screen__flush();
		return;
	}
	draw_tabs(t);
	draw_status(t);
	draw_title(t);
	if (tui__place(t)->tab == TAB_EVENTS)
		events__draw(t, first, cnt);
	else if (tui__place(t)->tab == TAB_GRAPH)
		graph_tab__draw(t, first, cnt);
	else
		list__draw(t, first, cnt);
	if (t->mode == MODE_HELP)
		keys__draw_help(t);
	else if (t->mode == MODE_COLUMNS)
		list__draw_menu(t);
	draw_bottom(t);
	screen__flush();
}

/* ---- life ---- */

static void begin_columns(struct tui *t)
{
	for (size_t i = 0; i < TOP_TABLE_CNT; i++) {
		const struct top_table *kind = &top_tables[i];

		t->sort[i] = top_table__column(kind, kind->sort, strlen(kind->sort));
		for (size_t c = 0; c < kind->column_cnt && c < TOP_COLUMNS_MAX; c++)
			t->shown[i][c] = kind->columns[c].flags & TOP_SHOWN;
	}
}

static void begin_choice(struct tui *t, const struct top_choice *choice)
{
	size_t tab = (size_t)(choice->table - top_tables);

	t->sort[tab] = choice->sort;
	t->ascending[tab] = choice->ascending;
	if (!choice->column_cnt)
		return;
	memset(t->shown[tab], 0, sizeof(t->shown[tab]));
	for (size_t i = 0; i < choice->column_cnt; i++)
		t->shown[tab][choice->columns[i] - choice->table->columns] = true;
}

static void begin_choices(struct tui *t)
{
	for (size_t i = 0; i < t->opts.choice_cnt; i++)
		if (t->opts.choices[i].table)
			begin_choice(t, &t->opts.choices[i]);
	if (t->opts.choice_cnt)
		t->places[0].tab = t->opts.choices[0].table
					   ? (enum tab)(t->opts.choices[0].table - top_tables)
					   : TAB_EVENTS;
}

int tui__new(struct tui **out, const struct tui_opts *opts, struct buf *err)
{
	struct tui *t = xalloc(sizeof(*t));
	int ret = screen__begin(opts->colour, &t->utf8, err);

	if (ret) {
		free(t);
		return ret;
	}
	t->opts = *opts;
	t->opts.ctx->utf8 = t->utf8;
	t->place_cnt = 1;
	begin_columns(t);
	begin_choices(t);
	screen__size(&t->rows, &t->cols);
	t->dirty = t->stale = true;
	*out = t;
	return 0;
}

void tui__message(struct tui *t, const struct message *m)
{
	events__add(&t->events, m);
	if (tui__place(t)->tab == TAB_EVENTS && !t->paused &&
	    events__match(tui__place(t), m, t->opts.ctx->group))
		events__add(&t->watched, m);
}

void tui__interval(struct tui *t, const struct tui_status *status, const struct wait_line *waits,
		   size_t wait_cnt)
{
	t->status = *status;
	t->waits.cnt = 0;
	for (size_t i = 0; i < wait_cnt; i++)
		vec__push(&t->waits, waits[i]);
	t->stale = true;
}

bool tui__step(struct tui *t)
{
	struct key_press k;

	while (!t->quit && (k = input__next()).key != PRESS_NOTHING) {
		if (k.key == PRESS_RESIZED)
			screen__size(&t->rows, &t->cols);
		keys__press(t, &k);
		if (t->stale) { /* the next key is about the rows that this one made */
			list__refill(t);
			t->stale = false;
			t->dirty = true;
		}
	}
	if (t->stale)
		list__refill(t);
	if (t->stale || t->dirty)
		draw(t);
	t->stale = t->dirty = false;
	return !t->quit;
}

void tui__forget(struct tui *t)
{
	enum tab tab = t->places[0].tab;

	t->place_cnt = 1;
	t->places[0] = (struct place){ .tab = tab };
	t->list.rows.cnt = t->list.depth.cnt = t->waits.cnt = t->neighbours.cnt = 0;
	t->list.kind = NULL;
	meter_table__free(&t->list.table);
	t->list.table = (struct meter_table){ 0 };
	t->events.cnt = t->watched.cnt = 0;
	t->centre = t->signal_to = NULL;
	t->stale = true;
}

static void keep_line(const struct line *l)
{
	keep__proc(l->src.proc);
	keep__proc(l->dst.proc);
	keep__channel(l->channel);
}

static void keep_wait(const struct wait_line *w)
{
	keep__proc(w->proc);
	keep__channel(w->channel);
	keep__procs(w->whom, w->whom_cnt < WAIT_WHOM_MAX ? w->whom_cnt : WAIT_WHOM_MAX);
}

void tui__keep(const struct tui *t)
{
	for (size_t i = 0; i < t->place_cnt; i++) {
		const struct place *p = &t->places[i];

		keep__proc((struct proc *)p->proc);
		keep__proc((struct proc *)p->other);
		keep__channel((struct channel *)p->channel);
	}
	for (size_t i = 0; i < t->list.table.lines.cnt; i++)
		keep_line(&t->list.table.lines.v[i]);
	for (size_t i = 0; i < t->waits.cnt; i++)
		keep_wait(&t->waits.v[i]);
	for (size_t i = 0; i < t->neighbours.cnt; i++)
		keep__proc((struct proc *)t->neighbours.v[i]);
	keep__proc((struct proc *)t->signal_to);
	keep__proc((struct proc *)t->centre);
	events__keep(&t->events);
	events__keep(&t->watched);
}

void tui__follow(struct tui *t)
{
	meter_table__follow(&t->list.table);
}

bool tui__paused(const struct tui *t)
{
	return t->paused;
}

bool tui__wants_waits(const struct tui *t)
{
	return t->places[0].tab == TAB_WAITS;
}

void tui__free(struct tui *t)
{
	if (!t)
		return;
	screen__end();
	meter_table__free(&t->list.table);
	vec__free(&t->list.rows);
	vec__free(&t->list.depth);
	vec__free(&t->waits);
	vec__free(&t->neighbours);
	events__free(&t->events);
	events__free(&t->watched);
	free(t);
}
