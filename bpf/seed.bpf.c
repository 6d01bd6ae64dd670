// SPDX-License-Identifier: GPL-2.0
/* What existed before the trace: iterators over tasks and their files, run once after the probes are active. */
#include "filter.bpf.h"
#include "object.bpf.h"
#include "process.bpf.h"

/* Output makes read() return every few hundred objects, so that the collector can empty the rings in between. */
static __always_inline void seed__print(struct bpf_iter_meta *meta)
{
	static const char line[16] = "...............";

	bpf_seq_write(meta->seq, line, sizeof(line));
}

SEC("?iter/task")
int seed__tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct process_scratch *sc;

	if (!task)
		return 0;
	sc = process__fill(task, IPCT_TASK_SCAN, 1);
	if (sc)
		process__output(sc, task, 0);
	seed__print(ctx->meta);
	return 0;
}

SEC("?iter/task_file")
int seed__files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct object o = {};

	if (!file || !task)
		return 0;
	if (!object__from_file(&o, (__u64)file) && !mq__from_file(&o, (__u64)file))
		return 0;
	if (cfg.filter && task__is_chosen(task))
		filter__mark(o.ptr, o.is_sock);
	object__emit_for(&o, ctx->fd, IPCT_OBJECT_SCAN, 1, READ(task, struct task_struct, tgid));
	seed__print(ctx->meta);
	return 0;
}
