/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/PID/stat, where a command's name may contain anything, spaces and parentheses too. */
#ifndef BASE_PROCSTAT_H
#define BASE_PROCSTAT_H

#include <stddef.h>

enum {
	PROCSTAT_STATE = 3,
	PROCSTAT_THREADS = 20,
	PROCSTAT_START = 22,
	PROCSTAT_CPU = 39
}; /* as proc(5) counts */

/*
 * That field of the file `stat` in directory (/proc/PID, /proc/PID/task/TID), as it stands there; none before the state. Returns 0,
 * -errno where it cannot be read, or -ENOENT where there are not so many; then word is "".
 */
int procstat__field(const char *directory, int field, char *word, size_t size);

#endif
