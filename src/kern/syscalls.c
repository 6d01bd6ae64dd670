/* SPDX-License-Identifier: GPL-2.0 */
/* The table of system calls that the kernel half looks at. */
#include "kern/syscalls.h"

#include <sys/syscall.h>

#include <linux/types.h>

#include "ipctrace/config.h"
#include "ipctrace/mech.h"

struct row {
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
	{ SYS_read, 3, IPCT_SC_READ, FILES },
	{ SYS_pread64, 180, IPCT_SC_READ, FILES },
	{ SYS_readv, 145, IPCT_SC_READV, FILES },
	{ SYS_preadv, 333, IPCT_SC_READV, FILES },
	{ SYS_preadv2, 378, IPCT_SC_READV, FILES },
	{ SYS_write, 4, IPCT_SC_WRITE, FILES },
	{ SYS_pwrite64, 181, IPCT_SC_WRITE, FILES },
	{ SYS_writev, 146, IPCT_SC_WRITEV, FILES },
	{ SYS_pwritev, 334, IPCT_SC_WRITEV, FILES },
	{ SYS_pwritev2, 379, IPCT_SC_WRITEV, FILES },
	{ SYS_sendto, 369, IPCT_SC_SENDTO, SOCKETS },
	{ SYS_sendmsg, 370, IPCT_SC_SENDMSG, SOCKETS },
	{ SYS_sendmmsg, 345, IPCT_SC_SENDMMSG, SOCKETS },
	{ SYS_recvfrom, 371, IPCT_SC_RECVFROM, SOCKETS },
	{ SYS_recvmsg, 372, IPCT_SC_RECVMSG, SOCKETS },
	{ SYS_recvmmsg, 337, IPCT_SC_RECVMMSG, SOCKETS },
	{ -1, 417, IPCT_SC_RECVMMSG, SOCKETS }, /* recvmmsg_time64 */
	{ SYS_splice, 313, IPCT_SC_SPLICE, FILES },
	{ SYS_tee, 315, IPCT_SC_TEE, PIPES },
	{ SYS_vmsplice, 316, IPCT_SC_VMSPLICE, PIPES },
	{ SYS_sendfile, 187, IPCT_SC_SENDFILE, FILES },
	{ -1, 239, IPCT_SC_SENDFILE, FILES }, /* sendfile64 */
	{ SYS_pipe, 42, IPCT_SC_PIPE, PIPES },
	{ SYS_pipe2, 331, IPCT_SC_PIPE, PIPES },
	{ SYS_open, 5, IPCT_SC_OPEN, FILES },
	{ SYS_creat, 8, IPCT_SC_OPEN, FILES },
	{ SYS_openat, 295, IPCT_SC_OPEN, FILES },
	{ SYS_openat2, 437, IPCT_SC_OPEN, FILES },
	{ SYS_close, 6, IPCT_SC_CLOSE, FILES | BIT(POSIX_SEM) },
	{ SYS_close_range, 436, IPCT_SC_CLOSE_RANGE, FILES },
	{ SYS_dup, 41, IPCT_SC_DUP, FILES },
	{ SYS_dup2, 63, IPCT_SC_DUP, FILES },
	{ SYS_dup3, 330, IPCT_SC_DUP, FILES },
	{ SYS_fcntl, 55, IPCT_SC_FCNTL, FILES | BIT(FLOCK) },
	{ -1, 221, IPCT_SC_FCNTL, FILES | BIT(FLOCK) }, /* fcntl64 */
	{ SYS_socket, 359, IPCT_SC_SOCKET, SOCKETS },
	{ SYS_socketpair, 360, IPCT_SC_SOCKETPAIR, SOCKETS },
	{ SYS_bind, 361, IPCT_SC_BIND, SOCKETS },
	{ SYS_connect, 362, IPCT_SC_CONNECT, SOCKETS },
	{ SYS_listen, 363, IPCT_SC_LISTEN, SOCKETS },
	{ SYS_accept, -1, IPCT_SC_ACCEPT, SOCKETS },
	{ SYS_accept4, 364, IPCT_SC_ACCEPT, SOCKETS },
	{ SYS_shutdown, 373, IPCT_SC_SHUTDOWN, SOCKETS },
	{ SYS_rt_sigtimedwait, 177, IPCT_SC_SIGWAIT, SIGNALS },
	{ -1, 421, IPCT_SC_SIGWAIT, SIGNALS }, /* rt_sigtimedwait_time64 */
	{ -1, 102, IPCT_SC_SOCKETCALL, SOCKETS },
	{ SYS_msgget, 399, IPCT_SC_MSGGET, SYSV_MSG },
	{ SYS_msgsnd, 400, IPCT_SC_MSGSND, SYSV_MSG },
	{ SYS_msgrcv, 401, IPCT_SC_MSGRCV, SYSV_MSG },
	{ SYS_msgctl, 402, IPCT_SC_MSGCTL, SYSV_MSG },
	{ SYS_mq_open, 277, IPCT_SC_MQ_OPEN, QUEUES },
	{ SYS_mq_unlink, 278, IPCT_SC_MQ_UNLINK, QUEUES },
	{ SYS_mq_timedsend, 279, IPCT_SC_MQ_SEND, QUEUES },
	{ SYS_mq_timedreceive, 280, IPCT_SC_MQ_RECEIVE, QUEUES },
	{ -1, 418, IPCT_SC_MQ_SEND, QUEUES }, /* mq_timedsend_time64 */
	{ -1, 419, IPCT_SC_MQ_RECEIVE, QUEUES }, /* mq_timedreceive_time64 */
	{ SYS_mq_notify, 281, IPCT_SC_MQ_NOTIFY, QUEUES },
	{ -1, 117, IPCT_SC_IPC, SYSV_MSG },
	{ SYS_futex, 240, IPCT_SC_FUTEX, BIT(POSIX_SEM) },
	{ -1, 422, IPCT_SC_FUTEX, BIT(POSIX_SEM) }, /* futex_time64 */
	{ 454, 454, IPCT_SC_FUTEX_WAKE, BIT(POSIX_SEM) }, /* futex_wake, since 6.7 */
	{ 455, 455, IPCT_SC_FUTEX_WAIT, BIT(POSIX_SEM) },
	{ SYS_shmget, 395, IPCT_SC_SHMGET, BIT(SYSV_SHM) },
	{ SYS_shmat, 397, IPCT_SC_SHMAT, BIT(SYSV_SHM) },
	{ SYS_shmdt, 398, IPCT_SC_SHMDT, BIT(SYSV_SHM) },
	{ SYS_shmctl, 396, IPCT_SC_SHMCTL, BIT(SYSV_SHM) },
	{ SYS_mmap, 192, IPCT_SC_MMAP,
	  MAPS }, /* mmap2; the old mmap(90) takes a struct and is not followed */
	{ SYS_munmap, 91, IPCT_SC_MUNMAP, MAPS },
	{ SYS_mremap, 163, IPCT_SC_MREMAP, MAPS },
	{ SYS_mprotect, 125, IPCT_SC_MPROTECT, MAPS },
	{ SYS_pkey_mprotect, 380, IPCT_SC_MPROTECT, MAPS },
	{ SYS_flock, 143, IPCT_SC_FLOCK, BIT(FLOCK) },
	{ SYS_ptrace, 26, IPCT_SC_PTRACE, BIT(PTRACE) },
	{ SYS_process_vm_readv, 347, IPCT_SC_VM_READ, BIT(PTRACE) },
	{ SYS_process_vm_writev, 348, IPCT_SC_VM_WRITE, BIT(PTRACE) },
	{ SYS_pidfd_getfd, 438, IPCT_SC_PIDFD_GETFD, BIT(PTRACE) },
	{ SYS_eventfd, 323, IPCT_SC_EVENTFD, EVENTFDS },
	{ SYS_eventfd2, 328, IPCT_SC_EVENTFD, EVENTFDS },
	{ SYS_semop, -1, IPCT_SC_SEMOP, SEMS },
	{ SYS_semtimedop, 420, IPCT_SC_SEMOP, SEMS },
	{ SYS_semctl, 394, IPCT_SC_SEMCTL, SEMS },
	{ SYS_semget, 393, IPCT_SC_SEMGET, SEMS },
	{ -1, 117, IPCT_SC_IPC, SEMS },
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
