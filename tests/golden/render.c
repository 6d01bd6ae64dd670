/* SPDX-License-Identifier: GPL-2.0 */
/*
 * render VIEW FILE: feeds a text file of what happened to the model and writes what a view makes of it.
 * VIEW: line.text line.colour line.json ops.text ops.json graph.NAME; a graph view may have options behind commas:
 * bipartite, processes, fold, top=N, group=NAME, hide=WORD, slices=N.
 * The file's syntax is in README.md next to this file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/wire.h"
#include "model/model.h"
#include "model/slices.h"
#include "record.h"
#include "view/group.h"
#include "view/view.h"

static const char *mech_name(uint8_t mech)
{
	static const char *const names[IPCT_MECH_CNT] = {
#define IPCT_X(sym, num, name) [num] = name,
		IPCT_MECH_LIST(IPCT_X)
#undef IPCT_X
	};

	return mech < IPCT_MECH_CNT && names[mech] ? names[mech] : "?";
}

static const char *attach_name(uint8_t mech)
{
	return "tracepoint";
}

struct rendering {
	struct buf out;
	struct view_names names;
	const struct line_view *line; /* NULL: a graph view */
	const struct graph_view *graph;
	struct graph_opts opts;
	struct slices slices;
	bool ops;
	struct model *model;
	uint64_t now_ns;
};

static void on_message(void *ctx, const struct message *m)
{
	struct rendering *r = ctx;

	if (r->opts.slice_cnt)
		slices__add(&r->slices, m);
	if (r->line && !r->ops)
		r->line->message(&r->out, m, &r->names);
}

static void on_op(void *ctx, const struct op *op, struct channel *ch, const struct party *task)
{
	struct rendering *r = ctx;

	if (r->line && r->ops)
		r->line->op(&r->out, op, ch, task, &r->names);
}

static void feed(struct rendering *r, const struct record *rec)
{
	switch (rec->what) {
	case RECORD_TRACED:
		r->names.traced |= IPCT_MECH_BIT(rec->lost.mech);
		break;
	case RECORD_TASK:
		model__task(r->model, &rec->task);
		break;
	case RECORD_OBJECT:
		model__object(r->model, &rec->object);
		break;
	case RECORD_OP:
		model__op(r->model, &rec->op);
		break;
	case RECORD_LOST:
		model__lost(r->model, rec->ts_ns, rec->lost.mech, rec->lost.cnt);
		if (rec->lost.skipped)
			model__skipped(r->model, rec->lost.cnt);
		if (rec->lost.full)
			model__table_full(r->model, rec->lost.cnt);
		if (r->line)
			r->line->lost(&r->out, rec->lost.mech, rec->lost.cnt, rec->lost.cpu, &r->names);
		break;
	case RECORD_NOTHING:
		break;
	}
	if (rec->ts_ns > r->now_ns)
		r->now_ns = rec->ts_ns;
	if (r->now_ns)
		model__advance(r->model, r->now_ns);
}

static int add_option(struct graph_opts *o, const char *word)
{
	if (!strcmp(word, "bipartite"))
		o->shape = SHAPE_BIPARTITE;
	else if (!strcmp(word, "processes"))
		o->shape = SHAPE_PROCESSES;
	else if (!strcmp(word, "fold"))
		o->fold = true;
	else if (!strncmp(word, "top=", 4))
		o->top = strtoul(word + 4, NULL, 10);
	else if (!strncmp(word, "slices=", 7))
		o->slice_cnt = (uint32_t)strtoul(word + 7, NULL, 10);
	else if (!strncmp(word, "hide=", 5))
		o->hide = word + 5;
	else if (!strncmp(word, "group=", 6))
		return group__by_name(word + 6, &o->group);
	else
		return -EINVAL;
	return 0;
}

/* Cuts the view's word at its commas. */
static int choose_graph(struct rendering *r, char *word)
{
	char *name = strtok(word, ",");
	int ret = 0;

	r->graph = name ? graph_view__by_name(name) : NULL;
	while (!ret && (word = strtok(NULL, ",")))
		ret = add_option(&r->opts, word);
	return r->graph ? ret : -EINVAL;
}

static int choose_view(struct rendering *r, char *view)
{
	struct line_text_opts text = { .boot_to_wall_ns = 1700000000000000000,
				       .colour = !strcmp(view, "line.colour") };

	line_text__set(&text);
	r->ops = !strncmp(view, "ops.", 4);
	if (!strncmp(view, "graph.", 6))
		return choose_graph(r, view + 6);
	if (!strcmp(view, "line.json") || !strcmp(view, "ops.json"))
		r->line = &line_view__json;
	else if (!strcmp(view, "line.text") || !strcmp(view, "line.colour") || !strcmp(view, "ops.text"))
		r->line = &line_view__text;
	return r->line ? 0 : -EINVAL;
}

static int render_file(struct rendering *r, FILE *in, const char *path)
{
	char line[4096];
	struct record rec;

	for (int nr = 1; fgets(line, sizeof(line), in); nr++) {
		const char *bad = record__parse(&rec, line);

		if (bad) {
			fprintf(stderr, "%s:%d: cannot read '%s'\n", path, nr, bad);
			return -EINVAL;
		}
		feed(r, &rec);
	}
	model__finish(r->model, r->now_ns);
	if (r->line && r->line->end)
		r->line->end(&r->out, model__stats(r->model));
	if (r->graph)
		r->graph->render(&r->out, model__graph(r->model), model__procs(r->model), &r->names,
				 &r->opts);
	return 0;
}

int main(int argc, char **argv)
{
	struct rendering r = { .names = { mech_name, "host.example", "6.1.0-test", attach_name, 0 } };
	struct model_sink sink = { .ctx = &r, .message = on_message, .op = on_op };
	FILE *in;
	int err;

	if (argc != 3 || choose_view(&r, argv[1]) || !(in = fopen(argv[2], "r"))) {
		fprintf(stderr, "usage: render VIEW FILE\n");
		return 2;
	}
	r.model = model__new(NULL, &sink);
	r.opts.slices = &r.slices;
	if (r.line && r.line->header)
		r.line->header(&r.out);
	err = render_file(&r, in, argv[2]);
	fwrite(r.out.data, 1, r.out.len, stdout);
	slices__free(&r.slices);
	model__free(r.model);
	buf__free(&r.out);
	fclose(in);
	return err ? 1 : 0;
}
