/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracing the running kernel, for every command that does: rights, probes, the command behind "--", signals,
 * the time limit, and the clean end. Says itself what goes wrong.
 */
#ifndef CMD_SESSION_H
#define CMD_SESSION_H

#include "cmd/options.h"
#include "cmd/pipeline.h"
#include "view/view.h"

struct session;

/*
 * Begins to trace: on return all probes are active, the first scan is done, --ready-fd was told.
 * The command of o, if any, still waits. NULL: failed, and said why. o must outlive the session.
 */
struct session *session__new(const struct options *o, const struct pipeline_sink *sink, bool graph);
/*
 * Lets the command run and feeds the sink until the end: Ctrl-C, the time limit, the command's end, or when
 * round, called with ctx after each round of events, returns false. Then takes what is left, and settles it.
 * Returns 0, or -errno and said why.
 */
int session__run(struct session *s, bool (*round)(void *ctx), void *ctx);
struct pipeline *session__pipeline(struct session *s);
const struct view_names *session__names(struct session *s);
/* After session__run(): the exit status when all else went well. */
int session__exit_status(struct session *s);
void session__free(struct session *s);

#endif
