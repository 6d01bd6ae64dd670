/* SPDX-License-Identifier: GPL-2.0 */
/* What has no descriptor, or says more than one: System V queues and semaphores, file locks. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ipctrace/mech.h"
#include "kern/open_ends_impl.h"

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

struct lock_line {
	char type[16];
	int pid; /* -1: of an open file, no process's */
	unsigned int major, minor;
	unsigned long ino;
	bool waits;
};

/* "3: FLOCK  ADVISORY  WRITE 123 fd:00:4567 0 EOF", "3: -> FLOCK ..." for who waits */
static bool parse_lock(const char *text, struct lock_line *l)
{
	int at = 0;

	if (sscanf(text, "%*u: %n", &at), !at)
		return false;
	l->waits = !strncmp(text + at, "->", 2);
	at += l->waits ? 2 : 0;
	return sscanf(text + at, " %*s %*s %15s %d %x:%x:%lu", l->type, &l->pid, &l->major, &l->minor,
		      &l->ino) == 5;
}

/* Through each descriptor of that file that its process has; a holder is told of once. */
static void take_lock(struct open_scan *s, const struct lock_line *l)
{
	struct open_end end = { .pid = (uint32_t)l->pid,
				.mech = IPCT_MECH_FLOCK,
				.role = l->waits		   ? OPEN_LOCK_WAITS
					: strcmp(l->type, "WRITE") ? OPEN_LOCK_SHARED
								   : OPEN_LOCK_EXCLUSIVE };
	char directory[32], path[PATH_MAX];
	const struct dirent *e;
	DIR *dir;

	snprintf(directory, sizeof(directory), "/proc/%d/fd", l->pid);
	dir = l->pid > 0 ? opendir(directory) : NULL;
	end.id = open_scan__id(IPCT_MECH_FLOCK, l->ino, makedev(l->major, l->minor));
	while (dir && (e = readdir(dir))) {
		struct stat st;
		ssize_t len;

		if (fstatat(dirfd(dir), e->d_name, &st, 0) || st.st_ino != l->ino ||
		    st.st_dev != makedev(l->major, l->minor))
			continue;
		len = readlinkat(dirfd(dir), e->d_name, path, sizeof(path) - 1);
		if (len <= 0)
			continue;
		path[len] = 0;
		end.fd = atoi(e->d_name);
		end.name = open_scan__intern(s, "flock:%s", path);
		open_scan__push(s, &end);
		if (!l->waits)
			break;
	}
	if (dir)
		closedir(dir);
}

void open_scan__locks(struct open_scan *s)
{
	FILE *f = fopen("/proc/locks", "re");
	struct lock_line l;
	char text[256];

	while (f && fgets(text, sizeof(text), f))
		if (parse_lock(text, &l))
			take_lock(s, &l);
	if (f)
		fclose(f);
}
