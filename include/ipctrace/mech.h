/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mechanisms that ipctrace knows, one row each: X(SYMBOL, number, "name").
 *
 * The numbers travel in events and lie in recordings: append only, never
 * renumber; to retire one, leave a hole. The names are those of the command
 * line and of JSON output.
 */
#ifndef IPCT_MECH_H
#define IPCT_MECH_H

/* clang-format off */
#define IPCT_MECH_LIST(X)                        \
	X(PIPE,           1, "pipe")             \
	X(FIFO,           2, "fifo")             \
	X(SIGNAL,         3, "signal")           \
	X(SYSV_MSG,       4, "sysv-msg")         \
	X(SYSV_SEM,       5, "sysv-sem")         \
	X(SYSV_SHM,       6, "sysv-shm")         \
	X(POSIX_MQ,       7, "posix-mq")         \
	X(POSIX_SEM,      8, "posix-sem")        \
	X(POSIX_SHM,      9, "posix-shm")        \
	X(UNIX_STREAM,   10, "unix-stream")      \
	X(UNIX_DGRAM,    11, "unix-dgram")       \
	X(UNIX_SEQPACKET,12, "unix-seqpacket")   \
	X(TCP,           13, "tcp")              \
	X(UDP,           14, "udp")              \
	X(EVENTFD,       15, "eventfd")          \
	X(PTY,           16, "pty")              \
	X(PTRACE,        17, "ptrace")           \
	X(FLOCK,         18, "flock")
/* clang-format on */

enum ipct_mech {
	IPCT_MECH_NONE = 0, /* not of one mechanism: processes, for example */
#define IPCT_X(sym, num, name) IPCT_MECH_##sym = num,
	IPCT_MECH_LIST(IPCT_X)
#undef IPCT_X
		IPCT_MECH_CNT = 19, /* one more than the largest number */
};

#define IPCT_MECH_BIT(m) (1u << (m))

#endif
