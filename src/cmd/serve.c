/* SPDX-License-Identifier: GPL-2.0 */
/* The serve command: trace, and show what is seen to browsers and monitoring systems meanwhile. */
#include "base/log.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/http.h"
#include "cmd/options.h"
#include "cmd/session.h"
#include "cmd/summary.h"
#include "view/metrics.h"
#include "view/page.h"

#define LISTEN_DEFAULT "127.0.0.1:9435"
#define NEWS_NS 2000000000ull /* how often pages hear that there is something new */

struct serve {
	const struct options *opts;
	struct session *session;
	struct http *http;
	struct metrics metrics;
	struct summary summary;
	uint64_t told_messages, told_ns;
};

static void on_message(void *ctx, const struct message *m)
{
	struct serve *s = ctx;

	metrics__add(&s->metrics, m);
	summary__add(&s->summary, m->messages, m->bytes, m->src.proc, m->dst.proc);
}

static struct proc_table *procs_of(const struct serve *s)
{
	return pipeline__procs(session__pipeline(s->session));
}

static void put_page(void *ctx, struct buf *out)
{
	struct serve *s = ctx;

	page__put(out, session__graph_now(s->session), procs_of(s), session__names(s->session),
		  &s->opts->graph, true);
}

static void put_page_data(void *ctx, struct buf *out)
{
	struct serve *s = ctx;

	page__put_data(out, session__graph_now(s->session), procs_of(s), session__names(s->session),
		       &s->opts->graph, true);
}

static void put_graph(void *ctx, struct buf *out)
{
	struct serve *s = ctx;

	graph_view__by_name("json")->render(out, session__graph_now(s->session), procs_of(s),
					    session__names(s->session), &s->opts->graph);
}

static void put_metrics(void *ctx, struct buf *out)
{
	struct serve *s = ctx;

	metrics__put(out, &s->metrics, session__graph_now(s->session), procs_of(s),
		     pipeline__stats(session__pipeline(s->session)), session__names(s->session));
}

static void put_health(void *ctx, struct buf *out)
{
	buf__puts(out, "ok\n");
}

static const struct http_page pages[] = {
	{ "/", "text/html; charset=utf-8", put_page, false },
	{ "/page.json", "application/json", put_page_data, false },
	{ "/graph.json", "application/json", put_graph, false },
	{ "/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8", put_metrics, false },
	{ "/healthz", "text/plain; charset=utf-8", put_health, true },
	{ "/health", "text/plain; charset=utf-8", put_health, true },
	{ 0 },
};

static bool on_round(void *ctx)
{
	struct serve *s = ctx;
	uint64_t messages = pipeline__messages(session__pipeline(s->session)), now_ns = time__boot_ns();

	if (messages != s->told_messages && now_ns - s->told_ns >= NEWS_NS) {
		http__send(s->http, "graph");
		s->told_messages = messages;
		s->told_ns = now_ns;
	}
	http__round(s->http);
	return true;
}

static int trace(struct serve *s)
{
	struct pipeline_sink sink = { .ctx = s, .message = on_message };
	struct buf url = { 0 };
	int status;

	summary__begin(&s->summary, SUMMARY_OF_MESSAGES, NULL);
	s->session = session__new(s->opts, &sink, true);
	if (!s->session)
		return EXIT_FAILED;
	http__put_url(&url, s->http);
	log__error("serving at %s", buf__cstr(&url));
	buf__free(&url);
	status = session__run(s->session, on_round, s) ? EXIT_FAILED : EXIT_OK;
	if (status == EXIT_OK)
		status = session__exit_status(s->session);
	summary__say(&s->summary, pipeline__stats(session__pipeline(s->session)));
	session__free(s->session);
	return status;
}

int cmd_serve(int argc, char **argv)
{
	struct options o;
	struct serve s = { .opts = &o };
	struct http_opts http = { .pages = pages, .events = "/events", .ctx = &s };
	struct buf err = { 0 };
	bool usage = false;
	int status = options__parse(&o, CMD_SERVE, "serve", argc, argv);

	if (status >= 0)
		return status;
	http.listen = o.listen ? o.listen : LISTEN_DEFAULT;
	http.token_file = o.token_file;
	s.http = http__new(&http, &usage, &err);
	if (s.http) {
		status = trace(&s);
	} else if (usage) {
		status = options__usage_error("serve", &err);
	} else {
		log__error("%s", buf__cstr(&err));
		status = EXIT_FAILED;
	}
	http__free(s.http);
	metrics__free(&s.metrics);
	buf__free(&err);
	return status;
}
