/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel half, as the rest sees it. The life cycle is the order of this
 * header: new (choose hooks), attach, activate, scan, poll ..., close.
 */
#ifndef KERN_KERN_H
#define KERN_KERN_H

#include "event/source.h"
#include "mech/mech.h"

enum attach_mode { ATTACH_AUTO, ATTACH_FENTRY, ATTACH_KPROBE, ATTACH_TRACEPOINT };

#define KERN_PIDS_MAX 64

#define KERN_UPROBE_PATH 4096

enum kern_uprobe_what { KERN_UPROBE_POST, KERN_UPROBE_WAIT, KERN_UPROBE_TRYWAIT };

/* A function in a C library that is watched in every process. */
struct kern_uprobe {
	char path[KERN_UPROBE_PATH];
	uint64_t offset; /* in the file */
	enum kern_uprobe_what what;
};

/* Sums in the kernel, of the operations that move data (bpf/ledger.bpf.h). */
enum kern_ledger {
	KERN_LEDGER_NONE,
	KERN_LEDGER_SUMMARY, /* instead of records */
	KERN_LEDGER_BESIDE, /* beside records; instead of them from when the rings lose some */
	KERN_LEDGER_STANDBY, /* from when the rings lose some, instead of records */
};

struct kern_opts {
	uint32_t mechs; /* IPCT_MECH_BITs to trace */
	enum attach_mode attach;
	uint64_t ring_bytes; /* per CPU, power of two; 0: default */
	/* What the kernel half may drop early; the exact filter is user space's. Nothing chosen: everything. */
	uint32_t pids[KERN_PIDS_MAX];
	size_t pid_cnt;
	bool follow; /* children of the chosen, too */
	bool have_uid, have_cgroup;
	uint32_t uid;
	uint64_t cgroup; /* cgroup v2 id */
	const struct kern_uprobe *uprobes; /* the caller's, until kern__attach(); NULL: none */
	size_t uprobe_cnt;
	uint32_t payload_bytes; /* of what each call moves, at most IPCT_PAYLOAD_MAX; 0: nothing */
	/* What few calls need is attached when the first of them comes; the little that it would have shown until then counts as lost. */
	bool on_demand;
	bool closes; /* also of descriptors that close_range, dup2, exec and exit close */
	bool user_stacks, kernel_stacks; /* records of kind STACK before those of each call */
	uint32_t extra_self; /* another pid whose own traffic is not shown; 0: none */
	enum kern_ledger ledger;
	uint64_t ledger_period_ns; /* how often it is read; 0: default */
	int ready_fd; /* the tracer writes there; 0: none */
	const char *output; /* file that the tracer writes to, borrowed; NULL: standard output */
};

bool kern__has_uprobes(void); /* can programs be attached to functions of user space here? */

struct kern;

/* Why it cannot be done, as one sentence with the remedy, is put in err by all functions that return a negative number. */
struct kern *kern__new(const struct kern_opts *opts, struct buf *err); /* opens and loads; NULL: failed */
int kern__attach(struct kern *k, struct buf *err);
int kern__activate(struct kern *k, struct buf *err); /* opens all programs at once */
/* Emits what existed before (tasks, pipes, sockets) as events into the rings. Call after kern__activate(). */
int kern__scan(struct kern *k, struct buf *err);
struct event_source *kern__source(struct kern *k); /* owned by k; LOST records are made here */
/* How full the fullest ring was when it was read, since the last call: 0 to 1. */
double kern__ring_peak(struct kern *k);
void kern__deactivate(struct kern *k); /* no more events; those in the rings can still be polled */
/* Whether the rings are empty. After kern__deactivate() false means: a task was preempted inside a program, poll again. */
bool kern__all_read(const struct kern *k);
void kern__close(struct kern *k);

/* What was chosen for each hook, for doctor, graphs and recordings. */
struct hook_choice {
	const struct hook *hook;
	int chosen; /* index in hook->rungs; -1: none works here */
	char why[HOOK_RUNGS_MAX]
		[96]; /* per row of rungs: "ok", "not tried", "refused: EPERM", "unavailable: no CONFIG_KPROBES", ... */
};
/* What was chosen, or NULL. */
static inline const struct rung_row *hook_choice__row(const struct hook_choice *c)
{
	return c->chosen < 0 ? NULL : &c->hook->rungs[c->chosen];
}
const char *hook_choice__rung(const struct hook_choice *c); /* its name; NULL: none works */
const struct hook_choice *kern__choices(const struct kern *k, size_t *cnt);
/* Only probes (no tracing); for doctor. The result is freed with free(). */
struct hook_choice *kern__probe(enum attach_mode attach, uint32_t mechs, size_t *cnt, struct buf *err);

struct kern_rights {
	bool root, cap_bpf, cap_perfmon, cap_sys_admin, cap_sys_ptrace, btf;
	char lockdown[32]; /* "none", "integrity", "confidentiality" */
};
void kern__rights(struct kern_rights *r);
/*
 * When all is attached and scanned, hardly any right is needed: what is open stays usable. First lower, then try what must
 * work without (kern__reads_losses(), access to files), then drop, in the thread that traces; others keep theirs.
 */
int kern__lower_rights(void); /* no capability is in effect; 0 or -errno */
bool kern__reads_losses(const struct kern *k); /* whether bpf(2) still tells what was lost */
/*
 * Gives up, for good, all capabilities but those in keep (bits: 1ull << CAP_KILL) that were held; programs that are executed from now on get
 * none. 0 or -errno.
 */
int kern__drop_rights(uint64_t keep);

#endif
