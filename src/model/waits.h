/* SPDX-License-Identifier: GPL-2.0 */
/* Who is blocked right now, in what, and who could end it. */
#ifndef MODEL_WAITS_H
#define MODEL_WAITS_H

#include "base/vec.h"
#include "model/proc.h"

struct channel; /* model/graph.h */

#define WAIT_WHOM_MAX 4

struct wait_line {
	struct proc *proc;
	uint32_t tid;
	const char *call; /* static: "read", "futex", ... */
	const char *object; /* interned: the contract's name; NULL: not known */
	struct channel *channel; /* NULL: nothing was seen on it yet */
	uint8_t mech; /* 0: none of ours */
	bool sends; /* it waits for room, not for data */
	uint64_t since_ns; /* 0: not known */
	struct proc *whom[WAIT_WHOM_MAX]; /* who could end it */
	uint32_t whom_cnt; /* all of them; the first WAIT_WHOM_MAX are in whom */
};

#endif
