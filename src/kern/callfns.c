/* SPDX-License-Identifier: GPL-2.0 */
/* The functions of system calls, for the fentry and kprobe rungs; a kprobe program can be attached to any number of them. */
#include "kern/callfns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "kern/callstubs.h"
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
static int for_each_pattern(const char *call, callfn_fn fn, void *ctx)
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

int callfns__each(uint32_t mechs, callfn_fn fn, void *ctx)
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

void callfns__say_failed(struct buf *err, const char *function, int rc)
{
	buf__printf(
		err,
		"cannot attach to %s: %s; try --attach tracepoint, and ipctrace doctor says what works here",
		function, strerror(-rc));
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
		callfns__say_failed(p->err, function, rc);
	return rc;
}

int callfns__attach(struct kern *k, struct buf *err)
{
	struct ipctrace_bpf *skel = k->skel;

	if (bpf_program__autoload(skel->progs.sys_enter__fentry))
		return callstubs__attach(k, err);
	if (bpf_program__autoload(skel->progs.sys_enter__kprobe)) {
		struct kprobe_pair p = { k, err, skel->progs.sys_enter__kprobe,
					 skel->progs.sys_exit__kprobe };

		return callfns__each(k->opts.mechs, kprobe_function, &p);
	}
	return 0;
}
