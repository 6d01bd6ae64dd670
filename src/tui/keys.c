/* SPDX-License-Identifier: GPL-2.0 */
/* What each key does: one row each, which help shows, too. */
#include <string.h>

#include "tui/tui_impl.h"

static void help(struct tui *t)
{
	t->mode = MODE_HELP;
	t->menu_at = 0;
}

static void quit(struct tui *t)
{
	t->quit = true;
}

static void pause_(struct tui *t)
{
	t->paused = !t->paused;
	if (t->paused)
		meter_table__hold(&t->list.table);
	tui__say(t, t->paused ? "paused: p goes on" : "going on");
}

static void reset(struct tui *t)
{
	struct buf said = { 0 };
	int ret;

	if (!t->opts.actions.reset)
		return;
	ret = t->opts.actions.reset(t->opts.actions.ctx, &said);
	t->events.cnt = t->watched.cnt = 0;
	t->stale = true;
	tui__say_result(t, ret, &said, "all numbers begin anew");
}

static void group(struct tui *t)
{
	t->opts.ctx->group = (t->opts.ctx->group + 1) % GROUP_CNT;
	t->stale = true;
	tui__say(t, "%s%s",
		 t->opts.ctx->group == GROUP_NONE ? "each process by itself" : "processes together by ",
		 t->opts.ctx->group == GROUP_NONE ? "" : table_group__name(t->opts.ctx->group));
}

static void tree(struct tui *t)
{
	t->tree = !t->tree;
	if (tui__place(t)->tab != TAB_PROCESSES)
		places__go(t, TAB_PROCESSES);
	t->stale = true;
	tui__say(t, t->tree ? "processes below their parents" : "processes by the sorted column");
}

static void reverse(struct tui *t)
{
	const struct top_table *kind = list__kind(t);

	if (!kind)
		return;
	t->ascending[kind - top_tables] = !t->ascending[kind - top_tables];
	t->stale = true;
}

static void columns(struct tui *t)
{
	if (!list__kind(t))
		return;
	t->mode = MODE_COLUMNS;
	t->menu_at = 0;
}

/* The shown column beside the sorted one, step to the right. */
static void sort_beside(struct tui *t, int step)
{
	const struct top_table *kind = list__kind(t);
	ptrdiff_t at;

	if (!kind)
		return;
	for (at = t->sort[kind - top_tables] - kind->columns + step;
	     at >= 0 && at < (ptrdiff_t)kind->column_cnt; at += step) {
		if (!kind->columns[at].header || !t->shown[kind - top_tables][at] ||
		    !top_column__applies(&kind->columns[at], t->opts.ctx))
			continue;
		list__sort_by(t, &kind->columns[at]);
		return;
	}
}

static void sort_left(struct tui *t)
{
	sort_beside(t, -1);
}

static void sort_right(struct tui *t)
{
	sort_beside(t, 1);
}

static void move(struct tui *t, ptrdiff_t step)
{
	struct place *p = tui__place(t);
	ptrdiff_t at;

	t->dirty = true;
	if (p->tab == TAB_GRAPH) {
		at = (ptrdiff_t)t->neighbour_at + step;
		t->neighbour_at = at < 0 ? 0 : (size_t)at;
		return;
	}
	if (p->tab == TAB_EVENTS)
		step = -step;
	at = (ptrdiff_t)p->at + step;
	p->at = at < 0 ? 0 : (size_t)at;
	if (p->tab != TAB_EVENTS)
		list__select(t, p->at);
}

static void up(struct tui *t)
{
	move(t, -1);
}

static void down(struct tui *t)
{
	move(t, 1);
}

static void wheel_up(struct tui *t)
{
	move(t, -3);
}

static void wheel_down(struct tui *t)
{
	move(t, 3);
}

static void page_up(struct tui *t)
{
	move(t, -(ptrdiff_t)(t->list.shown_rows ? t->list.shown_rows : 1));
}

static void page_down(struct tui *t)
{
	move(t, (ptrdiff_t)(t->list.shown_rows ? t->list.shown_rows : 1));
}

static void home(struct tui *t)
{
	move(t, -(PTRDIFF_MAX / 2));
}

static void end(struct tui *t)
{
	if (list__kind(t))
		list__select(t, t->list.rows.cnt ? t->list.rows.cnt - 1 : 0);
	else
		move(t, PTRDIFF_MAX / 2);
}

static void left(struct tui *t)
{
	if (t->scroll_cols)
		t->scroll_cols--;
}

static void right(struct tui *t)
{
	if (list__kind(t) && t->scroll_cols + 2 < list__kind(t)->column_cnt)
		t->scroll_cols++;
}

static void next_tab(struct tui *t)
{
	places__go(t, (t->places[0].tab + 1) % TAB_CNT);
}

static void previous_tab(struct tui *t)
{
	places__go(t, (t->places[0].tab + TAB_CNT - 1) % TAB_CNT);
}

static void seek(struct tui *t, double seconds)
{
	struct buf said = { 0 };

	if (!t->opts.actions.seek)
		return tui__say(t, "only a recording can be wound (-i FILE)");
	tui__say_result(t, t->opts.actions.seek(t->opts.actions.ctx, seconds, &said), &said, NULL);
	t->events.cnt = t->watched.cnt = 0;
	t->stale = true;
}

static void seek_back(struct tui *t)
{
	seek(t, -10);
}

static void seek_on(struct tui *t)
{
	seek(t, 10);
}

static void speed(struct tui *t, double factor)
{
	struct buf said = { 0 };

	if (!t->opts.actions.speed)
		return tui__say(t, "only a recording has a speed (-i FILE)");
	tui__say_result(t, t->opts.actions.speed(t->opts.actions.ctx, factor, &said), &said, NULL);
}

static void faster(struct tui *t)
{
	speed(t, 2);
}

static void slower(struct tui *t)
{
	speed(t, 0.5);
}

struct key_row {
	int keys[3]; /* enum press, or PRESS_CHAR + byte */
	void (*act)(struct tui *t);
	const char *names, *help; /* NULL: not in the help */
};

/* clang-format off */
static const struct key_row key_rows[] = {
	{ { PRESS_NEXT_TAB }, next_tab, "Tab Shift-Tab", "next and previous tab; F2 to F8, 1 to 7: that tab" },
	{ { PRESS_PREVIOUS_TAB }, previous_tab, NULL, NULL },
	{ { PRESS_ENTER }, places__enter, "Enter", "down: process, its channels, their messages" },
	{ { PRESS_BACK, PRESS_ESC }, places__back, "Backspace Esc", "back up" },
	{ { PRESS_UP, CH('K') }, up, "arrows PgUp PgDn", "select a row; left and right: further columns" },
	{ { PRESS_DOWN, CH('j') }, down, NULL, NULL },
	{ { PRESS_LEFT }, left, NULL, NULL },
	{ { PRESS_RIGHT }, right, NULL, NULL },
	{ { PRESS_PAGE_UP }, page_up, NULL, NULL },
	{ { PRESS_PAGE_DOWN, CH(' ') }, page_down, NULL, NULL },
	{ { PRESS_HOME }, home, NULL, NULL },
	{ { PRESS_END }, end, NULL, NULL },
	{ { PRESS_WHEEL_UP }, wheel_up, NULL, NULL },
	{ { PRESS_WHEEL_DOWN }, wheel_down, NULL, NULL },
	{ { CH('<'), CH(',') }, sort_left, "< >", "sort by the column to the left, to the right" },
	{ { CH('>'), CH('.') }, sort_right, NULL, NULL },
	{ { CH('r'), CH('I') }, reverse, "r", "reverse the order" },
	{ { CH('c') }, columns, "c", "choose columns, or the one to sort by" },
	{ { CH('/') }, prompts__search, "/ n", "search a text in the rows; again" },
	{ { CH('n') }, prompts__search_again, NULL, NULL },
	{ { CH('f') }, prompts__filter, "f", "filter, with the words of the command line (-p 42 -m unix)" },
	{ { CH('g') }, group, "g", "processes together by command, user, cgroup, container" },
	{ { CH('t') }, tree, "t", "processes as a tree" },
	{ { CH('p') }, pause_, "p", "pause: the numbers stand still, and nothing is lost" },
	{ { CH('i') }, prompts__interval, "i", "change the interval" },
	{ { CH('R') }, reset, "R", "reset all numbers" },
	{ { CH('w') }, prompts__write, "w", "write the graph of what is on the screen to a file" },
	{ { CH('k') }, prompts__signal, "k", "send a signal to the selected process" },
	{ { CH('[') }, seek_back, "[ ]", "recordings: ten seconds back, forward" },
	{ { CH(']') }, seek_on, NULL, NULL },
	{ { CH('-') }, slower, "- +", "recordings: slower, faster" },
	{ { CH('+'), CH('=') }, faster, NULL, NULL },
	{ { CH('h'), CH('?'), PRESS_F1 }, help, "h F1", "this help" },
	{ { CH('q'), PRESS_F1 + 9 }, quit, "q F10", "quit" },
};
/* clang-format on */

const char *const keys__hints = "h Help  Tab Next  Enter Down  / Search  f Filter  g Group  c Columns  r "
				"Reverse  p Pause  w Write  k Signal  q Quit";

void keys__draw_help(struct tui *t)
{
	int row = 2 - (int)t->menu_at;

	screen__clear();
	for (size_t i = 0; i < sizeof(key_rows) / sizeof(key_rows[0]); i++) {
		if (!key_rows[i].help)
			continue;
		if (row >= 2) {
			screen__puts(row, 2, LOOK_TITLE, key_rows[i].names);
			screen__puts(row, 20, LOOK_PLAIN, key_rows[i].help);
		}
		row++;
	}
	screen__puts(0, 0, LOOK_TITLE, "ipctrace top: keys");
	screen__puts(0, 20, LOOK_DIM, "arrows scroll, any other key goes back");
}

/* ---- dispatch ---- */

static const struct top_column *menu_column(const struct tui *t, size_t at)
{
	const struct top_table *kind = t->list.kind;

	for (size_t i = 0; kind && i < kind->column_cnt; i++)
		if (kind->columns[i].header && at-- == 0)
			return &kind->columns[i];
	return NULL;
}

static void press_in_menu(struct tui *t, int key)
{
	const struct top_column *col = menu_column(t, t->menu_at);

	if (key == PRESS_DOWN && menu_column(t, t->menu_at + 1))
		t->menu_at++;
	else if (key == PRESS_UP && t->menu_at)
		t->menu_at--;
	else if (key == CH(' ') && col)
		t->shown[t->list.kind - top_tables][col - t->list.kind->columns] ^= true;
	else if (key == PRESS_ENTER && col)
		list__sort_by(t, col);
	if (key == PRESS_ENTER || key == PRESS_ESC || key == PRESS_BACK || key == CH('q') || key == CH('c'))
		t->mode = MODE_NORMAL;
}

static void press_in_help(struct tui *t, int key)
{
	if (key == PRESS_DOWN || key == PRESS_PAGE_DOWN || key == PRESS_WHEEL_DOWN)
		t->menu_at++;
	else if ((key == PRESS_UP || key == PRESS_PAGE_UP || key == PRESS_WHEEL_UP) && t->menu_at)
		t->menu_at--;
	else if (key != PRESS_RESIZED && key != PRESS_UP)
		t->mode = MODE_NORMAL;
}

static void click(struct tui *t, const struct key_press *k)
{
	struct place *p = tui__place(t);
	size_t at;
	bool down;

	if (k->row == 0) {
		int tab = tui__tab_at(t, k->col);

		if (tab >= 0)
			places__go(t, (enum tab)tab);
		return;
	}
	if (!list__kind(t))
		return;
	if (k->row == TUI_FIRST_ROW) {
		list__sort_by(t, list__header_at(t, k->col));
		return;
	}
	at = p->first + (size_t)(k->row - TUI_FIRST_ROW - 1);
	if (k->row <= TUI_FIRST_ROW || at >= t->list.rows.cnt)
		return;
	down = at == p->at || k->key == PRESS_DOUBLE_CLICK;
	list__select(t, at);
	if (down)
		places__enter(t);
}

void keys__press(struct tui *t, const struct key_press *k)
{
	if (k->key == PRESS_UNKNOWN) /* a button that is let go, too */
		return;
	t->dirty = true;
	t->said[0] = 0;
	if (t->prompt.label)
		return prompts__press(t, k->key);
	if (t->mode == MODE_HELP)
		return press_in_help(t, k->key);
	if (t->mode == MODE_COLUMNS)
		return press_in_menu(t, k->key);
	if (k->key == PRESS_CLICK || k->key == PRESS_DOUBLE_CLICK)
		return click(t, k);
	if (k->key >= PRESS_F1 + 1 && k->key <= PRESS_F1 + TAB_CNT)
		return places__go(t, (enum tab)(k->key - PRESS_F1 - 1));
	if (k->key >= CH('1') && k->key < CH('1') + TAB_CNT)
		return places__go(t, (enum tab)(k->key - CH('1')));
	for (size_t i = 0; i < sizeof(key_rows) / sizeof(key_rows[0]); i++)
		for (size_t j = 0; j < 3 && key_rows[i].keys[j]; j++)
			if (key_rows[i].keys[j] == k->key)
				return key_rows[i].act(t);
}
