/* SPDX-License-Identifier: GPL-2.0 */
/* The generated skeleton, behind the types that it names. */
#ifndef KERN_SKEL_H
#define KERN_SKEL_H

#include <linux/types.h>

/* clang-format off */
#include "ipctrace/config.h"
#include "ipctrace.skel.h"
/* clang-format on */

#endif
