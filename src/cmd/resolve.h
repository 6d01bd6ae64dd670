/* SPDX-License-Identifier: GPL-2.0 */
/* Names that users type -> numbers that filters compare. All return 0, or an exit status with one sentence in err. */
#ifndef CMD_RESOLVE_H
#define CMD_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* That the process exists now, and is a process, not a thread. */
int resolve__pid(uint32_t pid, struct buf *err);
/* A number or the name of a user. */
int resolve__user(const char *user, uint32_t *uid, struct buf *err);
/* "/sys/fs/cgroup/a/b", "/a/b" or "a/b" -> the cgroup's id in the unified hierarchy. */
int resolve__cgroup(const char *path, uint64_t *id, struct buf *err);
/* Where the unified hierarchy is mounted; false: nowhere. */
bool resolve__cgroup_root(char *path, size_t size);

#endif
