/* SPDX-License-Identifier: GPL-2.0 */
/* top on a terminal: what the tui room cannot do by itself. */
#ifndef CMD_TOP_SCREEN_H
#define CMD_TOP_SCREEN_H

#include "cmd/top.h"

struct session;
struct top_screen;

/* Takes the terminal. NULL, with one sentence in err: it cannot be drawn on. */
struct top_screen *top_screen__new(struct top *t, struct buf *err);
/* The session whose events are shown from now on; seen from a recording's beginning again after a seek backwards. */
void top_screen__set_session(struct top_screen *s, struct session *session);
void top_screen__message(struct top_screen *s, const struct message *m);
/* Time has come to now_ns: a recording is held back until it is due. */
void top_screen__clock(struct top_screen *s, uint64_t now_ns);
void top_screen__interval(struct top_screen *s); /* after a tick of the meter */
bool top_screen__round(struct top_screen *s); /* false: leave */
bool top_screen__paused(const struct top_screen *s);
bool top_screen__wants_waits(const struct top_screen *s);
/* Nothing more will come: shows what there is until the user leaves, or wants to see the recording again (true). */
bool top_screen__linger(struct top_screen *s);
/* What is shown must stay; what was not kept has been merged. */
void top_screen__keep(const struct top_screen *s);
void top_screen__follow(struct top_screen *s);
/* The session's processes and channels are about to go. */
void top_screen__forget(struct top_screen *s);
void top_screen__free(struct top_screen *s);

const struct top *top_screen__top(const struct top_screen *s);

/* Actions of struct tui_actions; ctx is a struct top_screen. */
int top_action__signal(void *ctx, const struct proc *p, int sig, struct buf *said);
int top_action__write(void *ctx, const char *path, struct graph *g, struct buf *said);

#endif
