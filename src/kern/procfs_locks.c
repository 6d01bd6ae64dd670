/* SPDX-License-Identifier: GPL-2.0 */
/* File locks from before the trace, and who waits for them: /proc/locks. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/time.h"
#include "kern/kern_impl.h"

struct line {
	char kind[16], type[16], end[24];
	int pid; /* -1: of an open file, no process's */
	unsigned int major, minor;
	unsigned long ino, start;
	bool waits;
};

/* "3: FLOCK  ADVISORY  WRITE 123 fd:00:4567 0 EOF", "3: -> FLOCK ..." for who waits */
static bool parse(const char *text, struct line *l)
{
	int at = 0;

	memset(l, 0, sizeof(*l));
	if (sscanf(text, "%*u: %n", &at), !at)
		return false;
	l->waits = !strncmp(text + at, "->", 2);
	at += l->waits ? 2 : 0;
	return sscanf(text + at, " %15s %*s %15s %d %x:%x:%lu %lu %23s", l->kind, l->type, &l->pid, &l->major,
		      &l->minor, &l->ino, &l->start, l->end) == 8;
}

static uint8_t kind_of(const struct line *l)
{
	if (!strcmp(l->kind, "FLOCK"))
		return IPCT_LOCK_FLOCK;
	if (!strcmp(l->kind, "POSIX"))
		return IPCT_LOCK_POSIX;
	return !strcmp(l->kind, "OFDLCK") ? IPCT_LOCK_OFD : 0;
}

/* The file's path, if pid has it open; empty: not found. */
static void find_path(const struct line *l, char *path, size_t size)
{
	char name[64];
	struct dirent *e;
	DIR *dir;

	path[0] = '\0';
	snprintf(name, sizeof(name), "/proc/%d/fd", l->pid);
	dir = l->pid > 0 ? opendir(name) : NULL;
	while (dir && (e = readdir(dir))) {
		struct stat st;
		ssize_t len;

		if (fstatat(dirfd(dir), e->d_name, &st, 0) || st.st_ino != l->ino ||
		    st.st_dev != makedev(l->major, l->minor))
			continue;
		len = readlinkat(dirfd(dir), e->d_name, path, size - 1);
		path[len > 0 ? len : 0] = '\0';
		break;
	}
	if (dir)
		closedir(dir);
}

static void put_name(struct kern *k, const struct line *l, uint64_t ts_ns)
{
	struct {
		struct ipct_object ob;
		char name[IPCT_PATH_LEN];
	} rec = {
		.ob = { .key = l->ino, .dev = l->major << 20 | l->minor, .fd = -1, .what = IPCT_OBJECT_SCAN }
	};
	size_t len;

	find_path(l, rec.name, sizeof(rec.name));
	len = strnlen(rec.name, sizeof(rec.name));
	if (!len)
		return;
	rec.ob.name_len = (uint16_t)len;
	rec.ob.h = (struct ipct_hdr){ .ts_ns = ts_ns,
				      .kind = IPCT_KIND_OBJECT,
				      .size = (uint16_t)(sizeof(rec.ob) + len),
				      .mech = IPCT_MECH_FLOCK };
	source__put(k, &rec.ob.h);
}

static void put_lock(struct kern *k, const struct line *l, uint8_t kind, uint64_t ts_ns)
{
	struct ipct_lock ev = { .h = { .ts_ns = ts_ns,
				       .kind = IPCT_KIND_LOCK,
				       .size = sizeof(ev),
				       .mech = IPCT_MECH_FLOCK,
				       .op = l->waits ? IPCT_OP_WAIT : IPCT_OP_LOCK },
				.key = l->ino,
				.dev = l->major << 20 | l->minor,
				.start = l->start,
				.end = strcmp(l->end, "EOF") ? strtoull(l->end, NULL, 10) : INT64_MAX,
				.ret = l->waits,
				.type = strcmp(l->type, "WRITE") ? IPCT_LOCK_READ : IPCT_LOCK_WRITE,
				.kind = kind,
				.scanned = 1 };

	ev.h.pid = ev.h.tid = l->pid > 0 ? (uint32_t)l->pid : 0;
	source__put(k, &ev.h);
}

void procfs__scan_locks(struct kern *k)
{
	uint64_t ts_ns = time__boot_ns();
	FILE *f = fopen("/proc/locks", "re");
	char text[256];
	struct line l;

	while (f && fgets(text, sizeof(text), f)) {
		uint8_t kind = parse(text, &l) ? kind_of(&l) : 0;

		if (!kind)
			continue;
		put_name(k, &l, ts_ns);
		put_lock(k, &l, kind, ts_ns);
	}
	if (f)
		fclose(f);
}
