/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/proc_locks.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* "3: FLOCK  ADVISORY  WRITE 123 fd:00:4567 0 EOF", "3: -> FLOCK ..." for who waits */
static bool parse(const char *text, struct proc_lock *l)
{
	int at = 0;

	memset(l, 0, sizeof(*l));
	if (sscanf(text, "%*u: %n", &at), !at)
		return false;
	l->waits = !strncmp(text + at, "->", 2);
	at += l->waits ? 2 : 0;
	return sscanf(text + at, " %15s %*s %15s %d %x:%x:%lu %lu %23s", l->kind, l->type, &l->pid, &l->major,
		      &l->minor, &l->ino, &l->start, l->end) == 8;
}

void proc_locks__each(void (*take)(void *ctx, const struct proc_lock *l), void *ctx)
{
	FILE *f = fopen("/proc/locks", "re");
	struct proc_lock l;
	char text[256];

	while (f && fgets(text, sizeof(text), f))
		if (parse(text, &l))
			take(ctx, &l);
	if (f)
		fclose(f);
}

void proc_lock__each_fd(const struct proc_lock *l, bool (*take)(void *ctx, int fd, const char *path),
			void *ctx)
{
	char directory[32], path[PATH_MAX];
	const struct dirent *e;
	bool more = true;
	DIR *dir;

	snprintf(directory, sizeof(directory), "/proc/%d/fd", l->pid);
	dir = l->pid > 0 ? opendir(directory) : NULL;
	while (dir && more && (e = readdir(dir))) {
		struct stat st;
		ssize_t len;

		if (fstatat(dirfd(dir), e->d_name, &st, 0) || st.st_ino != l->ino ||
		    st.st_dev != makedev(l->major, l->minor))
			continue;
		len = readlinkat(dirfd(dir), e->d_name, path, sizeof(path) - 1);
		if (len <= 0)
			continue;
		path[len] = 0;
		more = take(ctx, atoi(e->d_name), path);
	}
	if (dir)
		closedir(dir);
}
