/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the kernel's view that differs on arm64; the rest is in ../kernel.h. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned long long __ipct_u64;

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct user_pt_regs {
	__ipct_u64 regs[31];
	__ipct_u64 sp, pc, pstate;
};

struct pt_regs {
	struct {
		__ipct_u64 regs[31];
		__ipct_u64 sp, pc, pstate;
	};
	__ipct_u64 orig_x0;
	int syscallno;
};

struct thread_info {
	unsigned long flags; /* TIF_32BIT */
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#include "../kernel.h"

#endif
