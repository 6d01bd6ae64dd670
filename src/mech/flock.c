/* SPDX-License-Identifier: GPL-2.0 */
/* Locks on files: flock(2), fcntl(2), and those of open files. */
#include <inttypes.h>
#include <stdio.h>

#include "mech/tables.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_FLOCK)

const struct hook hook_flock = {
	.name = "flock",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT, "flock_lock_inode", { "flock_lock_inode__tracepoint" } } },
};

const struct hook hook_flock_calls = {
	.name = "flock_calls",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("how long flock and fcntl were blocked"),
};

const struct hook hook_flock_posix = {
	.name = "flock_posix",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "posix_lock_inode",
		     { "posix_lock_inode__tracepoint" },
		     .note = "fcntl and locks of open files" } },
};

static const char *const blind[] = {
	"filesystems that keep locks elsewhere (NFS, FUSE, Ceph) grant them unseen",
	NULL,
};

const struct mech_desc mech_flock = { IPCT_MECH_FLOCK, "flock", "file locks: flock, fcntl, open file",
				      blind };

static struct obj_key key_of(uint64_t ino, uint32_t dev)
{
	return (struct obj_key){ .id = ino, .space = (uint64_t)IPCT_MECH_FLOCK << 56 | dev };
}

void flock__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_lock *lock = (const struct ipct_lock *)ev;
	struct op *op = decoded__op(out, ev, lock->enter_ns, lock->ret < 0 ? lock->ret : 0);

	op->rule = PAIR_LOCK;
	op->obj = key_of(lock->key, lock->dev);
	op->lock.owner = lock->owner;
	op->lock.start = lock->start;
	op->lock.end = lock->end;
	op->lock.blocker_pid = lock->blocker_pid;
	op->lock.type = lock->type;
	op->lock.kind = lock->kind;
	op->lock.scanned = lock->scanned;
}

void flock__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "flock:[%u:%" PRIu64 "]", (uint32_t)key.space, key.id);
}

void flock__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	struct object_info *info = decoded__object(out, &ob->h);
	const char *name = (const char *)(ob + 1) + ob->name_start;

	info->key = key_of(ob->key, ob->dev);
	if (ob->name_len) {
		decoded__set_name(out, "flock:", name, ob->name_len);
		return;
	}
	flock__object_name(ob->h.mech, info->key, out->name_buf, sizeof(out->name_buf));
	decoded__set_name(out, NULL, NULL, 0);
}
