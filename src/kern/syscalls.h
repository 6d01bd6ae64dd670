/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KERN_SYSCALLS_H
#define KERN_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sets class (enum ipct_sysclass) by system call number in two tables of IPCT_SYSCALL_MAX zeroed elements, for the
 * calls that one of mechs (IPCT_MECH_BITs) needs.
 */
void syscalls__fill(uint32_t mechs, uint8_t *native, uint8_t *compat);

/* The names of those calls, each once, in names[max] (static strings); returns how many. */
#define SYSCALL_NAMES_MAX 128
size_t syscalls__names(uint32_t mechs, const char **names, size_t max);

#endif
