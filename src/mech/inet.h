/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses of TCP and UDP as words. */
#ifndef MECH_INET_H
#define MECH_INET_H

#include <stddef.h>

#include "event/wire.h"

/* "tcp:ADDR:PORT<->ADDR:PORT", the lower end first; with @NETNS outside of the tracer's network namespace. */
void inet__write_name(char *buf, size_t size, const char *prefix, const struct ipct_inet_name *n);

#endif
