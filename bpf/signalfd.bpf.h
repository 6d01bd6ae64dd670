/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Signals that a read of a signalfd takes: no tracepoint shows them, but the reader's own buffer does. Of use only where
 * collect_signal() is not seen (signal_functions.bpf.c).
 */
#ifndef BPF_SIGNALFD_H
#define BPF_SIGNALFD_H

#include "file.bpf.h"
#include "signal.bpf.h"

#define SIGNALFD_NAME "[signalfd]"
#define SIGNALFD_INFO_BYTES 128 /* struct signalfd_siginfo */
#define SIGNALFD_INFOS_MAX 64 /* of one read; those behind are not followed */

static __noinline bool file__is_signalfd(__s32 fd)
{
	__u64 file = file__by_fd(fd);

	return file && file__is_anon(file, SIGNALFD_NAME, sizeof(SIGNALFD_NAME));
}

/* Not static: so the verifier looks at it once, not at each turn of the loop. */
__noinline int signalfd__one(__u64 at)
{
	__s32 info[3] = {}; /* ssi_signo, ssi_errno, ssi_code */

	if (!bpf_probe_read_user(info, sizeof(info), (void *)at))
		signal__taken(info[0], info[2], IPCT_SIGDLV_FD, false, 0);
	return 0;
}

static __noinline void signalfd__exit(const struct task_op *op, __s64 ret, bool iov)
{
	__u64 buf = op->buf;

	if (iov && bpf_probe_read_user(&buf, op->compat ? 4 : 8, (void *)op->buf))
		return;
	if (iov && op->compat)
		buf = (__u32)buf;
	for (int i = 0; i < SIGNALFD_INFOS_MAX && (i + 1) * SIGNALFD_INFO_BYTES <= ret; i++)
		signalfd__one(buf + i * SIGNALFD_INFO_BYTES);
}

#endif
