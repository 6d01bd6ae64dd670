/* SPDX-License-Identifier: GPL-2.0 */
/* Who has which memory mapped, or a descriptor of it. Names as in mech/shm.c and mech/posix_sem.c. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "ipctrace/mech.h"
#include "kern/open_ends_impl.h"

#define SHM_DIR "/dev/shm"

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* The path of a mapping or descriptor, without the kernel's remark that it was removed. */
static void copy_path(char *to, size_t size, const char *from)
{
	static const char gone[] = " (deleted)";
	size_t len;

	snprintf(to, size, "%s", from);
	len = strlen(to);
	if (len > strlen(gone) && !strcmp(to + len - strlen(gone), gone))
		to[len - strlen(gone)] = 0;
}

static const char *memfd_name(struct open_scan *s, const char *path, uint64_t inode)
{
	char name[PATH_MAX + 32];

	snprintf(name, sizeof(name), "%s[%llu]", path + 1, (unsigned long long)inode);
	return open_scan__intern(s, "%s", name);
}

/* False: an ordinary file, or a device. */
static bool name_memory(struct open_scan *s, struct open_end *end, const char *path, uint64_t inode,
			uint64_t device)
{
	if (begins(path, SHM_DIR "/sem.")) {
		end->mech = IPCT_MECH_POSIX_SEM;
		end->name = open_scan__intern(s, "psem:/%s", path + strlen(SHM_DIR "/sem."));
	} else if (begins(path, SHM_DIR "/")) {
		end->mech = IPCT_MECH_POSIX_SHM;
		end->name = open_scan__intern(s, "pshm:%s", path + strlen(SHM_DIR));
	} else if (begins(path, "/memfd:")) {
		end->mech = IPCT_MECH_POSIX_SHM;
		end->name = memfd_name(s, path, inode);
	} else {
		return false;
	}
	end->id = open_scan__id(IPCT_MECH_POSIX_SHM, inode, device);
	return true;
}

bool open_scan__take_memory(struct open_scan *s, struct open_end *end, const char *link,
			    const struct stat *st)
{
	char path[PATH_MAX];

	copy_path(path, sizeof(path), link);
	return S_ISREG(st->st_mode) && name_memory(s, end, path, st->st_ino, st->st_dev);
}

/* One row for one object of one process, however many mappings. */
static void push_once(struct open_scan *s, const struct open_end *end, size_t from)
{
	for (size_t i = from; i < s->ends->all.cnt; i++) {
		struct open_end *e = &s->ends->all.v[i];

		if (e->id == end->id) {
			e->role |= end->role;
			return;
		}
	}
	open_scan__push(s, end);
}

static void take_mapping(struct open_scan *s, const char *line, uint32_t pid, size_t from)
{
	struct open_end end = { .pid = pid, .fd = -1, .memory = true };
	char access[8], path[PATH_MAX], number[24];
	unsigned long long inode;
	unsigned int dev[2];
	int at = 0;

	if (sscanf(line, "%*s %7s %*s %x:%x %llu %n", access, &dev[0], &dev[1], &inode, &at) < 4 ||
	    access[3] != 's' || line[at] != '/')
		return;
	copy_path(path, sizeof(path), line + at);
	end.role = access[1] == 'w' ? OPEN_BOTH : OPEN_READ;
	if (begins(path, "/SYSV")) { /* its inode number is the segment's id (newseg() in ipc/shm.c) */
		snprintf(number, sizeof(number), "%llu", inode);
		end.mech = IPCT_MECH_SYSV_SHM;
		end.id = open_scan__id(IPCT_MECH_SYSV_SHM, inode, 0);
		end.name = open_scan__intern(s, "shm:%s", number);
	} else if (!name_memory(s, &end, path, inode, makedev(dev[0], dev[1]))) {
		if (begins(path, "/dev/") || begins(path, "/dmabuf:") || begins(path, "/anon_hugepage"))
			return;
		end.mech = IPCT_MECH_POSIX_SHM;
		end.id = open_scan__id(IPCT_MECH_POSIX_SHM, inode, makedev(dev[0], dev[1]));
		end.name = open_scan__intern(s, "map:%s", path);
		vec__push(&s->files, end);
		return;
	}
	push_once(s, &end, from);
}

void open_scan__memory(struct open_scan *s, uint32_t pid)
{
	size_t from = s->ends->all.cnt;
	char path[32], line[PATH_MAX + 128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		take_mapping(s, line, pid, from);
	}
	if (f)
		fclose(f);
}

void open_scan__files(struct open_scan *s)
{
	struct map written = { 0 };
	size_t from = s->ends->all.cnt;
	uint32_t pid = 0;

	for (size_t i = 0; i < s->files.cnt; i++)
		if (s->files.v[i].role == OPEN_BOTH)
			map__set(&written, s->files.v[i].id, 0, s);
	for (size_t i = 0; i < s->files.cnt; i++) {
		if (s->files.v[i].pid != pid)
			from = s->ends->all.cnt;
		pid = s->files.v[i].pid;
		if (map__get(&written, s->files.v[i].id, 0))
			push_once(s, &s->files.v[i], from);
	}
	map__free(&written);
	vec__free(&s->files);
}
