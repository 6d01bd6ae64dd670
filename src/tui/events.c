/* SPDX-License-Identifier: GPL-2.0 */
/* The last messages. Kept as they are, and made lines when they are looked at: most never are. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/keep.h"
#include "tui/tui_impl.h"
#include "view/label.h"

void events__add(struct events *e, const struct message *m)
{
	struct event_copy *copy;

	if (!e->ring)
		e->ring = xalloc(TUI_EVENTS * sizeof(*e->ring));
	copy = &e->ring[e->cnt++ % TUI_EVENTS];
	copy->m = *m;
	copy->m.fd_cnt = 0; /* valid during the call only, as the operation */
	copy->m.fds = NULL;
	if (m->op)
		copy->op = *m->op;
}

static bool is_side(const struct place *p, enum table_group group, const struct proc *side)
{
	return table_group__same(group, p->proc, side);
}

bool events__match(const struct place *p, const struct message *m, enum table_group group)
{
	if (p->channel && channel__resolve((struct channel *)p->channel) != channel__resolve(m->channel))
		return false;
	if (p->mech && p->mech != m->mech)
		return false;
	if (p->whole_flow)
		return is_side(p, group, m->src.proc) && table_group__same(group, p->other, m->dst.proc);
	return !p->proc || is_side(p, group, m->src.proc) || is_side(p, group, m->dst.proc);
}

static struct event_copy *event_at(const struct events *e, uint64_t nr)
{
	return &e->ring[nr % TUI_EVENTS];
}

static uint64_t oldest(const struct events *e)
{
	return e->cnt > TUI_EVENTS ? e->cnt - TUI_EVENTS : 0;
}

void events__watch(struct tui *t)
{
	const struct place *p = tui__place(t);

	t->watched.cnt = 0;
	for (uint64_t i = oldest(&t->events); i < t->events.cnt; i++) {
		struct event_copy *c = event_at(&t->events, i);

		c->m.op = &c->op;
		if (events__match(p, &c->m, t->opts.ctx->group))
			events__add(&t->watched, &c->m);
	}
}

static void draw_line(struct tui *t, struct event_copy *c, int row, bool selected)
{
	struct buf line = { 0 };
	size_t len;

	c->m.op = &c->op;
	line_view__text.message(&line, &c->m, t->opts.ctx->names);
	len = line.len;
	while (len && line.data[len - 1] == '\n')
		len--;
	line.len = len;
	label__cut(&line, 0, (size_t)t->cols);
	screen__put(row, 0, selected ? LOOK_SELECTED : LOOK_PLAIN, line.data ? line.data : "", line.len);
	buf__free(&line);
}

/* The newest at the bottom; place.at counts from there upwards. */
void events__draw(struct tui *t, int first_row, int row_cnt)
{
	struct place *p = tui__place(t);
	uint64_t have = t->watched.cnt - oldest(&t->watched), newest;
	struct buf header = { 0 };

	if (line_view__text.header)
		line_view__text.header(&header);
	while (header.len && header.data[header.len - 1] == '\n')
		header.len--;
	screen__fill(first_row, 0, LOOK_HEADER);
	label__cut(&header, 0, (size_t)t->cols);
	screen__put(first_row, 0, LOOK_HEADER, header.data ? header.data : "", header.len);
	buf__free(&header);
	t->list.shown_rows = row_cnt > 1 ? (size_t)(row_cnt - 1) : 0;
	if (p->at + t->list.shown_rows > have)
		p->at = have > t->list.shown_rows ? have - t->list.shown_rows : 0;
	newest = t->watched.cnt - p->at;
	for (size_t i = 0; i < t->list.shown_rows && i < have - p->at; i++)
		draw_line(t, event_at(&t->watched, newest - 1 - i),
			  first_row + 1 +
				  (int)((have < t->list.shown_rows ? have : t->list.shown_rows) - 1 - i),
			  false);
	if (!have)
		screen__puts(first_row + 2, 2, LOOK_DIM, "no message yet");
}

void events__keep(const struct events *e)
{
	for (uint64_t i = oldest(e); i < e->cnt; i++) {
		struct event_copy *c = event_at(e, i);

		c->m.op = &c->op;
		keep__message(&c->m);
	}
}

void events__free(struct events *e)
{
	free(e->ring);
	*e = (struct events){ 0 };
}
