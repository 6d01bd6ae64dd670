/* SPDX-License-Identifier: GPL-2.0 */
/* The graph for terminals: totals by mechanism, then each process with what goes out of it, then what is
 * doubtful. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/time.h"
#include "event/wire.h"
#include "view/graphs.h"
#include "view/group.h"
#include "view/label.h"
#include "view/sorted.h"

#define BRANCH "\xe2\x94\x9c\xe2\x94\x80" /* ├─ */
#define LAST "\xe2\x94\x94\xe2\x94\x80" /* └─ */
#define COLS_LABEL 30
#define COLS_CHANNEL 40
#define COLS_NUMBER 9

static void put_number(struct buf *out, uint64_t v, void (*put)(struct buf *out, uint64_t v))
{
	size_t from = out->len;

	put(out, v);
	label__right(out, from, COLS_NUMBER + 1);
}

static void put_dash(struct buf *out)
{
	buf__printf(out, "%*s", COLS_NUMBER + 1, "-");
}

/* ---- totals ---- */

struct total {
	uint64_t channels, flows, messages, bytes;
};

static void put_totals(struct buf *out, const struct sorted *s, const struct graph *g,
		       const struct view_names *names)
{
	struct total totals[IPCT_MECH_CNT] = { 0 };

	for (size_t i = 0; i < s->channels.cnt; i++)
		totals[s->channels.v[i]->mech % IPCT_MECH_CNT].channels++;
	for (size_t i = 0; i < s->flows.cnt; i++) {
		struct total *t = &totals[s->flows.v[i]->channel->mech % IPCT_MECH_CNT];

		t->flows++;
		t->messages += s->flows.v[i]->messages;
		t->bytes += s->flows.v[i]->bytes;
	}
	buf__printf(out, "%-14s %*s %*s %*s %*s %*s\n", "MECHANISM", COLS_NUMBER, "CHANNELS", COLS_NUMBER,
		    "FLOWS", COLS_NUMBER, "MESSAGES", COLS_NUMBER, "BYTES", COLS_NUMBER, "LOST");
	for (unsigned int m = 1; m < IPCT_MECH_CNT; m++) {
		if (!totals[m].channels && !g->lost[m])
			continue;
		buf__printf(out, "%-14s", names->mech(m));
		put_number(out, totals[m].channels, buf__u64);
		put_number(out, totals[m].flows, buf__u64);
		put_number(out, totals[m].messages, buf__u64);
		put_number(out, totals[m].bytes, label__bytes);
		put_number(out, g->lost[m], buf__u64);
		buf__putc(out, '\n');
	}
	buf__putc(out, '\n');
}

/* ---- one process ---- */

static void put_branch(struct buf *out, bool last, const char *arrow)
{
	buf__puts(out, last ? LAST : BRANCH);
	buf__puts(out, arrow);
	buf__putc(out, ' ');
}

/* A branch's text padded to the channel's column, then the channel. */
static void put_channel_at(struct buf *out, size_t from, const struct sorted *s, const struct channel *ch)
{
	uint32_t members = fold__channels(&s->fold, ch);

	label__cut(out, from, COLS_LABEL);
	label__pad(out, from, COLS_LABEL);
	buf__puts(out, "  ");
	from = out->len;
	if (members > 1)
		buf__printf(out, "%" PRIu32 " \xc3\x97 ", members);
	escape__terminal(out, ch->name, strlen(ch->name));
	label__cut(out, from, COLS_CHANNEL);
	label__pad(out, from, COLS_CHANNEL);
}

static void put_flow_notes(struct buf *out, const struct flow *f)
{
	if (f->wait_ns >= LABEL_WAIT_NS) {
		buf__puts(out, "  waited ");
		time__put_duration(out, f->wait_ns);
	}
	if (f->attr != ATTR_EXACT)
		buf__printf(out, "  %s %s", label__attr_mark(f->attr), attr__name(f->attr));
	for (size_t i = 0; i < f->candidates.cnt; i++) {
		buf__puts(out, i ? ", " : ": ");
		label__proc(out, f->candidates.v[i]);
	}
}

/* "1234 nginx", or with how many of them it stands for. */
static void put_name(struct buf *out, const struct sorted *s, const struct proc *p)
{
	uint32_t members = fold__members(&s->fold, p);

	label__proc(out, p);
	if (members > 1)
		buf__printf(out, " \xc3\x97 %" PRIu32, members);
}

static void put_flow(struct buf *out, const struct sorted *s, const struct flow *f, bool last)
{
	size_t from = out->len;

	put_branch(out, last, ">");
	if (f->dst)
		put_name(out, s, f->dst);
	else
		label__origin(out, f->origin);
	put_channel_at(out, from, s, f->channel);
	put_number(out, f->messages, buf__u64);
	put_number(out, f->bytes, label__bytes);
	if (f->latency.cnt) {
		put_number(out, hist__percentile(&f->latency, 50), time__put_duration);
		put_number(out, hist__percentile(&f->latency, 99), time__put_duration);
	} else {
		put_dash(out);
		put_dash(out);
	}
	put_flow_notes(out, f);
	buf__putc(out, '\n');
}

static void put_share(struct buf *out, const struct sorted *s, const struct share *sh, const struct proc *p,
		      bool last)
{
	const struct proc *other = sh->a == p ? sh->b : sh->a;
	size_t from = out->len;

	put_branch(out, last, "\xe2\x94\x80");
	put_name(out, s, other);
	put_channel_at(out, from, s, sh->channel);
	buf__printf(out, "  shared memory (%s, other side %s)\n", sh->a == p ? sh->a_mode : sh->b_mode,
		    sh->a == p ? sh->b_mode : sh->a_mode);
}

static void put_end(struct buf *out, const struct sorted *s, const struct end *e, bool last)
{
	size_t from = out->len;

	put_branch(out, last, "\xe2\x94\x80");
	buf__puts(out, e->role);
	put_channel_at(out, from, s, e->channel);
	put_number(out, e->messages, buf__u64);
	put_number(out, e->bytes, label__bytes);
	put_dash(out);
	put_dash(out);
	if (e->errors) {
		buf__puts(out, "  ");
		label__count(out, e->errors, "error");
	}
	buf__puts(out, "  no counterpart\n");
}

/* By proc.id, what a process has; so that printing knows which branch is the last one. */
struct census {
	uint32_t shares, ends, incoming;
};

static void take_census(struct census *c, const struct sorted *s)
{
	for (size_t i = 0; i < s->flows.cnt; i++) {
		if (s->flows.v[i]->dst)
			c[s->flows.v[i]->dst->id].incoming++;
	}
	for (size_t i = 0; i < s->shares.cnt; i++) {
		c[s->shares.v[i]->a->id].shares++;
		c[s->shares.v[i]->b->id].shares++;
	}
	for (size_t i = 0; i < s->ends.cnt; i++)
		c[s->ends.v[i]->proc->id].ends++;
}

static void put_shares(struct buf *out, const struct sorted *s, const struct proc *p, size_t left)
{
	for (size_t i = 0; left && i < s->shares.cnt; i++) {
		if (s->shares.v[i]->a == p || s->shares.v[i]->b == p)
			put_share(out, s, s->shares.v[i], p, !--left);
	}
}

static void put_ends(struct buf *out, const struct sorted *s, const struct proc *p, size_t left)
{
	for (size_t i = 0; left && i < s->ends.cnt; i++) {
		if (s->ends.v[i]->proc == p)
			put_end(out, s, s->ends.v[i], !--left);
	}
}

static void put_proc(struct buf *out, const struct sorted *s, const struct proc *p, const struct census *c)
{
	size_t begin, end;

	put_name(out, s, p);
	if (p->exe && p->exe[0]) {
		buf__puts(out, "  ");
		escape__terminal(out, p->exe, strlen(p->exe));
	}
	if (p->exited)
		buf__puts(out, "  (ended)");
	buf__putc(out, '\n');
	sorted__flows_from(s, p, &begin, &end);
	for (size_t i = begin; i < end; i++)
		put_flow(out, s, s->flows.v[i], i + 1 == end && !c->shares);
	put_shares(out, s, p, c->shares);
	if (begin == end && !c->shares && c->incoming)
		buf__puts(out, LAST " only receives\n");
	else if (begin == end && !c->shares)
		put_ends(out, s, p, c->ends);
}

static bool same_origin(const struct flow *a, const struct flow *b)
{
	return a->origin && b->origin ? !strcmp(a->origin, b->origin) : a->origin == b->origin;
}

/* The flows that no process sent, one group per origin. */
static void put_kernel(struct buf *out, const struct sorted *s)
{
	size_t begin, end;

	sorted__flows_from(s, NULL, &begin, &end);
	for (size_t i = begin; i < end; i++) {
		const struct flow *f = s->flows.v[i];
		bool last = i + 1 == end || !same_origin(s->flows.v[i + 1], f);

		if (i == begin || !same_origin(s->flows.v[i - 1], f)) {
			if (f->origin)
				label__origin(out, f->origin);
			else
				buf__puts(out, "sender not known");
			buf__putc(out, '\n');
		}
		put_flow(out, s, f, last);
	}
}

/* The processes of one group (NULL: all, without a heading). */
static void put_group(struct buf *out, const struct sorted *s, const struct census *census, const char *group,
		      const char *const *group_of)
{
	if (group) {
		buf__puts(out, "\n== ");
		escape__terminal(out, group, strlen(group));
		buf__puts(out, " ==\n");
	}
	for (size_t i = 0; i < s->procs.cnt; i++) {
		const struct proc *p = s->procs.v[i];

		if (s->takes_part[p->id] && (!group || group_of[i] == group))
			put_proc(out, s, p, &census[p->id]);
	}
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void put_groups(struct buf *out, const struct sorted *s, const struct census *census,
		       const struct view_names *names)
{
	struct strtab texts = { 0 };
	struct buf name = { 0 };
	VEC(const char *) of = { 0 }, sorted = { 0 };

	for (size_t i = 0; i < s->procs.cnt; i++) {
		buf__reset(&name);
		group__put(&name, s->opts->group, s->procs.v[i], names);
		vec__push(&of, strtab__intern(&texts, name.data, name.len));
		if (s->takes_part[s->procs.v[i]->id])
			vec__push(&sorted, of.v[i]);
	}
	if (sorted.cnt)
		qsort(sorted.v, sorted.cnt, sizeof(*sorted.v), by_text);
	for (size_t i = 0; i < sorted.cnt; i++)
		if (!i || sorted.v[i] != sorted.v[i - 1])
			put_group(out, s, census, sorted.v[i], of.v);
	vec__free(&of);
	vec__free(&sorted);
	buf__free(&name);
	strtab__free(&texts);
}

static void put_processes(struct buf *out, const struct sorted *s, const struct proc_table *procs,
			  const struct view_names *names)
{
	VEC(struct census) census = { 0 };

	for (size_t i = 0; i < procs->all.cnt; i++)
		vec__push(&census, (struct census){ 0 });
	take_census(census.v, s);
	buf__printf(out, "%-*s  %-*s %*s %*s %*s %*s\n", COLS_LABEL, "PROCESS", COLS_CHANNEL, "CHANNEL",
		    COLS_NUMBER, "MESSAGES", COLS_NUMBER, "BYTES", COLS_NUMBER, "P50", COLS_NUMBER, "P99");
	put_kernel(out, s);
	if (s->opts->group)
		put_groups(out, s, census.v, names);
	else
		put_group(out, s, census.v, NULL, NULL);
	vec__free(&census);
}

/* ---- the whole ---- */

static void put_remarks(struct buf *out, const struct sorted *s)
{
	bool any = false;

	for (size_t i = 0; i < s->channels.cnt; i++) {
		const struct channel *ch = s->channels.v[i];

		if (!sorted__has_remark(ch))
			continue;
		if (!any)
			buf__puts(out, "\nREMARKS\n");
		any = true;
		escape__terminal(out, ch->name, strlen(ch->name));
		buf__puts(out, ": ");
		graphs__put_remark(out, ch);
		buf__putc(out, '\n');
	}
}

static void put_title(struct buf *out, const struct sorted *s, const struct graph *g,
		      const struct view_names *names)
{
	size_t taking_part = 0;

	for (size_t i = 0; i < s->procs.cnt; i++)
		taking_part += s->takes_part[s->procs.v[i]->id];
	label__count(out, taking_part, "process");
	buf__puts(out, ", ");
	label__count(out, s->channels.cnt, "channel");
	buf__puts(out, ", ");
	label__count(out, s->flows.cnt, "flow");
	if (g->end_ns > g->start_ns) {
		buf__puts(out, " in ");
		time__put_duration(out, g->end_ns - g->start_ns);
	}
	label__host(out, names->host, names->kernel);
	buf__puts(out, "\n\n");
}

static void put_left_out(struct buf *out, const struct sorted *s)
{
	size_t before = out->len;

	sorted__put_left_out(out, s);
	if (out->len > before)
		buf__putc(out, '\n');
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	struct sorted s;

	sorted__init(&s, g, procs, names, opts);
	put_title(out, &s, g, names);
	if (s.channels.cnt) {
		put_totals(out, &s, g, names);
		put_processes(out, &s, procs, names);
		put_remarks(out, &s);
		buf__putc(out, '\n');
	}
	graphs__put_losses(out, g, names);
	buf__putc(out, '\n');
	put_left_out(out, &s);
	sorted__free(&s);
}

const struct graph_view graph_view__text = {
	.name = "text",
	.summary = "who sends what to whom, as a tree for terminals",
	.render = render,
};
