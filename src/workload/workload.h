/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Traffic whose truth is known: real processes use a mechanism, and those that
 * receive say what they got and from whom, by the content alone. Shares nothing with the tracer.
 */
#ifndef WORKLOAD_WORKLOAD_H
#define WORKLOAD_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* Options that only some mechanisms understand; a row of the table says which. */
enum workload_feature {
	WL_OBJECT = 1 << 0, /* --object: path or name to use instead of a private one */
	WL_PACKET = 1 << 1, /* --packet: pipe with O_DIRECT */
	WL_PEEK = 1 << 2, /* --peek: MSG_PEEK before each receive */
	WL_SPLICE = 1 << 3, /* --splice: a middle process splices from one pipe to a second */
	WL_PASSFD = 1 << 4, /* --passfd: a descriptor travels with each message */
	WL_ECHO = 1 << 5, /* --echo: the receiver answers each message */
	WL_STANDARD = 1 << 6, /* --standard: kill() with SIGUSR1, one at a time */
	WL_HANDLER = 1 << 7, /* --handler: signals run a handler */
	WL_VARY = 1 << 8, /* --vary: any of the system calls that move the same data */
	WL_PREFILL = 1 << 9, /* --prefill: bytes that lie in the object before the hold */
	WL_READ_SIZE = 1 << 10, /* --read-size: size of the receivers' buffers */
	WL_URING = 1 << 11, /* --uring: send and receive through io_uring */
	WL_UNDO = 1 << 12, /* --undo: units come from SEM_UNDO when a short-lived process ends */
	WL_UNNAMED = 1 << 13, /* --unnamed: the variant of the object without a name */
	WL_OFD = 1 << 14, /* --ofd: open file description locks */
	WL_POSIX = 1 << 15, /* --posix: fcntl() record locks */
	WL_VM = 1 << 16, /* --vm: process_vm_readv and process_vm_writev */
	WL_TYPES = 1 << 17, /* --types: receivers select by type or priority */
	WL_SIGNALFD = 1 << 18, /* --signalfd: signals are read from a signalfd */
	WL_NONBLOCK = 1 << 20, /* --nonblock: writes that may go out in parts, each of them a message */
	WL_EAGER = 1 << 21, /* --eager: units are posted before somebody waits for them */
	WL_LISTEN =
		1 << 19, /* --listen: unix: through a named listening or bound socket, not a socket pair */
};

struct size_range {
	uint64_t min, max; /* bytes, both included */
};

struct workload_opts {
	uint32_t writers, readers;
	uint64_t messages; /* per writer */
	struct size_range size;
	struct size_range read_size; /* receivers' buffers; 0: the default */
	uint64_t rate; /* messages per second and writer; 0: as fast as it goes */
	uint64_t seed;
	uint64_t prefill_bytes;
	uint64_t timeout_ns; /* 0: a minute, and what --rate needs */
	const char *object; /* NULL: a private one */
	uint32_t features; /* enum workload_feature, those asked for; not OBJECT, PREFILL, READ_SIZE */
	int hold_fd; /* -1: none */
	bool hold_late; /* hold when objects and processes exist */
	bool threads; /* senders are threads of one process, receivers of another */
	bool self; /* all are threads of one process */
};
extern const struct workload_opts workload_defaults;

enum truth_kind { TRUTH_FLOW, TRUTH_SHARE, TRUTH_UNATTRIBUTED };

#define OBJECT_NAME_LEN 256

/* FLOW: src sent, dst took. SHARE: src and dst had the same memory. UNATTRIBUTED: bytes that lay there before. */
struct truth_line {
	enum truth_kind kind;
	pid_t src, dst;
	const char *mech; /* static */
	uint64_t messages, bytes;
	char object[OBJECT_NAME_LEN];
};

struct truth {
	struct truth_line *v;
	size_t cnt, cap;
};
void truth__free(struct truth *t);
/* Adds to the line of (kind, src, dst, mech, object), or makes it. */
void truth__add(struct truth *t, enum truth_kind kind, pid_t src, pid_t dst, const char *mech,
		const char *object, uint64_t messages, uint64_t bytes);

struct run;
struct workload {
	const char *name;
	const char *help; /* one line */
	uint32_t takes; /* enum workload_feature */
	int (*run)(struct run *r);
};
const struct workload *const *workload__all(size_t *cnt);
const struct workload *workload__find(const char *name); /* NULL: none */

/*
 * Runs it and appends what was exchanged to truth. Blocks. Returns 0, or -errno with one sentence in err:
 * -EINVAL the options do not fit, -ENOSYS this kernel lacks the mechanism, -ETIMEDOUT, -EINTR after workload__stop().
 */
int workload__run(const struct workload *wl, const struct workload_opts *o, struct truth *truth,
		  struct buf *err);
/* Ends the running workload early; for signal handlers. */
void workload__stop(void);

#endif
