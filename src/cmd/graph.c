/* SPDX-License-Identifier: GPL-2.0 */
/* The graph command: trace until the end, then write who talked to whom. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/graphviz.h"
#include "cmd/options.h"
#include "cmd/session.h"
#include "cmd/summary.h"
#include "cmd/whole_file.h"

static const struct graph_view *choose_view(const struct options *o, struct buf *err)
{
	const char *name = o->format ? o->format : o->json ? "json" : "text";
	const struct graph_view *view = graph_view__by_name(name);
	const struct graph_view *const *all = graph_view__all();

	if (o->json && strcmp(name, "json") != 0) {
		buf__printf(err, "--json and --format %s contradict each other", name);
		return NULL;
	}
	if (view)
		return view;
	buf__printf(err, "no format '%s': there are", name);
	for (size_t i = 0; all[i]; i++)
		buf__printf(err, "%s %s", i ? "," : "", all[i]->name);
	return NULL;
}

static void count_message(void *ctx, const struct message *m)
{
	summary__add(ctx, m->bytes, m->src.proc, m->dst.proc);
}

static bool on_round(void *ctx)
{
	struct session *s = ctx;

	return !pipeline__full(session__pipeline(s));
}

static int trace(const struct options *o, const struct graph_view *view, struct buf *out)
{
	struct summary summary;
	struct pipeline_sink sink = { .ctx = &summary, .message = count_message };
	struct session *s;
	struct pipeline *p;
	int status;

	summary__begin(&summary, NULL);
	s = session__new(o, &sink, true);
	if (!s)
		return EXIT_FAILED;
	summary.begin_ns = session__clock(s)->begin_ns;
	if (!o->input && !o->command && o->duration_ns == OPTION_NOT_GIVEN)
		log__info("tracing; Ctrl-C ends it and writes the graph");
	status = session__run(s, on_round, s) ? EXIT_FAILED : EXIT_OK;
	summary.end_ns = session__clock(s)->end_ns;
	p = session__pipeline(s);
	view->render(out, pipeline__graph(p), pipeline__procs(p), session__names(s), &o->graph);
	if (status == EXIT_OK)
		status = session__exit_status(s);
	summary__say(&summary, "message", pipeline__stats(p));
	summary__free(&summary);
	session__free(s);
	return status;
}

int cmd_graph(int argc, char **argv)
{
	const struct graph_view *view;
	struct whole_file file;
	struct buf err = { 0 };
	struct options o;
	int status = options__parse(&o, CMD_GRAPH, "graph", argc, argv), ret;

	if (status >= 0)
		return status;
	view = choose_view(&o, &err);
	if (!view) {
		status = options__usage_error("graph", &err);
		goto out;
	}
	ret = view->drawn_as ? graphviz__check(view->name, &err) : 0;
	if (!ret)
		ret = whole_file__open(&file, o.output, &err);
	if (!ret) {
		status = trace(&o, view, &file.out.buf);
		if (view->drawn_as && file.out.buf.len)
			ret = graphviz__draw(view->drawn_as, &file.out.buf, &err);
		if (ret || (status == EXIT_FAILED && !file.out.buf.len))
			whole_file__drop(&file);
		else
			ret = whole_file__finish(&file, &err);
	}
	if (ret && ret != -EPIPE) {
		log__error("%s", buf__cstr(&err));
		status = EXIT_FAILED;
	}
out:
	buf__free(&err);
	return status;
}
