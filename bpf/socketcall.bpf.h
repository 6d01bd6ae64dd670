/* SPDX-License-Identifier: GPL-2.0 */
/* The multiplexer of socket calls that 32-bit programs use. */
#ifndef BPF_SOCKETCALL_H
#define BPF_SOCKETCALL_H

#include "compat.bpf.h"

static __always_inline __u8 socketcall__class(__u32 call)
{
	switch (call) {
	case 1:
		return IPCT_SC_SOCKET;
	case 2:
		return IPCT_SC_BIND;
	case 3:
		return IPCT_SC_CONNECT;
	case 4:
		return IPCT_SC_LISTEN;
	case 5:
	case 18:
		return IPCT_SC_ACCEPT;
	case 8:
		return IPCT_SC_SOCKETPAIR;
	case 9:
	case 11:
		return IPCT_SC_SENDTO;
	case 10:
	case 12:
		return IPCT_SC_RECVFROM;
	case 13:
		return IPCT_SC_SHUTDOWN;
	case 16:
		return IPCT_SC_SENDMSG;
	case 17:
		return IPCT_SC_RECVMSG;
	case 19:
		return IPCT_SC_RECVMMSG;
	case 20:
		return IPCT_SC_SENDMMSG;
	}
	return IPCT_SC_NONE;
}

/* socketcall(call, u32 args[]): the arguments lie in user memory. */
static __always_inline __u8 socketcall__decode(struct sysargs *args)
{
	__u8 class = socketcall__class(args->a[0]);
	__u32 raw[6] = {};

	bpf_probe_read_user(raw, sizeof(raw), (void *)args->a[1]);
	for (int i = 0; i < 6; i++)
		args->a[i] = raw[i];
	return class;
}

#endif
