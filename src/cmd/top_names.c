/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/top_names.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/map.h"

static struct map users; /* uid + 1 -> name */

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
}
