/* SPDX-License-Identifier: GPL-2.0 */
/* The names of the running kernel's functions. */
#ifndef SYMBOL_KERNEL_H
#define SYMBOL_KERNEL_H

#include <stdint.h>

struct kernel_symbols;

/* From /proc/kallsyms, once. NULL: it cannot be read, or hides addresses. */
struct kernel_symbols *kernel_symbols__load(void);
/* The function that has this address; NULL: none. The string lives as long as the symbols. */
const char *kernel_symbols__at(const struct kernel_symbols *k, uint64_t addr);
void kernel_symbols__free(struct kernel_symbols *k);

#endif
