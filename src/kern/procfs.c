/* SPDX-License-Identifier: GPL-2.0 */
/* What the scan's iterator cannot say of a running process: its executable and its command line. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kern/kern_impl.h"

static size_t read_args(uint32_t pid, char *to, size_t size)
{
	char path[32];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, to, size);
	close(fd);
	return len > 0 ? len : 0;
}

static size_t read_exe(uint32_t pid, char *to, size_t size)
{
	char path[32];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	len = readlink(path, to, size);
	return len > 0 ? len : 0;
}

const struct ipct_hdr *procfs__complete(const struct ipct_hdr *ev, void *out)
{
	const struct ipct_task *task = (const struct ipct_task *)ev;
	struct ipct_task *whole = out;
	char *str = (char *)(whole + 1);

	if (task->what != IPCT_TASK_SCAN || ev->pid != ev->tid || task->exe_len)
		return ev;
	memcpy(whole, task, sizeof(*whole));
	whole->exe_len = read_exe(ev->pid, str, IPCT_PATH_LEN);
	whole->args_len = read_args(ev->pid, str + whole->exe_len, IPCT_ARGS_LEN);
	whole->h.size = sizeof(*whole) + whole->exe_len + whole->args_len;
	return &whole->h;
}
