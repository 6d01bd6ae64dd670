/* SPDX-License-Identifier: GPL-2.0 */
/* How a session begins: rights, the command, the kernel half or a recording, what is done with the events, in this order. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/names.h"
#include "cmd/rights.h"
#include "cmd/session_impl.h"
#include "cmd/stacks.h"
#include "cmd/user_sems.h"
#include "event/redact.h"

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
		.payload_bytes = (uint32_t)o->payload_bytes,
		.user_stacks = o->stacks,
		.kernel_stacks = o->kernel_stacks,
		.ledger = o->ledger,
		.ledger_period_ns = o->ledger_period_ns,
		.follow = o->follow || s->child.pid,
		/* Who begins with a command, or names mechanisms, wants to see their first messages as well as all others. */
		.on_demand = !s->child.pid && o->mechs == mech__built_mask(),
		.closes = o->ops || o->record, /* only operations show them */
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

/* Everything, unless this returns true. */
static bool selection(const struct session *s, struct select_opts *select)
{
	bool some = options__select(s->opts, select);

	if (!s->child.pid)
		return some;
	select->pids[select->pid_cnt++] = (uint32_t)s->child.pid;
	select->follow = true;
	return true;
}

#define HISTORY_OF_LINES 64 /* nobody sees it: only what comes late may need it */
#define HISTORY_OF_GRAPHS 6000

static size_t history_of(const struct options *o, bool graph)
{
	if (o->history == OPTION_NOT_GIVEN)
		return graph ? HISTORY_OF_GRAPHS : HISTORY_OF_LINES;
	return o->history;
}

static void make_pipeline(struct session *s, const struct pipeline_sink *sink, bool graph)
{
	struct pipeline_opts opts = { .mechs = s->opts->mechs,
				      .graph = graph,
				      .sink = *sink,
				      .history = history_of(s->opts, graph),
				      .history_ns = s->opts->history_ns };
	struct select_opts select, recorded;

	if (graph && s->opts->count != OPTION_NOT_GIVEN)
		opts.messages_max = s->opts->count;
	if (selection(s, &select) || opts.messages_max)
		opts.select = &select;
	if (s->input && input__scope(s->input, &recorded)) {
		opts.select = &select;
		select.within = &recorded;
	}
	s->pipeline = pipeline__new(s->source, &opts);
}

static void begin_to_save(struct session *s)
{
	struct select_opts select;
	struct saver_begin begin = {
		.kern = s->kern,
		.boot_to_wall_ns = s->clock.boot_to_wall_ns,
		.start_ns = s->clock.begin_ns,
	};

	if (selection(s, &select))
		begin.select = &select;
	s->source = saver__begin(s->saver, s->source, &begin);
}

static int start_kernel_half(struct session *s, struct buf *err)
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
	s->source = kern__source(s->kern);
	if (s->opts->redact)
		s->source = s->redact = redact__new(s->source);
	if (s->opts->stacks || s->opts->kernel_stacks)
		s->source = s->stacks = stacks__new(s->source, s->opts->kernel_stacks);
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

/* A file that is written while or after the trace goes on: top has a key for it. NULL: none. */
static const char *written_later(const struct options *o, bool whole_file)
{
	if (o->looks_at_processes)
		return "./graph.svg";
	if (o->keep_ns || o->file_bytes)
		return o->record;
	return whole_file ? o->output : NULL;
}

#define NICE -10

/*
 * Who fills the rings must not keep away who empties them: on a machine that is busy with nothing else the collector would get one
 * share of a CPU among many, and lose. It takes what it needs and no more. The traced command has been forked before.
 */
static void hurry(struct session *s)
{
	errno = 0;
	s->nice = getpriority(PRIO_PROCESS, 0);
	if (!errno && s->nice > NICE)
		s->hurries = !setpriority(PRIO_PROCESS, 0, NICE);
}

/* whole_file: o->output is put into place at the end. */
static int trace(struct session *s, bool whole_file, struct buf *err)
{
	const struct options *o = s->opts;
	int ret = 0;

	if (o->record) {
		s->saver = saver__new(o, err);
		ret = s->saver ? 0 : -EIO;
	}
	if (!ret && o->command)
		ret = child__fork(&s->child, o->command, &s->stop, err);
	if (!ret)
		ret = start_kernel_half(s, err);
	s->clock.begin_ns = time__boot_ns();
	s->clock.boot_to_wall_ns = time__boot_to_wall_ns();
	if (!ret && s->saver)
		begin_to_save(s);
	if (!ret)
		hurry(s);
	if (!ret)
		rights__drop(o, s->kern, written_later(o, whole_file));
	return ret;
}

static int open_input(struct session *s, struct buf *err)
{
	const struct store_info *info;

	s->input = input__open(s->opts, err);
	if (!s->input)
		return -EINVAL;
	info = input__info(s->input);
	s->source = input__source(s->input);
	s->clock.begin_ns = info->start_ns;
	s->clock.boot_to_wall_ns = info->boot_to_wall_ns;
	names__init_recorded(&s->names, input__mechs(s->input), info);
	return 0;
}

struct session *session__new(const struct options *o, const struct pipeline_sink *sink, bool graph)
{
	struct session *s = xalloc(sizeof(*s));
	struct buf err = { 0 };
	int ret;

	s->opts = o;
	s->stop.fd = -1;
	ret = o->input ? 0 : check_rights();
	if (ret)
		goto out;
	if (o->ready_fd >= 0)
		fcntl(o->ready_fd, F_SETFD, FD_CLOEXEC);
	ret = stop__begin(&s->stop, o->keep_ns != 0);
	if (!ret)
		ret = o->input ? open_input(s, &err) : trace(s, graph, &err);
	if (!ret && sink)
		make_pipeline(s, sink, graph);
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
