/* SPDX-License-Identifier: GPL-2.0 */
/* How a session goes on, in rounds, and ends. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/session_impl.h"

#define ROUND_MS 50 /* how late a signal or the end of an idle command may be noticed */
#define ROUND_WITH_COMMAND_MS 10

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

/* Programs that draw the result have time. */
static void hurry_no_more(struct session *s)
{
	if (s->hurries)
		setpriority(PRIO_PROCESS, 0, s->nice);
	s->hurries = false;
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
