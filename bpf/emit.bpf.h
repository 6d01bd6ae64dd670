/* SPDX-License-Identifier: GPL-2.0 */
/* The only code that touches a ring. */
#ifndef BPF_EMIT_H
#define BPF_EMIT_H

#include "running.bpf.h"

/*
 * The reader sleeps on a timer; to be woken for each record would cost ten times the record. It is woken when a ring is half
 * full, which is looked at now and then.
 */
#define EMIT_LOOK_EVERY 1024 /* records of one CPU */

static __always_inline void emit__count_lost_by(__u32 mech, __u64 by)
{
	__u64 *cnt = bpf_map_lookup_elem(&lost, &mech);

	if (cnt)
		*cnt += by;
}

static __always_inline void emit__count_lost(__u32 mech)
{
	emit__count_lost_by(mech, 1);
}

/* A table has no room for what will be needed. */
static __always_inline void emit__count_full(__u32 mech)
{
	emit__count_lost_by(LOST_TABLES + mech, 1);
}

static __always_inline void *emit__ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/* The reader is asleep, and a ring is what can wake it: with a record that is none. */
static __always_inline void emit__wake(void)
{
	void *ring = emit__ring(), *none;

	none = ring ? bpf_ringbuf_reserve(ring, sizeof(__u64), 0) : NULL;
	if (none)
		bpf_ringbuf_discard(none, BPF_RB_FORCE_WAKEUP);
}

/* All but its time. */
static __always_inline void emit__name(struct ipct_hdr *h, __u16 kind, __u16 size, __u8 mech, __u8 op)
{
	struct running *r = cfg.has_running ? running__here() : NULL;

	h->kind = kind;
	h->size = size;
	h->mech = mech;
	h->op = op;
	h->cpu = bpf_get_smp_processor_id();
	/* A switch that sched_switch's program missed must not give a record another thread's name. */
	if (cfg.has_running && r && running__is_current(r)) {
		__u64 ids = READ_TWO(r->task, struct task_struct, pid, tgid);

		h->pid = ids >> 32;
		h->tid = ids;
	} else {
		__u64 id = bpf_get_current_pid_tgid();

		h->pid = id >> 32;
		h->tid = (__u32)id;
	}
}

static __always_inline void emit__header(struct ipct_hdr *h, __u16 kind, __u16 size, __u8 mech, __u8 op)
{
	emit__name(h, kind, size, mech, op);
	/*
	 * Last, and after the reservation: the collector reads a ring's producer position, then knows that
	 * whatever is reserved later carries a later time (src/kern/ring.c).
	 */
	h->ts_ns = clock__now();
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
	struct running *r = running__here();
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (r && !(++r->emitted % EMIT_LOOK_EVERY)) {
		void *ring = emit__ring();

		if (ring && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >
				    bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 2)
			flags = BPF_RB_FORCE_WAKEUP; /* 0 would wake a reader that has read all, and no other */
	}
	bpf_ringbuf_submit(record, flags);
}

/* A record of any size from scratch memory whose header has been filled by emit__header(). False: lost, and counted. */
static __always_inline bool emit__try_output(void *record, __u32 size, __u8 mech)
{
	void *ring = emit__ring();

	if (!ring)
		return false;
	if (!bpf_ringbuf_output(ring, record, size, BPF_RB_NO_WAKEUP))
		return true;
	emit__count_lost(mech);
	return false;
}

static __always_inline void emit__output(void *record, __u32 size, __u8 mech)
{
	emit__try_output(record, size, mech);
}

#endif
