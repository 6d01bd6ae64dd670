/* SPDX-License-Identifier: GPL-2.0 */
/* Programs at the functions that do system calls: what bpf/syscalls_functions.bpf.c is attached to (kern/callstubs.h at fentry). */
#ifndef KERN_CALLFNS_H
#define KERN_CALLFNS_H

#include "base/buf.h"
#include "mech/mech.h"

struct kern;

/* A function of the running kernel that does one of the mechanisms' calls, to load and to probe with; NULL: none is known. */
const char *callfns__any(void);
/* Calls fn for each function of this kernel that does one of the mechanisms' calls, until it returns other than 0; returns that. */
typedef int (*callfn_fn)(void *ctx, const char *function);
int callfns__each(uint32_t mechs, callfn_fn fn, void *ctx);
/* After loading: to the functions of all calls that the traced mechanisms need. 0, or -errno and a sentence in err. */
int callfns__attach(struct kern *k, struct buf *err);
/* Adds to err: one sentence, for rc, an -errno. */
void callfns__say_failed(struct buf *err, const char *function, int rc);

#endif
