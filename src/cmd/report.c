/* SPDX-License-Identifier: GPL-2.0 */
/* The report command: a recording in a few tables. */
#include "view/report.h"
#include "view/report_stacks.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/session.h"
#include "cmd/whole_file.h"
#include "store/info.h"

static void on_op(void *ctx, const struct op *op, struct channel *ch, const struct party *task)
{
	report_stacks__add(ctx, op, ch, task);
}

static int report(const struct options *o, bool json, struct buf *out)
{
	struct report_stacks *stacks = o->stacks ? report_stacks__new() : NULL;
	const struct pipeline_sink sink = { .ctx = stacks, .op = stacks ? on_op : NULL };
	struct session *s = session__new(o, &sink, true);
	const struct session_clock *clock;
	struct report_about about;
	struct pipeline *p;
	int status;

	if (!s) {
		report_stacks__free(stacks);
		return EXIT_FAILED;
	}
	status = session__run(s, NULL, NULL) ? EXIT_FAILED : session__exit_status(s);
	p = session__pipeline(s);
	clock = session__clock(s);
	about = (struct report_about){
		.tool = session__recorded(s)->tool,
		.command_line = session__recorded(s)->command_line,
		.begin_ns = clock->begin_ns,
		.end_ns = clock->end_ns,
		.boot_to_wall_ns = clock->boot_to_wall_ns,
		.stats = pipeline__stats(p),
		.stacks = stacks,
	};
	(json ? report__json : report__text)(out, &about, pipeline__graph(p), session__names(s));
	report_stacks__free(stacks);
	session__free(s);
	return status;
}

int cmd_report(int argc, char **argv)
{
	struct whole_file file;
	struct buf err = { 0 };
	struct options o;
	int status = options__parse(&o, CMD_REPORT, "report", argc, argv), ret;
	bool json;

	if (status >= 0)
		return status;
	json = o.json || (o.format && !strcmp(o.format, "json"));
	if (o.format && !json && strcmp(o.format, "text") != 0) {
		buf__printf(&err, "no format '%s': there are text, json", o.format);
		status = options__usage_error("report", &err);
		goto out;
	}
	ret = whole_file__open(&file, o.output, &err);
	if (!ret) {
		status = report(&o, json, &file.out.buf);
		ret = whole_file__end(&file, status != EXIT_FAILED || file.out.buf.len, &err);
	}
	if (ret) {
		log__error("%s", buf__cstr(&err));
		status = EXIT_FAILED;
	}
out:
	buf__free(&err);
	return status;
}
