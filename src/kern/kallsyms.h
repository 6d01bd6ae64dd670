/* SPDX-License-Identifier: GPL-2.0 */
/* Where the kernel's functions lie. */
#ifndef KERN_KALLSYMS_H
#define KERN_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

struct ksym {
	const char *name; /* of a function in the kernel itself, not in a module */
	uint64_t address; /* out; 0: not there, or /proc/kallsyms may not be read */
	uint32_t bytes; /* out: up to the next symbol */
};

/* Fills address and bytes of cnt symbols. Returns 0, or -errno when the list cannot be read. */
int kallsyms__find(struct ksym *syms, size_t cnt);

#endif
