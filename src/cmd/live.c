/* SPDX-License-Identifier: GPL-2.0 */
/* live and replay: one line per message (or operation), as it happens or as it was recorded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/out.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/session.h"
#include "cmd/summary.h"

struct live {
	const struct options *opts;
	const struct line_view *view;
	struct view_names names;
	struct out out;
	struct summary summary;
};

static bool full(const struct live *l)
{
	return l->summary.lines >= l->opts->count;
}

static void on_message(void *ctx, const struct message *m)
{
	struct live *l = ctx;

	if (full(l))
		return;
	l->view->message(&l->out.buf, m, &l->names);
	summary__add(&l->summary, m->messages, m->bytes, m->src.proc, m->dst.proc);
	out__commit(&l->out);
}

static void on_op(void *ctx, const struct op *op, struct channel *ch, const struct party *task)
{
	struct live *l = ctx;

	if (full(l))
		return;
	l->view->op(&l->out.buf, op, ch, task, &l->names);
	summary__add(&l->summary, 1, op->bytes, task->proc, NULL);
	out__commit(&l->out);
}

static void on_lost(void *ctx, uint8_t mech, uint64_t cnt, int cpu)
{
	struct live *l = ctx;

	if (full(l))
		return;
	l->view->lost(&l->out.buf, mech, cnt, cpu, &l->names);
	out__commit(&l->out);
}

/* Lines wait for the end of a round at most, so that a reader sees them in time. */
static bool on_round(void *ctx)
{
	struct live *l = ctx;

	return out__flush(&l->out) == 0 && !full(l);
}

static const struct line_view *choose_view(const struct options *o, struct buf *err)
{
	static const struct line_view *const views[] = { &line_view__text, &line_view__json };
	const char *name = o->format ? o->format : o->json ? "json" : "text";

	if (o->json && strcmp(name, "json") != 0) {
		buf__printf(err, "--json and --format %s contradict each other", name);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (strcmp(views[i]->name, name) == 0)
			return views[i];
	buf__printf(err, "no format '%s': there are", name);
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		buf__printf(err, "%s %s", i ? "," : "", views[i]->name);
	return NULL;
}

static void set_text(const struct live *l, const struct session_clock *clock)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct line_text_opts text = {
		.boot_to_wall_ns = clock->boot_to_wall_ns,
		.colour = l->out.interactive && !l->opts->no_color && !(no_color && *no_color) && term &&
			  strcmp(term, "dumb") != 0,
	};

	line_text__set(&text);
}

/* What went wrong with the output, if anything; 0: nothing, or a reader that had enough. */
static int finish_output(struct live *l)
{
	struct buf err = { 0 };
	int ret = out__finish(&l->out, &err);

	if (err.len)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return ret == -EPIPE ? 0 : ret;
}

/* Not what the filter left out. */
static void count_shown(const struct live *l, struct model_stats *stats)
{
	stats->messages = l->summary.lines;
	stats->sum_messages = l->summary.messages;
	stats->sum_bytes = l->summary.bytes;
}

static void finish_stream(struct live *l, struct model_stats stats)
{
	if (!l->opts->ops)
		count_shown(l, &stats);
	if (l->view->end)
		l->view->end(&l->out.buf, &stats);
	out__flush(&l->out);
	if (!l->view->end && out__error(&l->out) != -EPIPE)
		summary__say(&l->summary, &stats);
}

static enum summary_of kind_of_lines(const struct options *opts)
{
	if (opts->ops)
		return SUMMARY_OF_OPS;
	return opts->summary ? SUMMARY_OF_SUMS : SUMMARY_OF_LINES;
}

static int trace(struct live *l)
{
	struct pipeline_sink sink = {
		.ctx = l,
		.message = l->opts->ops ? NULL : on_message,
		.op = l->opts->ops ? on_op : NULL,
		.lost = on_lost,
	};
	struct session *s = session__new(l->opts, &sink, false);
	int status;

	if (!s)
		return EXIT_FAILED;
	l->names = *session__names(s);
	set_text(l, session__clock(s));
	if (l->view->header)
		l->view->header(&l->out.buf);
	out__flush(&l->out);
	summary__begin(&l->summary, kind_of_lines(l->opts), session__clock(s));
	status = session__run(s, on_round, l) ? EXIT_FAILED : EXIT_OK;
	l->summary.end_ns = session__clock(s)->end_ns;
	finish_stream(l, *pipeline__stats(session__pipeline(s)));
	if (status == EXIT_OK)
		status = session__exit_status(s);
	session__free(s);
	return status;
}

static int show_lines(enum command_bit command, const char *name, int argc, char **argv)
{
	struct buf err = { 0 };
	struct options o;
	struct live l = { .opts = &o };
	int status = options__parse(&o, command, name, argc, argv);

	if (status >= 0)
		return status;
	l.view = choose_view(&o, &err);
	if (!l.view) {
		status = options__usage_error(name, &err);
	} else if (out__open(&l.out, o.output, &err)) {
		log__error("%s", buf__cstr(&err));
		status = EXIT_FAILED;
	} else {
		status = trace(&l);
		if (finish_output(&l))
			status = EXIT_FAILED;
	}
	buf__free(&err);
	return status;
}

int cmd_live(int argc, char **argv)
{
	return show_lines(CMD_LIVE, "live", argc, argv);
}

int cmd_replay(int argc, char **argv)
{
	return show_lines(CMD_REPLAY, "replay", argc, argv);
}
