/* SPDX-License-Identifier: GPL-2.0 */
/* The contract's headers, for user space. */
#ifndef EVENT_WIRE_H
#define EVENT_WIRE_H

#include <linux/types.h>

#include "ipctrace/event.h"
#include "ipctrace/mech.h"

#endif
