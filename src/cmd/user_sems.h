/* SPDX-License-Identifier: GPL-2.0 */
/* --user-sems: where the C libraries in use have their semaphore functions. */
#ifndef CMD_USER_SEMS_H
#define CMD_USER_SEMS_H

#include "base/buf.h"
#include "kern/kern.h"

/*
 * Finds them in every C library that a running process has mapped, containers' included. *cnt receives how many; NULL: none,
 * and err says why. Freed with free().
 */
struct kern_uprobe *user_sems__find(size_t *cnt, struct buf *err);

#endif
