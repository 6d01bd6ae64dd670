/* SPDX-License-Identifier: GPL-2.0 */
/* Where the kernel leaves out programs at tracepoints because they were preempted, others stand behind them: bpf/again.bpf.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/kern_impl.h"
#include "kern/skel.h"

static const struct {
	const char *first, *behind;
	const char *jumps; /* the map in which the one behind finds the first; NULL: it has the same body */
} rows[IPCT_AGAIN_CNT] = {
	/* clang-format off */
	[IPCT_AGAIN_ENTER] = { "sys_enter__tracepoint", "sys_enter_again__tracepoint", "enter_again" },
	[IPCT_AGAIN_EXIT] = { "sys_exit__tracepoint", "sys_exit_again__tracepoint", "exit_again" },
	[IPCT_AGAIN_FORK] = { "sched_process_fork__tracepoint", "sched_process_fork_again__tracepoint", NULL },
	[IPCT_AGAIN_EXEC] = { "sched_process_exec__tracepoint", "sched_process_exec_again__tracepoint", NULL },
	[IPCT_AGAIN_END] = { "sched_process_exit__tracepoint", "sched_process_exit_again__tracepoint", NULL },
	[IPCT_AGAIN_FLOCK] = { "flock_lock_inode__tracepoint", "flock_lock_inode_again__tracepoint", NULL },
	[IPCT_AGAIN_COPIED] = { "skb_copy_datagram_iovec__tracepoint",
				"skb_copy_datagram_iovec_again__tracepoint", NULL },
	[IPCT_AGAIN_QUEUED] = { "sk_data_ready__tracepoint", "sk_data_ready_again__tracepoint", NULL },
	/* clang-format on */
};

/*
 * Until 6.19 the tracepoint forbids it. Nothing else than the version tells: to be preempted in the middle of a program is not
 * to be had on demand.
 */
bool again__is_needed(void)
{
	struct utsname u;
	int major;

	return !uname(&u) && sscanf(u.release, "%d.", &major) == 1 && major >= 7;
}

/*
 * debugfs says "none voluntary (full) lazy", since 5.12 (before, what is dynamic cannot be told). Who may not read it gets what
 * stands behind, perhaps for nothing.
 */
static bool kernel_is_preempted(void)
{
	char line[128] = "";
	FILE *f = fopen("/sys/kernel/debug/sched/preempt", "re");

	if (f && !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	return !strstr(line, "(none)") && !strstr(line, "(voluntary)");
}

bool again__is_needed_at_functions(void)
{
	struct utsname u;

	/* "#1 SMP PREEMPT_DYNAMIC ...", with PREEMPT in it for each kind of it: scripts/mkcompile_h, init/Makefile. */
	return again__is_needed() || (!uname(&u) && strstr(u.version, "PREEMPT") && kernel_is_preempted());
}

static struct bpf_program *program(const struct kern *k, const char *name)
{
	return bpf_object__find_program_by_name(k->skel->obj, name);
}

static bool stands(const struct kern *k, enum ipct_again i)
{
	return again__is_needed() && bpf_program__autoload(program(k, rows[i].first));
}

void again__select(struct kern *k)
{
	for (enum ipct_again i = 0; i < IPCT_AGAIN_CNT; i++)
		if (stands(k, i))
			bpf_program__set_autoload(program(k, rows[i].behind), true);
	/* It keeps the note by which they know, with its thread. */
	if (k->calls_again)
		bpf_program__set_autoload(k->skel->progs.sched_switch__tracepoint, true);
}

int again__fill(struct kern *k)
{
	for (enum ipct_again i = 0; i < IPCT_AGAIN_CNT; i++) {
		int map_fd, prog_fd;
		uint32_t zero = 0;

		if (!stands(k, i) || !rows[i].jumps)
			continue;
		map_fd = bpf_object__find_map_fd_by_name(k->skel->obj, rows[i].jumps);
		prog_fd = bpf_program__fd(program(k, rows[i].first));
		if (bpf_map_update_elem(map_fd, &zero, &prog_fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

const volatile unsigned long long *again__cnt(const struct kern *k, enum ipct_again which)
{
	return &k->skel->bss->again_cnt[which];
}

const volatile unsigned long long *again__cnt_behind(const struct kern *k, int prog_fd)
{
	for (enum ipct_again i = 0; i < IPCT_AGAIN_CNT; i++)
		if (stands(k, i) && bpf_program__fd(program(k, rows[i].first)) == prog_fd)
			return again__cnt(k, i);
	return NULL;
}
