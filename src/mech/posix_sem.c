/* SPDX-License-Identifier: GPL-2.0 */
/* POSIX semaphores, and whatever else processes wait for in shared memory by futex. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mech/tables.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_POSIX_SEM)
#define FILE_PREFIX "sem." /* of libc's named semaphores in /dev/shm */

const struct hook hook_posix_sem_calls = {
	.name = "posix_sem",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("futex on shared memory: operations that had to wait or to wake"),
};

const struct hook hook_posix_sem_wake = {
	.name = "posix_sem_wake",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_waking",
		     { "unit_waking__tracepoint" },
		     .note = "who woke whom" } },
};

static const char *const blind[] = {
	"posts and waits that need not wait never enter the kernel: --user-sems sees them, in programs that "
	"use a shared C library",
	"locks of shared memory that spin, and waits by futex_waitv",
	NULL,
};

const struct mech_desc mech_posix_sem = {
	IPCT_MECH_POSIX_SEM, "posix-sem",
	"POSIX semaphores, and mutexes and conditions that processes share: who woke whom", blind
};

void posix_sem__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "psem:[%u:%" PRIu64 "+%" PRIu64 "]", (uint32_t)key.space, key.id & 0xffffffff,
		 key.id >> 32);
}

void posix_sem__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	const struct ipct_counter c = { .key = ob->key, .off = ob->rd_addr, .dev = ob->dev };
	struct object_info *info = decoded__object(out, &ob->h);
	const char *name = (const char *)(ob + 1) + ob->name_start;
	size_t prefix = strlen(FILE_PREFIX);

	info->key = units__key(ob->h.mech, &c);
	info->base = ob->what == IPCT_OBJECT_BASE;
	info->pid = ob->h.tid;
	/* Without a name now, it may have had one before: that stays. */
	if (ob->name_len > prefix && !memcmp(name, FILE_PREFIX, prefix))
		decoded__set_name(out, "psem:/", name + prefix, ob->name_len - prefix);
}

void posix_sem__decode_futex(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_futex *f = (const struct ipct_futex *)ev;
	struct op *op = units__decode(out, ev, f->enter_ns, &f->waker, f->ret);

	op->obj = units__key(ev->mech, &f->c);
	op->units.in_libc = f->flags & IPCT_UNIT_IN_LIBC;
	op->units.act = ev->op == IPCT_OP_WAIT && !f->ret ? UNITS_HANDED : UNITS_NOTHING;
	if (ev->op == IPCT_OP_WAIT)
		op->flags |= OP_F_WAITED;
}
