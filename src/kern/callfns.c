/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions of system calls, for the fentry and kprobe rungs.
 *
 * A kprobe program can be attached to any number of functions; an fentry program is loaded for one, and to check the
 * same large program a hundred times would take minutes. So it is loaded once or twice, and what is attached to each function is a
 * stub of five instructions that jumps to it.
 */
#include "kern/callfns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/vec.h"
#include "kern/insn.h"
#include "kern/kern_impl.h"
#include "kern/probe.h"
#include "kern/skel.h"
#include "kern/syscalls.h"

/* %s: the call's name. On x86 those of 32-bit processes, too: with arguments of another width, or another time_t. */
static const char *const patterns[] = {
#if defined(__x86_64__)
	"__x64_sys_%s",
	"__ia32_sys_%s",
	"__ia32_compat_sys_%s",
	"__ia32_sys_%s_time32",
	"__ia32_compat_sys_%s_time32",
	"__ia32_compat_sys_%s_time64",
#elif defined(__aarch64__)
	"__arm64_sys_%s",
#endif
	NULL,
};

/* Where the function's name is not the call's. */
static const struct {
	const char *call, *function;
} others[] = {
	{ "sendfile", "sendfile64" }, /* fs/read_write.c; that of 32-bit processes has its own name */
	{ "mmap", "mmap_pgoff" }, /* mmap2 of 32-bit processes */
};

/* A 32-bit process's call has its own function; the one of 64-bit arguments exists, and nobody calls it. */
static bool is_idle(const char *pattern, const char *call)
{
	char compat[96];

	snprintf(compat, sizeof(compat), "__ia32_compat_sys_%s", call);
	return !strcmp(pattern, "__ia32_sys_%s") && probe__function_id(compat) > 0;
}

/* Calls fn for each function of a call that this kernel has, until it returns other than 0. */
static int for_each_pattern(const char *call, int (*fn)(void *ctx, const char *function), void *ctx)
{
	char name[96];
	int rc = 0;

	for (size_t i = 0; !rc && patterns[i]; i++) {
		snprintf(name, sizeof(name), patterns[i], call);
		if (probe__function_id(name) > 0 && !is_idle(patterns[i], call))
			rc = fn(ctx, name);
	}
	return rc;
}

static int for_each_function(uint32_t mechs, int (*fn)(void *ctx, const char *function), void *ctx)
{
	const char *calls[SYSCALL_NAMES_MAX];
	size_t cnt = syscalls__names(mechs, calls, SYSCALL_NAMES_MAX);
	int rc = 0;

	for (size_t i = 0; !rc && i < cnt; i++) {
		rc = for_each_pattern(calls[i], fn, ctx);
		for (size_t o = 0; !rc && o < sizeof(others) / sizeof(others[0]); o++)
			if (!strcmp(calls[i], others[o].call))
				rc = for_each_pattern(others[o].function, fn, ctx);
	}
	return rc;
}

static int take_first(void *ctx, const char *function)
{
	snprintf(ctx, 96, "%s", function);
	return 1;
}

const char *callfns__any(void)
{
	static char name[96];

	if (!*name)
		for_each_pattern("read", take_first, name);
	return *name ? name : NULL;
}

static void keep_fd(struct kern *k, int fd)
{
	if (k->call_fd_cnt == k->call_fd_cap)
		k->call_fds =
			vec__grow(k->call_fds, &k->call_fd_cap, k->call_fd_cnt + 1, sizeof(*k->call_fds));
	k->call_fds[k->call_fd_cnt++] = fd;
}

static void say_failed(struct buf *err, const char *function, int rc)
{
	buf__printf(
		err,
		"cannot attach to %s: %s; try --attach tracepoint, and ipctrace doctor says what works here",
		function, strerror(-rc));
}

/*
 * A kernel may ask that both ends of a jump are attached to functions of one type (28ead3eaabc1 "bpf: Prevent tail call
 * between progs attached to different hooks", 6.12 and stable). The functions have two types, by the name of their argument:
 * it is __unused where there is a second, weak definition for kernels without that call (kernel/sys_ni.c).
 */
#define TYPES_MAX 2

struct jump_target {
	int type_id; /* of the functions */
	int enter_fd, exit_fd; /* maps whose element 0 is the program to jump to */
};

struct jumps {
	struct kern *k;
	struct buf *err;
	struct jump_target to[TYPES_MAX];
	size_t cnt;
};

static int find_type(const struct jumps *j, int type_id)
{
	for (size_t i = 0; i < j->cnt; i++)
		if (j->to[i].type_id == type_id)
			return (int)i;
	return -ENOENT;
}

static void fentry_programs(const struct kern *k, size_t type, struct bpf_program **enter,
			    struct bpf_program **exit)
{
	*enter = type ? k->skel->progs.sys_enter_weak__fentry : k->skel->progs.sys_enter__fentry;
	*exit = type ? k->skel->progs.sys_exit_weak__fentry : k->skel->progs.sys_exit__fentry;
}

/*
 * The function that the programs for this one are checked against. In the BTF of 5.10 some have an argument of which the
 * type is only declared; there, jumps between types are allowed.
 */
static const char *checked_as(const char *function)
{
	return probe__takes_struct(probe__function_id(function)) ? function : callfns__any();
}

static int type_of(const char *function)
{
	return probe__type_of(probe__function_id(checked_as(function)));
}

/* Loads the programs once for each type of function that there is. */
static int select_for_type(void *ctx, const char *function)
{
	struct jumps *j = ctx;
	int type_id = type_of(function), rc;
	struct bpf_program *enter, *exit;

	if (find_type(j, type_id) >= 0)
		return 0;
	if (j->cnt == TYPES_MAX)
		return -E2BIG;
	fentry_programs(j->k, j->cnt, &enter, &exit);
	j->to[j->cnt++].type_id = type_id;
	bpf_program__set_autoload(enter, true);
	bpf_program__set_autoload(exit, true);
	rc = bpf_program__set_attach_target(enter, 0, checked_as(function));
	return rc ? rc : bpf_program__set_attach_target(exit, 0, checked_as(function));
}

int callfns__select(struct kern *k)
{
	struct jumps j = { .k = k };

	if (!bpf_program__autoload(k->skel->progs.sys_enter__fentry))
		return 0;
	return for_each_function(k->opts.mechs, select_for_type, &j);
}

static int new_map(struct kern *k, const struct bpf_program *prog)
{
	int map_fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "ipct_calls", 4, 4, 1, NULL);
	int prog_fd = bpf_program__fd(prog);
	uint32_t zero = 0;

	if (map_fd < 0)
		return -errno;
	keep_fd(k, map_fd); /* without this descriptor the kernel empties it */
	return bpf_map_update_elem(map_fd, &zero, &prog_fd, BPF_ANY) ? -errno : map_fd;
}

static int attach_stub(struct kern *k, int map_fd, enum bpf_attach_type type, int function_id)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, map_fd),
		INSN(0, 0, 0, 0, 0),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type, .attach_btf_id = function_id);
	int fd, link;

	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "ipct_call", "GPL", insns, sizeof(insns) / sizeof(insns[0]),
			   &opts);
	if (fd < 0)
		return -errno;
	link = bpf_raw_tracepoint_open(NULL, fd);
	link = link < 0 ? -errno : link;
	misses__watch(k, fd, k->opts.mechs); /* a stub is skipped, not what it jumps to */
	if (link >= 0)
		keep_fd(k, link);
	return link < 0 ? link : 0;
}

static int add_target(struct jumps *j, int type_id)
{
	struct jump_target *t = &j->to[j->cnt];
	struct bpf_program *enter, *exit;

	if (j->cnt == TYPES_MAX)
		return -E2BIG;
	fentry_programs(j->k, j->cnt, &enter, &exit);
	t->type_id = type_id;
	t->enter_fd = new_map(j->k, enter);
	t->exit_fd = new_map(j->k, exit);
	if (t->enter_fd < 0 || t->exit_fd < 0)
		return t->enter_fd < 0 ? t->enter_fd : t->exit_fd;
	return (int)j->cnt++;
}

static int attach_stubs(void *ctx, const char *function)
{
	struct jumps *j = ctx;
	int id = probe__function_id(function), type_id = type_of(function);
	int at = find_type(j, type_id), rc;

	if (at < 0)
		at = add_target(j, type_id);
	rc = at < 0 ? at : attach_stub(j->k, j->to[at].exit_fd, BPF_TRACE_FEXIT, id);
	if (!rc)
		rc = attach_stub(j->k, j->to[at].enter_fd, BPF_TRACE_FENTRY, id);
	if (rc)
		say_failed(j->err, function, rc);
	return rc;
}

struct kprobe_pair {
	struct kern *k;
	struct buf *err;
	struct bpf_program *enter, *exit;
};

static int attach_kprobe(struct kern *k, struct bpf_program *prog, bool at_return, const char *function)
{
	struct bpf_link *link = bpf_program__attach_kprobe(prog, at_return, function);

	if (!link)
		return -errno;
	kern__keep_link(k, link);
	return 0;
}

static int kprobe_function(void *ctx, const char *function)
{
	const struct kprobe_pair *p = ctx;
	int rc = attach_kprobe(p->k, p->exit, true, function);

	if (!rc)
		rc = attach_kprobe(p->k, p->enter, false, function);
	if (rc)
		say_failed(p->err, function, rc);
	return rc;
}

int callfns__attach(struct kern *k, struct buf *err)
{
	struct ipctrace_bpf *skel = k->skel;

	if (bpf_program__autoload(skel->progs.sys_enter__fentry)) {
		struct jumps j = { .k = k, .err = err };

		return for_each_function(k->opts.mechs, attach_stubs, &j);
	}
	if (bpf_program__autoload(skel->progs.sys_enter__kprobe)) {
		struct kprobe_pair p = { k, err, skel->progs.sys_enter__kprobe,
					 skel->progs.sys_exit__kprobe };

		return for_each_function(k->opts.mechs, kprobe_function, &p);
	}
	return 0;
}

void callfns__detach(struct kern *k)
{
	for (size_t i = 0; i < k->call_fd_cnt; i++)
		close(k->call_fds[i]);
	free(k->call_fds);
	k->call_fds = NULL;
	k->call_fd_cnt = 0;
}
