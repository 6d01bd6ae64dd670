/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/child.h"
#include "cmd/cmd.h"
#include "cmd/names.h"
#include "cmd/stop.h"
#include "cmd/user_sems.h"

#define ROUND_MS 50 /* how late a signal or the end of an idle command may be noticed */
#define ROUND_WITH_COMMAND_MS 10

struct session {
	const struct options *opts;
	struct stop stop;
	struct child child;
	struct kern *kern;
	struct pipeline *pipeline;
	struct view_names names;
	bool command_ended; /* by itself, and not because the session was over */
};

/* ---- begin ---- */

static int check_rights(void)
{
	struct kern_rights r = { 0 };

	kern__rights(&r);
	if (r.cap_sys_admin || (r.cap_bpf && r.cap_perfmon))
		return 0;
	log__error("tracing needs root (or CAP_BPF and CAP_PERFMON): try sudo ipctrace ...");
	return -EPERM;
}

static void fill_kern_opts(struct kern_opts *k, const struct session *s)
{
	const struct options *o = s->opts;

	*k = (struct kern_opts){
		.mechs = o->mechs,
		.attach = o->attach,
		.ring_bytes = o->ring_bytes,
		.follow = o->follow || s->child.pid,
		.have_uid = o->have_uid,
		.have_cgroup = o->have_cgroup,
		.uid = o->uid,
		.cgroup = o->cgroup,
		.ready_fd = o->ready_fd > 0 ? o->ready_fd : 0,
		.output = o->output && strcmp(o->output, "-") ? o->output : NULL,
	};
	for (size_t i = 0; i < o->pids.cnt; i++)
		k->pids[k->pid_cnt++] = o->pids.v[i];
	if (s->child.pid)
		k->pids[k->pid_cnt++] = (uint32_t)s->child.pid;
}

static void make_pipeline(struct session *s, const struct pipeline_sink *sink, bool graph)
{
	struct pipeline_opts opts = { .mechs = s->opts->mechs, .graph = graph, .sink = *sink };
	struct select_opts select;

	if (graph && s->opts->count != OPTION_NOT_GIVEN)
		opts.messages_max = s->opts->count;
	if (options__select(s->opts, &select) || opts.messages_max) {
		if (s->child.pid) {
			select.pids[select.pid_cnt++] = (uint32_t)s->child.pid;
			select.follow = true;
		}
		opts.select = &select;
	}
	s->pipeline = pipeline__new(kern__source(s->kern), &opts);
}

static int start_kernel_half(struct session *s, const struct pipeline_sink *sink, bool graph, struct buf *err)
{
	struct kern_uprobe *uprobes = NULL;
	struct kern_opts opts;
	int ret;

	fill_kern_opts(&opts, s);
	if (s->opts->user_sems && s->opts->mechs & IPCT_MECH_BIT(IPCT_MECH_POSIX_SEM)) {
		uprobes = user_sems__find(&opts.uprobe_cnt, err);
		if (!uprobes)
			return -ENOENT;
		opts.uprobes = uprobes;
	}
	s->kern = kern__new(&opts, err);
	if (!s->kern) {
		free(uprobes);
		return -EINVAL;
	}
	make_pipeline(s, sink, graph);
	ret = kern__attach(s->kern, err);
	free(uprobes);
	if (!ret)
		ret = kern__activate(s->kern, err);
	if (!ret)
		ret = kern__scan(s->kern, err);
	names__init(&s->names, s->opts->mechs, s->kern);
	return ret;
}

static int tell_ready(int fd)
{
	static const char line[] = "ready\n";

	if (fd < 0 || write(fd, line, sizeof(line) - 1) == sizeof(line) - 1)
		return 0;
	log__error("cannot write to --ready-fd %d: %s", fd, strerror(errno));
	return -errno;
}

struct session *session__new(const struct options *o, const struct pipeline_sink *sink, bool graph)
{
	struct session *s = xalloc(sizeof(*s));
	struct buf err = { 0 };
	int ret;

	s->opts = o;
	s->stop.fd = -1;
	ret = check_rights();
	if (ret)
		goto out;
	if (o->ready_fd >= 0)
		fcntl(o->ready_fd, F_SETFD, FD_CLOEXEC);
	ret = stop__begin(&s->stop);
	if (!ret && o->command)
		ret = child__fork(&s->child, o->command, &s->stop, &err);
	if (!ret)
		ret = start_kernel_half(s, sink, graph, &err);
	if (ret)
		log__error("%s", err.len ? buf__cstr(&err) : strerror(-ret));
	else
		ret = tell_ready(o->ready_fd);
out:
	buf__free(&err);
	if (!ret)
		return s;
	session__free(s);
	return NULL;
}

/* ---- run ---- */

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int round_timeout_ms(const struct session *s, uint64_t deadline_ns)
{
	uint64_t now_ns = monotonic_ns();
	int timeout_ms = s->child.pid ? ROUND_WITH_COMMAND_MS : ROUND_MS;

	if (now_ns >= deadline_ns)
		return 0;
	if ((deadline_ns - now_ns) / 1000000 < (uint64_t)timeout_ms)
		return (int)((deadline_ns - now_ns) / 1000000) + 1;
	return timeout_ms;
}

/* The command, when there is one, decides about the end after Ctrl-C: it got the signal, or gets it now. */
static bool asked_to_end(struct session *s)
{
	bool first = !s->stop.sig;

	if (!stop__asked(&s->stop))
		return false;
	if (!s->child.pid)
		return true;
	if (first && !s->stop.from_terminal)
		child__signal(&s->child, s->stop.sig);
	return false;
}

static int poll_until_end(struct session *s, bool (*round)(void *ctx), void *ctx)
{
	uint64_t deadline_ns = UINT64_MAX, now_ns = monotonic_ns();

	if (s->opts->duration_ns < UINT64_MAX - now_ns)
		deadline_ns = now_ns + s->opts->duration_ns;
	for (;;) {
		int ret = pipeline__poll(s->pipeline, round_timeout_ms(s, deadline_ns));

		if (ret < 0 && ret != -EINTR)
			return ret;
		if (round && !round(ctx))
			return 0;
		if (child__ended(&s->child)) {
			s->command_ended = true;
			return 0;
		}
		if (asked_to_end(s) || monotonic_ns() >= deadline_ns)
			return 0;
	}
}

/* The tracer is no part of what it shows: not even as the parent of the command. */
static void hide_self(struct proc_table *procs)
{
	for (size_t i = 0; i < procs->all.cnt; i++) {
		struct proc *p = procs->all.v[i];

		if (p->parent && p->parent->pid == (uint32_t)getpid())
			p->parent = NULL;
	}
}

int session__run(struct session *s, bool (*round)(void *ctx), void *ctx)
{
	int ret, left = 0;

	child__go(&s->child);
	ret = poll_until_end(s, round, ctx);
	kern__deactivate(s->kern);
	while (!ret && (left = pipeline__poll(s->pipeline, 0)) > 0)
		;
	pipeline__finish(s->pipeline);
	hide_self(pipeline__procs(s->pipeline));
	/* A command that outlives the time limit or the reader was started for this trace only. */
	child__signal(&s->child, SIGTERM);
	if (ret)
		log__error("cannot read events: %s", strerror(-ret));
	return ret;
}

/* ---- end ---- */

struct pipeline *session__pipeline(struct session *s)
{
	return s->pipeline;
}

const struct view_names *session__names(struct session *s)
{
	return &s->names;
}

int session__exit_status(struct session *s)
{
	struct buf err = { 0 };
	int status = EXIT_OK;

	if (s->command_ended)
		status = child__exit_status(&s->child, &err);
	if (err.len)
		log__error("%s", buf__cstr(&err));
	else if (s->opts->strict && pipeline__stats(s->pipeline)->lost)
		status = EXIT_LOST;
	buf__free(&err);
	return status;
}

void session__free(struct session *s)
{
	if (!s)
		return;
	pipeline__free(s->pipeline);
	names__forget_kernel();
	if (s->kern)
		kern__close(s->kern);
	child__free(&s->child);
	stop__end(&s->stop);
	free(s);
}
