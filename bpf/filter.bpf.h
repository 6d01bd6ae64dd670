/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel half may drop: operations on objects that no chosen task has. The exact filter is the
 * collector's; here it is enough to keep too much. A message has two sides, so it is objects that count: those that a
 * chosen task held at the start (seed.bpf.c), made, or touched are marked, and marked are whatever is connected to them.
 * FIFOs and datagram sockets always pass: their sender may come before a chosen task ever touches them.
 */
#ifndef BPF_FILTER_H
#define BPF_FILTER_H

#include "file.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32); /* pid */
	__type(value, __u8);
} chosen_pids SEC(".maps");

/* Addresses are reused: a stale mark lets too much through, never too little. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* address of the object, or of a socket's name */
	__type(value, __u8);
} marked_objects SEC(".maps");

static __always_inline __u64 task__cgroup(struct task_struct *task)
{
	struct css_set *css = READ(task, struct task_struct, cgroups);
	struct cgroup *cgroup = READ(css, struct css_set, dfl_cgrp);
	struct kernfs_node *kn = READ(cgroup, struct cgroup, kn);

	return READ(kn, struct kernfs_node, id);
}

static __noinline bool task__is_chosen(struct task_struct *task)
{
	__u32 pid = READ(task, struct task_struct, tgid);

	if (!cfg.filter)
		return true;
	if (bpf_map_lookup_elem(&chosen_pids, &pid))
		return true;
	if (cfg.have_uid) {
		const struct cred *cred = READ(task, struct task_struct, cred);

		if (READ(cred, struct cred, uid.val) == cfg.uid)
			return true;
	}
	return cfg.have_cgroup && task__cgroup(task) == cfg.cgroup;
}

static __always_inline void filter__mark_address(__u64 address)
{
	__u8 one = 1;

	if (address)
		bpf_map_update_elem(&marked_objects, &address, &one, BPF_ANY);
}

static __always_inline bool filter__has(__u64 address)
{
	return address && bpf_map_lookup_elem(&marked_objects, &address);
}

/* A listener and the connections to it share one struct unix_address. */
static __noinline void filter__mark(__u64 object, bool is_sock)
{
	filter__mark_address(object);
	if (!is_sock)
		return;
	filter__mark_address((__u64)READ(object, struct unix_sock, peer));
	filter__mark_address((__u64)READ(object, struct unix_sock, addr));
}

static __noinline bool filter__is_marked(__u64 object, bool is_sock)
{
	__u64 peer;

	if (filter__has(object))
		return true;
	if (!is_sock)
		return false;
	peer = (__u64)READ(object, struct unix_sock, peer);
	return filter__has(peer) || filter__has((__u64)READ(object, struct unix_sock, addr)) ||
	       (peer && filter__has((__u64)READ(peer, struct unix_sock, addr)));
}

/* Is this object of the running task to be seen? */
static __always_inline bool filter__wants(const struct object *o)
{
	if (!cfg.filter || o->mech == IPCT_MECH_TCP || o->mech == IPCT_MECH_UDP)
		return true; /* few pass: only those with both ends here */
	if (task__is_chosen(current_task())) {
		filter__mark(o->ptr, o->is_sock);
		return true;
	}
	if (o->mech != IPCT_MECH_PIPE && o->mech != IPCT_MECH_UNIX_STREAM &&
	    o->mech != IPCT_MECH_UNIX_SEQPACKET)
		return true;
	return filter__is_marked(o->ptr, o->is_sock);
}

/* --follow: what a chosen process makes is chosen, too. */
static __always_inline void filter__follow(struct task_struct *parent, struct task_struct *child)
{
	__u32 pid = READ(parent, struct task_struct, tgid), child_pid = READ(child, struct task_struct, tgid);
	__u8 one = 1;

	if (cfg.filter && cfg.follow && pid != child_pid && bpf_map_lookup_elem(&chosen_pids, &pid))
		bpf_map_update_elem(&chosen_pids, &child_pid, &one, BPF_ANY);
}

#endif
