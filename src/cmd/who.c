/* SPDX-License-Identifier: GPL-2.0 */
/* The who command: both ends of an object, now. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/now_options.h"
#include "mech/mech.h"
#include "view/label.h"

static const char about[] =
	"Shows who has an object open now, and in which direction: PID, descriptor, role. With a pid, each\n"
	"object that the process has open, and who else has it. Nothing is traced; root sees everybody's.\n"
	"OBJECT is a name as ipctrace shows it (pipe:[66574], unix:/run/x, fifo:PATH, mq:/jobs, msg:65536), "
	"or a\n"
	"part of one, or a path.\n\n"
	"  ipctrace who 4242\n"
	"  ipctrace who /run/php.sock\n"
	"  ipctrace who 'pipe:[66574]'\n";

struct who {
	struct open_ends ends;
	struct out out;
	bool json;
	const struct open_end **shown; /* in order */
	size_t cnt;
};

static int by_name(const void *a, const void *b)
{
	const struct open_end *x = *(const struct open_end *const *)a,
			      *y = *(const struct open_end *const *)b;
	int cmp = strcmp(x->name, y->name);

	if (cmp)
		return cmp;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

static void put_json(struct who *w, const struct open_end *e)
{
	struct json j = { .out = &w->out.buf };
	uint64_t start_ns = now__start_ns(e->pid), in_flight = open_end__fds_in_flight(e);
	char comm[16];

	now__comm(e->pid, comm);
	json__open(&j, NULL, '{');
	json__str(&j, "type", "end");
	json__str(&j, "mech", mech__name(e->mech));
	json__str(&j, "object", e->name);
	json__u64(&j, "pid", e->pid);
	json__strn(&j, "comm", comm, strnlen(comm, sizeof(comm)));
	if (start_ns)
		json__u64(&j, "start_ns", start_ns);
	else
		json__null(&j, "start_ns"); /* it has ended */
	if (e->fd >= 0)
		json__i64(&j, "fd", e->fd);
	else
		json__null(&j, "fd");
	if (e->memory)
		json__str(&j, "role", e->role == OPEN_READ ? "attach-ro" : "attach-rw");
	else
		json__str(&j, "role", open_role__name(e->role));
	if (e->waiting)
		json__bool(&j, "accepted", false);
	if (in_flight && in_flight != UINT64_MAX)
		json__u64(&j, "fds_in_flight", in_flight);
	json__close(&j, '}');
	buf__putc(&w->out.buf, '\n');
}

static void put_text(struct who *w, const struct open_end *e, const struct open_end *before)
{
	uint64_t in_flight = open_end__fds_in_flight(e);
	struct buf *b = &w->out.buf;
	char comm[16];
	size_t from;

	if (!before || strcmp(before->name, e->name) != 0) {
		label__text(b, e->name, strlen(e->name), SIZE_MAX);
		buf__printf(b, "  (%s)\n", mech__name(e->mech));
	}
	now__comm(e->pid, comm);
	from = b->len;
	buf__printf(b, "  %7u ", e->pid);
	label__text(b, *comm ? comm : "(ended)", strlen(*comm ? comm : "(ended)"), 16);
	label__pad(b, from, 28);
	if (e->fd >= 0)
		buf__printf(b, "fd %-4d ", e->fd);
	if (e->memory)
		buf__puts(b, e->role == OPEN_READ ? "attached, read-only" : "attached");
	else
		buf__puts(b, open_role__name(e->role));
	if (e->waiting)
		buf__puts(b, ", not accepted yet");
	if (in_flight && in_flight != UINT64_MAX)
		buf__printf(b, ", %llu descriptor%s on the way to it", (unsigned long long)in_flight,
			    in_flight == 1 ? "" : "s");
	buf__putc(b, '\n');
}

static bool names_it(const struct open_end *e, const char *word)
{
	return !strcmp(e->name, word) || strstr(e->name, word);
}

/* An exact name is that object alone; a part of a name may be several. */
static void choose_by_name(struct who *w, const char *word)
{
	bool exact = false;

	for (size_t i = 0; i < w->ends.all.cnt && !exact; i++)
		exact = !strcmp(w->ends.all.v[i].name, word);
	for (size_t i = 0; i < w->ends.all.cnt; i++) {
		const struct open_end *e = &w->ends.all.v[i];

		if (exact ? !strcmp(e->name, word) : names_it(e, word))
			w->shown[w->cnt++] = e;
	}
}

/* All ends of each object that the process has an end of. */
static void choose_by_pid(struct who *w, uint32_t pid)
{
	struct map names = { 0 };

	for (size_t i = 0; i < w->ends.all.cnt; i++)
		if (w->ends.all.v[i].pid == pid)
			map__set(&names, (uintptr_t)w->ends.all.v[i].name, 0, w);
	for (size_t i = 0; i < w->ends.all.cnt; i++)
		if (map__get(&names, (uintptr_t)w->ends.all.v[i].name, 0))
			w->shown[w->cnt++] = &w->ends.all.v[i];
	map__free(&names);
}

static int show(struct who *w, const char *word, uint32_t pid)
{
	open_ends__scan(&w->ends);
	w->shown = xalloc((w->ends.all.cnt + 1) * sizeof(*w->shown));
	if (pid)
		choose_by_pid(w, pid);
	else
		choose_by_name(w, word);
	qsort(w->shown, w->cnt, sizeof(*w->shown), by_name);
	for (size_t i = 0; i < w->cnt; i++) {
		if (w->json)
			put_json(w, w->shown[i]);
		else
			put_text(w, w->shown[i], i ? w->shown[i - 1] : NULL);
	}
	if (w->cnt)
		return EXIT_OK;
	if (pid)
		log__error("process %u has no pipe, socket, queue or other object of communication open",
			   pid);
	else
		log__error("nobody has '%s' open: names are as ipctrace shows them, as pipe:[66574] or "
			   "unix:/run/x",
			   word);
	return EXIT_FAILED;
}

int cmd_who(int argc, char **argv)
{
	struct now_options o;
	struct who w = { 0 };
	uint32_t pid;
	int status = now_options__parse(&o, "who", "OBJECT|PID", about, argc, argv);

	if (status >= 0)
		return status;
	status = now_options__pid(o.word, &pid);
	if (status)
		return status;
	if (now__open(&w.out, &o))
		return EXIT_FAILED;
	w.json = o.json;
	now__warn_rights();
	status = show(&w, o.word, pid);
	status = now__finish(&w.out, status);
	free(w.shown);
	open_ends__free(&w.ends);
	return status;
}
