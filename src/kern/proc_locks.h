/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/locks: who holds which file's lock now, and who waits for it (proc_locks(5)). */
#ifndef KERN_PROC_LOCKS_H
#define KERN_PROC_LOCKS_H

#include <stdbool.h>

struct proc_lock {
	char kind[16], type[16], end[24]; /* "FLOCK", "WRITE", "EOF" */
	int pid; /* -1: of an open file, no process's */
	unsigned int major, minor;
	unsigned long ino, start;
	bool waits;
};

/* Calls take for each lock. */
void proc_locks__each(void (*take)(void *ctx, const struct proc_lock *l), void *ctx);
/* Calls take for each descriptor of the lock's file that its process has, until it returns false. path: its NUL-ended name. */
void proc_lock__each_fd(const struct proc_lock *l, bool (*take)(void *ctx, int fd, const char *path),
			void *ctx);

#endif
