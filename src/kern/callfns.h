/* SPDX-License-Identifier: GPL-2.0 */
/* Programs at the functions that do system calls: what bpf/syscalls_functions.bpf.c is attached to. */
#ifndef KERN_CALLFNS_H
#define KERN_CALLFNS_H

#include "base/buf.h"
#include "mech/mech.h"

struct kern;

/* A function of the running kernel that does one of the mechanisms' calls, to load and to probe with; NULL: none is known. */
const char *callfns__any(void);
/* Before loading: which function the fentry programs are checked against. 0 or -errno. */
int callfns__select(struct kern *k);
/* After loading: to the functions of all calls that the traced mechanisms need. 0, or -errno and a sentence in err. */
int callfns__attach(struct kern *k, struct buf *err);
void callfns__detach(struct kern *k);

#endif
