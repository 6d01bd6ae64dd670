/* SPDX-License-Identifier: GPL-2.0 */
/* Keys and clicks in our own terms. */
#include <ncurses.h>

#include "tui/tui_impl.h"

static const struct {
	int curses, ours;
} rows[] = {
	{ KEY_ENTER, PRESS_ENTER },
	{ '\r', PRESS_ENTER },
	{ '\n', PRESS_ENTER },
	{ KEY_BACKSPACE, PRESS_BACK },
	{ 127, PRESS_BACK },
	{ '\b', PRESS_BACK },
	{ 27, PRESS_ESC },
	{ '\t', PRESS_NEXT_TAB },
	{ KEY_BTAB, PRESS_PREVIOUS_TAB },
	{ KEY_UP, PRESS_UP },
	{ KEY_DOWN, PRESS_DOWN },
	{ KEY_LEFT, PRESS_LEFT },
	{ KEY_RIGHT, PRESS_RIGHT },
	{ KEY_PPAGE, PRESS_PAGE_UP },
	{ KEY_NPAGE, PRESS_PAGE_DOWN },
	{ KEY_HOME, PRESS_HOME },
	{ KEY_END, PRESS_END },
	{ KEY_RESIZE, PRESS_RESIZED },
};

static int meaning_of(mmask_t state)
{
	if (state & BUTTON4_PRESSED)
		return PRESS_WHEEL_UP;
	if (state & BUTTON5_PRESSED)
		return PRESS_WHEEL_DOWN;
	if (state & (BUTTON1_DOUBLE_CLICKED | BUTTON1_TRIPLE_CLICKED))
		return PRESS_DOUBLE_CLICK;
	return state & (BUTTON1_CLICKED | BUTTON1_PRESSED) ? PRESS_CLICK : PRESS_UNKNOWN;
}

/* What came together is one KEY_MOUSE, and getmouse() tells the latest first: a button let go before its being pressed. */
static struct key_press mouse(void)
{
	struct key_press k = { .key = PRESS_UNKNOWN };
	MEVENT e;

	while (getmouse(&e) == OK)
		if (meaning_of(e.bstate) != PRESS_UNKNOWN)
			k = (struct key_press){ .key = meaning_of(e.bstate), .row = e.y, .col = e.x };
	return k;
}

struct key_press input__next(void)
{
	int c = getch();

	if (c == ERR)
		return (struct key_press){ .key = PRESS_NOTHING };
	if (c == KEY_MOUSE)
		return mouse();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].curses == c)
			return (struct key_press){ .key = rows[i].ours };
	if (c > KEY_F0 && c <= KEY_F0 + 12)
		return (struct key_press){ .key = PRESS_F1 + (c - KEY_F0 - 1) };
	if (c < 256)
		return (struct key_press){ .key = PRESS_CHAR + c };
	return (struct key_press){ .key = PRESS_UNKNOWN };
}
