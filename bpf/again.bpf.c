// SPDX-License-Identifier: GPL-2.0
/* What stands behind the programs at the entry and exit of calls, where those can be preempted: again.bpf.h. */
#include "again.bpf.h"

/* The collector puts the first program in. */
JUMPS(enter_again);
JUMPS(exit_again);

STANDS_BEHIND("?tp_btf/sys_enter", sys_enter_again__tracepoint, AGAIN_ENTERED, enter_again)
STANDS_BEHIND("?tp_btf/sys_exit", sys_exit_again__tracepoint, AGAIN_EXITED, exit_again)
