/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/top_names.h"

#include <ftw.h>
#include <inttypes.h>
#include <mntent.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/map.h"

#define CGROUP_DIRS_OPEN 16

static struct map users; /* uid + 1 -> name */
static struct map cgroups; /* id -> path below the mount point */
static size_t root_len;

const char *top_names__user(uint32_t uid)
{
	char *name = map__get(&users, (uint64_t)uid + 1, 0);
	const struct passwd *pw;
	char number[16];

	if (name)
		return name;
	pw = getpwuid(uid);
	snprintf(number, sizeof(number), "%" PRIu32, uid);
	name = xstrndup(pw ? pw->pw_name : number, strlen(pw ? pw->pw_name : number));
	map__set(&users, (uint64_t)uid + 1, 0, name);
	return name;
}

static int remember(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *below = strlen(path) > root_len ? path + root_len : "/";

	if (type == FTW_D)
		free(map__set(&cgroups, st->st_ino, 0, xstrndup(below, strlen(below))));
	return 0;
}

/* A cgroup's id is its directory's inode number. */
static void walk_cgroups(void)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;

	while (f && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2") != 0)
			continue;
		root_len = strlen(m->mnt_dir);
		nftw(m->mnt_dir, remember, CGROUP_DIRS_OPEN, FTW_PHYS | FTW_MOUNT);
		break;
	}
	if (f)
		endmntent(f);
}

const char *top_names__cgroup(uint64_t id)
{
	const char *path = map__get(&cgroups, id, 0);
	static char none[] = "";

	if (!path) {
		walk_cgroups();
		path = map__get(&cgroups, id, 0);
	}
	if (!path) { /* gone, or not mounted here: do not look again and again */
		path = xstrndup(none, 0);
		map__set(&cgroups, id, 0, (char *)path);
	}
	return *path ? path : NULL;
}

uint32_t top_names__host_pidns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) ? 0 : (uint32_t)st.st_ino;
}

static void forget(struct map *m)
{
	map__for_each(m, slot)
		free(slot->val);
	map__free(m);
}

void top_names__forget(void)
{
	forget(&users);
	forget(&cgroups);
}
