/* SPDX-License-Identifier: GPL-2.0 */
/* Names of cgroups (v2) by their numbers, as they are on this machine when first asked for. */
#ifndef CMD_CGROUPS_H
#define CMD_CGROUPS_H

#include <stdint.h>

/* "/system.slice/cron.service", "/" for the root; NULL: there is none of that number (any more). Stays valid. */
const char *cgroups__path(uint64_t id);

#endif
