/* SPDX-License-Identifier: GPL-2.0 */
/* System V semaphores. */
#include <inttypes.h>
#include <stdio.h>

#include "mech/tables.h"

#define BITS IPCT_MECH_BIT(IPCT_MECH_SYSV_SEM)

const struct hook hook_sysv_sem_calls = {
	.name = "sysv_sem",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("semop, semtimedop, semctl, semget"),
};

const struct hook hook_sysv_sem_wake = {
	.name = "sysv_sem_wake",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_waking",
		     { "unit_waking__tracepoint" },
		     .optional = true,
		     .note = "who woke whom; without it, the order of waits that blocked is a guess" } },
};

const struct hook hook_sysv_sem_undo = {
	.name = "sysv_sem_undo",
	.mechs = BITS,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_process_exit",
		     { "unit_exit__tracepoint", "unit_notify__tracepoint", "unit_dead__tracepoint" },
		     .note = "what SEM_UNDO gives back" } },
};

static const char *const blind[] = {
	"SEM_UNDO of a thread that leaves its process's list (unshare, CLONE_SYSVSEM between processes)",
	"of a set with more than 512 semaphores, what the others held before the trace",
	NULL,
};

const struct mech_desc mech_sysv_sem = {
	IPCT_MECH_SYSV_SEM, "sysv-sem",
	"System V semaphores: who posted what a waiter took, and who woke whom", blind
};

void sysv_sem__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "sem:%" PRIu64, key.id);
	ipcns__add(buf, size, (uint32_t)key.space);
}
