/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "bench/stage.h"

#define SLOTS_BYTES (2u << 20) /* about as much memory as the messages of one ring take */

static size_t slot_bytes(const struct duct *d)
{
	return (d->size_max + LINE) / LINE * LINE;
}

static uint32_t slot_cnt(const struct duct *d)
{
	size_t cnt = SLOTS_BYTES / slot_bytes(d);
	uint32_t power = 2;

	/* a power of two: the counters run over */
	while (power < SLOTS_MAX && power * 2 <= cnt)
		power *= 2;
	return power;
}

size_t ring__slots_bytes(const struct duct *d)
{
	return slot_bytes(d) * slot_cnt(d);
}

static unsigned char *slot_at(const struct duct *d, int to, uint32_t nr)
{
	return d->slots[to] + nr % slot_cnt(d) * slot_bytes(d);
}

static int room(struct duct *d, struct ring *r, uint32_t head)
{
	uint32_t tail;

	while (head - (tail = atomic_load(&r->tail)) == slot_cnt(d)) {
		if (d->nonblock)
			return -EAGAIN;
		atomic_store(&r->writer_waits, 1);
		if (atomic_load(&r->tail) == tail)
			futex__wait(&r->tail, tail, 0);
	}
	return 0;
}

static int something(struct duct *d, struct ring *r, uint32_t tail)
{
	uint32_t head;

	while ((head = atomic_load(&r->head)) == tail) {
		if (d->nonblock)
			return -EAGAIN;
		atomic_store(&r->reader_waits, 1);
		if (atomic_load(&r->head) == head)
			futex__wait(&r->head, head, 0);
	}
	return 0;
}

int ring__copy_over(struct duct *d, int to, unsigned char *at, unsigned char *data, size_t n)
{
	struct iovec from = { data, n }, into = { at, n };
	ssize_t rc = process_vm_writev(d->shared->pid[to], &from, 1, &into, 1, 0);

	if (rc < 0)
		return -errno;
	return (size_t)rc == n ? 0 : -EFAULT;
}

ssize_t ring__put(struct duct *d, int side, unsigned char *data, size_t n, bool by_kernel)
{
	struct ring *r = d->ring[!side];
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	int rc;

	if (n > d->size_max)
		return -EMSGSIZE;
	rc = room(d, r, head);
	if (!rc && by_kernel)
		rc = ring__copy_over(d, !side, slot_at(d, !side, head), data, n);
	else if (!rc)
		memcpy(slot_at(d, !side, head), data, n);
	if (rc)
		return rc;
	r->len[head % slot_cnt(d)] = (uint32_t)n;
	atomic_store(&r->head, head + 1);
	if (atomic_exchange(&r->reader_waits, 0))
		futex__wake(&r->head, 1);
	return (ssize_t)n;
}

ssize_t ring__take(struct duct *d, int side, unsigned char *data, size_t cap, bool copy)
{
	struct ring *r = d->ring[side];
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed), n;
	int rc = something(d, r, tail);

	if (rc)
		return rc;
	n = r->len[tail % slot_cnt(d)];
	n = n < cap ? n : (uint32_t)cap;
	if (copy)
		memcpy(data, slot_at(d, side, tail), n);
	atomic_store(&r->tail, tail + 1);
	if (atomic_exchange(&r->writer_waits, 0))
		futex__wake(&r->tail, 1);
	return (ssize_t)n;
}

void ring__lay_out(struct duct *d, unsigned char *slots)
{
	for (int side = 0; side < 2; side++) {
		d->ring[side] = (struct ring *)d->area + side;
		d->slots[side] = slots + (size_t)side * ring__slots_bytes(d);
	}
}

size_t ring__whole_bytes(const struct duct *d)
{
	return 2 * sizeof(struct ring) + 2 * ring__slots_bytes(d);
}

void ring__touch(struct duct *d, int side)
{
	volatile unsigned char *at;

	for (int i = 0; i < 2; i++) {
		at = d->slots[i];
		for (size_t k = 0; k < ring__slots_bytes(d); k += 4096)
			at[k] = at[k];
	}
}
