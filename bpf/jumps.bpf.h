/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BPF_JUMPS_H
#define BPF_JUMPS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

/* For bpf_tail_call(), to one program. The kernel wants all that use such a map to be of one type: so each has its own. */
#define JUMPS(name)                                    \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, 1);                \
		__type(key, __u32);                    \
		__type(value, __u32);                  \
	} name SEC(".maps")

#endif
