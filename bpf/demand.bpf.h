/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What only some calls need is attached when the first of them comes (src/kern/demand.c): at tracepoints that all the host's
 * allocations and sends come by, even a program that leaves at once costs those that never need it.
 */
#ifndef BPF_DEMAND_H
#define BPF_DEMAND_H

#include "emit.bpf.h"

/* Asked for; then attached. */
volatile bool demanded[IPCT_DEMAND_CNT] = {};
volatile bool served[IPCT_DEMAND_CNT] = {};

/* Not attached from the beginning. */
static __always_inline bool demand__is_possible(enum ipct_demand what)
{
	return cfg.on_demand >> what & 1;
}

/* The kernel half does not see yet what it is for. */
static __always_inline bool demand__is_open(enum ipct_demand what)
{
	return demand__is_possible(what) && !served[what];
}

static __always_inline void demand__note(enum ipct_demand what)
{
	if (!demand__is_possible(what) || demanded[what])
		return;
	demanded[what] = true;
	emit__wake();
}

/* An operation that nothing will end: it is lost. */
static __always_inline void demand__missed(enum ipct_demand what, __u8 mech)
{
	if (!demand__is_open(what))
		return;
	demand__note(what);
	emit__count_lost(mech);
}

/* A call that moves data, whose objects are known. */
static __always_inline void demand__by_data(struct task_op *op)
{
	if (op->class == IPCT_SC_SENDMMSG && op->out.mech && !mech__is_inet(op->out.mech))
		demand__note(IPCT_DEMAND_LENGTHS);
	if (op->class == IPCT_SC_RECVMMSG && op->in.mech == IPCT_MECH_UDP)
		demand__note(IPCT_DEMAND_LENGTHS);
	if (op->class == IPCT_SC_SPLICE && op->in.mech == IPCT_MECH_UNIX_STREAM) {
		op->unseen_parts = demand__is_open(IPCT_DEMAND_SPLICES);
		demand__note(IPCT_DEMAND_SPLICES);
	}
}

#endif
