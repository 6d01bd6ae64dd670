/* SPDX-License-Identifier: GPL-2.0 */
/* The graph as an interactive page. */
#include <string.h>

#include "page_hashes.h"
#include "view/elements.h"
#include "view/graphs.h"
#include "view/page.h"
#include "view/page_slices.h"

static void put_notes(struct json *j, const struct picture *p, const struct graph *g,
		      const struct view_names *names)
{
	struct buf notes = { 0 };

	picture__put_notes(&notes, p, g, names, "\n");
	json__open(j, "notes", '[');
	for (size_t at = 0; at < notes.len;) {
		size_t len =
			(size_t)((char *)memchr(notes.data + at, '\n', notes.len - at) - notes.data) - at;

		if (len)
			json__strn(j, NULL, notes.data + at, len);
		at += len + 1;
	}
	json__close(j, ']');
	buf__free(&notes);
}

void page__put_data(struct buf *out, struct graph *g, struct proc_table *procs,
		    const struct view_names *names, const struct graph_opts *opts, bool live)
{
	struct json j = { .out = out };
	struct picture p;

	picture__init(&p, g, procs, names, opts, PICTURE_READABLE);
	json__open(&j, NULL, '{');
	put_notes(&j, &p, g, names);
	json__bool(&j, "live", live);
	elements__put_styles(&j, "styles", &p);
	elements__put(&j, &p, true);
	page_slices__put(&j, &p, g, opts);
	json__close(&j, '}');
	picture__free(&p);
}

static void put_file(struct buf *out, const char *before, enum page_file which, const char *after)
{
	struct page_piece piece = page_file(which);

	buf__puts(out, before);
	buf__put(out, piece.data, piece.len);
	buf__puts(out, after);
}

/* Scripts and styles are known by their hashes: whatever else a name could smuggle in, the browser does not run. */
static void put_policy(struct buf *out, bool live)
{
	buf__printf(out,
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src "
		    "'sha256-%s' 'sha256-%s'; style-src 'sha256-%s'; connect-src %s; base-uri 'none'; "
		    "form-action 'none'\">\n",
		    PAGE_HASH_LIBRARY, PAGE_HASH_SCRIPT, PAGE_HASH_STYLE, live ? "'self'" : "'none'");
}

void page__put(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
	       const struct graph_opts *opts, bool live)
{
	buf__puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	put_policy(out, live);
	buf__puts(out, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>ipctrace</title>\n");
	/* The id keeps cytoscape.js from adding a style sheet of its own, which the policy would refuse. */
	put_file(out, "<style id=\"__________cytoscape_stylesheet\">", PAGE_STYLE,
		 "</style>\n</head>\n<body>\n");
	put_file(out, "", PAGE_BODY, "<script type=\"application/json\" id=\"data\">");
	page__put_data(out, g, procs, names, opts, live); /* JSON has '<' as \u003c */
	put_file(out, "</script>\n<script>", PAGE_LIBRARY, "</script>\n");
	put_file(out, "<script>", PAGE_SCRIPT, "</script>\n</body>\n</html>\n");
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	page__put(out, g, procs, names, opts, false);
}

const struct graph_view graph_view__html = {
	.name = "html",
	.summary = "an interactive page in one file; needs no network",
	.render = render,
};
