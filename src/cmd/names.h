/* SPDX-License-Identifier: GPL-2.0 */
/* The names that views need: of mechanisms, of the machine that was traced, and of the hooks that did it. */
#ifndef CMD_NAMES_H
#define CMD_NAMES_H

#include "kern/kern.h"
#include "store/info.h"
#include "view/view.h"

/*
 * traced: IPCT_MECH_BITs. k: whose hooks names->attach tells of, NULL: none. The strings are static; there is one
 * traced machine at a time.
 */
void names__init(struct view_names *names, uint32_t traced, const struct kern *k);
/* The same, as the recording tells it; info must outlive the names. */
void names__init_recorded(struct view_names *names, uint32_t traced, const struct store_info *info);
/* Lines "MECHANISM RUNG": what recordings keep of k. */
void names__put_attach(struct buf *out, uint32_t traced, const struct kern *k);

#endif
