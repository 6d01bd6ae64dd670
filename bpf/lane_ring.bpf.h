/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A place in the lane's ring (ipctrace/lane.h). bpf_ringbuf_reserve() and its submit cost as much as all else that the exit
 * of a call does; here one program alone writes, and none runs twice at a time on one CPU (lane.bpf.h), so it takes no lock.
 */
#ifndef BPF_LANE_RING_H
#define BPF_LANE_RING_H

#include "emit.bpf.h"

#include "ipctrace/lane.h"

/* The collector sets the sizes and maps them: src/kern/lane.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipct_lane_head);
} lane_heads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipct_lane_slot);
} lane_slots SEC(".maps");

/* The reader is asleep, and a ring buffer is what can wake it: with a record that is none. */
static __always_inline void lane_ring__wake(void)
{
	void *ring = emit__ring(), *none;

	none = ring ? bpf_ringbuf_reserve(ring, sizeof(__u64), 0) : NULL;
	if (none)
		bpf_ringbuf_discard(none, BPF_RB_FORCE_WAKEUP);
}

/* NULL: full. Its time is to be taken afterwards: lane_ring__submit(). */
static __always_inline struct ipct_lane_slot *lane_ring__reserve(__u64 *seq)
{
	__u32 cpu = bpf_get_smp_processor_id(), at;
	struct ipct_lane_head *head = bpf_map_lookup_elem(&lane_heads, &cpu);
	struct ipct_lane_slot *slot;
	__u64 used;

	if (!head)
		return NULL;
	*seq = head->reserved;
	used = *seq - head->released;
	if (used >= cfg.lane_slots)
		return NULL;
	if (used >= cfg.lane_slots / 2 && !(*seq % EMIT_LOOK_EVERY))
		lane_ring__wake();
	at = cpu * cfg.lane_slots + (*seq & (cfg.lane_slots - 1));
	slot = bpf_map_lookup_elem(&lane_slots, &at);
	if (!slot)
		return NULL;
	/*
	 * The collector takes the time, then looks at this number: whatever is reserved later has to carry a later time.
	 * Atomic for that alone, and only where it orders the clock behind it (x86).
	 */
	__sync_fetch_and_add(&head->reserved, 1);
	slot->ts_ns = clock__now();
	return slot;
}

/* x86 keeps the order of stores; others do not use this ring (src/kern/lane.c). */
static __always_inline void lane_ring__submit(struct ipct_lane_slot *slot, __u64 seq)
{
	barrier();
	*(volatile __u64 *)&slot->seq = seq + 1;
}

#endif
