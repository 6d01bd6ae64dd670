/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for records that are too large for the stack: in a map per CPU with SCRATCH_CNT elements, 0 for programs, 1 for iterators,
 * and from 2 on for programs that run while others are preempted in the middle of theirs. Its struct has a field `busy`.
 */
#ifndef BPF_SCRATCH_H
#define BPF_SCRATCH_H

#include "maps.bpf.h"

#define SCRATCH_CNT 4

/* Element *which of the map, or another that nobody uses; then *which says so. NULL: there is none. busy = 0 gives it back. */
#define SCRATCH_TAKE(map, which)                                                                \
	({                                                                                      \
		typeof((map).value) ___sc = bpf_map_lookup_elem(&(map), which);                 \
		bool ___others = cfg.preempted && !*(which);                                    \
		for (__u32 ___i = 2; ___others && ___sc && ___sc->busy; ___i++) {               \
			*(which) = ___i;                                                        \
			___sc = ___i < SCRATCH_CNT ? bpf_map_lookup_elem(&(map), which) : NULL; \
		}                                                                               \
		if (___sc)                                                                      \
			___sc->busy = 1;                                                        \
		___sc;                                                                          \
	})

#endif
