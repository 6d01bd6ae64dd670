/* SPDX-License-Identifier: GPL-2.0 */
/* The table of system calls that the kernel half looks at. */
#include "kern/syscalls.h"

#include <string.h>
#include <sys/syscall.h>

#include <linux/types.h>

#include "ipctrace/config.h"
#include "ipctrace/mech.h"

struct row {
	const char *name; /* the function's: __x64_sys_NAME, __ia32_compat_sys_NAME, ... */
	short native; /* of this architecture; -1: it has none */
	short i386; /* the number in a 32-bit process on x86; -1: none, or not followed */
	uint8_t class;
	uint32_t mechs; /* looked at only when one of these is traced */
};

#define BIT(sym) IPCT_MECH_BIT(IPCT_MECH_##sym)
#define PIPES (BIT(PIPE) | BIT(FIFO))
#define INET (BIT(TCP) | BIT(UDP))
#define SOCKETS (BIT(UNIX_STREAM) | BIT(UNIX_DGRAM) | BIT(UNIX_SEQPACKET) | INET)
#define EVENTFDS BIT(EVENTFD)
#define FILES (PIPES | SOCKETS | EVENTFDS | BIT(PTY))
#define SIGNALS BIT(SIGNAL)
#define QUEUES BIT(POSIX_MQ)
#define SYSV_MSG BIT(SYSV_MSG)
#define MAPS (BIT(SYSV_SHM) | BIT(POSIX_SHM))
#define SEMS BIT(SYSV_SEM)

/* Legacy calls that newer architectures do not have. */
#ifndef SYS_open
#define SYS_open -1
#define SYS_creat -1
#define SYS_pipe -1
#define SYS_dup2 -1
#define SYS_eventfd -1
#endif

static const struct row rows[] = {
	{ "read", SYS_read, 3, IPCT_SC_READ, FILES | SIGNALS },
	{ "pread64", SYS_pread64, 180, IPCT_SC_READ, FILES },
	{ "readv", SYS_readv, 145, IPCT_SC_READV, FILES | SIGNALS },
	{ "preadv", SYS_preadv, 333, IPCT_SC_READV, FILES },
	{ "preadv2", SYS_preadv2, 378, IPCT_SC_READV, FILES },
	{ "write", SYS_write, 4, IPCT_SC_WRITE, FILES },
	{ "pwrite64", SYS_pwrite64, 181, IPCT_SC_WRITE, FILES },
	{ "writev", SYS_writev, 146, IPCT_SC_WRITEV, FILES },
	{ "pwritev", SYS_pwritev, 334, IPCT_SC_WRITEV, FILES },
	{ "pwritev2", SYS_pwritev2, 379, IPCT_SC_WRITEV, FILES },
	{ "sendto", SYS_sendto, 369, IPCT_SC_SENDTO, SOCKETS },
	{ "sendmsg", SYS_sendmsg, 370, IPCT_SC_SENDMSG, SOCKETS },
	{ "sendmmsg", SYS_sendmmsg, 345, IPCT_SC_SENDMMSG, SOCKETS },
	{ "recvfrom", SYS_recvfrom, 371, IPCT_SC_RECVFROM, SOCKETS },
	{ "recvmsg", SYS_recvmsg, 372, IPCT_SC_RECVMSG, SOCKETS },
	{ "recvmmsg", SYS_recvmmsg, 337, IPCT_SC_RECVMMSG, SOCKETS },
	{ "recvmmsg", -1, 417, IPCT_SC_RECVMMSG, SOCKETS }, /* recvmmsg_time64 */
	{ "splice", SYS_splice, 313, IPCT_SC_SPLICE, FILES },
	{ "tee", SYS_tee, 315, IPCT_SC_TEE, PIPES },
	{ "vmsplice", SYS_vmsplice, 316, IPCT_SC_VMSPLICE, PIPES },
	{ "sendfile", SYS_sendfile, 187, IPCT_SC_SENDFILE, FILES },
	{ "sendfile64", -1, 239, IPCT_SC_SENDFILE, FILES }, /* sendfile64 */
	{ "pipe", SYS_pipe, 42, IPCT_SC_PIPE, PIPES },
	{ "pipe2", SYS_pipe2, 331, IPCT_SC_PIPE, PIPES },
	{ "open", SYS_open, 5, IPCT_SC_OPEN, FILES },
	{ "creat", SYS_creat, 8, IPCT_SC_OPEN, FILES },
	{ "openat", SYS_openat, 295, IPCT_SC_OPEN, FILES },
	{ "openat2", SYS_openat2, 437, IPCT_SC_OPEN, FILES },
	{ "close", SYS_close, 6, IPCT_SC_CLOSE, FILES | BIT(POSIX_SEM) },
	{ "close_range", SYS_close_range, 436, IPCT_SC_CLOSE_RANGE, FILES },
	{ "dup", SYS_dup, 41, IPCT_SC_DUP, FILES },
	{ "dup2", SYS_dup2, 63, IPCT_SC_DUP, FILES },
	{ "dup3", SYS_dup3, 330, IPCT_SC_DUP, FILES },
	{ "fcntl", SYS_fcntl, 55, IPCT_SC_FCNTL, FILES | BIT(FLOCK) },
	{ "fcntl64", -1, 221, IPCT_SC_FCNTL, FILES | BIT(FLOCK) }, /* fcntl64 */
	{ "socket", SYS_socket, 359, IPCT_SC_SOCKET, SOCKETS },
	{ "socketpair", SYS_socketpair, 360, IPCT_SC_SOCKETPAIR, SOCKETS },
	{ "bind", SYS_bind, 361, IPCT_SC_BIND, SOCKETS },
	{ "connect", SYS_connect, 362, IPCT_SC_CONNECT, SOCKETS },
	{ "listen", SYS_listen, 363, IPCT_SC_LISTEN, SOCKETS },
	{ "accept", SYS_accept, -1, IPCT_SC_ACCEPT, SOCKETS },
	{ "accept4", SYS_accept4, 364, IPCT_SC_ACCEPT, SOCKETS },
	{ "shutdown", SYS_shutdown, 373, IPCT_SC_SHUTDOWN, SOCKETS },
	{ "rt_sigtimedwait", SYS_rt_sigtimedwait, 177, IPCT_SC_SIGWAIT, SIGNALS },
	{ "rt_sigtimedwait", -1, 421, IPCT_SC_SIGWAIT, SIGNALS }, /* rt_sigtimedwait_time64 */
	{ "io_uring_setup", 425, 425, IPCT_SC_URING_SETUP, SOCKETS },
	{ "socketcall", -1, 102, IPCT_SC_SOCKETCALL, SOCKETS },
	{ "msgget", SYS_msgget, 399, IPCT_SC_MSGGET, SYSV_MSG },
	{ "msgsnd", SYS_msgsnd, 400, IPCT_SC_MSGSND, SYSV_MSG },
	{ "msgrcv", SYS_msgrcv, 401, IPCT_SC_MSGRCV, SYSV_MSG },
	{ "msgctl", SYS_msgctl, 402, IPCT_SC_MSGCTL, SYSV_MSG },
	{ "mq_open", SYS_mq_open, 277, IPCT_SC_MQ_OPEN, QUEUES },
	{ "mq_unlink", SYS_mq_unlink, 278, IPCT_SC_MQ_UNLINK, QUEUES },
	{ "mq_timedsend", SYS_mq_timedsend, 279, IPCT_SC_MQ_SEND, QUEUES },
	{ "mq_timedreceive", SYS_mq_timedreceive, 280, IPCT_SC_MQ_RECEIVE, QUEUES },
	{ "mq_timedsend", -1, 418, IPCT_SC_MQ_SEND, QUEUES }, /* mq_timedsend_time64 */
	{ "mq_timedreceive", -1, 419, IPCT_SC_MQ_RECEIVE, QUEUES }, /* mq_timedreceive_time64 */
	{ "mq_notify", SYS_mq_notify, 281, IPCT_SC_MQ_NOTIFY, QUEUES },
	{ "ipc", -1, 117, IPCT_SC_IPC, SYSV_MSG },
	{ "futex", SYS_futex, 240, IPCT_SC_FUTEX, BIT(POSIX_SEM) },
	{ "futex", -1, 422, IPCT_SC_FUTEX, BIT(POSIX_SEM) }, /* futex_time64 */
	{ "futex_wake", 454, 454, IPCT_SC_FUTEX_WAKE, BIT(POSIX_SEM) }, /* futex_wake, since 6.7 */
	{ "futex_wait", 455, 455, IPCT_SC_FUTEX_WAIT, BIT(POSIX_SEM) },
	{ "shmget", SYS_shmget, 395, IPCT_SC_SHMGET, BIT(SYSV_SHM) },
	{ "shmat", SYS_shmat, 397, IPCT_SC_SHMAT, BIT(SYSV_SHM) },
	{ "shmdt", SYS_shmdt, 398, IPCT_SC_SHMDT, BIT(SYSV_SHM) },
	{ "shmctl", SYS_shmctl, 396, IPCT_SC_SHMCTL, BIT(SYSV_SHM) },
	{ "mmap", SYS_mmap, 192, IPCT_SC_MMAP,
	  MAPS }, /* mmap2; the old mmap(90) takes a struct and is not followed */
	{ "munmap", SYS_munmap, 91, IPCT_SC_MUNMAP, MAPS },
	{ "mremap", SYS_mremap, 163, IPCT_SC_MREMAP, MAPS },
	{ "mprotect", SYS_mprotect, 125, IPCT_SC_MPROTECT, MAPS },
	{ "pkey_mprotect", SYS_pkey_mprotect, 380, IPCT_SC_MPROTECT, MAPS },
	{ "flock", SYS_flock, 143, IPCT_SC_FLOCK, BIT(FLOCK) },
	{ "ptrace", SYS_ptrace, 26, IPCT_SC_PTRACE, BIT(PTRACE) },
	{ "process_vm_readv", SYS_process_vm_readv, 347, IPCT_SC_VM_READ, BIT(PTRACE) },
	{ "process_vm_writev", SYS_process_vm_writev, 348, IPCT_SC_VM_WRITE, BIT(PTRACE) },
	{ "pidfd_getfd", SYS_pidfd_getfd, 438, IPCT_SC_PIDFD_GETFD, BIT(PTRACE) },
	{ "eventfd", SYS_eventfd, 323, IPCT_SC_EVENTFD, EVENTFDS },
	{ "eventfd2", SYS_eventfd2, 328, IPCT_SC_EVENTFD, EVENTFDS },
	{ "semop", SYS_semop, -1, IPCT_SC_SEMOP, SEMS },
	{ "semtimedop", SYS_semtimedop, 420, IPCT_SC_SEMOP, SEMS },
	{ "semctl", SYS_semctl, 394, IPCT_SC_SEMCTL, SEMS },
	{ "semget", SYS_semget, 393, IPCT_SC_SEMGET, SEMS },
	{ "ipc", -1, 117, IPCT_SC_IPC, SEMS },
};

void syscalls__fill(uint32_t mechs, uint8_t *native, uint8_t *compat)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(rows[i].mechs & mechs))
			continue;
		if (rows[i].native >= 0)
			native[rows[i].native] = rows[i].class;
#ifdef __x86_64__
		if (rows[i].i386 >= 0)
			compat[rows[i].i386] = rows[i].class;
#endif
	}
}

size_t syscalls__names(uint32_t mechs, const char **names, size_t max)
{
	size_t cnt = 0, k;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!(rows[i].mechs & mechs))
			continue;
		for (k = 0; k < cnt && strcmp(names[k], rows[i].name); k++)
			;
		if (k == cnt && cnt < max)
			names[cnt++] = rows[i].name;
	}
	return cnt;
}
