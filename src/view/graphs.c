/* SPDX-License-Identifier: GPL-2.0 */
#include "view/graphs.h"

#include <string.h>

#include "event/wire.h"
#include "view/label.h"

/* clang-format off */
static const struct graph_view *const views[] = {
	&graph_view__text,
	&graph_view__html,
	&graph_view__svg,
	&graph_view__png,
	&graph_view__dot,
	&graph_view__mermaid,
	&graph_view__json,
	&graph_view__graphml,
	&graph_view__gexf,
	&graph_view__cytoscape,
	NULL,
};
/* clang-format on */

const struct graph_view *const *graph_view__all(void)
{
	return views;
}

const struct graph_view *graph_view__by_name(const char *name)
{
	for (size_t i = 0; views[i]; i++) {
		if (!strcmp(views[i]->name, name))
			return views[i];
	}
	return NULL;
}

void graphs__put_losses(struct buf *out, const struct graph *g, const struct view_names *names)
{
	bool any = false;

	for (unsigned int m = 0; m < IPCT_MECH_CNT; m++) {
		if (!g->lost[m])
			continue;
		buf__puts(out, any ? ", " : "lost ");
		label__count(out, g->lost[m], "event");
		buf__printf(out, " of %s",
			    m != IPCT_MECH_NONE		  ? names->mech(m)
			    : g->skipped || g->table_full ? "processes or any mechanism"
							  : "processes");
		any = true;
	}
	if (g->skipped) {
		buf__puts(out, " (");
		label__count(out, g->skipped, "time");
		buf__puts(out, " the kernel did not run a program that was busy)");
	}
	if (g->table_full) {
		buf__puts(out, " (");
		label__count(out, g->table_full, "time");
		buf__puts(out, " a table of calls or messages under way was full)");
	}
	buf__puts(out, any ? ": the graph may be incomplete" : "nothing lost");
}

static void put_part(struct buf *out, bool *any, uint64_t cnt, const char *noun, const char *what)
{
	if (!cnt)
		return;
	if (*any)
		buf__puts(out, "; ");
	label__count(out, cnt, noun);
	buf__printf(out, " %s", what);
	*any = true;
}

static void put_procs(struct buf *out, bool *any, const char *what, struct proc *const *v, size_t cnt)
{
	if (!cnt)
		return;
	if (*any)
		buf__puts(out, "; ");
	*any = true;
	buf__puts(out, what);
	for (size_t i = 0; i < cnt; i++) {
		buf__puts(out, i ? ", " : " ");
		label__proc(out, v[i]);
	}
}

void graphs__put_remark(struct buf *out, const struct channel *ch)
{
	bool any = false;

	put_part(out, &any, ch->unattributed_bytes, "byte", "from before the trace or of unknown origin");
	if (!ch->unattributed_bytes)
		put_part(out, &any, ch->unattributed_messages, "message", "of unknown origin");
	put_part(out, &any, ch->unread_bytes, "byte", "sent and not taken");
	put_part(out, &any, ch->discarded_bytes, "byte", "cut off messages and thrown away");
	put_part(out, &any, ch->lost, "lost event", "may have touched it");
	if (ch->memory.left_behind) {
		put_part(out, &any, ch->memory.size_bytes, "byte", "left behind by process ");
		buf__printf(out, "%u, which has ended; nobody is attached", ch->memory.creator_pid);
	}
	put_procs(out, &any, "held by", ch->holders.v, ch->holders.cnt);
	put_procs(out, &any, "waited for by", ch->waiters.v, ch->waiters.cnt);
}
