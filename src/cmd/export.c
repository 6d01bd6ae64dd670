/* SPDX-License-Identifier: GPL-2.0 */
/* The export command: a recording in another tool's format. */
#include "export/export.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/session.h"

struct work {
	const struct options *opts;
	const struct export_format *format;
	struct export *export;
	struct out out;
};

static void on_message(void *ctx, const struct message *m)
{
	struct work *w = ctx;

	w->format->message(w->export, m);
}

static void on_op(void *ctx, const struct op *op, struct channel *ch, const struct party *task)
{
	struct work *w = ctx;

	w->format->op(w->export, op, ch, task);
}

static void on_lost(void *ctx, uint8_t mech, uint64_t cnt, int cpu)
{
	struct work *w = ctx;

	w->format->lost(w->export, mech, cnt, cpu);
}

static bool on_round(void *ctx)
{
	struct work *w = ctx;

	return out__error(&w->out) == 0;
}

static const struct export_format *choose(const struct options *o, struct buf *err)
{
	const char *name = o->format ? o->format : o->json ? "jsonl" : NULL;
	const struct export_format *const *all = export_format__all(),
					  *f = name ? export_format__by_name(name) : NULL;
	bool to_terminal = (!o->output || !strcmp(o->output, "-")) && isatty(STDOUT_FILENO);

	if (!f) {
		if (name)
			buf__printf(err, "no format '%s': there are", name);
		else
			buf__puts(err, "export wants --format: there are");
		for (size_t i = 0; all[i]; i++)
			buf__printf(err, "%s %s", i ? "," : "", all[i]->name);
	} else if (f->own_file && (!o->output || !strcmp(o->output, "-"))) {
		buf__printf(err, "--format %s wants --output FILE: it cannot be written to standard output",
			    name);
	} else if (to_terminal && f->binary) {
		buf__printf(err, "--format %s is not for a terminal: give --output a file", name);
	} else {
		return f;
	}
	return NULL;
}

static int run(struct work *w, struct session *s, struct buf *err)
{
	const struct export_opts opts = {
		.names = session__names(s),
		.boot_to_wall_ns = session__clock(s)->boot_to_wall_ns,
		.path = w->opts->output,
	};
	struct pipeline *p = session__pipeline(s);
	int ret, ended;

	w->export = w->format->begin(&opts, &w->out, err);
	if (!w->export)
		return -EIO;
	ret = session__run(s, on_round, w);
	ended = w->format->end(w->export, pipeline__graph(p), pipeline__procs(p), pipeline__stats(p), err);
	return ret ? ret : ended;
}

static int export(struct work *w, struct buf *err)
{
	struct pipeline_sink sink = {
		.ctx = w,
		.message = w->format->message ? on_message : NULL,
		.op = w->format->op ? on_op : NULL,
		.lost = w->format->lost ? on_lost : NULL,
	};
	struct session *s = session__new(w->opts, &sink, true);
	int status;

	if (!s)
		return EXIT_FAILED;
	status = run(w, s, err) ? EXIT_FAILED : session__exit_status(s);
	if (err->len)
		log__error("%s", buf__cstr(err));
	buf__reset(err);
	session__free(s);
	return status;
}

int cmd_export(int argc, char **argv)
{
	struct buf err = { 0 };
	struct options o;
	struct work w = { .opts = &o };
	int status = options__parse(&o, CMD_EXPORT, "export", argc, argv), ret;

	if (status >= 0)
		return status;
	w.format = choose(&o, &err);
	if (!w.format) {
		status = options__usage_error("export", &err);
		goto out;
	}
	ret = out__open(&w.out, w.format->own_file ? "-" : o.output, &err);
	if (!ret) {
		status = export(&w, &err);
		ret = out__finish(&w.out, &err);
	}
	if (err.len)
		log__error("%s", buf__cstr(&err));
	if (ret && ret != -EPIPE)
		status = EXIT_FAILED;
out:
	buf__free(&err);
	return status;
}
