/* SPDX-License-Identifier: GPL-2.0 */
/* Every workload, in the order of `ipctrace workload all`: X(symbol), defined as workload_<symbol> in its own file. */
#ifndef WORKLOAD_TABLE_H
#define WORKLOAD_TABLE_H

#include "workload/workload.h"

/* clang-format off */
#define WORKLOAD_LIST(X) \
	X(pipe) X(fifo) X(signal) X(sysv_msg) X(sysv_sem) X(sysv_shm) X(posix_mq) X(posix_sem) X(posix_shm) \
	X(unix_stream) X(unix_dgram) X(unix_seqpacket) X(tcp) X(udp) X(eventfd) X(pty) X(ptrace) X(flock)
/* clang-format on */

#define X(name) extern const struct workload workload_##name;
WORKLOAD_LIST(X)
#undef X

#endif
