/* SPDX-License-Identifier: GPL-2.0 */
#include "view/diff.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"
#include "base/time.h"

static void put_name(struct buf *out, const char *name)
{
	escape__terminal(out, name, strlen(name));
}

/* ---- text ---- */

static char sign(enum change change)
{
	return change == CHANGE_NEW ? '+' : change == CHANGE_GONE ? '-' : '~';
}

static void put_count_pair(struct buf *out, const char *what, uint64_t was, uint64_t is)
{
	if (was == is)
		return;
	buf__printf(out, ", %s %" PRIu64 " -> %" PRIu64, what, was, is);
}

static void put_sums(struct buf *out, const struct compare_row *row)
{
	const struct compare_sums *was = &row->side[0], *is = &row->side[1], *one = row->there[1] ? is : was;

	if (row->kind == COMPARE_PROCESS)
		return;
	if (!row->there[0] || !row->there[1]) {
		buf__printf(out, ": %" PRIu64 " message%s, ", one->messages, one->messages == 1 ? "" : "s");
		time__put_bytes(out, one->bytes);
		buf__puts(out, "B");
		return;
	}
	buf__printf(out, ": %s", change__name(row->change));
	put_count_pair(out, "messages", was->messages, is->messages);
	put_count_pair(out, "bytes", was->bytes, is->bytes);
	buf__puts(out, ", median latency ");
	time__put_duration(out, was->p50_ns);
	buf__puts(out, " -> ");
	time__put_duration(out, is->p50_ns);
}

static void text(struct buf *out, const struct compare *c, const struct view_names *names, double factor)
{
	(void)factor;
	for (size_t i = 0; i < c->rows.cnt; i++) {
		const struct compare_row *row = c->rows.v[i];

		if (row->change == CHANGE_NONE)
			continue;
		buf__printf(out, "%c %s ", sign(row->change),
			    row->kind == COMPARE_PROCESS   ? "process"
			    : row->kind == COMPARE_CHANNEL ? "channel"
							   : "flow");
		if (row->src)
			put_name(out, row->src);
		if (row->dst) {
			buf__puts(out, " -> ");
			put_name(out, row->dst);
			buf__puts(out, " over ");
		}
		if (row->channel) {
			buf__printf(out, "%s ", names->mech(row->mech));
			put_name(out, row->channel);
		}
		put_sums(out, row);
		buf__putc(out, '\n');
	}
}

/* ---- JSON ---- */

static void put_side(struct json *j, const char *key, const struct compare_row *row, int side)
{
	const struct compare_sums *s = &row->side[side];

	if (!row->there[side]) {
		json__null(j, key);
		return;
	}
	json__open(j, key, '{');
	if (row->kind == COMPARE_PROCESS) {
		json__u64(j, "processes", s->processes);
	} else {
		if (row->kind == COMPARE_CHANNEL)
			json__u64(j, "objects", s->objects);
		json__u64(j, "messages", s->messages);
		json__u64(j, "bytes", s->bytes);
	}
	if (row->kind == COMPARE_FLOW) {
		json__u64(j, "p50_ns", s->p50_ns);
		json__u64(j, "p99_ns", s->p99_ns);
	}
	json__close(j, '}');
}

static void put_row(struct json *j, const struct compare_row *row, const struct view_names *names)
{
	json__open(j, NULL, '{');
	json__str(j, "change", change__name(row->change));
	if (row->kind == COMPARE_PROCESS)
		json__str(j, "role", row->src);
	if (row->kind == COMPARE_FLOW) {
		json__str(j, "src", row->src);
		json__str(j, "dst", row->dst);
	}
	if (row->channel) {
		json__str(j, "mech", names->mech(row->mech));
		json__str(j, "channel", row->channel);
	}
	put_side(j, "old", row, 0);
	put_side(j, "new", row, 1);
	json__close(j, '}');
}

static void json(struct buf *out, const struct compare *c, const struct view_names *names, double factor)
{
	static const char *const keys[] = { "processes", "channels", "flows" };
	struct json j = { .out = out };

	json__open(&j, NULL, '{');
	json__double(&j, "factor", factor);
	json__u64(&j, "changes", c->change_cnt);
	for (int kind = COMPARE_PROCESS; kind <= COMPARE_FLOW; kind++) {
		json__open(&j, keys[kind], '[');
		for (size_t i = 0; i < c->rows.cnt; i++)
			if ((int)c->rows.v[i]->kind == kind && c->rows.v[i]->change != CHANGE_NONE)
				put_row(&j, c->rows.v[i], names);
		json__close(&j, ']');
	}
	json__close(&j, '}');
	buf__putc(out, '\n');
}

/* ---- DOT ---- */

static const char *colour(enum change change)
{
	static const char *const colours[] = {
		[CHANGE_NONE] = "gray60",    [CHANGE_NEW] = "forestgreen", [CHANGE_GONE] = "red3",
		[CHANGE_MORE] = "orange3",   [CHANGE_LESS] = "orange3",	   [CHANGE_SLOWER] = "purple3",
		[CHANGE_FASTER] = "purple3",
	};

	return colours[change];
}

static void put_quoted(struct buf *out, const char *s)
{
	buf__putc(out, '"');
	escape__dot(out, s, strlen(s));
	buf__putc(out, '"');
}

static void put_arrow(struct buf *out, const struct compare_row *row, const struct view_names *names)
{
	buf__puts(out, "\t");
	put_quoted(out, row->src);
	buf__puts(out, " -> ");
	put_quoted(out, row->dst);
	buf__printf(out, " [color=%s, fontcolor=%s, style=%s, label=\"%s ", colour(row->change),
		    colour(row->change), row->change == CHANGE_GONE ? "dashed" : "solid",
		    change__name(row->change));
	escape__dot(out, row->channel, strlen(row->channel));
	buf__printf(out, "\\n%" PRIu64 " -> %" PRIu64 " messages\", tooltip=\"%s\"];\n",
		    row->side[0].messages, row->side[1].messages, names->mech(row->mech));
}

static void dot(struct buf *out, const struct compare *c, const struct view_names *names, double factor)
{
	(void)factor;
	buf__puts(out, "digraph diff {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n"
		       "\tedge [fontname=\"sans-serif\", fontsize=10];\n");
	for (size_t i = 0; i < c->rows.cnt; i++) {
		const struct compare_row *row = c->rows.v[i];

		if (row->kind == COMPARE_FLOW) {
			put_arrow(out, row, names);
		} else if (row->kind == COMPARE_PROCESS) {
			buf__putc(out, '\t');
			put_quoted(out, row->src);
			buf__printf(out, " [color=%s, fontcolor=%s];\n", colour(row->change),
				    colour(row->change));
		}
	}
	buf__puts(out, "}\n");
}

/* ---- all ---- */

const struct diff_view *const *diff_view__all(void)
{
	static const struct diff_view views[] = {
		{ "text", "one line per difference, for people", text },
		{ "json", "for programs", json },
		{ "dot", "for Graphviz: new green, gone red, changed orange, slower or faster purple", dot },
	};
	static const struct diff_view *const all[] = { &views[0], &views[1], &views[2], NULL };

	return all;
}

const struct diff_view *diff_view__by_name(const char *name)
{
	for (const struct diff_view *const *v = diff_view__all(); *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}
