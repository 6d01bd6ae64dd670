/* SPDX-License-Identifier: GPL-2.0 */
/* Which rung each hook stands on here: the first of its rows that works and that --attach allows. */
#ifndef KERN_CHOOSE_H
#define KERN_CHOOSE_H

#include "kern/kern.h"

/* Choices for all hooks that mechs need; freed with free(). */
struct hook_choice *choose__hooks(enum attach_mode attach, uint32_t mechs, size_t *cnt);
/* A mechanism that one of the choices leaves without a needed hook, or IPCT_MECH_NONE; *hook: which. */
uint8_t choose__missing(const struct hook_choice *choices, size_t cnt, uint32_t mechs,
			const struct hook_choice **hook);

#endif
