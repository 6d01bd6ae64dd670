/* SPDX-License-Identifier: GPL-2.0 */
#include "workload/uring.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4

struct uring {
	int fd;
	struct io_uring_params params;
	unsigned char *rings; /* submission and completion in one mapping (IORING_FEAT_SINGLE_MMAP) */
	size_t rings_bytes;
	struct io_uring_sqe *sqes;
};

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static int map_rings(struct uring *u)
{
	const struct io_uring_params *p = &u->params;

	if (!(p->features & IORING_FEAT_SINGLE_MMAP)) {
		errno = ENOSYS;
		return -1;
	}
	u->rings_bytes = larger(p->sq_off.array + p->sq_entries * sizeof(uint32_t),
				p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe));
	u->rings = mmap(NULL, u->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd,
			IORING_OFF_SQ_RING);
	if (u->rings == MAP_FAILED)
		return -1;
	u->sqes = mmap(NULL, p->sq_entries * sizeof(*u->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQES);
	return u->sqes == MAP_FAILED ? -1 : 0;
}

struct uring *uring__new(void)
{
	struct uring *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->rings = MAP_FAILED;
	u->sqes = MAP_FAILED;
	u->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &u->params);
	if (u->fd >= 0 && !map_rings(u))
		return u;
	uring__free(u);
	return NULL;
}

void uring__free(struct uring *u)
{
	int saved = errno;

	if (!u)
		return;
	if (u->sqes != MAP_FAILED)
		munmap(u->sqes, u->params.sq_entries * sizeof(*u->sqes));
	if (u->rings != MAP_FAILED)
		munmap(u->rings, u->rings_bytes);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
	errno = saved;
}

static _Atomic uint32_t *word(struct uring *u, uint32_t offset)
{
	return (_Atomic uint32_t *)(u->rings + offset);
}

static void put_request(struct uring *u, uint8_t opcode, int fd, const void *data, size_t bytes)
{
	const struct io_sqring_offsets *off = &u->params.sq_off;
	uint32_t tail = atomic_load(word(u, off->tail));
	uint32_t slot = tail & *word(u, off->ring_mask);
	struct io_uring_sqe *sqe = &u->sqes[slot];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)data;
	sqe->len = (uint32_t)bytes;
	if (opcode == IORING_OP_READ || opcode == IORING_OP_WRITE)
		sqe->off = UINT64_MAX; /* no position: a stream */
	atomic_store(word(u, off->array + slot * sizeof(uint32_t)), slot);
	atomic_store(word(u, off->tail), tail + 1);
}

static ssize_t take_result(struct uring *u)
{
	const struct io_cqring_offsets *off = &u->params.cq_off;
	uint32_t head = atomic_load(word(u, off->head));
	const struct io_uring_cqe *cqes = (const struct io_uring_cqe *)(u->rings + off->cqes);
	ssize_t res = cqes[head & *word(u, off->ring_mask)].res;

	atomic_store(word(u, off->head), head + 1);
	if (res >= 0)
		return res;
	errno = (int)-res;
	return -1;
}

ssize_t uring__io(struct uring *u, uint8_t opcode, int fd, const void *data, size_t bytes)
{
	const struct io_cqring_offsets *off = &u->params.cq_off;
	unsigned submit = 1;

	put_request(u, opcode, fd, data, bytes);
	while (submit || atomic_load(word(u, off->head)) == atomic_load(word(u, off->tail))) {
		long n = syscall(SYS_io_uring_enter, u->fd, submit, 1, IORING_ENTER_GETEVENTS, NULL, 0);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			submit -= (unsigned)n;
	}
	return take_result(u);
}
