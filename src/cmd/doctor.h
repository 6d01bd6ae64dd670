/* SPDX-License-Identifier: GPL-2.0 */
/* What the doctor found, and the two ways of telling it. */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include <sys/utsname.h>

#include "base/buf.h"
#include "kern/kern.h"

struct findings {
	struct utsname host;
	struct kern_rights rights;
	struct hook_choice *choices;
	size_t cnt;
	uint32_t mechs; /* asked for */
	bool uprobes; /* what --user-sems needs of the kernel */
	size_t user_sem_cnt; /* functions that it would watch; 0 also where posix-sem was not asked for */
};

struct right {
	const char *name, *without; /* static; what is missing without it */
	bool held;
};

#define RIGHT_CNT 5
void doctor__rights(const struct findings *f, struct right rights[RIGHT_CNT]);

bool doctor__serves_all(const struct hook *h); /* about processes: every mechanism needs it */

/* ok: everything asked for can be traced. */
void doctor__put_json(struct buf *out, const struct findings *f, bool ok);
void doctor__put_text(struct buf *out, const struct findings *f, bool ok);

#endif
