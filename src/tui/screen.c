/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal: taken, drawn to, and given back however the program ends. */
#include "tui/tui_impl.h"
#include "view/label.h"

/* term.h has macros named as half of the language: our headers come first. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static struct {
	SCREEN *screen;
	bool utf8, colour, taken;
	attr_t looks[LOOK_CNT];
	struct termios before;
	char restore[256]; /* what gives the terminal back, for signal handlers */
	size_t restore_len;
} s;

/* ---- every exit ---- */

static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGHUP };

/* Only what may be called in a signal handler; then the signal does what it would have done. */
static void on_crash(int sig)
{
	ssize_t ignored = write(STDOUT_FILENO, s.restore, s.restore_len);

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &s.before);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void add_restore(const char *capability)
{
	const char *text = tigetstr((char *)capability);
	size_t len = text && text != (char *)-1 ? strlen(text) : 0;

	if (len && s.restore_len + len < sizeof(s.restore)) {
		memcpy(s.restore + s.restore_len, text, len);
		s.restore_len += len;
	}
}

static void prepare_crashes(void)
{
	static const char mouse_off[] = "\033[?1006l\033[?1000l";
	struct sigaction sa = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER };

	s.restore_len = 0;
	memcpy(s.restore, mouse_off, sizeof(mouse_off) - 1);
	s.restore_len = sizeof(mouse_off) - 1;
	add_restore("sgr0");
	add_restore("cnorm");
	add_restore("rmkx");
	add_restore("rmcup");
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &sa, NULL);
}

void screen__end(void)
{
	if (!s.taken)
		return;
	s.taken = false;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
	mousemask(0, NULL);
	endwin();
	delscreen(s.screen);
}

/* ---- looks ---- */

struct look_row {
	short fg16, bg16, fg256, bg256; /* -1: the terminal's own */
	attr_t attributes, without_colour;
};

static const struct look_row look_rows[LOOK_CNT] = {
	[LOOK_TITLE] = { COLOR_CYAN, -1, 81, -1, A_BOLD, A_BOLD },
	[LOOK_TAB] = { -1, -1, 250, -1, A_NORMAL, A_NORMAL },
	[LOOK_TAB_ON] = { COLOR_BLACK, COLOR_CYAN, 16, 81, A_NORMAL, A_REVERSE },
	[LOOK_HEADER] = { COLOR_BLACK, COLOR_GREEN, 16, 114, A_NORMAL, A_REVERSE },
	[LOOK_SORTED] = { COLOR_BLACK, COLOR_CYAN, 16, 81, A_NORMAL, A_REVERSE | A_BOLD },
	[LOOK_SELECTED] = { COLOR_BLACK, COLOR_WHITE, 16, 252, A_NORMAL, A_REVERSE },
	[LOOK_WARNING] = { COLOR_RED, -1, 203, -1, A_BOLD, A_BOLD },
	[LOOK_DIM] = { -1, -1, 245, -1, A_DIM, A_DIM },
	[LOOK_PLAIN] = { -1, -1, -1, -1, A_NORMAL, A_NORMAL },
};

static void prepare_looks(void)
{
	bool many = s.colour && COLORS >= 256;

	for (short i = 0; i < LOOK_CNT; i++) {
		const struct look_row *r = &look_rows[i];

		if (!s.colour) {
			s.looks[i] = r->without_colour;
			continue;
		}
		init_pair((short)(i + 1), many ? r->fg256 : r->fg16, many ? r->bg256 : r->bg16);
		s.looks[i] = r->attributes | COLOR_PAIR(i + 1);
	}
}

int screen__begin(bool colour, bool *utf8, struct buf *err)
{
	const char *term = getenv("TERM");

	setlocale(LC_ALL, "");
	tcgetattr(STDIN_FILENO, &s.before);
	s.screen = newterm(NULL, stdout, stdin);
	if (!s.screen) {
		buf__printf(err, "cannot draw on a terminal of type '%s': set TERM, or use -b",
			    term ? term : "");
		return -EINVAL;
	}
	s.taken = true;
	atexit(screen__end);
	s.utf8 = *utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	/* All of them: after an event that it must not report, getch() waits for the next in spite of nodelay(). */
	mousemask(ALL_MOUSE_EVENTS, NULL);
	mouseinterval(0);
	s.colour = colour && has_colors();
	if (s.colour) {
		start_color();
		use_default_colors();
	}
	prepare_looks();
	prepare_crashes();
	return 0;
}

/* ---- drawing ---- */

void screen__size(int *rows, int *cols)
{
	getmaxyx(stdscr, *rows, *cols);
}

void screen__clear(void)
{
	erase();
}

void screen__flush(void)
{
	refresh();
}

void screen__cursor(int row, int col)
{
	curs_set(row >= 0);
	if (row >= 0)
		move(row, col);
}

/* Without UTF-8 what is not ASCII becomes one character per code point. */
static size_t to_ascii(char *to, size_t size, const char *from, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < size; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c < 0x80)
			to[n++] = (char)c;
		else if (c >= 0xc0) /* the first byte of one */
			to[n++] =
				c == 0xe2 && i + 2 < len && !memcmp(from + i, "\xe2\x80\xa6", 3) ? '~' : '?';
	}
	return n;
}

int screen__put(int row, int col, enum look look, const char *text, size_t len)
{
	char ascii[1024];
	struct buf fits = { 0 };
	int y, x;

	if (row < 0 || row >= LINES || col < 0 || col >= COLS)
		return col;
	buf__put(&fits, text, len);
	label__cut(&fits, 0, (size_t)(COLS - col)); /* ncurses would go on in the next line */
	text = buf__cstr(&fits);
	len = fits.len;
	if (!s.utf8) {
		len = to_ascii(ascii, sizeof(ascii), text, len);
		text = ascii;
	}
	attrset(s.looks[look]);
	/* In the last column of the last line addstr() reports an error and has drawn all the same. */
	mvaddnstr(row, col, text, (int)len);
	getyx(stdscr, y, x);
	attrset(A_NORMAL);
	buf__free(&fits);
	return y == row ? x : COLS;
}

int screen__puts(int row, int col, enum look look, const char *text)
{
	return screen__put(row, col, look, text, strlen(text));
}

int screen__printf(int row, int col, enum look look, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return screen__put(row, col, look, text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

void screen__fill(int row, int col, enum look look)
{
	if (row < 0 || row >= LINES)
		return;
	attrset(s.looks[look]);
	for (; col < COLS; col++)
		mvaddch(row, col, ' ');
	attrset(A_NORMAL);
}

static const struct {
	const char *utf8;
	char ascii;
} pieces[] = {
	[PIECE_H] = { "─", '-' },     [PIECE_V] = { "│", '|' },	    [PIECE_UL] = { "┌", '+' },
	[PIECE_UR] = { "┐", '+' },    [PIECE_LL] = { "└", '+' },    [PIECE_LR] = { "┘", '+' },
	[PIECE_RIGHT] = { "▶", '>' }, [PIECE_TEE_L] = { "┤", '|' }, [PIECE_TEE_R] = { "├", '|' },
};

void screen__piece(int row, int col, enum line_piece piece, enum look look)
{
	if (s.utf8)
		screen__puts(row, col, look, pieces[piece].utf8);
	else
		screen__put(row, col, look, &pieces[piece].ascii, 1);
}

void screen__line(int row, int from, int to, enum look look)
{
	for (int col = from; col <= to; col++)
		screen__piece(row, col, PIECE_H, look);
}
