/* SPDX-License-Identifier: GPL-2.0 */
#include "model/compare.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

#define PORT_EPHEMERAL 32768 /* what the kernel gives out by itself: net.ipv4.ip_local_port_range */
#define DIGITS_NAMED 4 /* so many in a row are a pid, an inode or a time, not part of a name */
#define LITTLE 16 /* fewer messages than that on both sides come and go by chance */

const char *change__name(enum change change)
{
	static const char *const names[] = {
		[CHANGE_NONE] = "same",	    [CHANGE_NEW] = "new",   [CHANGE_GONE] = "gone",
		[CHANGE_MORE] = "more",	    [CHANGE_LESS] = "less", [CHANGE_SLOWER] = "slower",
		[CHANGE_FASTER] = "faster",
	};

	return names[change];
}

struct compare *compare__new(void)
{
	return xalloc(sizeof(struct compare));
}

/* ---- roles ---- */

static const char *role_of_proc(struct compare *c, const struct proc *p)
{
	const char *slash = strrchr(p->exe, '/'), *program = slash ? slash + 1 : p->exe;
	size_t comm_len = strnlen(p->comm, sizeof(p->comm));
	struct buf b = { 0 };
	const char *role;

	buf__put(&b, p->comm, comm_len);
	/* A process may call itself something else than its program: both are its role. */
	if (*program && strncmp(program, p->comm, comm_len) != 0)
		buf__printf(&b, " (%s)", program);
	role = strtab__intern(&c->names, b.data ? b.data : "", b.len);
	buf__free(&b);
	return role;
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool is_inet(const char *name)
{
	return strncmp(name, "tcp:", 4) == 0 || strncmp(name, "udp:", 4) == 0;
}

/* Numbers that another run would not have: within brackets, long ones, and those that are the whole name. */
static bool is_passing(const char *name, const char *digits, size_t len)
{
	if (is_inet(name))
		return digits[-1] == ':' && len == 5 && atoi(digits) >= PORT_EPHEMERAL;
	return len >= DIGITS_NAMED || digits[-1] == '[' || digits[-1] == '>' || digits[-1] == ':';
}

static const char *role_of_channel(struct compare *c, const char *name)
{
	struct buf b = { 0 };
	const char *role;

	for (const char *at = name; *at;) {
		size_t len = 0;

		while (is_digit(at[len]))
			len++;
		if (len && at > name && is_passing(name, at, len))
			buf__putc(&b, '*');
		else
			buf__put(&b, at, len ? len : 1);
		at += len ? len : 1;
	}
	role = strtab__intern(&c->names, b.data ? b.data : "", b.len);
	buf__free(&b);
	return role;
}

/* ---- rows ---- */

static struct compare_row *row_of(struct compare *c, const struct compare_row *like)
{
	struct buf key = { 0 };
	struct compare_row *row;
	const char *name;

	buf__printf(&key, "%d %u %p %p %p", like->kind, like->mech, (const void *)like->src,
		    (const void *)like->dst, (const void *)like->channel);
	name = strtab__intern(&c->names, key.data, key.len);
	buf__free(&key);
	row = map__get(&c->by_key, (uintptr_t)name, 0);
	if (row)
		return row;
	row = xalloc(sizeof(*row));
	*row = *like;
	map__set(&c->by_key, (uintptr_t)name, 0, row);
	vec__push(&c->rows, row);
	return row;
}

static void add_flow(struct compare *c, int side, const struct flow *f)
{
	struct compare_row like = { .kind = COMPARE_FLOW, .mech = f->channel->mech }, *row;
	struct buf origin = { 0 };

	buf__printf(&origin, "kernel(%s)", f->origin ? f->origin : "");
	like.src = f->src ? role_of_proc(c, f->src) : strtab__intern(&c->names, origin.data, origin.len);
	buf__free(&origin);
	like.dst = f->dst ? role_of_proc(c, f->dst) : "?";
	like.channel = role_of_channel(c, f->channel->name);
	row = row_of(c, &like);
	row->there[side] = true;
	row->side[side].messages += f->messages;
	row->side[side].bytes += f->bytes;
	hist__merge(&row->latency[side], &f->latency);
}

static void add_channel(struct compare *c, int side, const struct channel *ch)
{
	struct compare_row like = { .kind = COMPARE_CHANNEL, .mech = ch->mech }, *row;

	like.channel = role_of_channel(c, ch->name);
	row = row_of(c, &like);
	row->there[side] = true;
	row->side[side].objects++;
	row->side[side].messages += ch->messages;
	row->side[side].bytes += ch->bytes;
}

/* Only those that took part: what else ran on the machine is no difference between two traces. */
static void add_process(struct compare *c, int side, const struct proc *p)
{
	struct compare_row like = { .kind = COMPARE_PROCESS, .src = role_of_proc(c, p) };
	struct compare_row *row = row_of(c, &like);

	row->there[side] = true;
	row->side[side].processes++;
}

static void add_ends(struct compare *c, int side, const struct graph *g, size_t proc_cnt)
{
	bool *told = xalloc(proc_cnt + 1);

	for (size_t i = 0; i < g->ends.cnt; i++) {
		const struct proc *p = g->ends.v[i]->proc;

		if (told[p->id])
			continue;
		told[p->id] = true;
		add_process(c, side, p);
	}
	free(told);
}

void compare__add(struct compare *c, int side, const struct graph *g, const struct proc_table *procs)
{
	add_ends(c, side, g, procs->all.cnt);
	for (size_t i = 0; i < g->channels.cnt; i++)
		if (g->channels.v[i]->messages || g->channels.v[i]->bytes)
			add_channel(c, side, g->channels.v[i]);
	for (size_t i = 0; i < g->flows.cnt; i++)
		add_flow(c, side, g->flows.v[i]);
}

/* ---- verdict ---- */

static int way(uint64_t was, uint64_t is, double factor)
{
	if ((double)is > (double)was * factor)
		return 1;
	return (double)was > (double)is * factor ? -1 : 0;
}

static enum change judge(const struct compare_row *row, double factor, bool latency)
{
	const struct compare_sums *was = &row->side[0], *is = &row->side[1];
	int amount, pace;

	if (!row->there[0] || !row->there[1])
		return row->there[1] ? CHANGE_NEW : CHANGE_GONE;
	if (row->kind != COMPARE_FLOW || (was->messages < LITTLE && is->messages < LITTLE))
		return CHANGE_NONE;
	amount = way(was->messages, is->messages, factor);
	if (!amount)
		amount = way(was->bytes, is->bytes, factor);
	if (amount)
		return amount > 0 ? CHANGE_MORE : CHANGE_LESS;
	pace = way(was->p50_ns, is->p50_ns, factor);
	if (!latency || !pace || was->messages < LITTLE || is->messages < LITTLE)
		return CHANGE_NONE;
	return pace > 0 ? CHANGE_SLOWER : CHANGE_FASTER;
}

static int by_kind_then_name(const void *pa, const void *pb)
{
	const struct compare_row *a = *(struct compare_row *const *)pa, *b = *(struct compare_row *const *)pb;
	const char *const names[][2] = { { a->src, b->src }, { a->dst, b->dst }, { a->channel, b->channel } };

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	for (size_t i = 0; i < 3; i++) {
		int order = strcmp(names[i][0] ? names[i][0] : "", names[i][1] ? names[i][1] : "");

		if (order)
			return order;
	}
	return a->mech - b->mech;
}

void compare__judge(struct compare *c, double factor, bool latency)
{
	if (c->rows.cnt)
		qsort(c->rows.v, c->rows.cnt, sizeof(c->rows.v[0]), by_kind_then_name);
	for (size_t i = 0; i < c->rows.cnt; i++) {
		struct compare_row *row = c->rows.v[i];

		for (int side = 0; side < 2; side++) {
			row->side[side].p50_ns = hist__percentile(&row->latency[side], 50);
			row->side[side].p99_ns = hist__percentile(&row->latency[side], 99);
		}
		row->change = judge(row, factor, latency);
		c->change_cnt += row->change != CHANGE_NONE;
	}
}

void compare__free(struct compare *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->rows.cnt; i++) {
		hist__free(&c->rows.v[i]->latency[0]);
		hist__free(&c->rows.v[i]->latency[1]);
		free(c->rows.v[i]);
	}
	vec__free(&c->rows);
	map__free(&c->by_key);
	strtab__free(&c->names);
	free(c);
}
