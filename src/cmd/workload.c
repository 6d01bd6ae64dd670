/* SPDX-License-Identifier: GPL-2.0 */
/* ipctrace workload: makes traffic whose truth is known, and prints it as JSON lines. */
#include "workload/workload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/opts.h"
#include "base/out.h"
#include "cmd/cmd.h"

struct options {
	struct workload_opts wl;
	const char *truth;
	bool list, help;
	bool feature[32]; /* by bit of enum workload_feature */
};

static int parse_range(const char *arg, void *dst)
{
	struct size_range *range = dst;
	const char *dots = strstr(arg, "..");
	char first[32];

	if (!dots) {
		if (opt_parse__bytes(arg, &range->min))
			return -EINVAL;
		range->max = range->min;
		return range->max ? 0 : -EINVAL;
	}
	if ((size_t)(dots - arg) >= sizeof(first))
		return -EINVAL;
	memcpy(first, arg, dots - arg);
	first[dots - arg] = 0;
	if (opt_parse__bytes(first, &range->min) || opt_parse__bytes(dots + 2, &range->max))
		return -EINVAL;
	return range->min && range->min <= range->max ? 0 : -EINVAL;
}

static int parse_fd(const char *arg, void *dst)
{
	uint32_t fd;

	if (opt_parse__u32(arg, &fd) || fd > INT32_MAX)
		return -EINVAL;
	*(int *)dst = (int)fd;
	return 0;
}

#define WL(field) offsetof(struct options, wl.field)
#define FEATURE(name, bit, help)                                                                   \
	{                                                                                          \
		0, name, NULL, help, opt_parse__flag,                                              \
			offsetof(struct options, feature) + __builtin_ctz(bit) * sizeof(bool), ~0u \
	}

static const struct opt table[] = {
	{ 0, "writers", "N", "senders (1)", opt_parse__u32, WL(writers), ~0u },
	{ 0, "readers", "N", "receivers (1)", opt_parse__u32, WL(readers), ~0u },
	{ 0, "messages", "N", "messages of each sender (1000)", opt_parse__u64, WL(messages), ~0u },
	{ 0, "size", "A[..B]", "bytes of a message, at random between A and B (64)", parse_range, WL(size),
	  ~0u },
	{ 0, "read-size", "A[..B]", "bytes of a receiver's buffer", parse_range, WL(read_size), ~0u },
	{ 0, "rate", "R", "messages per second of each sender (as fast as it goes)", opt_parse__u64, WL(rate),
	  ~0u },
	{ 0, "seed", "S", "where chance begins (1)", opt_parse__u64, WL(seed), ~0u },
	{ 0, "threads", NULL, "senders are threads of one process, receivers of another", opt_parse__flag,
	  WL(threads), ~0u },
	{ 0, "self", NULL, "all are threads of one process", opt_parse__flag, WL(self), ~0u },
	{ 0, "truth", "FILE", "write the truth there (standard output)", opt_parse__str,
	  offsetof(struct options, truth), ~0u },
	{ 0, "object", "NAME", "path or name of the object, instead of a private one", opt_parse__str,
	  WL(object), ~0u },
	{ 0, "hold", "FD", "wait for a byte or the end of file on FD before starting", parse_fd, WL(hold_fd),
	  ~0u },
	{ 0, "hold-late", NULL, "hold when objects and processes exist, before the first message",
	  opt_parse__flag, WL(hold_late), ~0u },
	{ 0, "timeout", "T", "give up after that long (1m, and what --rate needs)", opt_parse__duration,
	  WL(timeout_ns), ~0u },
	{ 0, "prefill", "N", "bytes that lie in the pipe before the hold ends", opt_parse__bytes,
	  WL(prefill_bytes), ~0u },
	FEATURE("listen", WL_LISTEN, "unix: a named socket, not a socket pair"),
	FEATURE("packet", WL_PACKET, "pipe: packets (O_DIRECT)"),
	FEATURE("splice", WL_SPLICE, "pipe: a process in the middle splices into a second pipe"),
	FEATURE("peek", WL_PEEK, "sockets: look at each message before taking it"),
	FEATURE("passfd", WL_PASSFD, "unix: a descriptor travels with each message"),
	FEATURE("echo", WL_ECHO, "the receiver answers each message"),
	FEATURE("standard", WL_STANDARD, "signal: SIGUSR1 by kill(), one at a time"),
	FEATURE("handler", WL_HANDLER, "signal: handlers instead of sigwaitinfo()"),
	FEATURE("signalfd", WL_SIGNALFD, "signal: signalfd instead of sigwaitinfo()"),
	FEATURE("types", WL_TYPES, "message queues: select by type, or send with priorities"),
	FEATURE("undo", WL_UNDO, "sysv-sem: units come from SEM_UNDO when a process ends"),
	FEATURE("unnamed", WL_UNNAMED, "posix-sem, posix-shm: the object without a name"),
	FEATURE("eager", WL_EAGER, "posix-sem: post ahead of the waits; tracing it takes --user-sems"),
	FEATURE("posix", WL_POSIX, "flock: fcntl() locks of the process"),
	FEATURE("ofd", WL_OFD, "flock: locks of the open file description"),
	FEATURE("vm", WL_VM, "ptrace: process_vm_readv and process_vm_writev"),
	FEATURE("uring", WL_URING, "pipe, sockets: through io_uring"),
	FEATURE("nonblock", WL_NONBLOCK, "pipe, sockets: writes that may go out in parts, each a message"),
	FEATURE("vary", WL_VARY, "take turns among the system calls that do the same"),
	{ 0, "list", NULL, "list the mechanisms", opt_parse__flag, offsetof(struct options, list), ~0u },
	{ 'h', "help", NULL, "show this", opt_parse__flag, offsetof(struct options, help), ~0u },
};
#define TABLE_CNT (sizeof(table) / sizeof(table[0]))

static void put_flow(struct json *j, const struct truth_line *l)
{
	bool share = l->kind == TRUTH_SHARE;

	if (share)
		json__str(j, "kind", "share");
	json__i64(j, share ? "a" : "src", l->src);
	json__i64(j, share ? "b" : "dst", l->dst);
	json__str(j, "mech", l->mech);
	json__str(j, "object", l->object);
	if (share)
		return;
	json__u64(j, "messages", l->messages);
	json__u64(j, "bytes", l->bytes);
}

static void put_truth(struct out *out, const struct truth *t)
{
	for (size_t i = 0; i < t->cnt; i++) {
		const struct truth_line *l = &t->v[i];
		struct json j = { .out = &out->buf };

		json__open(&j, NULL, '{');
		if (l->kind == TRUTH_UNATTRIBUTED) {
			json__str(&j, "kind", "unattributed");
			json__str(&j, "mech", l->mech);
			json__str(&j, "object", l->object);
			json__u64(&j, "bytes", l->bytes);
		} else {
			put_flow(&j, l);
		}
		json__close(&j, '}');
		buf__putc(&out->buf, '\n');
		out__commit(out);
	}
	out__flush(out);
}

static void on_stop(int sig)
{
	workload__stop();
}

static int run_one(const struct workload *wl, const struct options *o, struct out *out, bool all)
{
	struct workload_opts wo = o->wl;
	struct truth truth = { 0 };
	struct buf err = { 0 };
	int rc;

	if (all) { /* each takes what it understands */
		wo.features &= wl->takes;
		wo.object = NULL;
		wo.prefill_bytes = 0;
	}
	rc = workload__run(wl, &wo, &truth, &err);
	put_truth(out, &truth);
	if (rc == -ENOSYS && all) {
		log__warn("left out: %s", buf__cstr(&err));
		rc = 0;
	} else if (rc) {
		log__error("%s", buf__cstr(&err));
	}
	truth__free(&truth);
	buf__free(&err);
	return rc;
}

static int run_all(const struct options *o, struct out *out)
{
	const struct workload *const *rows;
	size_t cnt;
	int rc = 0;

	rows = workload__all(&cnt);
	for (size_t i = 0; i < cnt && rc != -EINTR; i++) {
		int one = run_one(rows[i], o, out, true);

		rc = one ? one : rc;
	}
	return rc;
}

static int print_text(void (*put)(struct buf *b))
{
	struct out out;
	struct buf err = { 0 };
	int rc;

	out__open(&out, NULL, &err);
	put(&out.buf);
	rc = out__finish(&out, &err);
	if (rc && err.len)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return rc && rc != -EPIPE;
}

static void put_list(struct buf *b)
{
	const struct workload *const *rows;
	size_t cnt;

	rows = workload__all(&cnt);
	for (size_t i = 0; i < cnt; i++) {
		size_t start = b->len;

		buf__puts(b, rows[i]->name);
		buf__pad(b, start, 16);
		buf__puts(b, rows[i]->help);
		for (size_t k = 0; k < TABLE_CNT; k++) {
			size_t bit = table[k].offset - offsetof(struct options, feature);

			if (bit < 32 && rows[i]->takes & 1u << bit)
				buf__printf(b, " --%s", table[k].name);
		}
		buf__putc(b, '\n');
	}
}

static void put_help(struct buf *b)
{
	buf__puts(b,
		  "Usage: ipctrace workload [MECHANISM|all] [OPTIONS]\n"
		  "Makes traffic whose truth is known, and prints who sent how much to whom.\n"
		  "Its processes meet in one small anonymous shared mapping, which a tracer shows too.\n\n");
	opts__help(table, TABLE_CNT, ~0u, b);
}

/* The mechanism may stand before, among or behind the options. 0 or -EINVAL with a sentence. */
static int parse(int argc, char **argv, struct options *o, const char **name, struct buf *err)
{
	int at = 0;

	while (at + 1 < argc) {
		int n = 1;

		if (argv[at + 1][0] == '-')
			n = opts__parse(table, TABLE_CNT, ~0u, argc - at, argv + at, o, err);
		if (n < 0)
			return n;
		at += n;
		if (at >= argc)
			break;
		if (*name) {
			buf__printf(err, "one mechanism at a time, or all: not '%s' too", argv[at]);
			return -EINVAL;
		}
		*name = argv[at];
	}
	for (int i = 0; i < 32; i++)
		o->wl.features |= (uint32_t)o->feature[i] << i;
	return 0;
}

static int usage_error(struct buf *err)
{
	log__error("%s; see ipctrace workload --help", buf__cstr(err));
	buf__free(err);
	return 2;
}

int cmd_workload(int argc, char **argv)
{
	struct options o = { .wl = workload_defaults };
	const struct workload *wl = NULL;
	const char *name = NULL;
	struct buf err = { 0 };
	struct sigaction sa = { .sa_handler = on_stop };
	struct out out;
	int rc;

	if (parse(argc, argv, &o, &name, &err))
		return usage_error(&err);
	if (o.help || o.list)
		return print_text(o.help ? put_help : put_list);
	if (name && strcmp(name, "all")) {
		wl = workload__find(name);
		if (!wl) {
			buf__printf(&err, "there is no workload '%s'; ipctrace workload --list shows them",
				    name);
			return usage_error(&err);
		}
	}
	if (out__open(&out, o.truth, &err)) {
		log__error("%s", buf__cstr(&err));
		buf__free(&err);
		return 1;
	}
	signal(SIGCHLD, SIG_DFL); /* ignored by some parents, and then nobody can be waited for */
	sigaction(SIGINT, &sa, NULL); /* no SA_RESTART: a hold must end, too */
	sigaction(SIGTERM, &sa, NULL);
	rc = wl ? run_one(wl, &o, &out, false) : run_all(&o, &out);
	if (out__finish(&out, &err) && !rc && err.len) {
		log__error("%s", buf__cstr(&err));
		rc = -EIO;
	}
	buf__free(&err);
	return rc == -EINVAL ? 2 : rc ? 1 : 0;
}
