/* SPDX-License-Identifier: GPL-2.0 */
/* The life cycle of the kernel half. */
#include "kern/kern.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "base/log.h"

#include "kern/callfns.h"
#include "kern/callstubs.h"
#include "kern/choose.h"
#include "kern/kern_impl.h"
#include "kern/probe.h"
#include "kern/skel.h"

#define RING_BYTES_DEFAULT (8ull << 20)

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_DEBUG || !getenv("IPCTRACE_DEBUG_LIBBPF") ? 0 : vfprintf(stderr, fmt, args);
}

/* Programs are off ("?" in their section) unless a chosen rung names them. */
static int select_programs(struct kern *k, struct buf *err)
{
	for (size_t i = 0; i < k->choice_cnt; i++) {
		const struct hook_choice *c = &k->choices[i];
		const struct rung_row *row = hook_choice__row(c);

		for (size_t p = 0; row && p < HOOK_PROGS_MAX && row->progs[p]; p++) {
			struct bpf_program *prog =
				bpf_object__find_program_by_name(k->skel->obj, row->progs[p]);

			if (!prog) {
				buf__printf(err,
					    "hook %s names program %s, which this build does not have; "
					    "this is a bug",
					    c->hook->name, row->progs[p]);
				return -EINVAL;
			}
			bpf_program__set_autoload(prog, true);
		}
	}
	if (k->opts.uprobe_cnt)
		uprobes__select(k, k->skel->rodata->cfg.uprobes_sleep);
	captures__select(k);
	again__select(k);
	bpf_program__set_autoload(k->skel->progs.seed__tasks, true);
	bpf_program__set_autoload(k->skel->progs.seed__files, true);
	return 0;
}

/* Each kind of hook that was tried, and why it does not work. */
static void say_missing(const struct kern *k, uint8_t mech, const struct hook_choice *c, struct buf *err)
{
	const char *sep = " (";

	buf__printf(err, "cannot trace %s: no way to see %s works here%s", mech__name(mech), c->hook->name,
		    k->opts.attach == ATTACH_AUTO ? "" : " under this --attach");
	for (size_t i = 0; i < hook__rung_cnt(c->hook); i++) {
		if (!strncmp(c->why[i], "not tried", strlen("not tried")))
			continue;
		buf__printf(err, "%s%s %s", sep, rung__name(c->hook->rungs[i].rung), c->why[i]);
		sep = "; ";
	}
	buf__printf(err, "); leave it out with -m ^%s, or ask ipctrace doctor", mech__name(mech));
}

static int choose(struct kern *k, struct buf *err)
{
	const char *obstacle = probe__obstacle();
	const struct hook_choice *hook;
	uint8_t mech;

	if (obstacle) {
		buf__puts(err, obstacle);
		return -EPERM;
	}
	k->choices = choose__hooks(k->opts.attach, k->opts.mechs, &k->choice_cnt);
	mech = choose__missing(k->choices, k->choice_cnt, k->opts.mechs, &hook);
	if (mech != IPCT_MECH_NONE) {
		say_missing(k, mech, hook, err);
		return -EOPNOTSUPP;
	}
	return 0;
}

static void choose_pid(struct kern *k, uint32_t pid)
{
	uint8_t one = 1;

	bpf_map_update_elem(bpf_map__fd(k->skel->maps.chosen_pids), &pid, &one, BPF_ANY);
}

static void say_refused(int rc, struct buf *err)
{
	char why[256];

	if (probe__blames_memlock(rc, why, sizeof(why)))
		buf__puts(err, why);
	else
		buf__printf(
			err,
			"the kernel did not accept the programs: %s; set IPCTRACE_DEBUG_LIBBPF=1 to see why",
			strerror(-rc));
}

/*
 * Without CAP_SYS_ADMIN nobody may list the types of modules (BPF_BTF_GET_NEXT_ID). libbpf, up to 1.1 at least, fails where it looks there
 * for the first time, and passes over them from then on. So it shall look for something before it matters: nothing of ours is a module's.
 */
static void pass_over_modules(struct kern *k)
{
	struct kern_rights rights;

	kern__rights(&rights);
	if (!rights.cap_sys_admin)
		bpf_program__set_attach_target(k->skel->progs.sys_enter__fentry, 0, "ipctrace: none");
}

static int load(struct kern *k, struct buf *err)
{
	int rc;

	k->skel = ipctrace_bpf__open();
	if (!k->skel) {
		buf__printf(err, "cannot open the kernel half: %s", strerror(errno));
		return -errno;
	}
	pass_over_modules(k);
	settings__fill(k);
	rc = select_programs(k, err);
	if (rc)
		return rc;
	rc = bpf_program__autoload(k->skel->progs.sys_enter__fentry) ? callstubs__select(k) : 0;
	if (rc) {
		buf__printf(err, "cannot find the functions of system calls: %s", strerror(-rc));
		return rc;
	}
	rc = ipctrace_bpf__load(k->skel);
	if (!rc)
		rc = again__fill(k);
	if (rc)
		say_refused(rc, err);
	if (!rc)
		source__set_clock(k);
	if (!rc)
		rc = source__open_rings(k, err);
	for (size_t i = 0; !rc && i < k->opts.pid_cnt; i++)
		choose_pid(k, k->opts.pids[i]);
	return rc;
}

/* All that was loaded and attached goes. */
static void unload(struct kern *k)
{
	callstubs__detach(k);
	misses__end(k);
	for (size_t i = 0; i < k->links.cnt; i++)
		bpf_link__destroy(k->links.v[i]);
	vec__free(&k->links);
	source__close_rings(k);
	ipctrace_bpf__destroy(k->skel);
	k->skel = NULL;
	free(k->choices);
	k->choices = NULL;
}

static bool stands_on_tracepoints(const struct kern *k)
{
	for (size_t i = 0; i < k->choice_cnt; i++) {
		const struct rung_row *row = hook_choice__row(&k->choices[i]);

		if (row && row->rung != RUNG_TRACEPOINT)
			return false;
	}
	return true;
}

/*
 * The probes look at each hook alone; a verifier or a limit that only all programs together meet shows here. Nobody asked
 * for the hooks that failed, so tracepoints do it. 0: they do.
 */
static int fall_back(struct kern *k, struct buf *err)
{
	if (k->opts.attach != ATTACH_AUTO || !k->choices || stands_on_tracepoints(k))
		return -EOPNOTSUPP;
	log__info("using tracepoints instead: %s", buf__cstr(err));
	buf__reset(err);
	unload(k);
	k->opts.attach = ATTACH_TRACEPOINT;
	return choose(k, err) || load(k, err) ? -EIO : 0;
}

struct kern *kern__new(const struct kern_opts *opts, struct buf *err)
{
	struct kern *k = xalloc(sizeof(*k));
	int cpus = libbpf_num_possible_cpus();

	libbpf_set_print(quiet);
	k->opts = *opts;
	if (!k->opts.ring_bytes)
		k->opts.ring_bytes = RING_BYTES_DEFAULT;
	/* They look at a call between its record's making and its end, which programs at functions do not let them. */
	if (captures__any(k) && k->opts.attach == ATTACH_AUTO)
		k->opts.attach = ATTACH_TRACEPOINT;
	k->ring_cnt = cpus > 0 ? cpus : 1;
	k->epoll_fd = -1;
	source__init(k);
	if (choose(k, err) || (load(k, err) && fall_back(k, err))) {
		kern__close(k);
		return NULL;
	}
	return k;
}

void kern__keep_link(struct kern *k, struct bpf_link *link)
{
	vec__push(&k->links, link);
}

int kern__attach_one(struct kern *k, struct bpf_program *prog, struct buf *err)
{
	struct bpf_link *link = bpf_program__attach(prog);

	if (!link) {
		int rc = -errno;

		buf__printf(err, "cannot attach %s: %s; ipctrace doctor says what works here",
			    bpf_program__name(prog), strerror(-rc));
		return rc;
	}
	kern__keep_link(k, link);
	return 0;
}

/* "fentry/FUNCTION", "tp_btf/NAME"; others are attached by callfns.c and uprobes.c. */
static bool names_its_target(const struct bpf_program *prog)
{
	return strchr(bpf_program__section_name(prog), '/');
}

static int attach_all(struct kern *k, struct buf *err)
{
	struct bpf_program *prog;
	int rc;

	bpf_object__for_each_program(prog, k->skel->obj)
	{
		if (!bpf_program__autoload(prog) || !names_its_target(prog) ||
		    bpf_program__expected_attach_type(prog) == BPF_TRACE_ITER || demand__holds_back(k, prog))
			continue;
		rc = kern__attach_one(k, prog, err);
		if (rc)
			return rc;
	}
	rc = callfns__attach(k, err);
	return rc ? rc : uprobes__attach(k, err);
}

int kern__attach(struct kern *k, struct buf *err)
{
	int rc = attach_all(k, err);

	if (!rc || fall_back(k, err))
		return rc;
	return attach_all(k, err);
}

int kern__activate(struct kern *k, struct buf *err)
{
	(void)err;
	misses__begin(k);
	tally__begin(k);
	k->skel->bss->active = true;
	k->active = true;
	return 0;
}

/* An iterator prints a little per object, so that read() returns now and then and the rings can be emptied. */
static int run_iterator(struct kern *k, struct bpf_program *prog, struct buf *err)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	char chunk[4096];
	int fd, rc = 0;
	ssize_t len;

	if (!link) {
		rc = -errno;
		buf__printf(err, "cannot look at what is running already: %s", strerror(-rc));
		return rc;
	}
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		rc = -errno;
		buf__printf(err, "cannot look at what is running already: %s", strerror(-rc));
		goto out;
	}
	while ((len = read(fd, chunk, sizeof(chunk))) > 0 || (len < 0 && errno == EAGAIN))
		source__stash(k);
	if (len < 0)
		rc = -errno;
	close(fd);
out:
	bpf_link__destroy(link);
	return rc;
}

/* Loading takes many times the memory that tracing does; libbpf has given back its part to malloc() only. */
static void forget_beginning(void)
{
	probe__forget();
	malloc_trim(0);
}

int kern__scan(struct kern *k, struct buf *err)
{
	int rc = run_iterator(k, k->skel->progs.seed__tasks, err);

	if (!rc)
		rc = run_iterator(k, k->skel->progs.seed__files, err);
	k->skel->bss->seeded = true;
	if (!rc && k->opts.mechs & (IPCT_MECH_BIT(IPCT_MECH_SYSV_SHM) | IPCT_MECH_BIT(IPCT_MECH_POSIX_SHM)))
		procfs__scan_maps(k);
	if (!rc && k->opts.mechs & IPCT_MECH_BIT(IPCT_MECH_FLOCK))
		procfs__scan_locks(k);
	source__stash(k);
	demand__serve(k);
	forget_beginning();
	return rc;
}

struct event_source *kern__source(struct kern *k)
{
	return &k->source;
}

void kern__deactivate(struct kern *k)
{
	k->skel->bss->active = false;
	k->active = false;
}

void kern__close(struct kern *k)
{
	if (!k)
		return;
	unload(k);
	tally__free(k);
	source__drop_stashed(k);
	free(k);
}

const struct hook_choice *kern__choices(const struct kern *k, size_t *cnt)
{
	*cnt = k->choice_cnt;
	return k->choices;
}

struct hook_choice *kern__probe(enum attach_mode attach, uint32_t mechs, size_t *cnt, struct buf *err)
{
	const char *obstacle;

	libbpf_set_print(quiet);
	obstacle = probe__obstacle();
	if (obstacle)
		buf__puts(err, obstacle);
	return choose__hooks(attach, mechs, cnt);
}
