/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/opts.h"

#define CONNECTIONS_MAX 64
#define IDLE_S 60
#define KEEPALIVE_ROUNDS 300 /* about 15 s of an idle loop: shorter than IDLE_S */
#define TOKEN_BYTES 24
#define TOKEN_MAX 256
#define EVENTS_BLOCK 512

struct http {
	struct http_opts opts;
	struct MHD_Daemon *daemon;
	struct sockaddr_storage address;
	char host[INET6_ADDRSTRLEN];
	uint16_t port;
	bool loopback, made_token;
	char token[TOKEN_MAX + 1]; /* "": none is asked for */
	uint64_t events; /* how many were sent */
	uint64_t rounds;
	char event[64];
};

/* ---- who may ask ---- */

/* Takes as long for a wrong token as for a right one. */
static bool same_secret(const char *a, const char *b)
{
	size_t len = strlen(a), other = strlen(b);
	unsigned char diff = len != other;

	for (size_t i = 0; i < len; i++)
		diff |= (unsigned char)(a[i] ^ b[other ? i % other : 0]);
	return !diff;
}

static bool knows_token(const struct http *h, struct MHD_Connection *c)
{
	const char *header = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
	const char *query = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "token");

	if (!h->token[0])
		return true;
	if (header && !strncmp(header, "Bearer ", 7) && same_secret(h->token, header + 7))
		return true;
	return query && same_secret(h->token, query);
}

static bool names_this_machine(const struct http *h, struct MHD_Connection *c)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");

	if (h->token[0] || !host)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (!strncmp(host, names[i], len) && (!host[len] || host[len] == ':'))
			return true;
	}
	return false;
}

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned int status, const char *type,
			      struct buf *body)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ret;

	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
	ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned int status, const char *why)
{
	struct buf body = { 0 };
	enum MHD_Result ret;

	buf__printf(&body, "%s\n", why);
	ret = answer(c, status, "text/plain; charset=utf-8", &body);
	buf__free(&body);
	return ret;
}

/* ---- server-sent events ---- */

struct listener {
	const struct http *http;
	uint64_t seen, said_at_round;
};

static ssize_t put_event(void *ctx, uint64_t pos, char *out, size_t max)
{
	struct listener *l = ctx;
	const struct http *h = l->http;

	if (l->seen == h->events && h->rounds - l->said_at_round < KEEPALIVE_ROUNDS)
		return 0; /* asked again in the next round */
	l->said_at_round = h->rounds;
	if (l->seen == h->events)
		return snprintf(out, max, ": alive\n\n");
	l->seen = h->events;
	return snprintf(out, max, "event: %s\ndata: %llu\n\n", h->event, (unsigned long long)h->events);
}

static enum MHD_Result answer_events(struct http *h, struct MHD_Connection *c)
{
	struct listener *l = xalloc(sizeof(*l));
	struct MHD_Response *r;
	enum MHD_Result ret;

	*l = (struct listener){ h, h->events, h->rounds - KEEPALIVE_ROUNDS };
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENTS_BLOCK, put_event, l, free);
	MHD_add_response_header(r, "Content-Type", "text/event-stream");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	ret = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return ret;
}

/* ---- requests ---- */

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *upload, size_t *upload_len, void **request)
{
	static int begun;
	struct http *h = ctx;
	const struct http_page *page = h->opts.pages;
	struct buf body = { 0 };
	enum MHD_Result ret;

	if (!*request) { /* headers only; the answer is due in the next call */
		*request = &begun;
		return MHD_YES;
	}
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
	if (!names_this_machine(h, c))
		return refuse(c, MHD_HTTP_MISDIRECTED_REQUEST, "ask for localhost, or serve with a token");
	while (page->path && strcmp(page->path, url))
		page++;
	if (!(page->path && page->open) && !knows_token(h, c))
		return refuse(c, MHD_HTTP_UNAUTHORIZED,
			      "a token is needed: Authorization: Bearer TOKEN, or ?token=TOKEN");
	if (!strcmp(url, h->opts.events))
		return answer_events(h, c);
	if (!page->path)
		return refuse(c, MHD_HTTP_NOT_FOUND, "there is nothing of that name");
	page->put(h->opts.ctx, &body);
	ret = answer(c, MHD_HTTP_OK, page->type, &body);
	buf__free(&body);
	return ret;
}

/* ---- begin and end ---- */

/* "[ADDRESS:]PORT", the address in brackets where it is IPv6. */
static int parse_listen(struct http *h, struct buf *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&h->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&h->address;
	const char *text = h->opts.listen, *colon = strrchr(text, ':'), *host = text;
	size_t len = colon ? (size_t)(colon - text) : 0;
	uint32_t port;

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (opt_parse__u32(colon ? colon + 1 : text, &port) || port > UINT16_MAX || len >= sizeof(h->host) ||
	    (colon && !len))
		goto bad;
	h->port = (uint16_t)port;
	snprintf(h->host, sizeof(h->host), "%.*s", colon ? (int)len : 9, colon ? host : "127.0.0.1");
	if (inet_pton(AF_INET, h->host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(h->port);
		h->loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
		return 0;
	}
	if (inet_pton(AF_INET6, h->host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(h->port);
		h->loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
		return 0;
	}
bad:
	buf__puts(err, "--listen wants [ADDRESS:]PORT, the address in numbers, not '");
	escape__terminal(err, text, strlen(text));
	buf__putc(err, '\'');
	return -EINVAL;
}

static int read_token(struct http *h, struct buf *err)
{
	FILE *f = fopen(h->opts.token_file, "re");
	int ret = 0;

	if (!f || !fgets(h->token, sizeof(h->token), f)) {
		ret = f ? -ENODATA : -errno;
		buf__printf(err, "cannot read a token from %s: %s", h->opts.token_file,
			    f ? "it is empty" : strerror(errno));
	} else {
		h->token[strcspn(h->token, "\r\n")] = '\0';
		if (strlen(h->token) < 8) {
			ret = -EINVAL;
			buf__printf(err, "the token in %s is too short: 8 characters at least",
				    h->opts.token_file);
		}
	}
	if (f)
		fclose(f);
	return ret;
}

static int make_token(struct http *h)
{
	unsigned char bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(h->token + 2 * i, 3, "%02x", bytes[i]);
	h->made_token = true;
	return 0;
}

/* Port 0: the kernel chose one. */
static int learn_port(struct http *h, int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -errno;
	h->port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
						 : ((struct sockaddr_in *)&at)->sin_port);
	return 0;
}

static int listen_there(struct http *h)
{
	socklen_t len =
		h->address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd = socket(h->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1, ret;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&h->address, len) < 0 || listen(fd, CONNECTIONS_MAX) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret = learn_port(h, fd);
	if (!ret)
		h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h,
					     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
					     CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
					     MHD_OPTION_END);
	if (h->daemon)
		return 0;
	close(fd);
	return ret ? ret : -EIO;
}

struct http *http__new(const struct http_opts *opts, bool *usage, struct buf *err)
{
	struct http *h = xalloc(sizeof(*h));
	int ret;

	h->opts = *opts;
	ret = parse_listen(h, err);
	*usage = ret != 0;
	if (!ret && opts->token_file)
		ret = read_token(h, err);
	else if (!ret && !h->loopback)
		ret = make_token(h);
	if (!ret)
		ret = listen_there(h);
	if (!ret)
		return h;
	if (!err->len)
		buf__printf(err, "cannot serve at %s: %s", opts->listen, strerror(-ret));
	http__free(h);
	return NULL;
}

void http__put_url(struct buf *out, const struct http *h)
{
	bool v6 = h->address.ss_family == AF_INET6;

	buf__printf(out, "http://%s%s%s:%u/", v6 ? "[" : "", h->host, v6 ? "]" : "", h->port);
	if (h->made_token)
		buf__printf(out, "?token=%s", h->token);
}

void http__round(struct http *h)
{
	h->rounds++;
	MHD_run(h->daemon);
}

void http__send(struct http *h, const char *event)
{
	snprintf(h->event, sizeof(h->event), "%s", event);
	h->events++;
}

void http__free(struct http *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	explicit_bzero(h->token, sizeof(h->token));
	free(h);
}
