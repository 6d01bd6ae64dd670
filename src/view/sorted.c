/* SPDX-License-Identifier: GPL-2.0 */
#include "view/sorted.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "view/label.h"
#include "view/reduce.h"

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

int sorted__compare_flows(const struct flow *a, const struct flow *b)
{
	int r = compare_procs(a->src, b->src);

	if (!r)
		r = strcmp(a->origin ? a->origin : "", b->origin ? b->origin : "");
	if (!r)
		r = compare_procs(a->dst, b->dst);
	return r ? r : compare_channels(a->channel, b->channel);
}

static int by_flow(const void *x, const void *y)
{
	return sorted__compare_flows(*(struct flow *const *)x, *(struct flow *const *)y);
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

/* Who takes part in what is left, and which channels do or have something to say. */
static void choose(struct sorted *s)
{
	bool *channel_used = xalloc(s->channel_cnt + 1);
	size_t kept = 0;

	memset(s->takes_part, 0, s->proc_cnt);
	s->kernel = s->unknown = false;
	mark_all(s, channel_used);
	for (size_t i = 0; i < s->channels.cnt; i++) {
		struct channel *ch = s->channels.v[i];

		if (channel_used[ch->id] || has_data_remark(ch) || ch->memory.left_behind || ch->waiters.cnt)
			s->channels.v[kept++] = ch;
	}
	s->channels.cnt = kept;
	free(channel_used);
}

const struct proc *sorted__parent(const struct sorted *s, const struct proc *p)
{
	const struct proc *parent = p->parent;

	if (parent && s->fold.done)
		parent = s->fold.pool[parent->id];
	return parent && parent != p && s->shown[parent->id] ? parent : NULL;
}

static void show_parent(struct sorted *s, const struct proc *p)
{
	if (p->parent)
		s->shown[s->fold.done ? s->fold.pool[p->parent->id]->id : p->parent->id] = true;
}

static void choose_procs(struct sorted *s, const struct proc_table *procs)
{
	s->procs.cnt = 0;
	for (size_t i = 0; i < procs->all.cnt; i++) {
		const struct proc *p = procs->all.v[i];

		if (!s->takes_part[p->id])
			continue;
		s->shown[p->id] = true;
		show_parent(s, p);
	}
	for (size_t i = 0; i < procs->all.cnt; i++) {
		if (s->shown[procs->all.v[i]->id])
			vec__push(&s->procs, procs->all.v[i]);
	}
}

/* ---- ids of channels ---- */

static int hex_value(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* What JSON's readers see: there a byte that is no UTF-8 is the character of its number, and that may be real, too. */
static void put_as_json_reads(struct buf *out, const char *s, size_t len)
{
	struct buf json = { 0 };

	escape__json(&json, s, len);
	buf__cstr(&json);
	for (size_t i = 0; i < json.len; i++) {
		const char *at = json.data + i;

		if (*at == '\\' && !strncmp(at, "\\u00", 4) && at[4] >= '8') {
			unsigned int c = (unsigned int)(hex_value(at[4]) << 4 | hex_value(at[5]));

			buf__putc(out, (char)(0xc0 | c >> 6));
			buf__putc(out, (char)(0x80 | (c & 0x3f)));
			i += 5;
			continue;
		}
		buf__putc(out, *at);
		if (*at == '\\')
			buf__putc(out, json.data[++i]);
	}
	buf__free(&json);
}

/* As each format's readers will see it: names that differ may look the same once made harmless. */
static bool take_id(struct map *taken, struct strtab *texts, const struct buf *id)
{
	static void (*const escapes[])(struct buf * out, const char *s,
				       size_t len) = { put_as_json_reads, escape__xml, escape__dot };
	struct buf text = { 0 };
	bool is_free = true;

	for (size_t pass = 0; pass < 2 && is_free; pass++) {
		for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
			uintptr_t key;

			buf__reset(&text);
			buf__putc(&text, (char)('0' + i));
			escapes[i](&text, id->data, id->len);
			key = (uintptr_t)strtab__intern(texts, text.data, text.len);
			if (pass)
				map__set(taken, key, 0, taken);
			else if (map__get(taken, key, 0))
				is_free = false;
		}
	}
	buf__free(&text);
	return is_free;
}

/* Its name; "unix:/x (unix-dgram)" where an earlier channel has that id; numbered where even that is taken. */
static void number_channels(struct sorted *s, const struct view_names *names)
{
	struct map taken = { 0 };
	struct strtab texts = { 0 };
	struct buf id = { 0 };

	s->channel_nr = xalloc((s->channel_cnt + 1) * sizeof(*s->channel_nr));
	s->channel_id = xalloc((s->channel_cnt + 1) * sizeof(*s->channel_id));
	for (size_t i = 0; i < s->channels.cnt; i++) {
		const struct channel *ch = s->channels.v[i];

		buf__reset(&id);
		buf__puts(&id, ch->name);
		for (int turn = 1; !take_id(&taken, &texts, &id); turn++) {
			buf__reset(&id);
			buf__printf(&id, "%s (%s)", ch->name, names->mech(ch->mech));
			if (turn > 1)
				buf__printf(&id, " #%d", turn);
		}
		s->channel_nr[ch->id] = (uint32_t)i;
		s->channel_id[ch->id] = strtab__intern(&s->ids, id.data, id.len);
	}
	buf__free(&id);
	map__free(&taken);
	strtab__free(&texts);
}

/* ---- the whole ---- */

static struct left_out measure(const struct sorted *s)
{
	struct left_out m = { .channels = s->channels.cnt, .flows = s->flows.cnt };

	for (size_t i = 0; i < s->proc_cnt; i++)
		m.procs += s->takes_part[i];
	for (size_t i = 0; i < s->flows.cnt; i++) {
		m.messages += s->flows.v[i]->messages;
		m.bytes += s->flows.v[i]->bytes;
	}
	return m;
}

/* What is gone since before was measured. */
static void count_left_out(struct sorted *s, const struct left_out *before)
{
	struct left_out now;

	choose(s);
	now = measure(s);
	s->left_out.procs += before->procs - now.procs;
	s->left_out.channels += before->channels - now.channels;
	s->left_out.flows += before->flows - now.flows;
	s->left_out.messages += before->messages - now.messages;
	s->left_out.bytes += before->bytes - now.bytes;
}

/* --hide, --fold and --top, in this order: what is hidden makes no pool, and a pool counts as one. */
static void reduce(struct sorted *s, const struct proc_table *procs)
{
	struct left_out before = measure(s);

	if (s->opts->hide) {
		for (size_t i = 0; i < procs->all.cnt; i++)
			vec__push(&s->procs, procs->all.v[i]);
		reduce__hide(s, s->opts->hide);
		count_left_out(s, &before);
	}
	if (s->opts->fold) {
		fold__apply(s, procs);
		choose(s);
	}
	if (s->opts->top && s->opts->top < s->flows.cnt + s->shares.cnt) {
		before = measure(s);
		reduce__top(s, s->opts->top);
		count_left_out(s, &before);
	}
}

void sorted__init(struct sorted *s, const struct graph *g, const struct proc_table *procs,
		  const struct view_names *names, const struct graph_opts *opts)
{
	static const struct graph_opts everything;

	memset(s, 0, sizeof(*s));
	s->opts = opts ? opts : &everything;
	s->proc_cnt = procs->all.cnt;
	s->channel_cnt = g->channels.cnt;
	s->takes_part = xalloc(procs->all.cnt + 1);
	s->shown = xalloc(procs->all.cnt + 1);
	copy(&s->channels, &g->channels);
	copy(&s->ends, &g->ends);
	copy(&s->flows, &g->flows);
	copy(&s->shares, &g->shares);
	choose(s);
	sort(&s->channels, by_channel);
	sort(&s->shares, by_share);
	reduce(s, procs);
	choose_procs(s, procs);
	sort(&s->procs, by_proc);
	sort(&s->channels, by_channel);
	number_channels(s, names);
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
	free(s->channel_id);
	strtab__free(&s->ids);
	fold__free(&s->fold);
	memset(s, 0, sizeof(*s));
}

void sorted__put_left_out(struct buf *out, const struct sorted *s)
{
	const struct left_out *l = &s->left_out;

	if (s->fold.pools)
		buf__printf(out, "%" PRIu64 " processes are shown as %" PRIu64, s->fold.folded,
			    s->fold.pools);
	if (!l->procs && !l->channels && !l->flows)
		return;
	buf__puts(out, s->fold.pools ? "; left out: " : "left out: ");
	label__count(out, l->procs, "process");
	buf__puts(out, ", ");
	label__count(out, l->channels, "channel");
	buf__puts(out, ", ");
	label__count(out, l->flows, "flow");
	buf__puts(out, " (");
	label__count(out, l->messages, "message");
	buf__puts(out, ", ");
	label__bytes(out, l->bytes);
	buf__puts(out, "B)");
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
