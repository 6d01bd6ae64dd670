/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/session.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/child.h"
#include "cmd/cmd.h"
#include "cmd/input.h"
#include "cmd/names.h"
#include "cmd/rights.h"
#include "cmd/saver.h"
#include "cmd/stacks.h"
#include "cmd/stop.h"
#include "cmd/user_sems.h"
#include "event/redact.h"

#define ROUND_MS 50 /* how late a signal or the end of an idle command may be noticed */
#define ROUND_WITH_COMMAND_MS 10

struct session {
	const struct options *opts;
	struct stop stop;
	struct child child;
	struct kern *kern; /* NULL: a recording is read */
	struct input *input; /* NULL: the kernel is traced */
	struct saver *saver; /* NULL: nothing is recorded */
	struct event_source *stacks; /* NULL: call stacks are not captured */
	struct event_source *redact; /* NULL: contents are not captured, or may be seen */
	struct event_source *source; /* of whichever of them comes last */
	struct pipeline *pipeline; /* NULL: events are recorded, not looked at */
	struct view_names names;
	struct session_clock clock;
	bool asked_to_write; /* SIGUSR1 came after the rings were read */
	bool command_ended; /* by itself, and not because the session was over */
	bool input_ended; /* the recording was read to its end */
	bool hurries; /* it runs at a higher priority than nice, which was its own */
	int nice;
	bool damaged; /* the recording that was read is not whole */
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

/* Programs that draw the result have time. */
static void hurry_no_more(struct session *s)
{
	if (s->hurries)
		setpriority(PRIO_PROCESS, 0, s->nice);
	s->hurries = false;
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

/* ---- run ---- */

static int round_timeout_ms(const struct session *s, uint64_t deadline_ns)
{
	uint64_t now_ns = time__mono_ns();
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

static int poll_once(struct session *s, int timeout_ms)
{
	uint64_t watermark_ns;

	if (s->pipeline)
		return pipeline__poll(s->pipeline, timeout_ms);
	return s->source->poll(s->source, timeout_ms, NULL, NULL, &watermark_ns);
}

/* False: all files that were wanted have been written. */
static bool keep_recording(struct session *s)
{
	bool asked = s->asked_to_write; /* what was in the rings then has been read since */
	struct buf err = { 0 };
	int ret = s->saver ? saver__look(s->saver, asked, &err) : 0;

	s->asked_to_write = stop__take_usr1(&s->stop);
	if (ret < 0)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return ret <= 0;
}

#define TIDY_NS 5000000000ull

/* A burst's many small blocks lie between others that stay: their pages are not given back by themselves. */
static void tidy_memory(uint64_t *next_ns)
{
	uint64_t now_ns = time__mono_ns();

	if (now_ns < *next_ns)
		return;
	malloc_trim(0);
	*next_ns = now_ns + TIDY_NS;
}

static int poll_until_end(struct session *s, bool (*round)(void *ctx), void *ctx)
{
	uint64_t deadline_ns = UINT64_MAX, now_ns = time__mono_ns(), tidy_ns = now_ns + TIDY_NS;

	if (!s->input && s->opts->duration_ns < UINT64_MAX - now_ns)
		deadline_ns = now_ns + s->opts->duration_ns;
	for (;;) {
		int ret = poll_once(s, round_timeout_ms(s, deadline_ns));

		if (ret == -ENODATA) {
			s->input_ended = true;
			return 0;
		}
		if (ret < 0 && ret != -EINTR)
			return ret;
		if (!s->pipeline && saver__failed(s->saver))
			return 0;
		if (round && !round(ctx))
			return 0;
		if (!s->input)
			tidy_memory(&tidy_ns);
		if (child__ended(&s->child)) {
			s->command_ended = true;
			return 0;
		}
		if (asked_to_end(s) || !keep_recording(s) || time__mono_ns() >= deadline_ns)
			return 0;
	}
}

/* The tracer is no part of what it shows: not even as the parent of the command. */
static void hide_self(struct proc_table *procs, uint32_t self_pid)
{
	for (size_t i = 0; i < procs->all.cnt; i++) {
		struct proc *p = procs->all.v[i];

		if (p->parent && p->parent->pid == self_pid)
			p->parent = NULL;
	}
}

static uint32_t tracer_pid(const struct session *s)
{
	return s->input ? input__info(s->input)->recorder_pid : (uint32_t)getpid();
}

struct graph *session__graph_now(struct session *s)
{
	hide_self(pipeline__procs(s->pipeline), tracer_pid(s));
	return pipeline__graph_now(s->pipeline);
}

static void finish_pipeline(struct session *s)
{
	if (!s->pipeline)
		return;
	pipeline__finish(s->pipeline);
	hide_self(pipeline__procs(s->pipeline), tracer_pid(s));
	if (s->input)
		s->clock.end_ns = input__end_ns(s->input);
}

/* What the recording cannot give back is said once, by whoever made or read it. */
static int finish_files(struct session *s)
{
	struct buf err = { 0 };
	int ret = s->saver ? saver__finish(s->saver, &err) : 0;

	if (ret)
		log__error("%s", buf__cstr(&err));
	if (s->input_ended)
		s->damaged = input__tell(s->input);
	buf__free(&err);
	return ret;
}

#define REST_WAIT_NS 2000000000ull

/*
 * A record that its task has not finished yet (Linux 7.x preempts it inside of programs) keeps those behind it in the ring: what it
 * waits for is that the task runs again.
 */
static void take_rest(struct session *s)
{
	uint64_t deadline_ns = time__mono_ns() + REST_WAIT_NS;
	int cnt;

	while ((cnt = poll_once(s, 0)) >= 0) {
		stop__asked(&s->stop); /* so that a second signal kills */
		if (cnt)
			continue;
		if (kern__all_read(s->kern) || time__mono_ns() >= deadline_ns)
			return;
		poll(NULL, 0, 1);
	}
}

int session__run(struct session *s, bool (*round)(void *ctx), void *ctx)
{
	int ret;

	child__go(&s->child);
	ret = poll_until_end(s, round, ctx);
	if (s->kern) {
		kern__deactivate(s->kern);
		if (!ret)
			take_rest(s);
	}
	hurry_no_more(s);
	finish_pipeline(s);
	/* A command that outlives the time limit or the reader was started for this trace only. */
	child__signal(&s->child, SIGTERM);
	if (ret)
		log__error("cannot read events: %s", strerror(-ret));
	return finish_files(s) ? -EIO : ret;
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

const struct session_clock *session__clock(struct session *s)
{
	return &s->clock;
}

const struct store_info *session__recorded(struct session *s)
{
	return s->input ? input__info(s->input) : NULL;
}

struct saver *session__saver(struct session *s)
{
	return s->saver;
}

static bool lost_some(const struct session *s)
{
	if (s->pipeline)
		return s->damaged || pipeline__stats(s->pipeline)->lost;
	return store_writer__sums(saver__writer(s->saver))->lost;
}

int session__exit_status(struct session *s)
{
	struct buf err = { 0 };
	int status = EXIT_OK;

	if (s->command_ended)
		status = child__exit_status(&s->child, &err);
	if (err.len)
		log__error("%s", buf__cstr(&err));
	else if (s->opts->strict && lost_some(s))
		status = EXIT_LOST;
	buf__free(&err);
	return status;
}

void session__keep_terminal(struct session *s)
{
	child__keep_from_terminal(&s->child);
}

bool session__asked(struct session *s)
{
	return stop__asked(&s->stop);
}

double session__ring_percent(struct session *s)
{
	return s->kern ? 100.0 * kern__ring_peak(s->kern) : -1;
}

void session__free(struct session *s)
{
	if (!s)
		return;
	pipeline__free(s->pipeline);
	saver__free(s->saver);
	if (s->stacks)
		s->stacks->close(s->stacks);
	if (s->redact)
		s->redact->close(s->redact);
	input__close(s->input);
	if (s->kern)
		kern__close(s->kern);
	child__free(&s->child);
	stop__end(&s->stop);
	free(s);
}
