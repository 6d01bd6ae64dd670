/* SPDX-License-Identifier: GPL-2.0 */
/* Call stacks with how often they made an operation, for programs that draw flame graphs. */
#include <stdlib.h>

#include "base/log.h"
#include "view/report_stacks.h"

#include "export/formats.h"

struct export
{
	const struct export_opts *opts;
	struct out *out;
	struct report_stacks *stacks;
};

static struct export *begin(const struct export_opts *opts, struct out *out, struct buf *err)
{
	struct export *e = xalloc(sizeof(*e));

	*e = (struct export){ opts, out, report_stacks__new() };
	return e;
}

static void op(struct export *e, const struct op *op, const struct channel *ch, const struct party *task)
{
	report_stacks__add(e->stacks, op, ch, task);
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
	report_stacks__folded(e->stacks, &e->out->buf, e->opts->names);
	out__commit(e->out);
	report_stacks__free(e->stacks);
	free(e);
	return 0;
}

const struct export_format export__folded = {
	.name = "folded",
	.summary = "call stacks and counts, for flame graphs (of recordings with --stacks)",
	.begin = begin,
	.op = op,
	.end = end,
};
