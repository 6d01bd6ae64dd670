/* SPDX-License-Identifier: GPL-2.0 */
/* The only code that touches a ring. */
#ifndef BPF_EMIT_H
#define BPF_EMIT_H

#include "maps.bpf.h"

/* A reader that sleeps on a timer needs no wakeup per event, which would cost ten times the event. */
#define EMIT_WAKE_BYTES (256 * 1024)

static __always_inline void emit__count_lost(__u32 mech)
{
	__u64 *cnt = bpf_map_lookup_elem(&lost, &mech);

	if (cnt)
		(*cnt)++;
}

static __always_inline void *emit__ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

static __always_inline void emit__header(struct ipct_hdr *h, __u16 kind, __u16 size, __u8 mech, __u8 op)
{
	__u64 id = bpf_get_current_pid_tgid();

	h->kind = kind;
	h->size = size;
	h->mech = mech;
	h->op = op;
	h->cpu = bpf_get_smp_processor_id();
	h->pid = id >> 32;
	h->tid = (__u32)id;
	/*
	 * Last, and after the reservation: the collector reads a ring's producer position, then knows that
	 * whatever is reserved later carries a later time (src/kern/ring.c).
	 */
	h->ts_ns = bpf_ktime_get_boot_ns();
}

/* A record of constant size, its header filled; NULL: no room, counted as lost. End with emit__submit(). */
static __always_inline void *emit__reserve(__u16 kind, const __u32 size, __u8 mech, __u8 op)
{
	void *ring = emit__ring();
	struct ipct_hdr *h;

	if (!ring)
		return NULL;
	h = bpf_ringbuf_reserve(ring, size, 0);
	if (!h) {
		emit__count_lost(mech);
		return NULL;
	}
	emit__header(h, kind, size, mech, op);
	return h;
}

static __always_inline void emit__submit(void *record)
{
	void *ring = emit__ring();
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (ring && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) > EMIT_WAKE_BYTES)
		flags = 0; /* wakes the reader when it sleeps, else does nothing */
	bpf_ringbuf_submit(record, flags);
}

/* A record of any size from scratch memory whose header has been filled by emit__header(). */
static __always_inline void emit__output(void *record, __u32 size, __u8 mech)
{
	void *ring = emit__ring();

	if (ring && bpf_ringbuf_output(ring, record, size, BPF_RB_NO_WAKEUP))
		emit__count_lost(mech);
}

#endif
