/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/resolve.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cmd/cmd.h"

/* The process that a thread belongs to; 0 when /proc does not say. */
static uint32_t tgid_of(uint32_t tid)
{
	char path[64], line[256];
	unsigned int tgid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (!tgid && fgets(line, sizeof(line), f))
		sscanf(line, "Tgid: %u", &tgid);
	fclose(f);
	return tgid;
}

int resolve__pid(uint32_t pid, struct buf *err)
{
	uint32_t tgid;

	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH) {
		buf__printf(err,
			    "no process %u: it has ended, or never was; to trace a command from its start: "
			    "ipctrace -- COMMAND",
			    pid);
		return EXIT_FAILED;
	}
	tgid = tgid_of(pid);
	if (tgid && tgid != pid) {
		buf__printf(err, "%u is a thread of process %u, and filters are by process: use %u", pid,
			    tgid, tgid);
		return EXIT_FAILED;
	}
	return 0;
}

int resolve__user(const char *user, uint32_t *uid, struct buf *err)
{
	const struct passwd *pw;
	char *end;

	if (user[0] >= '0' && user[0] <= '9') {
		unsigned long long v = strtoull(user, &end, 10);

		if (*end == '\0' && v < UINT32_MAX) {
			*uid = v;
			return 0;
		}
	}
	pw = getpwnam(user);
	if (!pw) {
		buf__printf(err, "no user '%s': give a user's name, or a number", user);
		return EXIT_FAILED;
	}
	*uid = pw->pw_uid;
	return 0;
}

/* /sys/fs/cgroup, or below it beside v1 hierarchies. */
bool resolve__cgroup_root(char *path, size_t size)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;
	bool found = false;

	while (f && !found && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2") == 0) {
			snprintf(path, size, "%s", m->mnt_dir);
			found = true;
		}
	}
	if (f)
		endmntent(f);
	return found;
}

/* The cgroup's id is its directory's inode number: kernfs makes them the same. */
static bool cgroup_id(const char *path, uint64_t *id)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) < 0 || statfs(path, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC ||
	    !S_ISDIR(st.st_mode))
		return false;
	*id = st.st_ino;
	return true;
}

int resolve__cgroup(const char *path, uint64_t *id, struct buf *err)
{
	char root[PATH_MAX], full[2 * PATH_MAX];

	if (path[0] == '/' && cgroup_id(path, id))
		return 0;
	if (!resolve__cgroup_root(root, sizeof(root))) {
		buf__puts(err, "cannot filter by cgroup: no cgroup v2 hierarchy is mounted here");
		return EXIT_FAILED;
	}
	snprintf(full, sizeof(full), "%s/%s", root, path[0] == '/' ? path + 1 : path);
	if (cgroup_id(full, id))
		return 0;
	buf__printf(err, "no cgroup '%s': give a directory of the cgroup v2 hierarchy, mounted at %s", path,
		    root);
	return EXIT_FAILED;
}
