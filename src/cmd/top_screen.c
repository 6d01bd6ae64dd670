/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/top_screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/session.h"
#include "tui/tui.h"

#define WAIT_MS 20 /* between looks at the keyboard while nothing else is to be done */
#define SPEED_MAX 1024.0
#define SPEED_MIN (1.0 / 64)

struct top_screen {
	struct top *top;
	struct session *session;
	struct tui *tui;
	struct tui_status status;
	char typed[256]; /* filter */
	char filter[256]; /* its words; the selection points into it */
	int stderr_fd; /* -1: not put aside */
	bool leave;
	uint64_t ops_seen, wall_ns, cpu_ns; /* at the last status */
	/* a recording */
	double speed;
	uint64_t begun_ns, now_ns; /* events' time at the beginning, and now */
	uint64_t due_from_ns, due_wall_ns; /* events' time due_from_ns is due at due_wall_ns */
	uint64_t seek_to_ns; /* events before are not held back; 0: none */
	bool again; /* seek_to_ns lies behind us */
};

/* ---- actions ---- */

static int filter(void *ctx, const char *words, struct buf *said)
{
	struct top_screen *s = ctx;
	struct select_opts select = { 0 };
	char copy[sizeof(s->filter)];

	snprintf(copy, sizeof(copy), "%s", words);
	if (strspn(words, " ") == strlen(words)) {
		pipeline__refine(session__pipeline(s->session), NULL);
	} else {
		if (options__filter(copy, s->top->opts->input, &select, said))
			return -EINVAL;
		/* Parsed again where the words stay: the selection points to them. */
		pipeline__refine(session__pipeline(s->session), NULL);
		snprintf(s->filter, sizeof(s->filter), "%s", words);
		options__filter(s->filter, s->top->opts->input, &select, said);
		pipeline__refine(session__pipeline(s->session), &select);
	}
	snprintf(s->typed, sizeof(s->typed), "%s", words);
	meter__reset(s->top->meter, s->top->now_ns);
	return 0;
}

static int set_interval(void *ctx, uint64_t interval_ns, struct buf *said)
{
	struct top *t = ((struct top_screen *)ctx)->top;

	if (interval_ns < TOP_INTERVAL_MIN_NS) {
		buf__puts(said, "an interval is at least 10ms");
		return -EINVAL;
	}
	t->next_tick_ns = t->next_tick_ns - t->setup.interval_ns + interval_ns;
	t->setup.interval_ns = interval_ns;
	return 0;
}

static int reset(void *ctx, struct buf *said)
{
	struct top_screen *s = ctx;

	meter__reset(s->top->meter, s->top->now_ns);
	return 0;
}

/* ---- a recording's time ---- */

static void hold_from(struct top_screen *s, uint64_t events_ns)
{
	s->due_from_ns = events_ns;
	s->due_wall_ns = time__mono_ns();
}

static void say_time(const struct top_screen *s, struct buf *said)
{
	uint64_t at = s->seek_to_ns ? s->seek_to_ns : s->now_ns;

	buf__puts(said, "at ");
	time__put_duration(said, at > s->begun_ns ? at - s->begun_ns : 0);
	buf__printf(said, " of the recording, %g times as fast", s->speed);
}

static int seek(void *ctx, double seconds, struct buf *said)
{
	struct top_screen *s = ctx;
	uint64_t step_ns = (uint64_t)((seconds < 0 ? -seconds : seconds) * 1e9);
	uint64_t past_ns = s->now_ns - s->begun_ns;

	s->again = seconds < 0;
	if (seconds < 0)
		s->seek_to_ns = s->now_ns - (step_ns < past_ns ? step_ns : past_ns);
	else
		s->seek_to_ns = s->now_ns + step_ns;
	say_time(s, said);
	return 0;
}

static int set_speed(void *ctx, double factor, struct buf *said)
{
	struct top_screen *s = ctx;
	double speed = s->speed * factor;

	if (speed <= SPEED_MAX && speed >= SPEED_MIN)
		s->speed = speed;
	hold_from(s, s->now_ns);
	say_time(s, said);
	return 0;
}

/* ---- status ---- */

static uint64_t rss_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static const char *attach_of(const struct top *t)
{
	const char *one = NULL;

	for (uint8_t m = 0; t->names.attach && m < 32; m++) {
		const char *name = t->names.traced & 1u << m ? t->names.attach(m) : NULL;

		if (name && one && strcmp(name, one) != 0)
			return "mixed hooks";
		one = name ? name : one;
	}
	return one;
}

static void update_status(struct top_screen *s)
{
	struct meter_view v;
	uint64_t wall_ns = time__mono_ns(), cpu_ns = time__cpu_ns();

	meter__view(s->top->meter, &v);
	if (v.until_ns > v.from_ns)
		s->status.events_per_s = (double)v.last.ops * 1e9 / (double)(v.until_ns - v.from_ns);
	if (wall_ns > s->wall_ns && s->wall_ns)
		s->status.cpu_percent = 100.0 * (double)(cpu_ns - s->cpu_ns) / (double)(wall_ns - s->wall_ns);
	s->wall_ns = wall_ns;
	s->cpu_ns = cpu_ns;
	s->status.rss_bytes = rss_bytes();
	s->status.ring_percent = session__ring_percent(s->session);
	s->status.attach = attach_of(s->top);
	s->status.source = s->top->opts->input ? s->top->opts->input : "live";
}

/* ---- between rounds ---- */

bool top_screen__round(struct top_screen *s)
{
	if (!tui__step(s->tui))
		s->leave = true;
	return !s->leave && !s->again;
}

static void wait_for_key(int timeout_ms)
{
	struct pollfd key = { .fd = STDIN_FILENO, .events = POLLIN };

	poll(&key, 1, timeout_ms);
}

static bool is_due(const struct top_screen *s, uint64_t now_ns)
{
	double past = (double)(time__mono_ns() - s->due_wall_ns) * s->speed;

	return now_ns <= s->due_from_ns || (double)(now_ns - s->due_from_ns) <= past;
}

void top_screen__clock(struct top_screen *s, uint64_t now_ns)
{
	if (!s->top->opts->input)
		return;
	s->now_ns = now_ns;
	if (!s->begun_ns) {
		s->begun_ns = now_ns;
		hold_from(s, now_ns);
	}
	if (s->seek_to_ns) {
		if (now_ns < s->seek_to_ns)
			return;
		s->seek_to_ns = 0;
		hold_from(s, now_ns);
	}
	while (!s->leave && !s->again && !s->seek_to_ns && (tui__paused(s->tui) || !is_due(s, now_ns))) {
		if (session__asked(s->session))
			s->leave = true;
		wait_for_key(WAIT_MS);
		top_screen__round(s);
		if (tui__paused(s->tui))
			hold_from(s, now_ns);
	}
}

void top_screen__message(struct top_screen *s, const struct message *m)
{
	tui__message(s->tui, m);
}

void top_screen__interval(struct top_screen *s)
{
	update_status(s);
	tui__interval(s->tui, &s->status, s->top->waits.v, s->top->waits.cnt);
	if (s->top->opts->input && !s->seek_to_ns)
		top_screen__round(s);
}

bool top_screen__paused(const struct top_screen *s)
{
	return tui__paused(s->tui);
}

bool top_screen__wants_waits(const struct top_screen *s)
{
	return tui__wants_waits(s->tui);
}

bool top_screen__linger(struct top_screen *s)
{
	s->status.note = s->top->opts->input ? "END OF THE RECORDING" : "THE COMMAND HAS ENDED";
	if (!s->leave && !s->again)
		top_screen__interval(s);
	while (!s->leave && !s->again && !session__asked(s->session)) {
		s->seek_to_ns = 0;
		wait_for_key(WAIT_MS * 10);
		top_screen__round(s);
	}
	s->status.note = NULL;
	return s->again && !s->leave;
}

/* ---- life ---- */

void top_screen__set_session(struct top_screen *s, struct session *session)
{
	struct select_opts select;
	struct buf ignored = { 0 };

	s->session = session;
	s->again = false;
	s->begun_ns = 0;
	session__keep_terminal(session);
	if (!*s->typed)
		return;
	snprintf(s->filter, sizeof(s->filter), "%s", s->typed);
	if (!options__filter(s->filter, s->top->opts->input, &select, &ignored))
		pipeline__refine(session__pipeline(session), &select);
	buf__free(&ignored);
}

/* What is said meanwhile would be written across the screen: it is said afterwards. */
static void put_stderr_aside(struct top_screen *s)
{
	int aside = isatty(STDERR_FILENO) ? memfd_create("ipctrace-stderr", MFD_CLOEXEC) : -1;

	if (aside < 0)
		return;
	s->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(aside, STDERR_FILENO);
	close(aside);
}

static void give_stderr_back(struct top_screen *s)
{
	char text[4096];
	ssize_t len;

	if (s->stderr_fd < 0)
		return;
	lseek(STDERR_FILENO, 0, SEEK_SET);
	while ((len = read(STDERR_FILENO, text, sizeof(text))) > 0)
		if (write(s->stderr_fd, text, (size_t)len) != len)
			break;
	dup2(s->stderr_fd, STDERR_FILENO);
	close(s->stderr_fd);
}

struct top_screen *top_screen__new(struct top *t, struct buf *err)
{
	const char *no_color = getenv("NO_COLOR");
	struct top_screen *s = xalloc(sizeof(*s));
	struct tui_opts opts = {
		.meter = t->meter,
		.ctx = &t->ctx,
		.choices = t->setup.choices,
		.choice_cnt = t->setup.choice_cnt,
		.colour = !t->opts->no_color && !(no_color && *no_color),
		.interval_ns = t->setup.interval_ns,
		.actions = { .ctx = s,
			     .filter = filter,
			     .write = top_action__write,
			     .interval = set_interval,
			     .reset = reset },
	};

	s->top = t;
	s->stderr_fd = -1;
	s->speed = t->opts->top.speed ? t->opts->top.speed : 1;
	if (t->opts->input) {
		opts.actions.seek = seek;
		opts.actions.speed = set_speed;
	} else {
		opts.actions.signal = top_action__signal;
	}
	if (tui__new(&s->tui, &opts, err)) {
		free(s);
		return NULL;
	}
	put_stderr_aside(s);
	return s;
}

const struct top *top_screen__top(const struct top_screen *s)
{
	return s->top;
}

void top_screen__keep(const struct top_screen *s)
{
	tui__keep(s->tui);
}

void top_screen__follow(struct top_screen *s)
{
	tui__follow(s->tui);
}

void top_screen__forget(struct top_screen *s)
{
	tui__forget(s->tui);
}

void top_screen__free(struct top_screen *s)
{
	if (!s)
		return;
	tui__free(s->tui);
	give_stderr_back(s);
	free(s);
}
