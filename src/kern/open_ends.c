/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/open_ends.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ipctrace/mech.h"
#include "kern/open_ends_impl.h"

#define MQUEUE_MAGIC 0x19800202

const char *open_role__name(enum open_role role)
{
	static const char *const names[] = {
		[OPEN_READ] = "read",
		[OPEN_WRITE] = "write",
		[OPEN_BOTH] = "readwrite",
		[OPEN_LAST_SENDER] = "last-sender",
		[OPEN_LAST_RECEIVER] = "last-receiver",
		[OPEN_CREATOR] = "owner",
		[OPEN_LAST_USER] = "last-user",
		[OPEN_LOCK_SHARED] = "lock-shared",
		[OPEN_LOCK_EXCLUSIVE] = "lock-exclusive",
		[OPEN_LOCK_WAITS] = "lock-waits",
	};

	return names[role];
}

/* ---- one descriptor ---- */

const char *open_scan__intern(struct open_scan *s, const char *fmt, const char *text)
{
	char name[PATH_MAX + 16];
	int len = snprintf(name, sizeof(name), fmt, text);

	return strtab__intern(&s->ends->names, name,
			      (size_t)len < sizeof(name) ? (size_t)len : sizeof(name) - 1);
}

uint64_t open_scan__id(uint8_t mech, uint64_t inode, uint64_t device)
{
	return (uint64_t)mech << 56 ^ device << 32 ^ inode;
}

/* The number behind "key:" in /proc/PID/fdinfo/FD; UINT64_MAX: none. */
static uint64_t fdinfo(uint32_t pid, int fd, const char *key)
{
	char path[64], line[256];
	uint64_t value = UINT64_MAX;
	size_t len = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/fdinfo/%d", pid, fd);
	f = fopen(path, "re");
	while (f && value == UINT64_MAX && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == ':')
			value = strtoull(line + len + 1, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

static bool take_socket(struct open_scan *s, struct open_end *end, const char *link)
{
	uint64_t inode = strtoull(link + strlen("socket:["), NULL, 10);
	const struct sock_entry *e = sock_table__get(&s->sockets, inode);

	if (!e)
		return false;
	end->mech = e->mech;
	end->role = OPEN_BOTH;
	end->id = open_scan__id(IPCT_MECH_UNIX_STREAM, inode, 0);
	end->peer = e->peer ? open_scan__id(IPCT_MECH_UNIX_STREAM, e->peer, 0) : 0;
	end->name = open_scan__intern(s, "%s", e->name);
	end->waiting = e->waiting;
	return true;
}

uint64_t open_end__fds_in_flight(const struct open_end *end)
{
	bool is_unix = end->mech == IPCT_MECH_UNIX_STREAM || end->mech == IPCT_MECH_UNIX_DGRAM ||
		       end->mech == IPCT_MECH_UNIX_SEQPACKET;

	return is_unix && end->fd >= 0 ? fdinfo(end->pid, end->fd, "scm_fds") : UINT64_MAX;
}

static bool take_eventfd(struct open_scan *s, struct open_end *end)
{
	uint64_t id = fdinfo(end->pid, end->fd, "eventfd-id");
	char name[32];

	if (id == UINT64_MAX)
		return false;
	snprintf(name, sizeof(name), "%llu", (unsigned long long)id);
	end->mech = IPCT_MECH_EVENTFD;
	end->id = open_scan__id(IPCT_MECH_EVENTFD, id, 0);
	end->name = open_scan__intern(s, "eventfd:[%s]", name);
	return true;
}

static bool take_pty(struct open_scan *s, struct open_end *end, const char *link)
{
	bool master = !strcmp(link, "/dev/ptmx") || !strcmp(link, "/dev/pts/ptmx");
	uint64_t number = master ? fdinfo(end->pid, end->fd, "tty-index")
				 : strtoull(link + strlen("/dev/pts/"), NULL, 10);
	char name[32];

	if (number == UINT64_MAX)
		return false;
	snprintf(name, sizeof(name), "%llu", (unsigned long long)number);
	end->mech = IPCT_MECH_PTY;
	end->id = open_scan__id(IPCT_MECH_PTY, number * 2 + master, 0);
	end->peer = open_scan__id(IPCT_MECH_PTY, number * 2 + !master, 0);
	end->name = open_scan__intern(s, "pty:/dev/pts/%s", name);
	return true;
}

static bool take_file(struct open_scan *s, struct open_end *end, const char *path, const char *link)
{
	struct stat st;
	struct statfs fs;

	if (stat(path, &st))
		return false;
	if (S_ISFIFO(st.st_mode)) {
		end->mech = IPCT_MECH_FIFO;
		end->id = open_scan__id(IPCT_MECH_FIFO, st.st_ino, st.st_dev);
		end->name = open_scan__intern(s, "fifo:%s", link);
		return true;
	}
	if (open_scan__take_memory(s, end, link, &st))
		return true;
	if (!S_ISREG(st.st_mode) || statfs(path, &fs) || fs.f_type != MQUEUE_MAGIC)
		return false;
	end->mech = IPCT_MECH_POSIX_MQ;
	end->id = open_scan__id(IPCT_MECH_POSIX_MQ, st.st_ino, st.st_dev);
	end->name = open_scan__intern(s, "mq:/%s", strrchr(link, '/') ? strrchr(link, '/') + 1 : link);
	return true;
}

static bool take_pipe(struct open_scan *s, struct open_end *end, const char *link)
{
	end->mech = IPCT_MECH_PIPE;
	end->id = open_scan__id(IPCT_MECH_PIPE, strtoull(link + strlen("pipe:["), NULL, 10), 0);
	end->name = open_scan__intern(s, "%s", link);
	return true;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool look(struct open_scan *s, struct open_end *end)
{
	char path[64], link[PATH_MAX];
	struct stat st;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", end->pid, end->fd);
	len = readlink(path, link, sizeof(link) - 1);
	if (len <= 0 || lstat(path, &st))
		return false;
	link[len] = 0;
	/* The permissions of the link are the mode that the file was opened with: proc_fd_link(). */
	end->role =
		(uint8_t)((st.st_mode & S_IRUSR ? OPEN_READ : 0) | (st.st_mode & S_IWUSR ? OPEN_WRITE : 0));
	if (begins(link, "pipe:["))
		return take_pipe(s, end, link);
	if (begins(link, "socket:["))
		return take_socket(s, end, link);
	if (begins(link, "anon_inode:[eventfd"))
		return take_eventfd(s, end);
	if (begins(link, "/dev/pts/") || !strcmp(link, "/dev/ptmx"))
		return take_pty(s, end, link);
	return link[0] == '/' && !begins(link, "/dev/null") && take_file(s, end, path, link);
}

/* ---- all ---- */

void open_scan__push(struct open_scan *s, const struct open_end *end)
{
	struct open_ends *e = s->ends;
	uintptr_t old;

	vec__push(&e->all, *end);
	old = (uintptr_t)map__set(&e->first_by_id, end->id, 0, (void *)e->all.cnt);
	vec__push(&e->next_same, (uint32_t)old);
	if (end->fd >= 0)
		map__set(&e->by_fd, end->pid, (uint64_t)end->fd + 1, (void *)e->all.cnt);
}

static void scan_process(struct open_scan *s, uint32_t pid)
{
	char path[32];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		struct open_end end = { .pid = pid };

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		end.fd = atoi(entry->d_name);
		if (look(s, &end))
			open_scan__push(s, &end);
	}
	if (dir)
		closedir(dir);
}

void open_ends__scan(struct open_ends *e)
{
	struct open_scan s = { .ends = e };
	const struct dirent *entry;
	DIR *dir = opendir("/proc");

	sock_table__fill(&s.sockets);
	while (dir && (entry = readdir(dir))) {
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!pid || pid == (uint32_t)getpid())
			continue;
		scan_process(&s, pid);
		open_scan__memory(&s, pid);
	}
	if (dir)
		closedir(dir);
	open_scan__files(&s);
	open_scan__queues(&s);
	open_scan__semaphores(&s);
	open_scan__locks(&s);
	sock_table__free(&s.sockets);
}

const struct open_end *open_ends__find(const struct open_ends *e, uint32_t pid, int fd)
{
	uintptr_t at = (uintptr_t)map__get(&e->by_fd, pid, (uint64_t)fd + 1);

	return at ? &e->all.v[at - 1] : NULL;
}

static bool one_way(const struct open_end *end)
{
	return end->mech == IPCT_MECH_PIPE || end->mech == IPCT_MECH_FIFO || end->mech == IPCT_MECH_POSIX_MQ;
}

void open_ends__others(const struct open_ends *e, const struct open_end *end, bool sends,
		       void (*fn)(void *ctx, const struct open_end *other), void *ctx)
{
	uint64_t id = end->peer ? end->peer : end->id;
	uint8_t wanted = sends ? OPEN_READ : OPEN_WRITE;

	for (uintptr_t at = (uintptr_t)map__get(&e->first_by_id, id, 0); at; at = e->next_same.v[at - 1]) {
		const struct open_end *other = &e->all.v[at - 1];

		if (one_way(end) && !(other->role & wanted))
			continue;
		if (other->role == OPEN_LOCK_WAITS)
			continue;
		if (other->pid == end->pid && other->fd == end->fd)
			continue;
		fn(ctx, other);
	}
}

void open_ends__free(struct open_ends *e)
{
	vec__free(&e->all);
	vec__free(&e->next_same);
	map__free(&e->first_by_id);
	map__free(&e->by_fd);
	strtab__free(&e->names);
}
