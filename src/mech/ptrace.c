/* SPDX-License-Identifier: GPL-2.0 */
/* One process works on another: ptrace, process_vm_readv and -writev, pidfd_getfd. */
#include <inttypes.h>
#include <stdio.h>

#include "mech/tables.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_PTRACE)

const struct hook hook_ptrace = {
	.name = "ptrace",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

static const char *const blind[] = {
	"reads and writes of /proc/PID/mem do not show",
	NULL,
};

const struct mech_desc mech_ptrace = { IPCT_MECH_PTRACE, "ptrace",
				       "ptrace, process_vm_readv, process_vm_writev, pidfd_getfd", blind };

static struct obj_key key_of(uint32_t target_pid)
{
	return (struct obj_key){ .id = target_pid,
				 .space = target_pid ? (uint64_t)IPCT_MECH_PTRACE << 56 : 0 };
}

void ptrace__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_ptrace *pt = (const struct ipct_ptrace *)ev;
	struct op *op = decoded__op(out, ev, pt->enter_ns, pt->ret);

	op->rule = PAIR_DIRECT;
	op->arg = pt->request;
	op->obj = key_of(pt->target_pid);
	op->bytes = (ev->op == IPCT_OP_RECV || ev->op == IPCT_OP_SEND) && pt->ret > 0 ? pt->ret : 0;
	op->direct.addr = pt->addr;
	op->direct.pid = pt->target_pid;
	op->direct.tid = pt->target_tid;
	/* The object is who is traced, not who is to trace. */
	if (ev->op == IPCT_OP_ATTACH && !pt->request)
		op->obj = key_of(ev->pid);
}

void ptrace__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "ptrace:%" PRIu64, key.id);
}
