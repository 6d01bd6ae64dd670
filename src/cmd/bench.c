/* SPDX-License-Identifier: GPL-2.0 */
/* ipctrace bench: how fast each mechanism is here, and what it is like. Traces nothing, needs no rights. */
#include "bench/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bench/stage.h"
#include "cmd/bench_options.h"
#include "cmd/cmd.h"
#include "cmd/whole_file.h"

static const struct format {
	const char *name;
	void (*put)(struct buf *out, const struct bench *b);
} formats[] = {
	{ "text", bench__put_text },
	{ "json", bench__put_json },
	{ "svg", bench__put_svg },
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct format *find_format(const struct bench_options *o, struct buf *err)
{
	const char *name = o->format ? o->format : o->json ? "json" : "text";

	if (o->json && strcmp(name, "json")) {
		buf__printf(err, "--json and --format %s contradict each other", name);
		return NULL;
	}
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	buf__printf(err, "no format '%s': there are text, json, svg", name);
	return NULL;
}

static void on_stop(int sig)
{
	stage__ask_stop();
}

static bool progress_shown;

static void show_progress(size_t done, size_t all)
{
	static size_t last = ~(size_t)0;
	size_t percent = all ? done * 100 / all : 100;

	if (percent == last)
		return;
	last = percent;
	fprintf(stderr, "\ripctrace: measuring, %zu %%", percent > 100 ? 100 : percent);
	progress_shown = true;
}

static void hide_progress(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

/* What was asked for by name and is not there is a failure; so is a result without any number. */
static int judge(const struct bench *b, bool by_name)
{
	size_t failed = 0, measured = 0;
	int status = EXIT_OK;

	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];

		if (r->error && r->error != -EINTR && by_name) {
			log__error("%s cannot be measured here: %s", r->kind->name, strerror(-r->error));
			status = EXIT_FAILED;
		}
		for (size_t k = 0; k < r->cnt; k++) {
			failed += r->points[k].error != 0;
			measured += r->points[k].p50_ns.cnt > 0;
		}
	}
	if (failed)
		log__warn("%zu of the measurements failed; --json says why", failed);
	if (!measured && !b->stopped && status == EXIT_OK) {
		log__error(
			"nothing could be measured: no mechanism carries these sizes here, or not in time");
		status = EXIT_FAILED;
	}
	return status;
}

static int run(const struct bench_options *o, struct bench_opts *bo, const struct format *format,
	       bool by_name)
{
	struct sigaction sa = { .sa_handler = on_stop, .sa_flags = SA_RESETHAND };
	struct whole_file file;
	struct buf err = { 0 };
	struct bench b;
	int status, rc = whole_file__open(&file, o->output, &err);

	if (rc) {
		log__error("%s", buf__cstr(&err));
		buf__free(&err);
		return EXIT_FAILED;
	}
	signal(SIGCHLD, SIG_DFL); /* ignored by some parents, and then nobody can be waited for */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (isatty(STDERR_FILENO))
		bo->progress = show_progress;
	bench__run(bo, &b);
	hide_progress();
	status = judge(&b, by_name);
	format->put(&file.out.buf, &b);
	bench__free(&b);
	rc = whole_file__end(&file, true, &err);
	if (rc) {
		log__error("%s", buf__cstr(&err));
		status = EXIT_FAILED;
	}
	buf__free(&err);
	return status;
}

static void put_list(struct buf *out)
{
	size_t cnt;
	const struct duct_kind *const *all = duct_kind__all(&cnt);

	for (size_t i = 0; i < cnt; i++)
		buf__printf(out, "%-16s%s\n", all[i]->name, all[i]->how);
	buf__puts(out, "Groups: sysv posix unix inet msg sem shm all\n");
}

static void put_help(struct buf *out)
{
	buf__puts(out,
		  "Usage: ipctrace bench [MECHANISM...] [OPTIONS]\n"
		  "Measures latency and throughput of each mechanism between two processes, finds its "
		  "properties\n"
		  "by experiment, and says which rules of thumb hold on this machine. Needs no rights.\n\n");
	opts__help(bench_options_table, bench_options_cnt, ~0u, out);
}

static int print(void (*put)(struct buf *out))
{
	struct buf err = { 0 };
	struct out out;
	int rc;

	out__open(&out, NULL, &err);
	put(&out.buf);
	rc = out__finish(&out, &err);
	if (rc && rc != -EPIPE)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return rc && rc != -EPIPE ? EXIT_FAILED : EXIT_OK;
}

int cmd_bench(int argc, char **argv)
{
	const char **words = xalloc(((size_t)argc + 1) * sizeof(*words));
	const struct format *format = NULL;
	struct bench_options o = { 0 };
	struct bench_opts bo;
	struct buf err = { 0 };
	int status, cnt = bench_options__parse(argc, argv, &o, words, &err);

	if (cnt >= 0 && !o.help && !o.list) {
		format = find_format(&o, &err);
		if (!format || bench_options__make(&o, words, (size_t)cnt, &bo, &err))
			cnt = -EINVAL;
	}
	if (cnt < 0) {
		log__error("%s; see ipctrace bench --help", buf__cstr(&err));
		status = EXIT_USAGE;
	} else if (o.help || o.list) {
		status = print(o.help ? put_help : put_list);
	} else {
		status = run(&o, &bo, format, cnt > 0);
	}
	buf__free(&err);
	free(words);
	return status;
}
