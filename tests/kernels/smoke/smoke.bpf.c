/* SPDX-License-Identifier: GPL-2.0 */
/* One program of each kind the tracer relies on; each counts its hits by the process under test. */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "smoke.h"

struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

struct bpf_iter_meta {
	void *seq;
} __attribute__((preserve_access_index));

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096 * 64);
} ring SEC(".maps");

const volatile int target_tgid = 0;
__u64 hits[SMOKE_CNT];

static __always_inline void count(int kind)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 *record;

	/* Through CO-RE, not bpf_get_current_pid_tgid(): the relocation is part of the test. */
	if (BPF_CORE_READ(task, tgid) != target_tgid)
		return;
	__sync_fetch_and_add(&hits[kind], 1);
	record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record)
		return;
	*record = kind;
	bpf_ringbuf_submit(record, 0);
}

SEC("?fentry/vfs_write")
int BPF_PROG(on_fentry)
{
	count(SMOKE_FENTRY);
	return 0;
}

SEC("?fexit/vfs_write")
int BPF_PROG(on_fexit, void *file, const char *buf, __u64 len, void *pos, long ret)
{
	count(SMOKE_FEXIT);
	return 0;
}

SEC("?kprobe/vfs_write")
int on_kprobe(void *ctx)
{
	count(SMOKE_KPROBE);
	return 0;
}

SEC("?kretprobe/vfs_write")
int on_kretprobe(void *ctx)
{
	count(SMOKE_KRETPROBE);
	return 0;
}

SEC("?tp_btf/sys_enter")
int BPF_PROG(on_tp_btf, void *regs, long id)
{
	if (id == SMOKE_NR_WRITE)
		count(SMOKE_TP_BTF);
	return 0;
}

SEC("?iter/task")
int on_iter(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->tgid == target_tgid)
		__sync_fetch_and_add(&hits[SMOKE_ITER], 1);
	return 0;
}

char _license[] SEC("license") = "GPL";
