/* SPDX-License-Identifier: GPL-2.0 */
/* The top command: what moves between processes now. */
#include "cmd/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/cgroups.h"
#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/top_names.h"
#include "cmd/top_screen.h"
#include "cmd/waits.h"

#define HISTORY_CNT 256
#define HISTORY_NS (3ull * 1000 * 1000 * 1000)

/* What ended is in the table of the interval in which it did. */
static uint64_t history_ns(const struct top_setup *s)
{
	return s->interval_ns > HISTORY_NS / 2 ? s->interval_ns * 2 : HISTORY_NS;
}

static bool done(const struct top *t)
{
	return t->shown_cnt >= t->opts->top.intervals;
}

static void set_ctx(struct top *t)
{
	struct meter_view v;

	meter__view(t->meter, &v);
	t->ctx.names = &t->names;
	t->ctx.user = top_names__user;
	t->ctx.cgroup = cgroups__path;
	t->ctx.from_ns = v.from_ns;
	t->ctx.until_ns = v.until_ns;
	t->ctx.interval_nr = v.interval_nr;
}

static void on_message(void *ctx, const struct message *m)
{
	struct top *t = ctx;

	if (done(t))
		return;
	meter__message(t->meter, m);
	if (t->screen)
		top_screen__message(t->screen, m);
	if (t->lines)
		t->lines->message(&t->events, m, &t->names);
}

static void on_op(void *ctx, const struct op *op, struct channel *ch, const struct party *task)
{
	struct top *t = ctx;

	if (!done(t))
		meter__op(t->meter, op, ch, task->proc);
}

static void on_sum(void *ctx, const struct sum_info *info, struct channel *ch, struct proc *proc)
{
	struct top *t = ctx;

	if (!done(t))
		meter__sum(t->meter, info, ch, proc);
}

static void on_object(void *ctx, const struct object_info *info)
{
	meter__object(((struct top *)ctx)->meter, info);
}

static void on_lost(void *ctx, uint8_t mech, uint64_t cnt, int cpu)
{
	meter__lost(((struct top *)ctx)->meter, mech, cnt);
}

/* Batches show nothing between intervals. */
static void on_keep(void *ctx)
{
	struct top *t = ctx;

	if (t->screen)
		top_screen__keep(t->screen);
}

static void on_moved(void *ctx)
{
	struct top *t = ctx;

	t->waits.cnt = 0;
	meter__follow(t->meter);
	meter_table__follow(&t->table);
	if (t->screen)
		top_screen__follow(t->screen);
}

static void on_wait(void *ctx, const struct wait_line *line)
{
	vec__push(&((struct top *)ctx)->waits, *line);
}

static bool wants_waits(const struct top *t)
{
	if (t->screen)
		return top_screen__wants_waits(t->screen);
	for (size_t i = 0; i < t->setup.choice_cnt; i++)
		if (t->setup.choices[i].table == &top_tables[TOP_WAITS])
			return true;
	return false;
}

static void end_interval(struct top *t, uint64_t now_ns)
{
	meter__tick(t->meter, now_ns);
	meter__set_table_full(t->meter, pipeline__stats(t->pipeline)->table_full);
	set_ctx(t);
	t->shown_cnt++;
	t->waits.cnt = 0;
	if (t->looker && wants_waits(t))
		waits__look(t->looker, t->pipeline, t->meter, on_wait, t);
	if (t->screen)
		top_screen__interval(t->screen);
	else
		top_batch__interval(t);
}

/* Intervals are of the events' time, so a recording has the same ones however fast it is read. */
static void on_clock(void *ctx, uint64_t now_ns)
{
	struct top *t = ctx;

	t->now_ns = now_ns;
	if (!t->next_tick_ns) {
		meter__reset(t->meter, now_ns);
		t->next_tick_ns = now_ns + t->setup.interval_ns;
	}
	if (t->screen)
		top_screen__clock(t->screen, now_ns);
	if (t->screen && top_screen__paused(t->screen))
		return;
	if (t->screen &&
	    now_ns >= t->next_tick_ns + t->setup.interval_ns) /* after a pause: one long interval */
		t->next_tick_ns = now_ns;
	while (now_ns >= t->next_tick_ns && !done(t)) {
		end_interval(t, t->next_tick_ns);
		t->next_tick_ns += t->setup.interval_ns;
	}
}

static bool on_round(void *ctx)
{
	struct top *t = ctx;

	if (t->screen && !top_screen__round(t->screen))
		return false;
	return !done(t) && !out__error(&t->out);
}

/* What came after the last whole interval. */
static void end_last_interval(struct top *t, uint64_t now_ns)
{
	struct meter_view v;
	uint64_t begun_ns = t->next_tick_ns - t->setup.interval_ns;

	meter__view(t->meter, &v);
	if (done(t) || !t->next_tick_ns || now_ns <= begun_ns)
		return;
	/* A time limit of whole intervals ends a little after the last of them. */
	if (t->shown_cnt && now_ns - begun_ns < t->setup.interval_ns / 10 && !meter__is_fresh(t->meter))
		return;
	end_interval(t, now_ns);
}

static bool take_terminal(struct top *t)
{
	struct buf err = { 0 };

	t->screen = top_screen__new(t, &err);
	if (!t->screen)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return t->screen;
}

/* True: the recording is to be seen again. */
static bool show(struct top *t, struct session *s, int *status)
{
	bool again = false;

	t->pipeline = session__pipeline(s);
	if (!t->opts->input)
		t->looker = waits__new(t->opts->mechs);
	if (t->screen)
		top_screen__set_session(t->screen, s);
	else
		top_batch__begin(t);
	*status = session__run(s, on_round, t) ? EXIT_FAILED : EXIT_OK;
	end_last_interval(t, t->opts->input ? t->now_ns : time__boot_ns());
	if (t->screen && *status == EXIT_OK && !done(t))
		again = top_screen__linger(t->screen);
	if (!t->screen)
		top_batch__end(t, pipeline__stats(session__pipeline(s)));
	if (*status == EXIT_OK)
		*status = session__exit_status(s);
	return again;
}

static void forget(struct top *t)
{
	meter__forget(t->meter);
	meter_table__free(&t->table);
	t->table = (struct meter_table){ 0 };
	t->next_tick_ns = t->now_ns = 0;
	t->waits.cnt = 0;
	waits__free(t->looker);
	t->looker = NULL;
	if (t->screen)
		top_screen__forget(t->screen);
}

static int trace(struct top *t)
{
	struct pipeline_sink sink = { .ctx = t,
				      .message = on_message,
				      .op = on_op,
				      .sum = on_sum,
				      .clock = on_clock,
				      .object = on_object,
				      .lost = on_lost,
				      .keep = on_keep,
				      .moved = on_moved };
	struct session *s;
	bool again = true;
	int status = EXIT_OK;

	while (again) {
		s = session__new(t->opts, &sink, false);
		if (!s)
			return EXIT_FAILED;
		t->names = *session__names(s);
		t->boot_to_wall_ns = session__clock(s)->boot_to_wall_ns;
		line_text__set(&(struct line_text_opts){ .boot_to_wall_ns = t->boot_to_wall_ns });
		set_ctx(t);
		if (t->setup.terminal && !t->screen && !take_terminal(t)) {
			session__free(s);
			return EXIT_FAILED;
		}
		again = show(t, s, &status);
		forget(t);
		session__free(s);
	}
	return status;
}

/* What went wrong with the output, if anything; 0: nothing, or a reader that had enough. */
static int finish_output(struct top *t)
{
	struct buf err = { 0 };
	int ret = out__finish(&t->out, &err);

	if (err.len)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return ret == -EPIPE ? 0 : ret;
}

static int run(struct top *t)
{
	struct buf err = { 0 };
	int status;

	if (out__open(&t->out, t->opts->output, &err)) {
		log__error("%s", buf__cstr(&err));
		buf__free(&err);
		return EXIT_FAILED;
	}
	t->meter = meter__new(0);
	t->ctx.host_pidns = top_names__host_pidns();
	t->ctx.utf8 = true;
	t->ctx.group = t->setup.group;
	status = trace(t);
	top_screen__free(t->screen);
	if (finish_output(t))
		status = EXIT_FAILED;
	meter_table__free(&t->table);
	meter__free(t->meter);
	buf__free(&t->events);
	vec__free(&t->waits);
	top_names__forget();
	return status;
}

int cmd_top(int argc, char **argv)
{
	struct buf err = { 0 };
	struct options o;
	struct top t = { .opts = &o };
	int status = options__parse(&o, CMD_TOP, "top", argc, argv);

	if (status >= 0)
		return status;
	if (top_setup__make(&t.setup, &o, &err)) {
		status = options__usage_error("top", &err);
	} else {
		o.history = HISTORY_CNT;
		o.history_ns = history_ns(&t.setup);
		o.looks_at_processes = t.setup.terminal || wants_waits(&t);
		status = run(&t);
	}
	buf__free(&err);
	return status;
}
