/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A place in the lane's ring (ipctrace/lane.h). bpf_ringbuf_reserve() and its submit cost as much as all else that the exit
 * of a call does; here one program alone writes, and none runs twice at a time on one CPU (running__claim()), so it
 * takes no lock.
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

/* Of this CPU. */
static __always_inline struct ipct_lane_slot *lane_ring__slot(__u32 cpu, __u64 seq)
{
	__u32 at = cpu * cfg.lane_slots + (seq & (cfg.lane_slots - 1));

	return bpf_map_lookup_elem(&lane_slots, &at);
}

/* The number of the first of cnt slots; false: full. The record's time is to be taken afterwards: lane_ring__submit(). */
static __always_inline bool lane_ring__reserve(__u32 cpu, __u32 cnt, __u64 *seq)
{
	struct ipct_lane_head *head = bpf_map_lookup_elem(&lane_heads, &cpu);
	__u64 used;

	if (UNLIKELY(!head))
		return false;
	*seq = head->reserved;
	used = *seq - head->released;
	if (UNLIKELY(used + cnt > cfg.lane_slots))
		return false;
	if (UNLIKELY(used >= cfg.lane_slots / 2) && *seq % EMIT_LOOK_EVERY < cnt)
		emit__wake();
	/*
	 * The collector takes the time, then looks at this number: whatever is reserved later has to carry a later time.
	 * Atomic for that alone, and only where it orders the clock behind it (x86).
	 */
	__sync_fetch_and_add(&head->reserved, cnt);
	return true;
}

/* x86 keeps the order of stores; others do not use this ring (src/kern/lane.c). */
static __always_inline void lane_ring__submit(struct ipct_lane_slot *slot, __u64 seq)
{
	barrier();
	*(volatile __u64 *)&slot->seq = seq + 1;
}

/* A record as it is, with the time that it gets here; false: full. size: of at most two slots, in whole words. */
static __always_inline bool lane_ring__output(struct ipct_hdr *record, const __u32 size)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct ipct_lane_slot *first, *second;
	const __u64 *word = (const __u64 *)record;
	__u64 seq;

	if (!lane_ring__reserve(cpu, 2, &seq))
		return false;
	record->ts_ns = clock__now();
	first = lane_ring__slot(cpu, seq);
	second = lane_ring__slot(cpu, seq + 1);
	if (!first || !second)
		return false;
	for (__u32 i = 0; i < size / sizeof(*word); i++) {
		if (i < IPCT_LANE_WORDS)
			first->words[i] = word[i];
		else
			second->words[i - IPCT_LANE_WORDS] = word[i];
	}
	lane_ring__submit(second, seq + 1);
	lane_ring__submit(first, seq | IPCT_LANE_WIDE);
	return true;
}

#endif
