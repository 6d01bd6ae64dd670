/* SPDX-License-Identifier: GPL-2.0 */
/* File locks from before the trace, and who waits for them: /proc/locks. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "kern/kern_impl.h"
#include "kern/proc_locks.h"

struct locks_scan {
	struct kern *k;
	uint64_t ts_ns;
};

static uint8_t kind_of(const struct proc_lock *l)
{
	if (!strcmp(l->kind, "FLOCK"))
		return IPCT_LOCK_FLOCK;
	if (!strcmp(l->kind, "POSIX"))
		return IPCT_LOCK_POSIX;
	return !strcmp(l->kind, "OFDLCK") ? IPCT_LOCK_OFD : 0;
}

/* ctx: IPCT_PATH_LEN zeroed bytes; a longer path is cut, and the first of the descriptors is enough. */
static bool take_path(void *ctx, int fd, const char *path)
{
	memcpy(ctx, path, strnlen(path, IPCT_PATH_LEN - 1));
	return false;
}

static void put_name(struct kern *k, const struct proc_lock *l, uint64_t ts_ns)
{
	struct {
		struct ipct_object ob;
		char name[IPCT_PATH_LEN];
	} rec = { .ob = { .key = l->ino,
			  .dev = kernel_dev(l->major, l->minor),
			  .fd = -1,
			  .what = IPCT_OBJECT_SCAN } };
	size_t len;

	proc_lock__each_fd(l, take_path, rec.name);
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

static void put_lock(struct kern *k, const struct proc_lock *l, uint8_t kind, uint64_t ts_ns)
{
	struct ipct_lock ev = { .h = { .ts_ns = ts_ns,
				       .kind = IPCT_KIND_LOCK,
				       .size = sizeof(ev),
				       .mech = IPCT_MECH_FLOCK,
				       .op = l->waits ? IPCT_OP_WAIT : IPCT_OP_LOCK },
				.key = l->ino,
				.dev = kernel_dev(l->major, l->minor),
				.start = l->start,
				.end = strcmp(l->end, "EOF") ? strtoull(l->end, NULL, 10) : INT64_MAX,
				.ret = l->waits,
				.type = strcmp(l->type, "WRITE") ? IPCT_LOCK_READ : IPCT_LOCK_WRITE,
				.kind = kind,
				.scanned = 1 };

	ev.h.pid = ev.h.tid = l->pid > 0 ? (uint32_t)l->pid : 0;
	source__put(k, &ev.h);
}

static void take_lock(void *ctx, const struct proc_lock *l)
{
	const struct locks_scan *scan = ctx;
	uint8_t kind = kind_of(l);

	if (!kind)
		return;
	put_name(scan->k, l, scan->ts_ns);
	put_lock(scan->k, l, kind, scan->ts_ns);
}

void procfs__scan_locks(struct kern *k)
{
	struct locks_scan scan = { k, time__boot_ns() };

	proc_locks__each(take_lock, &scan);
}
