/* SPDX-License-Identifier: GPL-2.0 */
/* What counters have in common: System V semaphores, futexes and POSIX semaphores, eventfds. */
#ifndef BPF_UNIT_H
#define BPF_UNIT_H

#include "emit.bpf.h"
#include "task.bpf.h"

/*
 * Counters that the trace has met. Whoever meets one first tells what it held: the value is read before the
 * counter is noted here, and each operation looks here before it begins, so no operation that the trace shows is in it.
 */
struct met_key {
	__u64 key;
	__u64 off;
	__u32 dev;
	__u32 mech;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct met_key);
	__type(value, __u8);
} units_met SEC(".maps");

static __always_inline struct met_key unit__met_key(const struct ipct_counter *c, __u8 mech)
{
	return (struct met_key){ .key = c->key, .off = c->off, .dev = c->dev, .mech = mech };
}

static __noinline bool unit__is_met(const struct ipct_counter *c, __u8 mech)
{
	struct met_key k = unit__met_key(c, mech);

	return bpf_map_lookup_elem(&units_met, &k);
}

/* True for the first caller only. */
static __noinline bool unit__meet(const struct ipct_counter *c, __u8 mech)
{
	struct met_key k = unit__met_key(c, mech);
	__u8 one = 1;

	return bpf_map_update_elem(&units_met, &k, &one, BPF_NOEXIST) == 0;
}

static __noinline void unit__forget(const struct ipct_counter *c, __u8 mech)
{
	struct met_key k = unit__met_key(c, mech);

	bpf_map_delete_elem(&units_met, &k);
}

static __always_inline void unit__begin(struct unit_op *u)
{
	__builtin_memset(u, 0, sizeof(*u));
}

static __always_inline void sem_op__clear(struct ipct_sem_op *ev)
{
	ev->enter_ns = 0;
	ev->c = (struct ipct_counter){ 0 };
	ev->waker = (struct ipct_waker){ 0 };
	ev->commit_ns = 0;
	ev->op = 0;
	ev->value = -1;
	ev->ret = 0;
	ev->flags = 0;
}

#endif
