/* SPDX-License-Identifier: GPL-2.0 */
/* Keys that ask for a line first, and the line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/opts.h"
#include "base/signame.h"
#include "tui/tui_impl.h"

static void ask(struct tui *t, const char *label, const char *text,
		void (*done)(struct tui *t, const char *text))
{
	t->prompt = (struct prompt){ .label = label, .done = done };
	t->prompt.len = strlen(text) < TUI_PROMPT_BYTES ? strlen(text) : 0;
	memcpy(t->prompt.text, text, t->prompt.len);
}

/* What an action had to say, or that it cannot be done here. */
void tui__say_result(struct tui *t, int ret, struct buf *said, const char *otherwise)
{
	struct buf safe = { 0 };

	escape__terminal(&safe, said->data ? said->data : "", said->len);
	if (safe.len)
		tui__say(t, "%s", buf__cstr(&safe));
	else if (ret)
		tui__say(t, "that failed: %s", strerror(-ret));
	else if (otherwise)
		tui__say(t, "%s", otherwise);
	buf__free(&safe);
	buf__free(said);
}

static void search_done(struct tui *t, const char *text)
{
	snprintf(t->search, sizeof(t->search), "%s", text);
	if (*text)
		list__find(t, text, false);
}

void prompts__search(struct tui *t)
{
	ask(t, "Search: ", "", search_done);
}

void prompts__search_again(struct tui *t)
{
	if (*t->search)
		list__find(t, t->search, true);
	else
		prompts__search(t);
}

static void filter_done(struct tui *t, const char *text)
{
	struct buf said = { 0 };
	int ret = t->opts.actions.filter(t->opts.actions.ctx, text, &said);

	if (!ret) {
		snprintf(t->filter, sizeof(t->filter), "%s", text);
		t->events.cnt = t->watched.cnt = 0;
		t->stale = true;
	}
	tui__say_result(t, ret, &said,
			*text ? "counting from now on what the filter lets through" : "no filter");
}

void prompts__filter(struct tui *t)
{
	if (t->opts.actions.filter)
		ask(t, "Filter (options, as -p 42 -m unix): ", t->filter, filter_done);
}

static void write_done(struct tui *t, const char *path)
{
	struct buf said = { 0 };
	struct graph g = { 0 };
	int ret;

	if (!*path)
		return;
	graph_tab__make(t, &g);
	ret = t->opts.actions.write(t->opts.actions.ctx, path, &g, &said);
	graph__free(&g);
	tui__say_result(t, ret, &said, "written");
}

void prompts__write(struct tui *t)
{
	if (t->opts.actions.write)
		ask(t, "Write the graph to (.dot, .json, .txt, ...): ", "ipctrace-top.dot", write_done);
}

static void interval_done(struct tui *t, const char *text)
{
	struct buf said = { 0 };
	uint64_t ns;
	int ret;

	if (!*text)
		return;
	if (opt_parse__duration(text, &ns)) {
		tui__say(t, "an interval is a time, as 2, 0.5 or 100ms");
		return;
	}
	ret = t->opts.actions.interval(t->opts.actions.ctx, ns, &said);
	if (!ret)
		t->opts.interval_ns = ns;
	tui__say_result(t, ret, &said, NULL);
}

void prompts__interval(struct tui *t)
{
	if (t->opts.actions.interval)
		ask(t, "Interval: ", "", interval_done);
}

/* ---- signals: a number or a name, then y ---- */

static int signal_number(const char *text)
{
	char name[SIGNAME_BYTES], *end;
	long nr = strtol(text, &end, 10);

	if (*text && !*end)
		return nr > 0 && nr <= 64 ? (int)nr : 0;
	for (unsigned int i = 1; i <= 64; i++) {
		const char *known = signame(i, name);

		if (!strcasecmp(known, text) || !strcasecmp(known + 3, text))
			return (int)i;
	}
	return 0;
}

static void signal_confirmed(struct tui *t, const char *text)
{
	struct buf said = { 0 };
	int ret;

	if (strcmp(text, "y") != 0) {
		tui__say(t, "nothing sent");
		return;
	}
	ret = t->opts.actions.signal(t->opts.actions.ctx, t->signal_to, t->signal_nr, &said);
	tui__say_result(t, ret, &said, "sent");
}

static void signal_chosen(struct tui *t, const char *text)
{
	static char label[96];
	char name[SIGNAME_BYTES];
	struct buf comm = { 0 };

	t->signal_nr = signal_number(text);
	if (!t->signal_nr) {
		tui__say(t, "no signal '%s': a number, or a name as TERM", text);
		return;
	}
	escape__terminal(&comm, t->signal_to->comm, strnlen(t->signal_to->comm, sizeof(t->signal_to->comm)));
	snprintf(label, sizeof(label), "Send %s to %u %s? (y/n) ", signame((unsigned int)t->signal_nr, name),
		 t->signal_to->pid, buf__cstr(&comm));
	buf__free(&comm);
	ask(t, label, "", signal_confirmed);
	t->prompt.confirm = true;
}

void prompts__signal(struct tui *t)
{
	static char label[64];
	const struct proc *p = tui__place(t)->tab == TAB_GRAPH ? t->centre : list__selected_proc(t);

	if (!t->opts.actions.signal)
		return tui__say(t, "a recording has no processes to send signals to");
	if (!p)
		return tui__say(t, "select a process first");
	if (t->opts.ctx->group != GROUP_NONE)
		return tui__say(t, "this row stands for several processes: press g until it is one");
	t->signal_to = p;
	snprintf(label, sizeof(label), "Signal to send to %u: ", p->pid);
	ask(t, label, "TERM", signal_chosen);
}

/* ---- typing ---- */

void prompts__press(struct tui *t, int key)
{
	struct prompt *p = &t->prompt;
	struct prompt was;

	if (p->confirm && key >= PRESS_CHAR) {
		was = *p;
		p->label = NULL;
		was.done(t, key == CH('y') || key == CH('Y') ? "y" : "n");
	} else if (key == PRESS_ESC || (key == PRESS_ENTER && p->confirm)) {
		p->label = NULL;
	} else if (key == PRESS_ENTER) {
		was = *p;
		was.text[was.len] = 0;
		p->label = NULL;
		was.done(t, was.text);
	} else if (key == PRESS_BACK) {
		/* A character of several bytes goes as a whole. */
		while (p->len && ((unsigned char)p->text[--p->len] & 0xc0) == 0x80)
			;
	} else if (key == CH('U' - '@')) {
		p->len = 0;
	} else if (key >= CH(' ') && key < CH(256) && p->len + 1 < TUI_PROMPT_BYTES) {
		p->text[p->len++] = (char)(key - PRESS_CHAR);
	}
}
