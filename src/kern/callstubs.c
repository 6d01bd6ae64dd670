/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An fentry program is loaded for one function, and to check the same large program a hundred times would take minutes. So
 * it is loaded once or twice, and what is attached to each function is a stub of five instructions that jumps to it.
 *
 * Where programs can be preempted, the kernel skips a stub as long as a thread that was preempted is in what it jumped to. So
 * behind each stands another one, which jumps to a small program (bpf/syscalls_functions.bpf.c) that looks whether the first
 * was skipped, and then jumps to where that would have jumped.
 */
#include "kern/callstubs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/callfns.h"
#include "kern/insn.h"
#include "kern/kern_impl.h"
#include "kern/probe.h"
#include "kern/skel.h"

/*
 * A kernel may ask that both ends of a jump are attached to functions of one type (28ead3eaabc1 "bpf: Prevent tail call
 * between progs attached to different hooks", 6.12 and stable). The functions have two types, by the name of their argument:
 * it is __unused where there is a second, weak definition for kernels without that call (kernel/sys_ni.c).
 */
#define TYPES_MAX 2

enum end { END_ENTER, END_EXIT, END_CNT };

static const struct {
	enum bpf_attach_type attach_type;
	enum ipct_again again; /* what stands behind them is counted there */
} ends[END_CNT] = {
	[END_ENTER] = { BPF_TRACE_FENTRY, IPCT_AGAIN_ENTER },
	[END_EXIT] = { BPF_TRACE_FEXIT, IPCT_AGAIN_EXIT },
};

/* For functions of one type, at one end. */
struct bodies {
	struct bpf_program *first, *behind;
	struct bpf_map *jumps; /* in it `behind` finds `first` */
};

struct jump_target {
	int type_id; /* of the functions */
	int first_fd[END_CNT], behind_fd[END_CNT]; /* maps whose element 0 is the program to jump to */
};

struct jumps {
	struct kern *k;
	struct buf *err;
	struct jump_target to[TYPES_MAX];
	size_t cnt;
};

static struct bodies bodies_of(const struct kern *k, size_t type, enum end end)
{
#define BODIES(what)                                                                \
	{                                                                           \
		k->skel->progs.what##__fentry, k->skel->progs.what##_again__fentry, \
			k->skel->maps.what##_again_jumps,                           \
	}
	const struct bodies all[TYPES_MAX][END_CNT] = {
		{ BODIES(sys_enter), BODIES(sys_exit) },
		{ BODIES(sys_enter_weak), BODIES(sys_exit_weak) },
	};
#undef BODIES

	return all[type][end];
}

static int find_type(const struct jumps *j, int type_id)
{
	for (size_t i = 0; i < j->cnt; i++)
		if (j->to[i].type_id == type_id)
			return (int)i;
	return -ENOENT;
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

static int select_program(struct bpf_program *prog, const char *function)
{
	bpf_program__set_autoload(prog, true);
	return bpf_program__set_attach_target(prog, 0, checked_as(function));
}

/* Loads the programs once for each type of function that there is. */
static int select_for_type(void *ctx, const char *function)
{
	struct jumps *j = ctx;
	int type_id = type_of(function), rc = 0;

	if (find_type(j, type_id) >= 0)
		return 0;
	if (j->cnt == TYPES_MAX)
		return -E2BIG;
	for (enum end end = 0; !rc && end < END_CNT; end++) {
		struct bodies b = bodies_of(j->k, j->cnt, end);

		rc = select_program(b.first, function);
		if (!rc && j->k->calls_again)
			rc = select_program(b.behind, function);
	}
	j->to[j->cnt++].type_id = type_id;
	return rc;
}

int callstubs__select(struct kern *k)
{
	struct jumps j = { .k = k };

	return callfns__each(k->opts.mechs, select_for_type, &j);
}

static int put_in(int map_fd, const struct bpf_program *prog)
{
	int prog_fd = bpf_program__fd(prog);
	uint32_t zero = 0;

	return bpf_map_update_elem(map_fd, &zero, &prog_fd, BPF_ANY) ? -errno : 0;
}

/* A map for stubs, and the program that they jump to. Returns its descriptor or -errno. */
static int new_map(struct kern *k, const struct bpf_program *prog)
{
	int map_fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "ipct_calls", 4, 4, 1, NULL), rc;

	if (map_fd < 0)
		return -errno;
	vec__push(&k->call_fds, map_fd); /* without this descriptor the kernel empties it */
	rc = put_in(map_fd, prog);
	return rc ? rc : map_fd;
}

/* Returns the stub's descriptor, which is the caller's, or -errno. */
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
	if (link < 0) {
		link = -errno;
		close(fd);
		return link;
	}
	vec__push(&k->call_fds, link);
	return fd;
}

/*
 * Of programs at one end of a function the one that was attached last runs first (hlist_add_head() in
 * kernel/bpf/trampoline.c, since 5.5).
 */
static int attach_end(struct kern *k, const struct jump_target *to, enum end end, int function_id)
{
	int fd;

	if (k->calls_again) {
		fd = attach_stub(k, to->behind_fd[end], ends[end].attach_type, function_id);
		if (fd < 0)
			return fd;
		close(fd); /* the link keeps it; that it is skipped is no loss */
	}
	fd = attach_stub(k, to->first_fd[end], ends[end].attach_type, function_id);
	if (fd < 0)
		return fd;
	misses__watch(k, fd, k->opts.mechs, ends[end].again); /* a stub is skipped, not what it jumps to */
	return 0;
}

/* 0 or -errno. */
static int fill_end(struct kern *k, struct jump_target *t, struct bodies b, enum end end)
{
	t->first_fd[end] = new_map(k, b.first);
	if (t->first_fd[end] < 0 || !k->calls_again)
		return t->first_fd[end] < 0 ? t->first_fd[end] : 0;
	t->behind_fd[end] = new_map(k, b.behind);
	return t->behind_fd[end] < 0 ? t->behind_fd[end] : put_in(bpf_map__fd(b.jumps), b.first);
}

static int add_target(struct jumps *j, int type_id)
{
	struct jump_target *t = &j->to[j->cnt];
	int rc = 0;

	if (j->cnt == TYPES_MAX)
		return -E2BIG;
	t->type_id = type_id;
	for (enum end end = 0; !rc && end < END_CNT; end++)
		rc = fill_end(j->k, t, bodies_of(j->k, j->cnt, end), end);
	return rc ? rc : (int)j->cnt++;
}

static int attach_stubs(void *ctx, const char *function)
{
	struct jumps *j = ctx;
	int id = probe__function_id(function), type_id = type_of(function);
	int at = find_type(j, type_id), rc;

	if (at < 0)
		at = add_target(j, type_id);
	rc = at < 0 ? at : attach_end(j->k, &j->to[at], END_EXIT, id);
	if (!rc)
		rc = attach_end(j->k, &j->to[at], END_ENTER, id);
	if (rc)
		callfns__say_failed(j->err, function, rc);
	return rc;
}

/* Some hundred functions, up to six descriptors each: more than the 1024 that are usual. The command has been forked before. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit); /* if not, attaching says what is lacking */
}

int callstubs__attach(struct kern *k, struct buf *err)
{
	struct jumps j = { .k = k, .err = err };

	allow_descriptors();
	return callfns__each(k->opts.mechs, attach_stubs, &j);
}

void callstubs__detach(struct kern *k)
{
	for (size_t i = 0; i < k->call_fds.cnt; i++)
		close(k->call_fds.v[i]);
	vec__free(&k->call_fds);
}
