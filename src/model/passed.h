/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors that came along with a message, both sides of each. */
#ifndef MODEL_PASSED_H
#define MODEL_PASSED_H

#include "model/op.h"

struct proc; /* model/proc.h */

struct passed_fd {
	const char *object; /* interned: the contract's name, or a path; "?": nobody told it */
	struct proc *src; /* NULL: its sending was not seen */
	int32_t src_fd; /* -1: not known */
	int32_t dst_fd;
	uint8_t side; /* 1 read, 2 write, 3 both */
};

#define PASSED_FDS_MAX 253 /* of one message: SCM_MAX_FD in include/net/scm.h */

#endif
