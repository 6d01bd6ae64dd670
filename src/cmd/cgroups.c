/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/cgroups.h"

#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/map.h"
#include "cmd/resolve.h"

#define OPEN_MAX_DIRS 16

static struct map paths; /* by inode number, which is the cgroup's id */
static struct strtab texts;
static size_t root_len;

static int remember(const char *path, const struct stat *st, int type, struct FTW *where)
{
	const char *below = path + root_len;

	if (type != FTW_D)
		return 0;
	if (!*below)
		below = "/";
	map__set(&paths, st->st_ino, 0, (void *)strtab__intern(&texts, below, strlen(below)));
	return 0;
}

const char *cgroups__path(uint64_t id)
{
	static bool asked;
	char root[PATH_MAX];

	if (!asked && resolve__cgroup_root(root, sizeof(root))) {
		root_len = strlen(root);
		nftw(root, remember, OPEN_MAX_DIRS, FTW_PHYS | FTW_MOUNT);
	}
	asked = true;
	return map__get(&paths, id, 0);
}
