/* SPDX-License-Identifier: GPL-2.0 */
/* Words of shared memory, locks, ptrace and passed descriptors. */
#include "view/label.h"

#include <stdio.h>

const char *label__fd_access(uint8_t side)
{
	static const char *const words[] = { "none", "read", "write", "readwrite" };

	return words[side & 3];
}

const char *label__lock_kind(uint8_t kind)
{
	static const char *const words[] = {
		[LOCK_KIND_FLOCK] = "flock", [LOCK_KIND_POSIX] = "posix", [LOCK_KIND_OFD] = "ofd"
	};

	return kind < sizeof(words) / sizeof(words[0]) && words[kind] ? words[kind] : "?";
}

const char *label__lock_type(uint8_t type)
{
	return type == LOCK_TYPE_WRITE ? "write" : type == LOCK_TYPE_READ ? "read" : "none";
}

/* include/uapi/linux/ptrace.h and, from 12 on, the architecture's own numbers, of which the common ones are here. */
static const struct {
	uint32_t request;
	const char *name;
} requests[] = {
	{ 0, "traceme" },
	{ 1, "peektext" },
	{ 2, "peekdata" },
	{ 3, "peekuser" },
	{ 4, "poketext" },
	{ 5, "pokedata" },
	{ 6, "pokeuser" },
	{ 7, "cont" },
	{ 8, "kill" },
	{ 9, "singlestep" },
	{ 12, "getregs" },
	{ 13, "setregs" },
	{ 14, "getfpregs" },
	{ 15, "setfpregs" },
	{ 16, "attach" },
	{ 17, "detach" },
	{ 18, "getfpxregs" },
	{ 19, "setfpxregs" },
	{ 24, "syscall" },
	{ 30, "arch_prctl" },
	{ 31, "sysemu" },
	{ 32, "sysemu_singlestep" },
	{ 33, "singleblock" },
	{ 0x4200, "setoptions" },
	{ 0x4201, "geteventmsg" },
	{ 0x4202, "getsiginfo" },
	{ 0x4203, "setsiginfo" },
	{ 0x4204, "getregset" },
	{ 0x4205, "setregset" },
	{ 0x4206, "seize" },
	{ 0x4207, "interrupt" },
	{ 0x4208, "listen" },
	{ 0x4209, "peeksiginfo" },
	{ 0x420a, "getsigmask" },
	{ 0x420b, "setsigmask" },
	{ 0x420c, "seccomp_get_filter" },
	{ 0x420d, "seccomp_get_metadata" },
	{ 0x420e, "get_syscall_info" },
	{ 0x420f, "get_rseq_configuration" },
	{ 0x4212, "set_syscall_info" },
};

const char *label__direct(const struct op *op)
{
	switch (op->kind) {
	case OP_RECV:
		return "process_vm_readv";
	case OP_SEND:
		return "process_vm_writev";
	case OP_PASS:
		return "pidfd_getfd";
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].request == op->arg)
			return requests[i].name;
	return "?";
}
