/* SPDX-License-Identifier: GPL-2.0 */
/* The graph command: trace until the end, then write who talked to whom. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/graphviz.h"
#include "cmd/options.h"
#include "cmd/session.h"
#include "cmd/summary.h"
#include "cmd/whole_file.h"
#include "model/slices.h"

#define SLICES_DEFAULT 30
#define SLICES_MAX 1000

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

struct drawing {
	const struct options *opts;
	const struct graph_view *view;
	struct session *session;
	struct summary summary;
	struct graph_opts graph;
	struct slices slices;
	uint64_t due_ns; /* when the file is written next; UINT64_MAX: at the end only */
	bool failed; /* it could not be written, and that was said */
};

static void count_message(void *ctx, const struct message *m)
{
	struct drawing *d = ctx;

	summary__add(&d->summary, m->messages, m->bytes, m->src.proc, m->dst.proc);
	if (d->graph.slice_cnt)
		slices__add(&d->slices, m);
}

static void follow_moved(void *ctx)
{
	slices__follow(&((struct drawing *)ctx)->slices);
}

static void render(struct drawing *d, struct graph *g, struct buf *out)
{
	d->view->render(out, g, pipeline__procs(session__pipeline(d->session)), session__names(d->session),
			&d->graph);
}

/* Puts what out has into its place, drawn if it must be. 0, -EPIPE, or -errno and said why. */
static int write_file(const struct drawing *d, struct whole_file *file)
{
	struct buf err = { 0 };
	int ret = d->view->drawn_as && file->out.buf.len
			  ? graphviz__draw(d->view->drawn_as, &file->out.buf, &err)
			  : 0;

	if (ret)
		whole_file__drop(file);
	else
		ret = whole_file__finish(file, &err);
	if (ret && ret != -EPIPE)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return ret;
}

/* --watch: the graph so far. */
static bool write_now(struct drawing *d)
{
	struct whole_file file;
	struct buf err = { 0 };
	int ret = whole_file__open(&file, d->opts->output, &err);

	if (ret) {
		log__error("%s", buf__cstr(&err));
	} else {
		render(d, session__graph_now(d->session), &file.out.buf);
		ret = write_file(d, &file);
	}
	buf__free(&err);
	d->failed = ret != 0;
	d->due_ns = time__boot_ns() + d->opts->watch_ns;
	return !ret;
}

static bool on_round(void *ctx)
{
	struct drawing *d = ctx;

	if (pipeline__full(session__pipeline(d->session)))
		return false;
	return time__boot_ns() < d->due_ns || write_now(d);
}

static int trace(struct drawing *d, struct buf *out)
{
	const struct options *o = d->opts;
	struct pipeline_sink sink = { .ctx = d, .message = count_message, .moved = follow_moved };
	int status;

	summary__begin(&d->summary, SUMMARY_OF_MESSAGES, NULL);
	d->session = session__new(o, &sink, true);
	if (!d->session)
		return EXIT_FAILED;
	d->summary.begin_ns = session__clock(d->session)->begin_ns;
	d->due_ns = o->watch_ns ? time__boot_ns() + o->watch_ns : UINT64_MAX;
	if (!o->input && !o->command && o->duration_ns == OPTION_NOT_GIVEN)
		log__info("tracing; Ctrl-C ends it and writes the graph");
	status = session__run(d->session, on_round, d) ? EXIT_FAILED : EXIT_OK;
	d->summary.end_ns = session__clock(d->session)->end_ns;
	render(d, pipeline__graph(session__pipeline(d->session)), out);
	if (status == EXIT_OK)
		status = session__exit_status(d->session);
	summary__say(&d->summary, pipeline__stats(session__pipeline(d->session)));
	session__free(d->session);
	return status;
}

/* Slices cost memory, so only the page that shows them gets any. */
static int choose_slices(struct drawing *d, struct buf *err)
{
	bool page = strcmp(d->view->name, "html") == 0;
	uint32_t given = d->opts->slices;

	d->graph = d->opts->graph;
	if (given == OPTION_SLICES_NOT_GIVEN)
		given = page && d->opts->input ? SLICES_DEFAULT : 0;
	if (given && !page) {
		buf__puts(err, "--slices is for the page (-F html)");
		return EXIT_USAGE;
	}
	if (given > SLICES_MAX) {
		buf__printf(err, "--slices wants at most %d", SLICES_MAX);
		return EXIT_USAGE;
	}
	d->graph.slices = &d->slices;
	d->graph.slice_cnt = given;
	return 0;
}

/* What can be known to be wrong before the trace. 0, or an exit status with one sentence in err. */
static int check(struct drawing *d, struct buf *err)
{
	const struct options *o = d->opts;

	if (o->watch_ns && (!o->output || strcmp(o->output, "-") == 0)) {
		buf__puts(err, "--watch rewrites a file: name it with -o FILE");
		return EXIT_USAGE;
	}
	if (o->watch_ns && o->input) {
		buf__puts(err, "--watch follows what happens now; a recording (-i) does not change");
		return EXIT_USAGE;
	}
	if (d->view->drawn_as && strcmp(d->view->drawn_as, "png") == 0 && isatty(STDOUT_FILENO) &&
	    (!o->output || strcmp(o->output, "-") == 0)) {
		buf__puts(err, "a terminal cannot show png: name a file with -o FILE");
		return EXIT_USAGE;
	}
	if (d->view->drawn_as && graphviz__check(d->view->name, err))
		return EXIT_FAILED;
	return choose_slices(d, err);
}

static int draw(struct drawing *d)
{
	struct whole_file file;
	struct buf err = { 0 };
	int status = check(d, &err), ret;

	if (!status && whole_file__open(&file, d->opts->output, &err))
		status = EXIT_FAILED;
	if (status == EXIT_USAGE)
		options__usage_error("graph", &err);
	else if (status)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	if (status)
		return status;
	status = trace(d, &file.out.buf);
	if (d->failed || (status == EXIT_FAILED && !file.out.buf.len)) {
		whole_file__drop(&file);
		return EXIT_FAILED;
	}
	ret = write_file(d, &file);
	return ret && ret != -EPIPE ? EXIT_FAILED : status;
}

int cmd_graph(int argc, char **argv)
{
	struct buf err = { 0 };
	struct options o;
	struct drawing d = { .opts = &o };
	int status = options__parse(&o, CMD_GRAPH, "graph", argc, argv);

	if (status >= 0)
		return status;
	d.view = choose_view(&o, &err);
	status = d.view ? draw(&d) : options__usage_error("graph", &err);
	slices__free(&d.slices);
	buf__free(&err);
	return status;
}
