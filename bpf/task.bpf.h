/* SPDX-License-Identifier: GPL-2.0 */
/* Where what a thread is in the middle of is kept from sys_enter to sys_exit: one record per thread. */
#ifndef BPF_TASK_H
#define BPF_TASK_H

#include "running.bpf.h"

/* Needs task storage (5.12, for tracing programs: 4cf1bc1f1045 + a10787e6d58c); the collector turns it into a hash by tid below. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_op);
} task_ops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct task_op);
} task_ops_by_tid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct task_op);
} task_op_zero SEC(".maps");

/* The running thread's record; NULL where it has none (and none can be made). */
static __always_inline struct task_op *task_op__stored(bool create)
{
	__u32 tid, zero = 0;
	struct task_op *op;

	if (cfg.has_task_storage)
		return bpf_task_storage_get(&task_ops, bpf_get_current_task_btf(), 0,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	tid = (__u32)bpf_get_current_pid_tgid();
	op = bpf_map_lookup_elem(&task_ops_by_tid, &tid);
	if (op || !create)
		return op;
	op = bpf_map_lookup_elem(&task_op_zero, &zero);
	if (op)
		bpf_map_update_elem(&task_ops_by_tid, &tid, op, BPF_ANY);
	return bpf_map_lookup_elem(&task_ops_by_tid, &tid);
}

/* What the running thread is in the middle of, wherever that is kept. */
static __always_inline struct task_op *task_op__current(bool create)
{
	struct running *r = cfg.has_running ? running__here() : NULL;

	if (r && r->entered == ENTERED_HERE && running__is_current(r))
		return &r->op;
	return task_op__stored(create);
}

/* The record of another thread, in a program whose argument it is. */
static __always_inline struct task_op *task_op__of(struct task_struct *task)
{
	__u32 tid;

	if (cfg.has_task_storage)
		return bpf_task_storage_get(&task_ops, task, 0, 0);
	tid = READ(task, struct task_struct, pid);
	return bpf_map_lookup_elem(&task_ops_by_tid, &tid);
}

static __always_inline bool task__is_tracer(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	return pid == cfg.self_pid || (cfg.extra_self && pid == cfg.extra_self);
}

/* The same of a task that is at hand. */
static __always_inline bool task__is_self(struct task_struct *task)
{
	__u32 pid = READ(task, struct task_struct, tgid);

	return pid == cfg.self_pid || (cfg.extra_self && pid == cfg.extra_self);
}

static __always_inline bool class__is_vectored(__u8 class)
{
	return class == IPCT_SC_READV || class == IPCT_SC_WRITEV || class == IPCT_SC_SENDMSG ||
	       class == IPCT_SC_RECVMSG;
}

static __always_inline bool class__is_pages(__u8 class)
{
	return class == IPCT_SC_TEE || class == IPCT_SC_SPLICE || class == IPCT_SC_VMSPLICE ||
	       class == IPCT_SC_SENDFILE;
}

/* Contents and stacks are told by themselves, and find their call by the time of its entry. */
static __always_inline bool captures_anything(void)
{
	return cfg.payload_bytes || cfg.user_stacks || cfg.kernel_stacks;
}

static __always_inline bool wanted(__u8 mech)
{
	return cfg.mechs & IPCT_MECH_BIT(mech);
}

#endif
