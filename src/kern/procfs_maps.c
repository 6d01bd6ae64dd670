/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared memory from before the trace: /proc/PID/maps, and /proc/sysvipc/shm for segments that nobody has mapped. Read after the
 * probes are active, so a mapping made meanwhile is seen twice and none not at all. (Iterators over mappings came
 * with 5.12 only, and tell no more.)
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/time.h"
#include "kern/kern_impl.h"

#define LINE_BYTES (4096 + 256)

struct mapping {
	unsigned long start, end;
	char access[5];
	unsigned int major, minor;
	unsigned long ino;
	const char *path; /* in the line */
};

struct scan {
	struct kern *kern;
	uint32_t pid;
	uint64_t ts_ns; /* before the file was opened: what happens later comes later */
	uint32_t memory_dev; /* of the kernel's own tmpfs: memfds, anonymous memory, System V */
	uint32_t ipcns; /* of pid */
};

static uint32_t memory_dev(void)
{
	int fd = memfd_create("ipctrace", MFD_CLOEXEC);
	struct stat st = { 0 };

	if (fd >= 0) {
		fstat(fd, &st);
		close(fd);
	}
	return kernel_dev(major(st.st_dev), minor(st.st_dev));
}

static uint32_t ipcns_of(uint32_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u/ns/ipc", pid);
	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

static void cut(char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	if (len > n && !strcmp(s + len - n, suffix))
		s[len - n] = '\0';
}

static bool begins(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* "7f12-7f34 rw-s 00000000 00:01 1234    /path (deleted)" */
static bool parse(char *line, struct mapping *m)
{
	unsigned long offset;
	int at = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &m->start, &m->end, m->access, &offset, &m->major,
		   &m->minor, &m->ino, &at) < 7)
		return false;
	line[strcspn(line, "\n")] = '\0';
	cut(line + at, " (deleted)");
	m->path = line + at;
	return m->access[3] == 's' && m->ino;
}

static void put_name(const struct scan *s, uint64_t key, uint32_t dev, const char *name)
{
	struct {
		struct ipct_object ob;
		char name[IPCT_PATH_LEN];
	} rec = { .ob = { .key = key, .dev = dev, .fd = -1, .what = IPCT_OBJECT_SCAN } };
	size_t len = strnlen(name, sizeof(rec.name));

	rec.ob.h = (struct ipct_hdr){ .ts_ns = s->ts_ns,
				      .kind = IPCT_KIND_OBJECT,
				      .size = (uint16_t)(sizeof(rec.ob) + len),
				      .mech = IPCT_MECH_POSIX_SHM,
				      .pid = s->pid,
				      .tid = s->pid };
	rec.ob.name_len = (uint16_t)len;
	memcpy(rec.name, name, len);
	source__put(s->kern, &rec.ob.h);
}

static void put_map(const struct scan *s, const struct mapping *m, uint8_t mech, uint64_t key, uint32_t dev,
		    uint32_t flags)
{
	struct ipct_map ev = { .h = { .ts_ns = s->ts_ns,
				      .kind = IPCT_KIND_MAP,
				      .size = sizeof(ev),
				      .mech = mech,
				      .op = IPCT_OP_ATTACH,
				      .pid = s->pid,
				      .tid = s->pid },
			       .key = key,
			       .addr = m->start,
			       .len = m->end - m->start,
			       .dev = dev,
			       .flags = flags | IPCT_MAP_SCAN,
			       .fd = -1 };

	if (m->access[1] == 'w')
		ev.flags |= IPCT_MAP_WRITE;
	source__put(s->kern, &ev.h);
}

/* What the kernel half takes (bpf/shm.bpf.h, shm__from_file()), by what /proc says of it. */
static void take(const struct scan *s, const struct mapping *m)
{
	uint32_t dev = kernel_dev(m->major, m->minor), mechs = s->kern->opts.mechs;
	const char *path = m->path;
	bool memory = begins(path, "/memfd:") || begins(path, "/anon_hugepage") ||
		      (dev == s->memory_dev && !strcmp(path, "/dev/zero"));

	if (dev == s->memory_dev && begins(path, "/SYSV")) {
		if (mechs & IPCT_MECH_BIT(IPCT_MECH_SYSV_SHM))
			put_map(s, m, IPCT_MECH_SYSV_SHM, m->ino, s->ipcns, 0);
		return;
	}
	if (!(mechs & IPCT_MECH_BIT(IPCT_MECH_POSIX_SHM)) || path[0] != '/')
		return;
	if (!memory && (dev == s->memory_dev || begins(path, "/dev/shm/sem.") || begins(path, "/dmabuf:") ||
			(begins(path, "/dev/") && !begins(path, "/dev/shm/"))))
		return;
	put_name(s, m->ino, dev, memory ? path + 1 : path);
	put_map(s, m, IPCT_MECH_POSIX_SHM, m->ino, dev,
		memory || begins(path, "/dev/shm/") ? 0 : IPCT_MAP_FILE);
}

static void scan_process(struct scan *s, uint32_t pid)
{
	char line[LINE_BYTES], path[32];
	struct mapping m;
	FILE *f;

	s->pid = pid;
	s->ts_ns = time__boot_ns();
	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	s->ipcns = ipcns_of(pid);
	while (fgets(line, sizeof(line), f)) {
		if (parse(line, &m))
			take(s, &m);
	}
	fclose(f);
}

/* Columns of /proc/sysvipc/shm: key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime ... */
static void scan_segments(struct scan *s)
{
	char line[LINE_BYTES];
	FILE *f = fopen("/proc/sysvipc/shm", "re");
	uint32_t ns = ipcns_of((uint32_t)getpid());

	s->ts_ns = time__boot_ns();
	while (f && fgets(line, sizeof(line), f)) {
		struct ipct_map ev = { .h = { .ts_ns = s->ts_ns,
					      .kind = IPCT_KIND_MAP,
					      .size = sizeof(ev),
					      .mech = IPCT_MECH_SYSV_SHM,
					      .op = IPCT_OP_OPEN },
				       .dev = ns,
				       .flags = IPCT_MAP_SCAN,
				       .fd = -1 };
		unsigned long id, size, dtime;
		unsigned int cpid, nattch;

		if (sscanf(line, "%*d %lu %*o %lu %u %*u %u %*u %*u %*u %*u %*u %lu", &id, &size, &cpid,
			   &nattch, &dtime) < 5)
			continue; /* the heading */
		ev.key = id;
		ev.size = size;
		ev.creator = cpid;
		ev.attached = nattch;
		ev.detached_s = dtime;
		source__put(s->kern, &ev.h);
	}
	if (f)
		fclose(f);
}

void procfs__scan_maps(struct kern *k)
{
	struct scan s = { .kern = k, .memory_dev = memory_dev() };
	DIR *dir = opendir("/proc");
	struct dirent *e;

	if (k->opts.mechs & IPCT_MECH_BIT(IPCT_MECH_SYSV_SHM))
		scan_segments(&s);
	while (dir && (e = readdir(dir))) {
		unsigned long pid = strtoul(e->d_name, NULL, 10);

		if (pid && pid != (unsigned long)getpid() && pid != k->opts.extra_self)
			scan_process(&s, (uint32_t)pid);
		source__stash(k);
	}
	if (dir)
		closedir(dir);
}
