/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SMOKE_H
#define SMOKE_H

enum smoke_kind {
	SMOKE_FENTRY,
	SMOKE_FEXIT,
	SMOKE_KPROBE,
	SMOKE_KRETPROBE,
	SMOKE_TP_BTF,
	SMOKE_ITER,
	SMOKE_CNT,
};

#if defined(__TARGET_ARCH_x86) || defined(__x86_64__)
#define SMOKE_NR_WRITE 1
#else
#define SMOKE_NR_WRITE 64
#endif

#endif
