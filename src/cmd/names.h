/* SPDX-License-Identifier: GPL-2.0 */
/* The names that views need: of mechanisms, of this machine, and of the hooks that trace. */
#ifndef CMD_NAMES_H
#define CMD_NAMES_H

#include "kern/kern.h"
#include "view/view.h"

/*
 * traced: IPCT_MECH_BITs. k: whose hooks names->attach tells of, NULL: none. The strings are static; there is one
 * such kernel half at a time, until names__forget_kernel().
 */
void names__init(struct view_names *names, uint32_t traced, const struct kern *k);
void names__forget_kernel(void);

#endif
