/* SPDX-License-Identifier: GPL-2.0 */
/* sysv-sem: a set of two; posix-sem: two in shared memory. */
#include <errno.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <unistd.h>

#include "bench/duct.h"

#define ALMOST 5 /* units that nearly_fill() leaves free */

static int open_sysv_sem(struct duct *d)
{
	d->id[0] = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
	return d->id[0] < 0 ? -errno : 0;
}

static void close_sysv_sem(struct duct *d)
{
	if (d->id[0] >= 0)
		semctl(d->id[0], 0, IPC_RMID);
	d->id[0] = -1;
}

static int change(struct duct *d, int num, short by)
{
	struct sembuf op = { (unsigned short)num, by, d->nonblock ? IPC_NOWAIT : 0 };

	return semop(d->id[0], &op, 1) ? -errno : 0;
}

static ssize_t send_sysv_sem(struct duct *d, int side, unsigned char *data, size_t n)
{
	int rc = change(d, !side, 1);

	return rc ? rc : 1;
}

static ssize_t recv_sysv_sem(struct duct *d, int side, unsigned char *data, size_t cap)
{
	int rc = change(d, side, -1);

	return rc ? rc : 1;
}

const struct duct_kind duct_sysv_sem = {
	.name = "sysv-sem",
	.groups = "sysv sem",
	.how = "semop, a semaphore for each direction",
	.class = DUCT_NOTICE,
	.open = open_sysv_sem,
	.close = close_sysv_sem,
	.send = send_sysv_sem,
	.recv = recv_sysv_sem,
};

static int open_posix_sem(struct duct *d)
{
	for (int side = 0; side < 2; side++)
		if (sem_init(&d->shared->sem[side], 1, 0))
			return -errno;
	return 0;
}

static ssize_t send_posix_sem(struct duct *d, int side, unsigned char *data, size_t n)
{
	return sem_post(&d->shared->sem[!side]) ? -errno : 1;
}

static ssize_t recv_posix_sem(struct duct *d, int side, unsigned char *data, size_t cap)
{
	sem_t *sem = &d->shared->sem[side];

	return (d->nonblock ? sem_trywait(sem) : sem_wait(sem)) ? -errno : 1;
}

static uint64_t nearly_fill_posix_sem(struct duct *d)
{
	unsigned int most = (unsigned int)sysconf(_SC_SEM_VALUE_MAX) - ALMOST;

	return sem_init(&d->shared->sem[SIDE_B], 1, most) ? 0 : most;
}

static ssize_t posix_sem_outsider(struct duct *d, unsigned char *data, size_t n)
{
	void *at = d->shared;

	munmap(at, sizeof(*d->shared));
	return duct__look_at_memory(at);
}

const struct duct_kind duct_posix_sem = {
	.name = "posix-sem",
	.groups = "posix sem",
	.how = "sem_post and sem_wait, a process-shared semaphore for each direction",
	.class = DUCT_NOTICE,
	.open = open_posix_sem,
	.send = send_posix_sem,
	.recv = recv_posix_sem,
	.outsider = posix_sem_outsider,
	.nearly_fill = nearly_fill_posix_sem,
};
