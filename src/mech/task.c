/* SPDX-License-Identifier: GPL-2.0 */
/* Processes and threads: no mechanism, but every mechanism needs them. */
#include <string.h>

#include "mech/tables.h"

#define TASK_HOOK(id, tp)                                                    \
	const struct hook hook_task_##id = {                                 \
		.name = "task_" #id,                                         \
		.mechs = 0,                                                  \
		.rungs = { { RUNG_TRACEPOINT, tp, { tp "__tracepoint" } } }, \
	}

TASK_HOOK(fork, "sched_process_fork");
TASK_HOOK(exec, "sched_process_exec");
TASK_HOOK(exit, "sched_process_exit");
TASK_HOOK(rename, "task_rename");

const struct hook hook_task_prepare_exec = {
	.name = "task_prepare_exec",
	.mechs = 0,
	.rungs = { { RUNG_TRACEPOINT,
		     "sched_prepare_exec",
		     { "sched_prepare_exec__tracepoint" },
		     .optional = true,
		     .note = "which descriptors an exec closes (since Linux 6.10)" } },
};

void task__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	static const uint8_t whats[] = {
		[IPCT_TASK_FORK] = TASK_FORK,	  [IPCT_TASK_EXEC] = TASK_EXEC, [IPCT_TASK_EXIT] = TASK_EXIT,
		[IPCT_TASK_RENAME] = TASK_RENAME, [IPCT_TASK_SCAN] = TASK_SCAN,
	};
	const struct ipct_task *t = (const struct ipct_task *)ev;
	struct task_info *info = &out->task;

	if (t->what >= sizeof(whats) || !whats[t->what])
		return;
	out->what = DECODED_TASK;
	*info = (struct task_info){
		.ts_ns = ev->ts_ns,
		.start_ns = t->start_ns,
		.cgroup = t->cgroup,
		.pid = ev->pid,
		.tid = ev->tid,
		.ppid = t->ppid,
		.ptid = t->ptid,
		.uid = t->uid,
		.pidns = t->pidns,
		.ns_pid = t->ns_pid,
		.ipcns = t->ipcns,
		.old_tid = t->old_tid,
		.exit_code = t->exit_code,
		.what = whats[t->what],
		.group_dead = t->group_dead,
		.shares_mm = t->shares_mm,
		.exe = (const char *)(t + 1),
		.args = (const char *)(t + 1) + t->exe_len,
		.exe_len = t->exe_len,
		.args_len = t->args_len,
	};
	memcpy(info->comm, t->comm, sizeof(info->comm));
	info->comm[sizeof(info->comm) - 1] = '\0';
}
