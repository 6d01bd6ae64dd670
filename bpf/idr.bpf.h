/* SPDX-License-Identifier: GPL-2.0 */
/* Identifiers to kernel objects: System V objects by id, processes by the pid that their namespace gave them. */
#ifndef BPF_IDR_H
#define BPF_IDR_H

#include "compat.bpf.h"

#define IDR_DEPTH_MAX 6

/*
 * An IDR is a radix tree of 64 slots a node; internal entries have 2 in their lowest bits (include/linux/xarray.h).
 * Not static: so the verifier looks at it once, not at each call.
 */
__noinline __u64 idr__find(__u64 idr, __u64 index)
{
	__u64 entry = WORD(idr, struct idr, idr_rt.xa_head);

	index -= READ(idr, struct idr, idr_base);
	for (int i = 0; i < IDR_DEPTH_MAX; i++) {
		__u64 slots, slot;

		if ((entry & 3) != 2 || entry <= 4096)
			break;
		entry &= ~3ull;
		slot = index >> READ(entry, struct xa_node, shift);
		if (!i && slot > 63)
			return 0;
		slots = entry + bpf_core_field_offset(struct xa_node, slots);
		entry = read_word((void *)(slots + (slot & 63) * 8));
		if ((entry & 3) != 2)
			return entry;
	}
	return entry & 3 || index ? 0 : entry; /* a lone entry 0 has no node */
}

#define IPC_IDS_MSG 1
#define IPC_IDS_SHM 2

/* 0: a task that ends has none. */
static __always_inline __u64 ipc__namespace_of(struct task_struct *task)
{
	struct nsproxy *ns = READ(task, struct task_struct, nsproxy);

	return ns ? WORD(ns, struct nsproxy, ipc_ns) : 0;
}

static __always_inline __u64 ipc__namespace(void)
{
	return ipc__namespace_of(current_task());
}

/* A namespace's struct ipc_ids for one kind of object. */
static __always_inline __u64 ipc__ids(__u64 ns, int which)
{
	return ns + bpf_core_field_offset(struct ipc_namespace, ids) +
	       which * bpf_core_type_size(struct ipc_ids);
}

/*
 * The struct kern_ipc_perm of an id, which is sequence number and index in one: 15 bits of index, or 24 under
 * ipcmni_extend; 0: none.
 */
static __always_inline __u64 ipc__find(__u64 ns, int which, __u32 id)
{
	__u64 ids = ipc__ids(ns, which) + bpf_core_field_offset(struct ipc_ids, ipcs_idr);
	__u64 perm = idr__find(ids, id & 0x7fff);

	if (perm && READ(perm, struct kern_ipc_perm, id) == id)
		return perm;
	perm = idr__find(ids, id & 0xffffff);
	return perm && READ(perm, struct kern_ipc_perm, id) == id ? perm : 0;
}

static __always_inline __u64 upid__of(__u64 pid, __u32 level)
{
	return pid + bpf_core_field_offset(struct pid, numbers) +
	       (__u64)level * bpf_core_type_size(struct upid);
}

/* A struct pid's number in the initial namespace; 0: none. */
static __always_inline __u32 pid__number(__u64 pid)
{
	return pid ? READ(upid__of(pid, 0), struct upid, nr) : 0;
}

/* The task that the running one means by nr; 0: none. */
static __always_inline __u64 task__by_nr(__u32 nr)
{
	struct pid *own = READ(current_task(), struct task_struct, thread_pid);
	__u64 upid = upid__of((__u64)own, READ(own, struct pid, level));
	__u64 ns = WORD(upid, struct upid, ns), pid, node;

	pid = idr__find(ns + bpf_core_field_offset(struct pid_namespace, idr), nr);
	if (!pid)
		return 0;
	node = WORD(pid, struct pid, tasks[0].first);
	return node ? node - bpf_core_field_offset(struct task_struct, pid_links[0]) : 0;
}

#endif
