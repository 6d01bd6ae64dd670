/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What programs did not see because the kernel skipped them: one that is running on a CPU already is not begun there
 * again, for an interrupt, or for the next task where programs can be preempted. The kernel counts that for each program
 * (since 5.12, 9ed9e9ba2337), and nobody else can. Where another one stood in (kern/again.c), nothing was missed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/kern_impl.h"
#include "kern/skel.h"

#define CHECK_NS 1000000000ull

struct watched {
	VEC(int) prog_fds; /* of programs that do the same at several places */
	bool own_fds; /* closed with it: those of an end of calls */
	enum ipct_again end; /* own_fds: which */
	bool tasks_only, hint; /* as in struct rung_row */
	uint32_t mechs; /* that it is for, of those traced */
	const volatile unsigned long long *again_cnt; /* how often another one stood in; NULL: none does */
	uint64_t seen_cnt;
};

static uint64_t misses_of(const struct watched *w)
{
	uint64_t cnt = 0;

	for (size_t i = 0; i < w->prog_fds.cnt; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_obj_get_info_by_fd(w->prog_fds.v[i], &info, &len))
			return w->seen_cnt;
		cnt += info.recursion_misses;
	}
	/* In this order: what is left out meanwhile must not be taken for lost. */
	return cnt - (w->again_cnt ? *w->again_cnt : 0);
}

static struct watched *new_watched(struct kern *k)
{
	vec__push(&k->watched, (struct watched){ 0 });
	return &k->watched.v[k->watched.cnt - 1];
}

static struct watched *watch(struct kern *k, int prog_fd)
{
	struct watched *w;

	for (size_t i = 0; i < k->watched.cnt; i++) {
		if (!k->watched.v[i].own_fds && k->watched.v[i].prog_fds.v[0] == prog_fd)
			return &k->watched.v[i];
	}
	w = new_watched(k);
	vec__push(&w->prog_fds, prog_fd);
	w->tasks_only = w->hint = true;
	w->again_cnt = again__cnt_behind(k, prog_fd);
	return w;
}

void misses__watch(struct kern *k, int prog_fd, uint32_t mechs, enum ipct_again end)
{
	struct watched *w = NULL;

	for (size_t i = 0; !w && i < k->watched.cnt; i++) {
		if (k->watched.v[i].own_fds && k->watched.v[i].end == end)
			w = &k->watched.v[i];
	}
	if (!w) {
		w = new_watched(k);
		w->own_fds = true;
		w->end = end;
		w->again_cnt = k->calls_again ? again__cnt(k, end) : NULL;
	}
	vec__push(&w->prog_fds, prog_fd);
	w->mechs |= mechs;
}

static void watch_row(struct kern *k, const struct hook *hook, const struct rung_row *row)
{
	for (size_t p = 0; p < HOOK_PROGS_MAX && row->progs[p]; p++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(k->skel->obj, row->progs[p]);
		struct watched *w;

		if (!prog || bpf_program__fd(prog) < 0)
			continue;
		w = watch(k, bpf_program__fd(prog));
		w->mechs |= hook->mechs & k->opts.mechs;
		w->tasks_only &= row->tasks_only && row->rung == RUNG_TRACEPOINT;
		w->hint &= row->hint;
	}
}

void misses__begin(struct kern *k)
{
	/* Elsewhere what is left out at a tracepoint happened in an interrupt. */
	bool of_tasks = again__is_needed();

	for (size_t i = 0; i < k->choice_cnt; i++) {
		const struct rung_row *row = hook_choice__row(&k->choices[i]);

		if (row)
			watch_row(k, k->choices[i].hook, row);
	}
	for (size_t i = 0; i < k->watched.cnt; i++) {
		struct watched *w = &k->watched.v[i];

		w->tasks_only &= !of_tasks;
		w->seen_cnt = misses_of(w);
	}
}

/* cnt 0: nothing is lost, but the rules of these mechanisms must know that they may lack something. */
static size_t tell(const struct kern *k, uint32_t mechs, uint64_t cnt, event_fn fn, void *ctx)
{
	bool one = mechs && !(mechs & (mechs - 1));
	struct ipct_lost ev = {
		.h = { .ts_ns = k->lost_checked_ns,
		       .kind = IPCT_KIND_LOST,
		       .size = sizeof(ev),
		       .cpu = IPCT_CPU_NONE },
		.count = cnt,
		.why = IPCT_LOST_SKIPPED,
	};
	size_t told = 0;

	if (!one && cnt) {
		fn(ctx, &ev.h);
		told++;
		ev.count = 0; /* each of them may have missed it */
	}
	for (uint8_t mech = 1; mech < IPCT_MECH_CNT; mech++) {
		if (!(mechs & IPCT_MECH_BIT(mech)))
			continue;
		ev.h.mech = mech;
		fn(ctx, &ev.h);
		told++;
	}
	return told;
}

size_t misses__report(struct kern *k, event_fn fn, void *ctx)
{
	size_t told = 0;

	if (k->active && k->lost_checked_ns - k->misses_checked_ns < CHECK_NS)
		return 0;
	k->misses_checked_ns = k->lost_checked_ns;
	for (size_t i = 0; i < k->watched.cnt; i++) {
		struct watched *w = &k->watched.v[i];
		uint64_t cnt = w->tasks_only ? w->seen_cnt : misses_of(w);

		if ((int64_t)(cnt - w->seen_cnt) <= 0)
			continue;
		told += tell(k, w->mechs, w->hint ? 0 : cnt - w->seen_cnt, fn, ctx);
		w->seen_cnt = cnt;
	}
	return told;
}

void misses__end(struct kern *k)
{
	for (size_t i = 0; i < k->watched.cnt; i++) {
		struct watched *w = &k->watched.v[i];

		for (size_t f = 0; w->own_fds && f < w->prog_fds.cnt; f++)
			close(w->prog_fds.v[f]);
		vec__free(&w->prog_fds);
	}
	vec__free(&k->watched);
}
