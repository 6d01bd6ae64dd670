/* SPDX-License-Identifier: GPL-2.0 */
/* Tabs, and the way down from a row to what it consists of. */
#include <string.h>

#include "model/graph.h"
#include "tui/tui_impl.h"

void places__go(struct tui *t, enum tab tab)
{
	struct proc *selected = list__selected_proc(t);

	if (tab == TAB_GRAPH && selected)
		t->centre = selected;
	if (tab == TAB_GRAPH && !t->centre && tui__place(t)->proc)
		t->centre = tui__place(t)->proc;
	t->place_cnt = 1;
	t->places[0] = (struct place){ .tab = tab };
	t->scroll_cols = 0;
	t->neighbour_at = 0;
	if (tab == TAB_EVENTS)
		events__watch(t);
	t->stale = true;
}

static void push(struct tui *t, const struct place *p)
{
	if (t->place_cnt == TUI_PLACES)
		return;
	t->places[t->place_cnt++] = *p;
	t->scroll_cols = 0;
	if (p->tab == TAB_EVENTS)
		events__watch(t);
	t->stale = true;
}

static void enter_row(struct tui *t, const void *row)
{
	const struct place *here = tui__place(t);
	const struct line *l = row;
	struct place next = { .proc = here->proc, .channel = here->channel, .mech = here->mech };

	switch (here->tab) {
	case TAB_FLOWS:
		next = (struct place){ .tab = TAB_EVENTS,
				       .proc = l->src.proc,
				       .other = l->dst.proc,
				       .channel = l->channel,
				       .mech = l->mech,
				       .whole_flow = true };
		break;
	case TAB_PROCESSES:
		next.tab = TAB_CHANNELS;
		next.proc = l->src.proc;
		break;
	case TAB_CHANNELS:
		next.tab = here->proc ? TAB_EVENTS : TAB_FLOWS;
		next.channel = l->channel;
		break;
	case TAB_MECHANISMS:
		next.tab = TAB_CHANNELS;
		next.mech = l->mech;
		break;
	case TAB_WAITS:
		next.tab = TAB_CHANNELS;
		next.proc = ((const struct wait_line *)row)->proc;
		break;
	default:
		return;
	}
	if (here->tab == TAB_PROCESSES && !next.proc)
		return; /* the kernel's own: nothing below */
	push(t, &next);
}

void places__enter(struct tui *t)
{
	const void *row = list__selected(t);

	if (tui__place(t)->tab == TAB_GRAPH) {
		if (t->neighbour_at < t->neighbours.cnt && t->neighbours.v[t->neighbour_at])
			t->centre = t->neighbours.v[t->neighbour_at];
		t->neighbour_at = 0;
		t->dirty = true;
		return;
	}
	if (row)
		enter_row(t, row);
}

void places__back(struct tui *t)
{
	if (t->place_cnt == 1)
		return;
	t->place_cnt--;
	if (tui__place(t)->tab == TAB_EVENTS)
		events__watch(t);
	t->scroll_cols = 0;
	t->stale = true;
}

static const char *const tab_words[TAB_CNT] = { "flows", "processes", "channels", "mechanisms",
						"waits", "messages",  "graph" };

void places__title(const struct tui *t, struct buf *out)
{
	const struct place *p = &t->places[t->place_cnt - 1];
	const struct proc *of = p->tab == TAB_GRAPH ? t->centre : p->proc;

	buf__puts(out, tab_words[p->tab]);
	if (of) {
		buf__printf(out, p->whole_flow ? " from %u " : " of %u ", of->pid);
		buf__put(out, of->comm, strnlen(of->comm, sizeof(of->comm)));
	}
	if (p->whole_flow && p->other) {
		buf__printf(out, " to %u ", p->other->pid);
		buf__put(out, p->other->comm, strnlen(p->other->comm, sizeof(p->other->comm)));
	}
	if (p->channel)
		buf__printf(out, " over %s", channel__resolve((struct channel *)p->channel)->name);
	else if (p->mech)
		buf__printf(out, " over %s", t->opts.ctx->names->mech(p->mech));
}
