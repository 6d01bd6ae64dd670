// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel half is one object: one line per part. (bpftool's linker, up to 7.1 at least, cannot join two
 * objects that use the same kernel function, and every part uses bpf_rdonly_cast().)
 */
#include "maps.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Before those that end the record of a call, or tell of a signal. */
/* clang-format off */
#include "payload.bpf.c"
#include "stack_signal.bpf.c"
/* clang-format on */
#include "flock.bpf.c"
#include "kernel_write.bpf.c"
#include "pipe_unlock.bpf.c"
#include "process.bpf.c"
#include "queue.bpf.c"
#include "seed.bpf.c"
#include "signal.bpf.c"
#include "signal_functions.bpf.c"
#include "skb.bpf.c"
/* clang-format off */
#include "messages.bpf.c"
/* clang-format on */
#include "sleep.bpf.c"
#include "socket.bpf.c"
#include "syscalls.bpf.c"
/* Behind those that they stand in for: programs run in the order in which they were attached. */
/* clang-format off */
#include "again.bpf.c"
/* clang-format on */
/* Behind those that make the record of a call, and put it away when its thread sleeps. */
#include "stack.bpf.c"
#include "syscalls_functions.bpf.c"
#include "tcp.bpf.c"
#include "udp.bpf.c"
#include "unit.bpf.c"
#include "uring.bpf.c"
#include "usem.bpf.c"
