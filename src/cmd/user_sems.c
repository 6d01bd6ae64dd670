/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/user_sems.h"

#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "symbol/symbol.h"

#define VERSIONS_MAX 8
#define LIBRARIES_MAX 32

/* Names of files that have sem_post() and its kin: glibc, before 2.34 its libpthread, and musl. */
static const char *const libraries[] = {
	"libc.so.6",	     "libc-2.*.so",    "libpthread.so.0",
	"libpthread-2.*.so", "ld-musl-*.so.1", "libc.musl-*.so.1",
};

static const struct {
	const char *name;
	enum kern_uprobe_what what;
} functions[] = {
	{ "sem_post", KERN_UPROBE_POST },	{ "sem_wait", KERN_UPROBE_WAIT },
	{ "sem_timedwait", KERN_UPROBE_WAIT },	{ "sem_clockwait", KERN_UPROBE_WAIT },
	{ "sem_trywait", KERN_UPROBE_TRYWAIT },
};

struct finder {
	VEC(struct kern_uprobe) found;
	struct map seen; /* (inode, device) of libraries looked at */
};

static bool is_library(const char *path)
{
	const char *base = strrchr(path, '/');

	for (size_t i = 0; base && i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (fnmatch(libraries[i], base + 1, 0) == 0)
			return true;
	return false;
}

static void look_at(struct finder *f, const char *path)
{
	uint64_t offsets[VERSIONS_MAX];

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		int cnt = symbol__offsets(path, functions[i].name, offsets, VERSIONS_MAX);

		for (int k = 0; k < cnt; k++) {
			struct kern_uprobe probe = { .offset = offsets[k], .what = functions[i].what };

			snprintf(probe.path, sizeof(probe.path), "%s", path);
			vec__push(&f->found, probe);
		}
	}
}

/* One line of a process's maps: "start-end perms offset dev inode path". */
static void look_at_line(struct finder *f, const char *pid, const char *line)
{
	const char *path = strchr(line, '/');
	char full[KERN_UPROBE_PATH];
	struct stat st;

	if (!path || !strstr(line, " r-xp ") || !is_library(path))
		return;
	if (snprintf(full, sizeof(full), "/proc/%s/root%s", pid, path) >= (int)sizeof(full) ||
	    stat(full, &st))
		return;
	if (f->seen.cnt >= LIBRARIES_MAX || map__set(&f->seen, st.st_ino, st.st_dev, f))
		return;
	look_at(f, full);
}

static void look_at_process(struct finder *f, const char *pid)
{
	char path[64], line[4400];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return;
	while (fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		look_at_line(f, pid, line);
	}
	fclose(maps);
}

struct kern_uprobe *user_sems__find(size_t *cnt, struct buf *err)
{
	struct finder f = { .found = { 0 } };
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	look_at_process(&f, "self");
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_process(&f, entry->d_name);
	if (proc)
		closedir(proc);
	map__free(&f.seen);
	*cnt = f.found.cnt;
	if (!f.found.cnt)
		buf__puts(err, "--user-sems: no C library that a process uses has sem_post and sem_wait");
	return f.found.v;
}
