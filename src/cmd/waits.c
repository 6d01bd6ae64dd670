/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ipctrace/mech.h"
#include "kern/blocked.h"
#include "kern/open_ends.h"

struct waits {
	uint32_t mechs;
	struct open_ends ends;
	/* of the look that goes on */
	struct pipeline *pipeline;
	struct meter *meter;
	void (*fn)(void *ctx, const struct wait_line *line);
	void *ctx;
	struct wait_line line;
};

struct waits *waits__new(uint32_t mechs)
{
	struct waits *w = xalloc(sizeof(*w));

	w->mechs = mechs;
	return w;
}

static void add_whom(void *ctx, const struct open_end *other)
{
	struct waits *w = ctx;
	struct wait_line *line = &w->line;
	struct proc *p = proc_table__find(pipeline__procs(w->pipeline), other->pid);

	for (uint32_t i = 0; i < line->whom_cnt && i < WAIT_WHOM_MAX; i++)
		if (line->whom[i] == p)
			return;
	if (!p || p->exited)
		return;
	if (line->whom_cnt < WAIT_WHOM_MAX)
		line->whom[line->whom_cnt] = p;
	line->whom_cnt++;
}

/* The first object of ours gives the line its name; the ends of all could end the wait. */
static void add_objects(struct waits *w, const struct blocked *b)
{
	struct wait_line *line = &w->line;

	for (uint32_t i = 0; i < b->fd_cnt; i++) {
		const struct open_end *end = open_ends__find(&w->ends, b->pid, b->fds[i]);

		if (!end || !(w->mechs & IPCT_MECH_BIT(end->mech)))
			continue;
		if (!line->object) {
			line->object = end->name;
			line->mech = end->mech;
			line->sends = b->sends[i];
		}
		open_ends__others(&w->ends, end, b->sends[i], add_whom, w);
	}
	if (!line->object && b->mech && w->mechs & IPCT_MECH_BIT(b->mech)) {
		line->object = strtab__intern(&w->ends.names, b->object, strlen(b->object));
		line->mech = b->mech;
		line->sends = b->what == BLOCKED_ROOM;
	}
}

static void on_blocked(void *ctx, const struct blocked *b)
{
	struct waits *w = ctx;
	struct wait_line *line = &w->line;

	*line = (struct wait_line){ .tid = b->tid, .call = b->call, .since_ns = b->since_ns };
	line->proc = proc_table__find(pipeline__procs(w->pipeline), b->pid);
	if (!line->proc)
		return;
	add_objects(w, b);
	if (!line->object || !pipeline__selects(w->pipeline, line->mech, line->proc, b->tid))
		return;
	line->channel = pipeline__channel(w->pipeline, line->mech, line->object);
	if (b->fd_cnt == 1 && b->since_ns) /* poll() and the like wait for any of many: nobody's share */
		meter__waits(w->meter, line->proc, line->channel, line->sends, b->since_ns);
	w->fn(w->ctx, line);
}

void waits__look(struct waits *w, struct pipeline *p, struct meter *m,
		 void (*fn)(void *ctx, const struct wait_line *line), void *ctx)
{
	struct blocked_clock *clock = blocked_clock__new();

	open_ends__free(&w->ends);
	w->ends = (struct open_ends){ 0 };
	open_ends__scan(&w->ends);
	w->pipeline = p;
	w->meter = m;
	w->fn = fn;
	w->ctx = ctx;
	blocked__scan(0, clock, on_blocked, w);
	blocked_clock__free(clock);
}

void waits__free(struct waits *w)
{
	if (!w)
		return;
	open_ends__free(&w->ends);
	free(w);
}
