/* SPDX-License-Identifier: GPL-2.0 */
/* Names of signal numbers, as on x86-64 and arm64 Linux, whatever libc this was built with. */
#ifndef BASE_SIGNAME_H
#define BASE_SIGNAME_H

#define SIGNAME_BYTES 16

/*
 * "SIGUSR1"; real-time signals count from 34, as glibc shows them: "SIGRTMIN", "SIGRTMIN+3"; numbers without
 * a name (0, 32 and 33, beyond 64) are "SIG32". The result is static, or lies in buf.
 */
const char *signame(unsigned int sig, char buf[SIGNAME_BYTES]);

#endif
