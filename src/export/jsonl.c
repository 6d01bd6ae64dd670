/* SPDX-License-Identifier: GPL-2.0 */
/* Everything as JSON lines: the live view's messages and operations, then the processes, and the end. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

#include "export/formats.h"

struct export
{
	const struct export_opts *opts;
	struct out *out;
};

static struct export *begin(const struct export_opts *opts, struct out *out, struct buf *err)
{
	struct export *e = xalloc(sizeof(*e));
	struct json j = { .out = &out->buf };

	*e = (struct export){ opts, out };
	json__open(&j, NULL, '{');
	json__str(&j, "type", "recording");
	json__str(&j, "host", opts->names->host);
	json__str(&j, "kernel", opts->names->kernel);
	json__i64(&j, "boot_to_wall_ns", opts->boot_to_wall_ns);
	json__close(&j, '}');
	buf__putc(&out->buf, '\n');
	return e;
}

static void message(struct export *e, const struct message *m)
{
	line_view__json.message(&e->out->buf, m, e->opts->names);
	out__commit(e->out);
}

static void op(struct export *e, const struct op *op, const struct channel *ch, const struct party *task)
{
	line_view__json.op(&e->out->buf, op, ch, task, e->opts->names);
	out__commit(e->out);
}

static void lost(struct export *e, uint8_t mech, uint64_t cnt, int cpu)
{
	line_view__json.lost(&e->out->buf, mech, cnt, cpu, e->opts->names);
}

static void put_process(struct buf *out, const struct proc *p)
{
	struct json j = { .out = out };

	json__open(&j, NULL, '{');
	json__str(&j, "type", "process");
	json__u64(&j, "pid", p->pid);
	json__u64(&j, "start_ns", p->start_ns);
	json__u64(&j, "ppid", p->ppid);
	json__strn(&j, "comm", p->comm, strnlen(p->comm, sizeof(p->comm)));
	json__str(&j, "exe", p->exe);
	json__u64(&j, "uid", p->uid);
	json__u64(&j, "cgroup", p->cgroup);
	json__u64(&j, "pidns", p->pidns);
	if (p->exited) {
		json__u64(&j, "exit_ns", p->exit_ns);
		json__i64(&j, "exit_code", p->exit_code);
	}
	json__close(&j, '}');
	buf__putc(out, '\n');
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
	for (size_t i = 0; i < procs->all.cnt; i++)
		put_process(&e->out->buf, procs->all.v[i]);
	line_view__json.end(&e->out->buf, stats);
	free(e);
	return 0;
}

const struct export_format export__jsonl = {
	.name = "jsonl",
	.summary = "JSON lines: messages, operations, processes",
	.begin = begin,
	.message = message,
	.op = op,
	.lost = lost,
	.end = end,
};
