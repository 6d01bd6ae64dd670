/* SPDX-License-Identifier: GPL-2.0 */
/* Records about processes and threads. */
#ifndef BPF_PROCESS_H
#define BPF_PROCESS_H

#include "emit.bpf.h"
#include "scratch.bpf.h"
#include "task.bpf.h"

struct process_scratch {
	struct ipct_task ev;
	char str[IPCT_PATH_LEN + IPCT_ARGS_LEN];
	__u64 busy;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_CNT);
	__type(key, __u32);
	__type(value, struct process_scratch);
} process_scratch SEC(".maps");

static __always_inline void process__fill_namespaces(struct ipct_task *ev, struct task_struct *task)
{
	struct nsproxy *ns = READ(task, struct task_struct, nsproxy);
	struct ipc_namespace *ipc = ns ? READ(ns, struct nsproxy, ipc_ns) : NULL;
	struct pid *pid;

	ev->ipcns = ipc ? READ(ipc, struct ipc_namespace, ns.inum) : 0;
	task = READ(task, struct task_struct, group_leader);
	pid = READ(task, struct task_struct, thread_pid);
	if (pid) {
		__u32 level = READ(pid, struct pid, level);
		__u64 upid = (__u64)pid + bpf_core_field_offset(struct pid, numbers);
		struct pid_namespace *pidns;

		upid += (__u64)level * bpf_core_type_size(struct upid);
		ev->ns_pid = READ(upid, struct upid, nr);
		pidns = READ(upid, struct upid, ns);
		ev->pidns = pidns ? READ(pidns, struct pid_namespace, ns.inum) : 0;
	}
}

/* All but the strings. The record is in scratch memory; NULL: there is none, which is counted. process__output() gives it back. */
static __always_inline struct process_scratch *process__fill(struct task_struct *task, __u8 what, __u32 which)
{
	struct process_scratch *sc = SCRATCH_TAKE(process_scratch, &which);
	struct task_struct *leader, *parent;
	const struct cred *cred;
	struct kernfs_node *kn;
	struct cgroup *cgroup;
	struct css_set *css;
	struct ipct_task *ev;

	if (!sc) {
		emit__count_lost(IPCT_MECH_NONE);
		return NULL;
	}
	ev = &sc->ev;
	__builtin_memset(ev, 0, sizeof(*ev));
	leader = READ(task, struct task_struct, group_leader);
	parent = READ(leader, struct task_struct, real_parent);
	css = READ(task, struct task_struct, cgroups);
	ev->what = what;
	ev->start_ns = READ(leader, struct task_struct, start_boottime);
	ev->ppid = READ(parent, struct task_struct, tgid);
	cred = READ(task, struct task_struct, cred);
	ev->uid = READ(cred, struct cred, uid.val);
	cgroup = READ(css, struct css_set, dfl_cgrp);
	kn = READ(cgroup, struct cgroup, kn);
	ev->cgroup = READ(kn, struct kernfs_node, id);
	ev->exit_code = READ(task, struct task_struct, exit_code);
	process__fill_namespaces(ev, task);
	bpf_probe_read_kernel(ev->comm, sizeof(ev->comm),
			      (void *)((__u64)task + bpf_core_field_offset(struct task_struct, comm)));
	return sc;
}

static __always_inline void process__output(struct process_scratch *sc, struct task_struct *task,
					    __u32 str_len)
{
	__u32 size = sizeof(sc->ev) + str_len;

	if (size > sizeof(sc->ev) + sizeof(sc->str))
		return;
	emit__header(&sc->ev.h, IPCT_KIND_TASK, size, IPCT_MECH_NONE, 0);
	sc->ev.h.pid = READ(task, struct task_struct, tgid);
	sc->ev.h.tid = READ(task, struct task_struct, pid);
	emit__output(sc, size, IPCT_MECH_NONE);
	sc->busy = 0;
}

/* The command line as it lies in the (running) task's memory; returns its length. */
static __always_inline __u32 process__args(char *to, struct task_struct *task)
{
	struct mm_struct *mm = READ(task, struct task_struct, mm);
	__u64 start, len;

	if (!mm)
		return 0;
	start = READ(mm, struct mm_struct, arg_start);
	len = READ(mm, struct mm_struct, arg_end) - start;
	if (len > IPCT_ARGS_LEN - 1)
		len = IPCT_ARGS_LEN - 1;
	if (bpf_probe_read_user(to, len & (IPCT_ARGS_LEN - 1), (void *)start))
		return 0;
	return len;
}

#endif
