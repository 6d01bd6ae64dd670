/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of the tui room. */
#ifndef TUI_TUI_IMPL_H
#define TUI_TUI_IMPL_H

#include "tui/tui.h"

#define TUI_EVENTS 2000 /* messages kept */
#define TUI_PLACES 16 /* how deep one can drill */
#define TUI_PROMPT_BYTES 256

enum tab {
	TAB_FLOWS,
	TAB_PROCESSES,
	TAB_CHANNELS,
	TAB_MECHANISMS,
	TAB_WAITS,
	TAB_EVENTS,
	TAB_GRAPH,
	TAB_CNT,
};

enum look { /* what a piece of the screen means; colours in screen.c */
	    LOOK_PLAIN,
	    LOOK_TITLE,
	    LOOK_TAB,
	    LOOK_TAB_ON,
	    LOOK_HEADER,
	    LOOK_SORTED,
	    LOOK_SELECTED,
	    LOOK_WARNING,
	    LOOK_DIM,
	    LOOK_CNT,
};

/* What makes a row the same after a refresh. */
struct row_id {
	uint64_t a, b, c;
};

/* Where one is: Enter goes deeper, Backspace back. */
struct place {
	enum tab tab;
	const struct proc *proc, *other; /* only its rows; events: between both, when other is given */
	const struct channel *channel;
	uint8_t mech;
	bool whole_flow; /* events: proc is the source, other the destination */
	struct row_id selected;
	size_t at, first; /* selected row, first row on the screen */
};

struct event_copy {
	struct message m;
	struct op op;
};

struct events {
	struct event_copy *ring;
	uint64_t cnt; /* ever; the newest is ring[(cnt - 1) % TUI_EVENTS] */
};

struct prompt {
	const char *label; /* NULL: no prompt */
	char text[TUI_PROMPT_BYTES];
	size_t len;
	void (*done)(struct tui *t, const char *text);
	bool confirm; /* one key: y or anything else */
};

enum mode { MODE_NORMAL, MODE_HELP, MODE_COLUMNS };

struct list {
	struct meter_table table;
	VEC(const void *) rows; /* in order */
	const struct top_table *kind;
	VEC(uint8_t) depth; /* tree: of each row; empty otherwise */
	size_t shown_rows; /* on the screen */
};

struct tui {
	struct tui_opts opts;
	struct tui_status status;
	struct place places[TUI_PLACES];
	size_t place_cnt; /* the last is where we are */
	struct list list;
	const struct top_column *sort[TOP_TABLE_CNT];
	bool ascending[TOP_TABLE_CNT];
	bool shown[TOP_TABLE_CNT][TOP_COLUMNS_MAX];
	size_t scroll_cols; /* columns scrolled away */
	struct events events, watched; /* watched: those of the place, while one looks at them */
	VEC(struct wait_line) waits;
	struct prompt prompt;
	enum mode mode;
	size_t menu_at;
	char search[TUI_PROMPT_BYTES];
	char filter[TUI_PROMPT_BYTES];
	char said[TUI_PROMPT_BYTES]; /* one line at the bottom, until the next key */
	const struct proc *signal_to;
	int signal_nr;
	const struct proc *centre; /* graph */
	VEC(const struct proc *) neighbours;
	size_t neighbour_at;
	bool tree, paused, utf8, quit, dirty, stale; /* stale: rows must be made anew */
	int rows, cols; /* of the terminal */
};

static inline struct place *tui__place(struct tui *t)
{
	return &t->places[t->place_cnt - 1];
}

#define TUI_FIRST_ROW 3 /* the header of the table; above: tabs, status, title */

int tui__tab_at(const struct tui *t, int col); /* -1: none */
void tui__say(struct tui *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- screen.c: the only file besides input.c that sees ncurses ---- */

int screen__begin(bool colour, bool *utf8, struct buf *err);
void screen__end(void);
void screen__size(int *rows, int *cols);
void screen__clear(void);
void screen__flush(void);
/* Bytes that were escaped already; cut at the screen's edge. Returns the column behind it. */
int screen__put(int row, int col, enum look look, const char *s, size_t len);
int screen__puts(int row, int col, enum look look, const char *s);
int screen__printf(int row, int col, enum look look, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void screen__fill(int row, int col, enum look look); /* the rest of the line */
void screen__cursor(int row, int col); /* row < 0: none */
enum line_piece {
	PIECE_H,
	PIECE_V,
	PIECE_UL,
	PIECE_UR,
	PIECE_LL,
	PIECE_LR,
	PIECE_RIGHT,
	PIECE_TEE_L,
	PIECE_TEE_R
};
void screen__piece(int row, int col, enum line_piece piece, enum look look);
void screen__line(int row, int from, int to, enum look look); /* both included */

/* ---- input.c ---- */

enum press {
	PRESS_NOTHING, /* none pending */
	PRESS_UNKNOWN,
	PRESS_ENTER,
	PRESS_BACK,
	PRESS_ESC,
	PRESS_NEXT_TAB,
	PRESS_PREVIOUS_TAB,
	PRESS_UP,
	PRESS_DOWN,
	PRESS_LEFT,
	PRESS_RIGHT,
	PRESS_PAGE_UP,
	PRESS_PAGE_DOWN,
	PRESS_HOME,
	PRESS_END,
	PRESS_WHEEL_UP,
	PRESS_WHEEL_DOWN,
	PRESS_CLICK,
	PRESS_DOUBLE_CLICK,
	PRESS_RESIZED,
	PRESS_F1 = 0x200, /* ... PRESS_F1 + 11 */
	PRESS_CHAR = 0x1000, /* + byte */
};
struct key_press {
	int key; /* enum press */
	int row, col; /* clicks */
};
struct key_press input__next(void);

/* ---- keys.c: what each key does ---- */

void keys__press(struct tui *t, const struct key_press *k);
void keys__draw_help(struct tui *t);
extern const char *const keys__hints;

#define CH(c) (PRESS_CHAR + (c))

/* ---- prompts.c ---- */

void prompts__search(struct tui *t);
void prompts__search_again(struct tui *t);
void prompts__filter(struct tui *t);
void prompts__write(struct tui *t);
void prompts__interval(struct tui *t);
void prompts__signal(struct tui *t);
void prompts__press(struct tui *t, int key); /* a key for the line that is being typed */
/* What an action had to say, or that it failed, or otherwise (NULL: nothing). Frees said. */
void tui__say_result(struct tui *t, int ret, struct buf *said, const char *otherwise);

/* ---- list.c: tables ---- */

const struct top_table *list__kind(const struct tui *t); /* NULL: this tab has no table */
void list__refill(struct tui *t);
void list__draw(struct tui *t, int first_row, int row_cnt);
void list__select(struct tui *t, size_t at);
void list__find(struct tui *t, const char *text, bool again);
/* The column whose header stands there; NULL: none. */
const struct top_column *list__header_at(struct tui *t, int col);
const void *list__selected(const struct tui *t); /* NULL: no row */
struct proc *list__selected_proc(const struct tui *t); /* NULL: none */
void list__sort_by(struct tui *t, const struct top_column *col);
void list__draw_menu(struct tui *t); /* choice of columns */

/* ---- tree.c ---- */

/* Puts the rows of the processes' table below their parents' rows; others keep their order. */
void tree__arrange(struct list *list);

/* ---- events.c ---- */

void events__add(struct events *e, const struct message *m);
bool events__match(const struct place *p, const struct message *m, enum table_group group);
void events__watch(struct tui *t); /* the place's from now on, and those that are still there */
void events__draw(struct tui *t, int first_row, int row_cnt);
void events__keep(const struct events *e);
void events__free(struct events *e);

/* ---- graph.c ---- */

void graph_tab__draw(struct tui *t, int first_row, int row_cnt);
/* The flows that the rows on the screen stand for. */
void graph_tab__make(struct tui *t, struct graph *g);

/* ---- places.c ---- */

void places__go(struct tui *t, enum tab tab); /* forgets where one drilled to */
void places__enter(struct tui *t);
void places__back(struct tui *t);
void places__title(const struct tui *t, struct buf *out); /* "flows of 123 sh" */

#endif
