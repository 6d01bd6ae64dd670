/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracing the running kernel, or reading a recording (-i), for every command that does: rights, probes, the command
 * behind "--", signals, the time limit, what is recorded meanwhile, and the clean end. Says itself what goes wrong.
 */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "cmd/options.h"
#include "cmd/pipeline.h"
#include "view/view.h"

struct session;
struct saver;
struct store_info;

/* CLOCK_BOOTTIME of the machine that was traced. */
struct session_clock {
	uint64_t begin_ns;
	uint64_t end_ns; /* of a recording, after session__run(); 0: now */
	int64_t boot_to_wall_ns; /* to add for the time since 1970 */
};

/*
 * Begins to trace, or opens the recording o->input: on return all probes are active, the first scan is done, --ready-fd was told.
 * The command of o, if any, still waits. NULL: failed, and said why. o must outlive the session.
 * Without a sink (NULL) events are only recorded (o->record), and there is no pipeline.
 */
struct session *session__new(const struct options *o, const struct pipeline_sink *sink, bool graph);
/*
 * Lets the command run and feeds the sink until the end: Ctrl-C, the time limit, the command's end, or when
 * round, called with ctx after each round of events, returns false. Then takes what is left, and settles it.
 * Returns 0, or -errno and said why.
 */
int session__run(struct session *s, bool (*round)(void *ctx), void *ctx);
struct pipeline *session__pipeline(struct session *s);
/* In a round: the graph so far, valid until the round ends. */
struct graph *session__graph_now(struct session *s);
const struct view_names *session__names(struct session *s);
const struct session_clock *session__clock(struct session *s);
const struct store_info *session__recorded(struct session *s); /* NULL: the kernel is traced */
struct saver *session__saver(struct session *s); /* NULL: nothing is recorded */
/* After session__run(), which has said what is missing in a recording: the exit status when all else went well. */
int session__exit_status(struct session *s);
/* Before session__run(): the command gets /dev/null in place of the terminal, which is drawn on. */
void session__keep_terminal(struct session *s);
/* Ctrl-C or SIGTERM came: for who does not return from his sink for a while. */
bool session__asked(struct session *s);
/* How full the fullest ring was since the last call, in percent; < 0: nothing is traced. */
double session__ring_percent(struct session *s);
void session__free(struct session *s);

#endif
