/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small HTTP server that lives in its owner's loop: nothing happens outside http__round(), so answers need no locks.
 * GET and HEAD only. Without a token only names of this machine are accepted as Host, because a page from elsewhere
 * could ask a loopback address, too (DNS rebinding).
 */
#ifndef CMD_HTTP_H
#define CMD_HTTP_H

#include <stdbool.h>

#include "base/buf.h"

struct http;

struct http_page {
	const char *path; /* "/metrics" */
	const char *type; /* Content-Type */
	void (*put)(void *ctx, struct buf *out); /* the body */
	bool open; /* answered without a token */
};

struct http_opts {
	const char *listen; /* "[ADDRESS:]PORT" */
	const char *token_file; /* NULL: for other addresses than loopback one is made */
	const struct http_page *pages; /* ended by a row without a path; static */
	const char *events; /* path of the server-sent events */
	void *ctx;
};

/* NULL: with one sentence in err; *usage tells whether the user's words were wrong. */
struct http *http__new(const struct http_opts *opts, bool *usage, struct buf *err);
/* "http://127.0.0.1:9435/", with a token that was made here. */
void http__put_url(struct buf *out, const struct http *h);
void http__round(struct http *h); /* answers what has come; never waits */
void http__send(struct http *h, const char *event); /* to all who listen to the events */
void http__free(struct http *h);

#endif
