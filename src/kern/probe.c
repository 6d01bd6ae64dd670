/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "kern/callfns.h"
#include "kern/insn.h"
#include "kern/kern.h"

#define ENOTSUPP 524 /* include/linux/errno.h of the kernel; user space should not see it, and does */
#define FENTRY_GUINEA_PIG "security_task_prctl" /* global, small, in every kernel of the list */

static struct {
	struct btf *btf;
	bool tried;
} vmlinux;

/* The kernel's types, read once, as they are megabytes. NULL: it has none. */
static struct btf *vmlinux_btf(void)
{
	if (!vmlinux.tried)
		vmlinux.btf = btf__load_vmlinux_btf();
	vmlinux.tried = true;
	return vmlinux.btf;
}

void probe__forget(void)
{
	btf__free(vmlinux.btf);
	vmlinux.btf = NULL;
	vmlinux.tried = false;
}

int probe__function_id(const char *name)
{
	return vmlinux_btf() ? btf__find_by_name_kind(vmlinux_btf(), name, BTF_KIND_FUNC) : -ENOENT;
}

int probe__type_of(int function_id)
{
	return (int)btf__type_by_id(vmlinux_btf(), function_id)->type;
}

bool probe__takes_struct(int function_id)
{
	const struct btf_type *t = btf__type_by_id(vmlinux_btf(), probe__type_of(function_id));

	if (!btf_vlen(t))
		return false;
	t = btf__type_by_id(vmlinux_btf(), btf_params(t)->type);
	while (btf_is_ptr(t) || btf_is_mod(t))
		t = btf__type_by_id(vmlinux_btf(), t->type);
	return btf_is_struct(t);
}

static int tracepoint_id(const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return vmlinux_btf() ? btf__find_by_name_kind(vmlinux_btf(), type, BTF_KIND_TYPEDEF) : -ENOENT;
}

int probe__load_tracing(const char *target, enum bpf_attach_type type, const struct bpf_insn *insns,
			size_t cnt)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	int id = type == BPF_TRACE_RAW_TP ? tracepoint_id(target) : probe__function_id(target);
	int fd;

	if (id < 0)
		return id;
	opts.attach_btf_id = id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "ipct_probe", "GPL", insns, cnt, &opts);
	return fd < 0 ? -errno : fd;
}

/* Loading is not enough: arm64 before 6.4 loads fentry programs and then refuses to attach them. */
static int try_tracing(const char *target, enum bpf_attach_type type)
{
	const struct bpf_insn insns[] = { MOV_IMM(BPF_REG_0, 0), EXIT() };
	int fd = probe__load_tracing(target, type, insns, 2), link;

	if (fd < 0)
		return fd;
	link = bpf_raw_tracepoint_open(NULL, fd);
	if (link < 0)
		link = -errno;
	else
		close(link);
	close(fd);
	return link < 0 ? link : 0;
}

static const char *errno_name(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : err == ENOTSUPP ? "ENOTSUPP" : "error";
}

static bool explain(int err, const char *what, char *why, size_t bytes)
{
	if (!err)
		snprintf(why, bytes, "ok");
	else if (err == -EPERM || err == -EACCES)
		snprintf(why, bytes, "refused: %s", errno_name(-err));
	else if (err == -ESRCH || err == -ENOENT)
		snprintf(why, bytes, "unavailable: %s", what);
	else
		snprintf(why, bytes, "failed: %s", errno_name(-err));
	return !err;
}

/* Arguments of a tracepoint: its typedef points to a function type, whose first argument is not the user's. */
static int tracepoint_args(const char *target)
{
	const struct btf_type *t;
	int id = tracepoint_id(target);

	if (id <= 0)
		return -ENOENT;
	t = btf__type_by_id(vmlinux_btf(), btf__type_by_id(vmlinux_btf(), id)->type);
	t = btf__type_by_id(vmlinux_btf(), t->type);
	return (int)btf_vlen(t) - 1;
}

static bool tracepoint_exists(const struct rung_row *row)
{
	if (tracepoint_id(row->target) < 0)
		return false;
	return !row->arg_cnt || tracepoint_args(row->target) == row->arg_cnt;
}

static bool shows_skbs(void)
{
	static int shows = -1;

	if (shows < 0)
		shows = probe__shows_skbs(vmlinux_btf());
	return shows;
}

static bool probe_tracepoint(const struct rung_row *row, char *why, size_t bytes)
{
	static int general = 1;

	if (general > 0)
		general = try_tracing("sys_enter", BPF_TRACE_RAW_TP);
	if (general)
		return explain(general, "no BTF for tracepoints", why, bytes);
	if (!tracepoint_exists(row))
		return explain(-ENOENT, "no such tracepoint", why, bytes);
	if (row->of_skbs && !shows_skbs())
		return explain(-ENOENT, "it does not show skbs here", why, bytes);
	return explain(0, NULL, why, bytes);
}

/* The function that stands for a row's: one of the calls', or its own; NULL: there is none. */
static const char *function_of(const struct rung_row *row)
{
	return row->calls ? callfns__any() : row->target;
}

static int try_fentry(const char *function)
{
	if (!function || probe__function_id(function) < 0)
		return -ENOENT;
	return try_tracing(function, BPF_TRACE_FENTRY);
}

/* All functions of a row: 0, or the first one's error. */
static int try_each(const struct rung_row *row, int (*try)(const char *function))
{
	int rc = try(row->target);

	for (size_t i = 0; !rc && i < sizeof(row->also) / sizeof(row->also[0]) && row->also[i]; i++)
		rc = try(row->also[i]);
	return rc;
}

/* What the programs know of a CPU must not change hands in the middle: only there can that happen. */
static bool is_preempted_under_locks(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.version, "PREEMPT_RT");
}

static bool probe_fentry(const struct rung_row *row, char *why, size_t bytes)
{
	static int general = 1, calls = 1;

	if (general > 0)
		general = try_fentry(FENTRY_GUINEA_PIG);
	if (general)
		return explain(general, "no fentry", why, bytes);
	if (!row->calls)
		return explain(try_each(row, try_fentry), "no such function", why, bytes);
	if (calls > 0)
		calls = try_fentry(function_of(row));
	return explain(calls, "no functions of system calls", why, bytes);
}

#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/type"

static int kprobe_pmu(void)
{
	FILE *f = fopen(KPROBE_PMU, "re");
	int type = -ENOENT;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -ENOENT;
	if (f)
		fclose(f);
	return type;
}

/* Really attaches: a symbol that exists can still be one that may not be probed. */
static int try_kprobe(const char *function)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .kern_version = 0);
	const struct bpf_insn insns[] = { MOV_IMM(BPF_REG_0, 0), EXIT() };
	struct perf_event_attr attr = { .size = sizeof(attr), .config1 = (uint64_t)(uintptr_t)function };
	int type = kprobe_pmu(), event, rc = 0;
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "ipct_probe", "GPL", insns, 2, &opts);

	if (prog < 0)
		return -errno;
	attr.type = type;
	event = type < 0 ? -1 : (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (event < 0)
		rc = type < 0 ? type : -errno;
	else if (ioctl(event, PERF_EVENT_IOC_SET_BPF, prog))
		rc = -errno;
	if (event >= 0)
		close(event);
	close(prog);
	return rc;
}

static bool probe_kprobe(const struct rung_row *row, char *why, size_t bytes)
{
	static int calls = 1;

	if (kprobe_pmu() < 0)
		return explain(-ENOENT, "no CONFIG_KPROBES", why, bytes);
	if (!row->calls)
		return explain(try_each(row, try_kprobe), "no such function", why, bytes);
	if (calls > 0)
		calls = function_of(row) ? try_kprobe(function_of(row)) : -ENOENT;
	return explain(calls, "no functions of system calls", why, bytes);
}

bool probe__rung(const struct rung_row *row, char *why, size_t why_bytes)
{
	static bool (*const probes[RUNG_CNT])(const struct rung_row *, char *, size_t) = {
		[RUNG_FENTRY] = probe_fentry,
		[RUNG_KPROBE] = probe_kprobe,
		[RUNG_TRACEPOINT] = probe_tracepoint,
	};

	if (row->atomic && is_preempted_under_locks())
		return explain(-ENOENT, "not under PREEMPT_RT", why, why_bytes);
	return probes[row->rung](row, why, why_bytes);
}

static bool try_task_storage(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *btf = btf__new_empty();
	bool ok = false;
	int map, fd;

	if (!btf)
		return false;
	/* Local storage wants BTF for key and value. */
	opts.btf_key_type_id = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	opts.btf_value_type_id = opts.btf_key_type_id;
	if (btf__load_into_kernel(btf))
		goto out;
	opts.btf_fd = btf__fd(btf);
	map = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "ipct_probe", 4, 4, 0, &opts);
	if (map < 0)
		goto out;
	const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_get_current_task_btf),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		MOV_REG(BPF_REG_2, BPF_REG_0),
		MOV_IMM(BPF_REG_3, 0),
		MOV_IMM(BPF_REG_4, 0),
		CALL(BPF_FUNC_task_storage_get),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	fd = probe__load_tracing("sys_enter", BPF_TRACE_RAW_TP, insns, sizeof(insns) / sizeof(insns[0]));
	ok = fd >= 0;
	if (ok)
		close(fd);
	close(map);
out:
	btf__free(btf);
	return ok;
}

static bool try_sleepable_uprobe(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	const struct bpf_insn insns[] = { MOV_IMM(BPF_REG_0, 0), EXIT() };
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "ipct_probe", "GPL", insns, 2, &opts);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void probe__features(struct probe_features *f)
{
	f->task_storage = try_task_storage();
	f->sleepable_uprobes = try_sleepable_uprobe();
	f->rdonly_cast = probe__function_id("bpf_rdonly_cast") > 0;
}

/* Lockdown's mode "confidentiality" takes this helper away: 9d1f8be5cf42 "bpf: Restrict bpf when kernel lockdown is in ...". */
static int try_reading(void)
{
	const struct bpf_insn insns[] = {
		MOV_REG(BPF_REG_1, BPF_REG_10),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, -8),
		MOV_IMM(BPF_REG_2, 8),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_probe_read_kernel),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	int fd = probe__load_tracing("sys_enter", BPF_TRACE_RAW_TP, insns, sizeof(insns) / sizeof(insns[0]));

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/*
 * Since 5.11 (97306be45fbe "bpf: switch to memcg-based memory accounting") BPF's memory is its cgroup's matter.
 * bpf_ktime_get_coarse_ns() came with the same release, and its name is in the kernel's BTF.
 */
bool probe__blames_memlock(int err, char *why, size_t why_bytes)
{
	struct rlimit limit;

	if (err != -EPERM || probe__function_id("bpf_ktime_get_coarse_ns") > 0 ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return false;
	snprintf(why, why_bytes,
		 "the limit of locked memory (%llu KiB), by which this kernel measures BPF's memory, is too "
		 "small: raise it (ulimit -l unlimited), or run as root",
		 (unsigned long long)limit.rlim_cur >> 10);
	return true;
}

const char *probe__obstacle(void)
{
	static char memlock[256];
	struct kern_rights rights;
	int err;

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return "this kernel does not describe its types (no /sys/kernel/btf/vmlinux): boot one that "
		       "is built with CONFIG_DEBUG_INFO_BTF; a container needs the host's /sys";
	err = try_tracing("sys_enter", BPF_TRACE_RAW_TP);
	kern__rights(&rights);
	if (rights.cap_bpf && rights.cap_perfmon && probe__blames_memlock(err, memlock, sizeof(memlock)))
		return memlock;
	if (err == -EPERM || err == -EACCES)
		return geteuid() ? "tracing needs root (or CAP_BPF and CAP_PERFMON): try sudo ipctrace ..."
				 : "the kernel refuses BPF tracing programs even to root; inside a "
				   "container, give it "
				   "CAP_BPF and CAP_PERFMON and allow bpf(2)";
	if (err)
		return "this kernel cannot run BPF programs on tracepoints with BTF; ipctrace needs Linux "
		       "5.8 or later "
		       "with CONFIG_BPF_SYSCALL and CONFIG_BPF_EVENTS";
	if (try_reading())
		return "kernel lockdown (confidentiality) keeps BPF programs from reading kernel memory: "
		       "boot with "
		       "lockdown=integrity or lockdown=none (see /sys/kernel/security/lockdown)";
	return NULL;
}
