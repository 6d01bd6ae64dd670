/* SPDX-License-Identifier: GPL-2.0 */
/* What has no descriptor, or says more than one: System V queues and semaphores, file locks. */
#include <stdio.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/sysmacros.h>

#include "ipctrace/mech.h"
#include "kern/open_ends_impl.h"
#include "kern/proc_locks.h"

#define SEMAPHORES_MAX 1024 /* of one set are looked at */

/* System V queues have no descriptors; the kernel remembers who used one last. */
void open_scan__queues(struct open_scan *s)
{
	FILE *f = fopen("/proc/sysvipc/msg", "re");
	unsigned int id, sender, receiver;
	char line[256], name[16];

	while (f && fgets(line, sizeof(line), f)) {
		struct open_end end = { .fd = -1, .mech = IPCT_MECH_SYSV_MSG };

		if (sscanf(line, "%*d %u %*o %*u %*u %u %u", &id, &sender, &receiver) != 3)
			continue;
		snprintf(name, sizeof(name), "%u", id);
		end.id = open_scan__id(IPCT_MECH_SYSV_MSG, id, 0);
		end.name = open_scan__intern(s, "msg:%s", name);
		end.pid = sender;
		end.role = OPEN_LAST_SENDER;
		if (sender)
			open_scan__push(s, &end);
		end.pid = receiver;
		end.role = OPEN_LAST_RECEIVER;
		if (receiver)
			open_scan__push(s, &end);
	}
	if (f)
		fclose(f);
}

/* Of each semaphore the kernel remembers who used it last. */
static void scan_set(struct open_scan *s, int id, int cnt)
{
	struct open_end end = { .fd = -1, .mech = IPCT_MECH_SYSV_SEM, .role = OPEN_LAST_USER };
	size_t from = s->ends->all.cnt;
	char name[16];

	snprintf(name, sizeof(name), "%d", id);
	end.id = open_scan__id(IPCT_MECH_SYSV_SEM, (uint32_t)id, 0);
	end.name = open_scan__intern(s, "sem:%s", name);
	for (int num = 0; num < cnt && num < SEMAPHORES_MAX; num++) {
		int pid = semctl(id, num, GETPID);
		size_t i = from;

		while (pid > 0 && i < s->ends->all.cnt && s->ends->all.v[i].pid != (uint32_t)pid)
			i++;
		if (pid <= 0 || i < s->ends->all.cnt)
			continue;
		end.pid = (uint32_t)pid;
		open_scan__push(s, &end);
	}
}

void open_scan__semaphores(struct open_scan *s)
{
	FILE *f = fopen("/proc/sysvipc/sem", "re");
	char line[256];
	int id, cnt;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d %d %*o %d", &id, &cnt) == 2)
			scan_set(s, id, cnt);
	if (f)
		fclose(f);
}

/* ---- locks ---- */

struct lock_scan {
	struct open_scan *scan;
	struct open_end end;
	bool every_fd;
};

static bool take_fd(void *ctx, int fd, const char *path)
{
	struct lock_scan *l = ctx;

	l->end.fd = fd;
	l->end.name = open_scan__intern(l->scan, "flock:%s", path);
	open_scan__push(l->scan, &l->end);
	return l->every_fd;
}

/* Through each descriptor of that file that its process has; a holder is told of once. */
static void take_lock(void *ctx, const struct proc_lock *l)
{
	struct lock_scan scan = {
		.scan = ctx,
		.end = { .pid = (uint32_t)l->pid,
			 .mech = IPCT_MECH_FLOCK,
			 .role = l->waits		    ? OPEN_LOCK_WAITS
				 : strcmp(l->type, "WRITE") ? OPEN_LOCK_SHARED
							    : OPEN_LOCK_EXCLUSIVE,
			 .id = open_scan__id(IPCT_MECH_FLOCK, l->ino, makedev(l->major, l->minor)) },
		.every_fd = l->waits,
	};

	proc_lock__each_fd(l, take_fd, &scan);
}

void open_scan__locks(struct open_scan *s)
{
	proc_locks__each(take_lock, s);
}
