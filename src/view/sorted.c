/* SPDX-License-Identifier: GPL-2.0 */
#include "view/sorted.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_procs(const struct proc *a, const struct proc *b)
{
	int r;

	if (!a || !b)
		return !!a - !!b;
	r = compare_u64(a->pid, b->pid);
	if (!r)
		r = compare_u64(a->start_ns, b->start_ns);
	return r ? r : compare_u64(a->id, b->id);
}

static int compare_channels(const struct channel *a, const struct channel *b)
{
	int r = strcmp(a->name, b->name);

	if (!r)
		r = compare_u64(a->mech, b->mech);
	return r ? r : compare_u64(a->id, b->id);
}

static int by_proc(const void *x, const void *y)
{
	return compare_procs(*(struct proc *const *)x, *(struct proc *const *)y);
}

static int by_channel(const void *x, const void *y)
{
	return compare_channels(*(struct channel *const *)x, *(struct channel *const *)y);
}

static int by_end(const void *x, const void *y)
{
	const struct end *a = *(struct end *const *)x, *b = *(struct end *const *)y;
	int r = compare_channels(a->channel, b->channel);

	if (!r)
		r = compare_procs(a->proc, b->proc);
	return r ? r : strcmp(a->role, b->role);
}

static int by_flow(const void *x, const void *y)
{
	const struct flow *a = *(struct flow *const *)x, *b = *(struct flow *const *)y;
	int r = compare_procs(a->src, b->src);

	if (!r)
		r = strcmp(a->origin ? a->origin : "", b->origin ? b->origin : "");
	if (!r)
		r = compare_procs(a->dst, b->dst);
	return r ? r : compare_channels(a->channel, b->channel);
}

static int by_share(const void *x, const void *y)
{
	const struct share *a = *(struct share *const *)x, *b = *(struct share *const *)y;
	int r = compare_channels(a->channel, b->channel);

	if (!r)
		r = compare_procs(a->a, b->a);
	if (!r)
		r = compare_procs(a->b, b->b);
	return r ? r : compare_u64(a->from_ns, b->from_ns);
}

/* qsort(NULL, 0, ...) is undefined. */
#define sort(vec, compare)                                                       \
	do {                                                                     \
		if ((vec)->cnt)                                                  \
			qsort((vec)->v, (vec)->cnt, sizeof(*(vec)->v), compare); \
	} while (0)

#define copy(to, from)                                   \
	do {                                             \
		for (size_t i = 0; i < (from)->cnt; i++) \
			vec__push(to, (from)->v[i]);     \
	} while (0)

/* Without losses: those mark channels on which nothing ever happened, too. */
static bool has_data_remark(const struct channel *ch)
{
	return ch->unattributed_bytes || ch->unattributed_messages || ch->unread_bytes || ch->discarded_bytes;
}

bool sorted__has_remark(const struct channel *ch)
{
	return has_data_remark(ch) || ch->lost || ch->memory.left_behind || ch->holders.cnt ||
	       ch->waiters.cnt;
}

static void mark_proc(struct sorted *s, const struct proc *p)
{
	if (p)
		s->takes_part[p->id] = true;
}

static void mark_side(struct sorted *s, const struct proc *p, const char *origin)
{
	mark_proc(s, p);
	if (!p && origin)
		s->kernel = true;
	else if (!p)
		s->unknown = true;
}

/* Marks who takes part, and which channels do (by channel.id). */
static void mark_all(struct sorted *s, bool *channel_used)
{
	for (size_t i = 0; i < s->ends.cnt; i++) {
		mark_proc(s, s->ends.v[i]->proc);
		channel_used[s->ends.v[i]->channel->id] = true;
	}
	for (size_t i = 0; i < s->flows.cnt; i++) {
		const struct flow *f = s->flows.v[i];

		mark_side(s, f->src, f->origin);
		mark_side(s, f->dst, f->origin);
		for (size_t c = 0; c < f->candidates.cnt; c++)
			mark_proc(s, f->candidates.v[c]);
		channel_used[f->channel->id] = true;
	}
	for (size_t i = 0; i < s->shares.cnt; i++) {
		mark_proc(s, s->shares.v[i]->a);
		mark_proc(s, s->shares.v[i]->b);
		channel_used[s->shares.v[i]->channel->id] = true;
	}
}

static void choose_procs(struct sorted *s, const struct proc_table *procs)
{
	for (size_t i = 0; i < procs->all.cnt; i++) {
		const struct proc *p = procs->all.v[i];

		if (!s->takes_part[p->id])
			continue;
		s->shown[p->id] = true;
		if (p->parent)
			s->shown[p->parent->id] = true;
	}
	for (size_t i = 0; i < procs->all.cnt; i++) {
		if (s->shown[procs->all.v[i]->id])
			vec__push(&s->procs, procs->all.v[i]);
	}
}

static void number_channels(struct sorted *s, size_t cnt)
{
	s->channel_nr = xalloc((cnt + 1) * sizeof(*s->channel_nr));
	s->is_twin = xalloc(cnt + 1);
	for (size_t i = 0; i < s->channels.cnt; i++) {
		const struct channel *ch = s->channels.v[i];

		s->channel_nr[ch->id] = (uint32_t)i;
		s->is_twin[ch->id] = i && !strcmp(ch->name, s->channels.v[i - 1]->name);
	}
}

void sorted__init(struct sorted *s, const struct graph *g, const struct proc_table *procs)
{
	bool *channel_used = xalloc(g->channels.cnt + 1);

	memset(s, 0, sizeof(*s));
	s->takes_part = xalloc(procs->all.cnt + 1);
	s->shown = xalloc(procs->all.cnt + 1);
	copy(&s->ends, &g->ends);
	copy(&s->flows, &g->flows);
	copy(&s->shares, &g->shares);
	mark_all(s, channel_used);
	choose_procs(s, procs);
	for (size_t i = 0; i < g->channels.cnt; i++) {
		struct channel *ch = g->channels.v[i];

		if (channel_used[ch->id] || has_data_remark(ch) || ch->memory.left_behind || ch->waiters.cnt)
			vec__push(&s->channels, ch);
	}
	free(channel_used);
	sort(&s->procs, by_proc);
	sort(&s->channels, by_channel);
	number_channels(s, g->channels.cnt);
	sort(&s->ends, by_end);
	sort(&s->flows, by_flow);
	sort(&s->shares, by_share);
}

void sorted__free(struct sorted *s)
{
	vec__free(&s->procs);
	vec__free(&s->channels);
	vec__free(&s->ends);
	vec__free(&s->flows);
	vec__free(&s->shares);
	free(s->takes_part);
	free(s->shown);
	free(s->channel_nr);
	free(s->is_twin);
	memset(s, 0, sizeof(*s));
}

void sorted__flows_from(const struct sorted *s, const struct proc *p, size_t *begin, size_t *end)
{
	size_t lo = 0, hi = s->flows.cnt;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_procs(s->flows.v[mid]->src, p) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*begin = lo;
	while (lo < s->flows.cnt && s->flows.v[lo]->src == p)
		lo++;
	*end = lo;
}
