/* SPDX-License-Identifier: GPL-2.0 */
/* The fentry rung of system calls: the programs of bpf/syscalls_functions.bpf.c, and the stubs that jump to them. */
#ifndef KERN_CALLSTUBS_H
#define KERN_CALLSTUBS_H

#include "base/buf.h"

struct kern;

/* Before loading, if sys_enter__fentry is to be loaded: which functions the programs are checked against. 0 or -errno. */
int callstubs__select(struct kern *k);
/* After loading: a stub at each end of each function. 0, or -errno and a sentence in err. */
int callstubs__attach(struct kern *k, struct buf *err);
void callstubs__detach(struct kern *k);

#endif
