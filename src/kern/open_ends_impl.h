/* SPDX-License-Identifier: GPL-2.0 */
/* The inside of the scan for open ends: for open_ends.c, open_memory.c and open_kept.c only. */
#ifndef KERN_OPEN_ENDS_IMPL_H
#define KERN_OPEN_ENDS_IMPL_H

#include <sys/stat.h>

#include "kern/open_ends.h"
#include "kern/sock_table.h"

struct open_scan {
	struct open_ends *ends;
	struct sock_table sockets;
	VEC(struct open_end)
	files; /* mapped ordinary files: memory between processes where somebody may write */
};

/* fmt: has one %s, for text. The result lives as long as the ends. */
const char *open_scan__intern(struct open_scan *s, const char *fmt, const char *text);
uint64_t open_scan__id(uint8_t mech, uint64_t inode, uint64_t device);
void open_scan__push(struct open_scan *s, const struct open_end *end);

/* open_memory.c */
bool open_scan__take_memory(struct open_scan *s, struct open_end *end, const char *link,
			    const struct stat *st); /* a descriptor; false: it is no memory */
void open_scan__memory(struct open_scan *s, uint32_t pid); /* what pid has mapped */
void open_scan__files(struct open_scan *s); /* of s->files those that count; after all processes */

/* open_kept.c: what the kernel lists by itself */
void open_scan__queues(struct open_scan *s);
void open_scan__semaphores(struct open_scan *s);
void open_scan__locks(struct open_scan *s);

#endif
