/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ducts of memory. sysv-shm and posix-shm: the sender copies in, the receiver copies out, as write() and read() do.
 * ptrace: the sender copies into the receiver's own memory by process_vm_writev(), and that is all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <unistd.h>

#include "bench/duct.h"
#include "bench/ring.h"
#include "bench/stage.h"

static ssize_t send_memory(struct duct *d, int side, unsigned char *data, size_t n)
{
	return ring__put(d, side, data, n, false);
}

static ssize_t recv_memory(struct duct *d, int side, unsigned char *data, size_t cap)
{
	return ring__take(d, side, data, cap, true);
}

static int poke(struct duct *d, uint64_t value)
{
	atomic_store(&d->ring[SIDE_B]->word, value);
	return 0;
}

static uint64_t peek(struct duct *d)
{
	return atomic_load(&d->ring[SIDE_B]->word);
}

static int open_sysv(struct duct *d)
{
	int id;

	d->area_bytes = ring__whole_bytes(d);
	id = shmget(IPC_PRIVATE, d->area_bytes, IPC_CREAT | 0600);
	if (id < 0)
		return -errno;
	d->area = shmat(id, NULL, 0);
	if (d->area == (void *)-1)
		d->area = NULL;
	shmctl(id, IPC_RMID, NULL); /* it stays as long as it is attached */
	if (!d->area)
		return -ENOMEM;
	ring__lay_out(d, d->area + 2 * sizeof(struct ring));
	return 0;
}

static void close_sysv(struct duct *d)
{
	if (d->area)
		shmdt(d->area);
	d->area = NULL;
}

static ssize_t sysv_outsider(struct duct *d, unsigned char *data, size_t n)
{
	void *at = d->area;

	close_sysv(d);
	return duct__look_at_memory(at);
}

const struct duct_kind duct_sysv_shm = {
	.name = "sysv-shm",
	.groups = "sysv shm",
	.how = "a ring of messages in a segment, copied in and out, with a futex",
	.flags = DUCT_MEMORY,
	.open = open_sysv,
	.close = close_sysv,
	.enter = ring__touch,
	.send = send_memory,
	.recv = recv_memory,
	.outsider = sysv_outsider,
	.poke = poke,
	.peek = peek,
};

static void unmap_area(struct duct *d)
{
	if (d->area)
		munmap(d->area, d->area_bytes);
	d->area = NULL;
}

static int open_posix(struct duct *d)
{
	char name[64];
	int fd, rc = 0;

	snprintf(name, sizeof(name), "/ipctrace-bench.%d", getpid());
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	shm_unlink(name);
	d->area_bytes = ring__whole_bytes(d);
	if (ftruncate(fd, (off_t)d->area_bytes) == 0)
		d->area = mmap(NULL, d->area_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!d->area || d->area == MAP_FAILED) {
		rc = -errno;
		d->area = NULL;
	}
	close(fd);
	if (!rc)
		ring__lay_out(d, d->area + 2 * sizeof(struct ring));
	return rc;
}

static ssize_t mapping_outsider(struct duct *d, unsigned char *data, size_t n)
{
	void *at = d->area;

	unmap_area(d);
	return duct__look_at_memory(at);
}

const struct duct_kind duct_posix_shm = {
	.name = "posix-shm",
	.groups = "posix shm",
	.how = "a ring of messages in a shm_open() object, copied in and out, with a futex",
	.flags = DUCT_MEMORY,
	.open = open_posix,
	.close = unmap_area,
	.enter = ring__touch,
	.send = send_memory,
	.recv = recv_memory,
	.outsider = mapping_outsider,
	.poke = poke,
	.peek = peek,
};

/* Only the rings' counters are shared; each process has its own slots, at the same address. */
static int open_ptrace(struct duct *d)
{
	unsigned char *slots;

	d->area_bytes = 2 * sizeof(struct ring);
	d->area = stage__share(d->area_bytes);
	if (!d->area)
		return -errno;
	slots = mmap(NULL, 2 * ring__slots_bytes(d), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (slots == MAP_FAILED)
		return -errno;
	ring__lay_out(d, slots);
	return 0;
}

static void close_ptrace(struct duct *d)
{
	if (d->slots[0])
		munmap(d->slots[0], 2 * ring__slots_bytes(d));
	unmap_area(d);
}

static void enter_ptrace(struct duct *d, int side)
{
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* for Yama: siblings may */
	ring__touch(d, side);
}

static ssize_t send_ptrace(struct duct *d, int side, unsigned char *data, size_t n)
{
	return ring__put(d, side, data, n, true);
}

static ssize_t recv_ptrace(struct duct *d, int side, unsigned char *data, size_t cap)
{
	return ring__take(d, side, data, cap, false);
}

static int poke_ptrace(struct duct *d, uint64_t value)
{
	return ring__copy_over(d, SIDE_B, d->slots[SIDE_B], (unsigned char *)&value, sizeof(value));
}

static uint64_t peek_ptrace(struct duct *d)
{
	uint64_t value;

	memcpy(&value, d->slots[SIDE_B], sizeof(value));
	return value;
}

static ssize_t ptrace_outsider(struct duct *d, unsigned char *data, size_t n)
{
	uint64_t value = 1;
	int rc = poke_ptrace(d, value);

	return rc ? rc : (ssize_t)sizeof(value);
}

const struct duct_kind duct_ptrace = {
	.name = "ptrace",
	.groups = "",
	.how = "process_vm_writev into the receiver's memory, with a futex",
	.flags = DUCT_MEMORY,
	.open = open_ptrace,
	.close = close_ptrace,
	.enter = enter_ptrace,
	.send = send_ptrace,
	.recv = recv_ptrace,
	.outsider = ptrace_outsider,
	.poke = poke_ptrace,
	.peek = peek_ptrace,
};
