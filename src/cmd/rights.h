/* SPDX-License-Identifier: GPL-2.0 */
/* Which capabilities a command still needs when everything is attached. All others are given up. */
#ifndef CMD_RIGHTS_H
#define CMD_RIGHTS_H

#include "cmd/options.h"

/*
 * Gives up, for good, what is not needed from now on. later: a file that is written when the trace ends, or NULL. Failing to is no
 * failure of the trace; it is said with --verbose.
 */
void rights__drop(const struct options *o, struct kern *kern, const char *later);

#endif
