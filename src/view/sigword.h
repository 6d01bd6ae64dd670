/* SPDX-License-Identifier: GPL-2.0 */
/* Words for what a signal's numbers mean. */
#ifndef VIEW_SIGWORD_H
#define VIEW_SIGWORD_H

#include <stdint.h>

#define SIGWORD_BYTES 24

/* si_code: "user", "queue", "kernel", "timer", SIGCHLD's "exited", ...; "code 7" for the rest. Static, or in
 * buf. */
const char *sigword__code(uint32_t sig, int32_t code, char buf[SIGWORD_BYTES]);
/* The kernel's result: "delivered" (queued for the target), "ignored", "already-pending", "overflow",
 * "lost-info". */
const char *sigword__result(uint8_t result);

#endif
