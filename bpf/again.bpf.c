// SPDX-License-Identifier: GPL-2.0
/* What stands behind the programs at the entry and exit of calls, where those can be preempted: again.bpf.h. */
#include "again.bpf.h"

/* The collector puts the first program in. A jump is no new run: it works although the kernel did not run that one. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} enter_again SEC(".maps"), exit_again SEC(".maps");

SEC("?tp_btf/sys_enter")
int BPF_PROG(sys_enter_again__tracepoint, struct pt_regs *regs, long nr)
{
	if (again__is_due(AGAIN_ENTERED))
		bpf_tail_call(ctx, &enter_again, 0);
	return 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(sys_exit_again__tracepoint, struct pt_regs *regs, long ret)
{
	if (again__is_due(AGAIN_EXITED))
		bpf_tail_call(ctx, &exit_again, 0);
	return 0;
}
