/* SPDX-License-Identifier: GPL-2.0 */
/* The diff command: what changed between two recordings. Its exit status is that of diff(1). */
#include "view/diff.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/session.h"
#include "cmd/whole_file.h"

#define FACTOR_DEFAULT 2.0

enum verdict { SAME = 0, DIFFERENT = 1, TROUBLE = 2 };

static const struct diff_view *choose(const struct options *o, struct buf *err)
{
	const char *name = o->format ? o->format : o->json ? "json" : "text";
	const struct diff_view *view = diff_view__by_name(name);

	if (view)
		return view;
	buf__printf(err, "no format '%s': there are", name);
	for (const struct diff_view *const *v = diff_view__all(); *v; v++)
		buf__printf(err, "%s %s", v == diff_view__all() ? "" : ",", (*v)->name);
	return NULL;
}

static int add(struct compare *c, int side, const struct options *o, const char *path,
	       struct view_names *names)
{
	static const struct pipeline_sink nowhere;
	struct options one = *o;
	struct session *s;
	int ret;

	one.input = path;
	s = session__new(&one, &nowhere, true);
	if (!s)
		return -EIO;
	ret = session__run(s, NULL, NULL);
	if (!ret)
		compare__add(c, side, pipeline__graph(session__pipeline(s)),
			     pipeline__procs(session__pipeline(s)));
	names->mech = session__names(s)->mech;
	session__free(s);
	return ret;
}

static int compare(const struct options *o, const struct diff_view *view, struct buf *out)
{
	double factor = o->factor ? o->factor : FACTOR_DEFAULT;
	struct compare *c = compare__new();
	struct view_names names = { 0 };
	int status = TROUBLE;

	if (!add(c, 0, o, o->input, &names) && !add(c, 1, o, o->second, &names)) {
		compare__judge(c, factor, o->latency);
		view->render(out, c, &names, factor);
		status = c->change_cnt ? DIFFERENT : SAME;
	}
	compare__free(c);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	const struct diff_view *view;
	struct whole_file file;
	struct buf err = { 0 };
	struct options o;
	int status = options__parse(&o, CMD_DIFF, "diff", argc, argv), ret;

	if (status >= 0)
		return status == EXIT_FAILED ? TROUBLE : status;
	view = choose(&o, &err);
	if (!view) {
		status = options__usage_error("diff", &err);
		goto out;
	}
	ret = whole_file__open(&file, o.output, &err);
	if (!ret) {
		status = compare(&o, view, &file.out.buf);
		ret = whole_file__end(&file, status != TROUBLE, &err);
	}
	if (ret) {
		log__error("%s", buf__cstr(&err));
		status = TROUBLE;
	}
out:
	buf__free(&err);
	return status;
}
