/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interactive face of `ipctrace top`. It reads what the meter counts and never waits: the caller feeds the
 * meter, calls tui__step() between rounds of events, and does what needs rights or files (struct tui_actions).
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "model/meter.h"
#include "model/model.h"
#include "model/waits.h"
#include "view/top.h"

struct tui;

struct tui_status {
	double events_per_s;
	double ring_percent; /* fullest ring; < 0: there is none */
	double cpu_percent; /* the tracer's own */
	uint64_t rss_bytes;
	const char *attach; /* "tracepoint"; static */
	const char *source; /* what is shown: "live", a file's name; not owned */
	const char *note; /* static; NULL: nothing to say ("the command has ended") */
};

/* All return 0, or -errno with one sentence in said; some say something in any case. NULL: the key does nothing. */
struct tui_actions {
	void *ctx;
	int (*filter)(void *ctx, const char *words, struct buf *said); /* as typed after the command's name */
	int (*signal)(void *ctx, const struct proc *p, int sig, struct buf *said);
	int (*write)(void *ctx, const char *path, struct graph *g, struct buf *said);
	int (*interval)(void *ctx, uint64_t interval_ns, struct buf *said);
	int (*reset)(void *ctx, struct buf *said);
	int (*seek)(void *ctx, double seconds, struct buf *said); /* a recording: forwards, backwards */
	int (*speed)(void *ctx, double factor, struct buf *said);
};

struct tui_opts {
	const struct meter *meter;
	struct top_ctx *ctx; /* its group is changed by a key */
	struct tui_actions actions;
	/* How tables are sorted and which columns they show at first; the first one's tab is opened. Read by tui__new(). */
	const struct top_choice *choices;
	size_t choice_cnt;
	bool colour;
	uint64_t interval_ns;
};

/* Takes the terminal. 0, or -errno with one sentence in err. One at a time. */
int tui__new(struct tui **t, const struct tui_opts *opts, struct buf *err);
void tui__message(struct tui *t, const struct message *m); /* for the events; copied */
/* After a tick of the meter: everything is shown anew. waits: copied. */
void tui__interval(struct tui *t, const struct tui_status *status, const struct wait_line *waits,
		   size_t wait_cnt);
/* Answers keys, redraws what changed. False: the user wants to leave. Never waits. */
bool tui__step(struct tui *t);
/* Processes and channels that were shown are about to go: forgets them, and where the user was among them. */
void tui__forget(struct tui *t);
/* Calls keep__...() (model/keep.h) for what is shown, or could be shown by a key. */
void tui__keep(const struct tui *t);
/* Others have been merged: model_sink.moved. */
void tui__follow(struct tui *t);
bool tui__paused(const struct tui *t); /* then the meter should not be ticked */
/* The waits are looked at: worth finding out. */
bool tui__wants_waits(const struct tui *t);
void tui__free(struct tui *t); /* gives the terminal back */

#endif
