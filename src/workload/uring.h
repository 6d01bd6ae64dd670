/* SPDX-License-Identifier: GPL-2.0 */
/* io_uring by its system calls alone: one request at a time, submitted and awaited. */
#ifndef WORKLOAD_URING_H
#define WORKLOAD_URING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct uring;

struct uring *uring__new(void); /* NULL with errno */
void uring__free(struct uring *u); /* NULL is fine */
/* opcode: IORING_OP_READ, WRITE, SEND or RECV. The result, or -1 with errno. */
ssize_t uring__io(struct uring *u, uint8_t opcode, int fd, const void *data, size_t bytes);

#endif
