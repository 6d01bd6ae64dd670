/* SPDX-License-Identifier: GPL-2.0 */
/* The why command: what a process waits for now, and who could end the wait; of those that wait, too, the same. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/procstat.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/now_options.h"
#include "kern/blocked.h"
#include "mech/mech.h"
#include "view/label.h"

#define DEPTH_MAX 8
#define OTHERS_MAX 16 /* of one wait; more are counted */

static const char about[] =
	"Shows for each thread of a process in which system call it is blocked, for how long, on which "
	"object,\n"
	"and who could end the wait: whoever has the other end. Where they are blocked themselves, the same "
	"of\n"
	"them. Where nobody is left who could end it, that is a deadlock. Nothing is traced.\n\n"
	"  ipctrace why 4242\n"
	"  ipctrace why --json 4242\n";

struct why {
	struct open_ends ends;
	struct blocked_clock *clock;
	struct out out;
	bool json;
	struct json j;
	uint32_t path[DEPTH_MAX + 1]; /* the processes from the first one to here */
	size_t depth;
	struct map told; /* pid: its waits were told already; who is stuck, as &stuck */
	bool cycle; /* a wait came back to a process of the path */
};

static char stuck, not_stuck; /* for their addresses */

/* Who could end one wait. */
struct others {
	struct open_end v[OTHERS_MAX];
	size_t cnt, more;
	bool strangers; /* or somebody who has nothing open yet, or something that is no process */
};

enum outlook { /* of a wait */
	       WAIT_MAY_END,
	       WAIT_IS_STUCK, /* all who could end it are stuck themselves, or the one whose wait this began with */
	       WAIT_UNKNOWN, /* a futex is not seen here; its process's other threads tell more */
};

struct threads { /* one process's blocked threads */
	VEC(struct blocked) v;
};

static void keep_thread(void *ctx, const struct blocked *b)
{
	struct threads *t = ctx;

	vec__push(&t->v, *b);
}

static void add_other(void *ctx, const struct open_end *end)
{
	struct others *o = ctx;

	for (size_t i = 0; i < o->cnt; i++)
		if (o->v[i].pid == end->pid)
			return;
	if (o->cnt < OTHERS_MAX)
		o->v[o->cnt++] = *end;
	else
		o->more++;
}

/* wait() for any: all children of the thread. */
static void add_children(const struct blocked *b, struct others *o)
{
	char path[64];
	unsigned int pid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/children", b->pid, b->tid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%u", &pid) == 1)
		add_other(o, &(struct open_end){ .pid = pid, .fd = -1 });
	if (f)
		fclose(f);
}

/* Clients connect to a listener, and who knows its name sends to a datagram socket. */
static bool takes_strangers(const struct open_end *end)
{
	static const uint32_t sockets = IPCT_MECH_BIT(IPCT_MECH_UNIX_STREAM) |
					IPCT_MECH_BIT(IPCT_MECH_UNIX_DGRAM) |
					IPCT_MECH_BIT(IPCT_MECH_UNIX_SEQPACKET) |
					IPCT_MECH_BIT(IPCT_MECH_TCP) | IPCT_MECH_BIT(IPCT_MECH_UDP);

	return sockets & IPCT_MECH_BIT(end->mech) && !end->peer;
}

/* The object it waits on; NULL: none of ours. */
static const struct open_end *find_others(struct why *w, const struct blocked *b, bool *sends,
					  struct others *o)
{
	const struct open_end *first = NULL;

	for (uint32_t i = 0; i < b->fd_cnt; i++) {
		const struct open_end *end = open_ends__find(&w->ends, b->pid, b->fds[i]);

		o->strangers |= !end || takes_strangers(end);
		if (!end)
			continue;
		if (!first) {
			first = end;
			*sends = b->sends[i];
		}
		open_ends__others(&w->ends, end, b->sends[i], add_other, o);
	}
	for (size_t i = 0; !b->fd_cnt && b->mech && i < w->ends.all.cnt; i++) {
		const struct open_end *end = &w->ends.all.v[i];

		if (end->mech == b->mech && !strcmp(end->name, b->object) && end->pid != b->pid)
			add_other(o, end);
	}
	if (b->child_pid)
		add_other(o, &(struct open_end){ .pid = b->child_pid, .fd = -1 });
	else if (b->what == BLOCKED_CHILD)
		add_children(b, o);
	return first;
}

static bool on_path(const struct why *w, uint32_t pid)
{
	for (size_t i = 0; i < w->depth; i++)
		if (w->path[i] == pid)
			return true;
	return false;
}

/* ---- text ---- */

static void indent(struct why *w)
{
	for (size_t i = 0; i + 1 < w->depth; i++)
		buf__puts(&w->out.buf, "    ");
}

static void put_name(struct buf *b, uint32_t pid)
{
	char comm[16];

	now__comm(pid, comm);
	buf__printf(b, "%u ", pid);
	label__text(b, comm, strlen(comm), 16);
}

static const char *waits_for(const struct blocked *b, const struct open_end *object, bool sends)
{
	if (!object || b->what == BLOCKED_LOCK)
		return blocked_for__name(b->what);
	return sends ? "room" : "data";
}

static void put_wait(struct why *w, const struct blocked *b, const struct open_end *object, bool sends)
{
	struct buf *out = &w->out.buf;

	indent(w);
	put_name(out, b->pid);
	if (b->tid != b->pid)
		buf__printf(out, " (thread %u)", b->tid);
	buf__printf(out, " is blocked in %s", b->call);
	if (b->since_ns) {
		buf__puts(out, " for ");
		time__put_duration(out, time__boot_ns() - b->since_ns);
	}
	if (object || b->mech)
		buf__printf(out, ", waiting for %s %s ", waits_for(b, object, sends),
			    b->what == BLOCKED_LOCK ? "on"
			    : object && sends	    ? "in"
						    : "from");
	else if (b->what != BLOCKED_OTHER)
		buf__printf(out, ", waiting for %s",
			    b->what == BLOCKED_DATA || b->what == BLOCKED_ROOM ? "nothing of this kind"
									       : blocked_for__name(b->what));
	if (object)
		label__text(out, object->name, strlen(object->name), SIZE_MAX);
	else
		buf__puts(out, b->object);
	if (b->fd_cnt > 1)
		buf__printf(out, " (the first of %u descriptors)", b->fd_cnt);
	buf__puts(out, b->timed ? "; it has a timeout\n" : "\n");
}

static void put_other(struct why *w, const struct open_end *o)
{
	struct buf *out = &w->out.buf;

	indent(w);
	buf__puts(out, "  -> ");
	put_name(out, o->pid);
	if (o->name) {
		if (o->role > OPEN_BOTH)
			buf__printf(out, " has it, as %s", open_role__name(o->role));
		else
			buf__printf(out, " has the %s end", o->peer ? "other" : open_role__name(o->role));
		if (o->fd >= 0)
			buf__printf(out, " (fd %d)", o->fd);
	} else {
		buf__puts(out, " is the child");
	}
	if (on_path(w, o->pid))
		buf__puts(out, ": back where it began");
	buf__putc(out, '\n');
}

/* ---- the same as JSON ---- */

static void put_json_process(struct why *w, uint32_t pid)
{
	char comm[16];

	now__comm(pid, comm);
	json__u64(&w->j, "pid", pid);
	json__strn(&w->j, "comm", comm, strnlen(comm, sizeof(comm)));
	json__u64(&w->j, "start_ns", now__start_ns(pid));
}

static void put_json_wait(struct why *w, const struct blocked *b, const struct open_end *object, bool sends)
{
	struct json *j = &w->j;

	json__u64(j, "tid", b->tid);
	json__str(j, "call", b->call);
	json__str(j, "waits_for", waits_for(b, object, sends));
	json__str(j, "mech", object ? mech__name(object->mech) : b->mech ? mech__name(b->mech) : NULL);
	json__str(j, "object", object ? object->name : b->mech ? b->object : NULL);
	if (b->since_ns)
		json__u64(j, "wait_ns", time__boot_ns() - b->since_ns);
	else
		json__null(j, "wait_ns");
	json__bool(j, "timeout", b->timed);
}

/* ---- down the chain ---- */

static bool tell_process(struct why *w, uint32_t pid);

/* Whether that one is stuck. */
static bool tell_other(struct why *w, const struct open_end *o)
{
	bool cycle = on_path(w, o->pid), is_stuck = cycle || map__get(&w->told, o->pid, 0) == &stuck;

	w->cycle |= cycle;
	if (!w->json)
		put_other(w, o);
	else
		json__open(&w->j, NULL, '{');
	if (w->json) {
		put_json_process(w, o->pid);
		json__str(&w->j, "role", o->name ? open_role__name(o->role) : "child");
		json__i64(&w->j, "fd", o->fd);
		json__bool(&w->j, "cycle", cycle);
	}
	if (!cycle && w->depth < DEPTH_MAX && !map__get(&w->told, o->pid, 0))
		is_stuck = tell_process(w, o->pid);
	if (w->json)
		json__close(&w->j, '}');
	return is_stuck;
}

static enum outlook outlook_of(const struct blocked *b, const struct others *o, size_t stuck_cnt)
{
	if (b->timed || b->what == BLOCKED_SIGNAL || b->what == BLOCKED_TIME || b->what == BLOCKED_OTHER)
		return WAIT_MAY_END;
	if (b->what == BLOCKED_UNITS && !b->mech)
		return WAIT_UNKNOWN;
	return o->cnt && stuck_cnt == o->cnt && !o->more && !o->strangers ? WAIT_IS_STUCK : WAIT_MAY_END;
}

static enum outlook tell_wait(struct why *w, const struct blocked *b)
{
	struct others others = { .cnt = 0 };
	bool sends = false;
	const struct open_end *object = find_others(w, b, &sends, &others);
	size_t stuck_cnt = 0;

	if (w->json) {
		json__open(&w->j, NULL, '{');
		put_json_wait(w, b, object, sends);
		json__open(&w->j, "whom", '[');
	} else {
		put_wait(w, b, object, sends);
	}
	for (size_t i = 0; i < others.cnt; i++)
		stuck_cnt += tell_other(w, &others.v[i]);
	if (w->json) {
		json__close(&w->j, ']');
		json__close(&w->j, '}');
	} else if (others.more) {
		indent(w);
		buf__printf(&w->out.buf, "  -> and %zu more\n", others.more);
	} else if (!others.cnt && object) {
		indent(w);
		buf__puts(&w->out.buf,
			  "  -> nobody else has it open: only a new one, or a signal, can end this\n");
	}
	return outlook_of(b, &others, stuck_cnt);
}

static size_t thread_cnt(uint32_t pid)
{
	char directory[32], word[16];

	snprintf(directory, sizeof(directory), "/proc/%u", pid);
	return procstat__field(directory, PROCSTAT_THREADS, word, sizeof(word)) ? 0 : strtoul(word, NULL, 10);
}

/* Whether none of its threads can go on, unless one of the path can. */
static bool tell_process(struct why *w, uint32_t pid)
{
	struct threads threads = { { 0 } };
	size_t cnt[WAIT_UNKNOWN + 1] = { 0 };
	bool is_stuck;

	map__set(&w->told, pid, 0, &not_stuck);
	w->path[w->depth++] = pid;
	blocked__scan(pid, w->clock, keep_thread, &threads);
	if (w->json)
		json__open(&w->j, "threads", '[');
	for (size_t i = 0; i < threads.v.cnt; i++)
		cnt[tell_wait(w, &threads.v.v[i])]++;
	if (w->json)
		json__close(&w->j, ']');
	if (!threads.v.cnt && !w->json) {
		indent(w);
		put_name(&w->out.buf, pid);
		buf__puts(&w->out.buf, " is blocked in no system call: it runs, or wants to\n");
	}
	is_stuck = cnt[WAIT_IS_STUCK] && !cnt[WAIT_MAY_END] && threads.v.cnt >= thread_cnt(pid);
	vec__free(&threads.v);
	w->depth--;
	if (is_stuck)
		map__set(&w->told, pid, 0, &stuck);
	return is_stuck;
}

/* False: and said why not. */
static bool can_look(uint32_t pid)
{
	char path[40], text[8];
	FILE *f;
	bool can;

	snprintf(path, sizeof(path), "/proc/%u/syscall", pid);
	errno = 0;
	f = fopen(path, "re");
	can = f && fread(text, 1, 1, f) == 1;
	if (!can)
		log__error("cannot look into process %u: %s%s", pid, strerror(errno ? errno : ESRCH),
			   geteuid() ? ": try sudo ipctrace why ..." : "");
	if (f)
		fclose(f);
	return can;
}

static void tell(struct why *w, uint32_t pid)
{
	bool is_stuck;

	w->clock = blocked_clock__new();
	open_ends__scan(&w->ends);
	w->j.out = &w->out.buf;
	if (!w->json) {
		if (tell_process(w, pid) && w->cycle)
			buf__puts(&w->out.buf,
				  "a deadlock: all who could end these waits are in one of them\n");
		return;
	}
	json__open(&w->j, NULL, '{');
	json__str(&w->j, "type", "why");
	put_json_process(w, pid);
	is_stuck = tell_process(w, pid);
	json__bool(&w->j, "deadlock", is_stuck && w->cycle);
	json__close(&w->j, '}');
	buf__putc(&w->out.buf, '\n');
}

int cmd_why(int argc, char **argv)
{
	struct now_options o;
	struct why w = { 0 };
	uint32_t pid;
	int status = now_options__parse(&o, "why", "PID", about, argc, argv);

	if (status >= 0)
		return status;
	status = now_options__pid(o.word, &pid);
	if (!status && !pid) {
		log__error("why wants a pid, not '%s' (see ipctrace why --help)", o.word);
		status = EXIT_USAGE;
	}
	if (status)
		return status;
	if (now__open(&w.out, &o))
		return EXIT_FAILED;
	w.json = o.json;
	if (!can_look(pid))
		status = EXIT_FAILED;
	else
		tell(&w, pid);
	status = now__finish(&w.out, status);
	blocked_clock__free(w.clock);
	open_ends__free(&w.ends);
	map__free(&w.told);
	return status;
}
