/* SPDX-License-Identifier: GPL-2.0 */
/* A file with code: what is at an offset in it, from its symbols and, where it has them, its debug information. */
#ifndef SYMBOL_BINARY_H
#define SYMBOL_BINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct binary;

/* Strings are the binary's; NULL: not known. */
struct binary_place {
	const char *function;
	const char *source;
	uint32_t line; /* 0: not known */
};

/* NULL: it cannot be read, or is no ELF file of 64 bits with code in it. Debug information is looked for on this host only. */
struct binary *binary__open(const char *path);
uint64_t binary__ino(const struct binary *b); /* of the file that was opened */
/* Bytes of its build-id, *len of them; 0: it has none. */
const uint8_t *binary__build_id(const struct binary *b, size_t *len);
/* The instruction at that offset in the file. False: nothing is known. */
bool binary__at(struct binary *b, uint64_t offset, struct binary_place *out);
void binary__close(struct binary *b);

#endif
