/* SPDX-License-Identifier: GPL-2.0 */
/* What an ELF file says about its functions. */
#ifndef SYMBOL_SYMBOL_H
#define SYMBOL_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Places in the file at path where a function called name begins, each once: versions of a symbol (sem_post@GLIBC_2.2.5,
 * sem_post@@GLIBC_2.34) are often several. Returns how many (at most cap are stored), 0: it has none, or it is not of
 * 64 bits; -errno: it cannot be read.
 */
int symbol__offsets(const char *path, const char *name, uint64_t *offsets, size_t cap);

#endif
