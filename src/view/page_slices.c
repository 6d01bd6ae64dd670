/* SPDX-License-Identifier: GPL-2.0 */
#include "view/page_slices.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/slices.h"

/* Which link a message belongs to: its flow's, or one for each of its sides. */
struct lookup {
	const struct picture *p;
	struct graph *g;
	struct map nodes; /* a side -> its node's index + 1 */
	struct map links; /* both nodes and channel -> its first link's index + 1 */
	struct map channels; /* channel -> its node's index + 1 */
	uint32_t *next; /* by link: the next one of the same key + 1; 0: none */
};

struct sum {
	uint64_t messages, bytes;
};

static uint64_t side_key(const struct proc *proc, const char *origin)
{
	return proc ? proc->id + 3ull : origin ? 1 : 2;
}

static void *number(size_t index)
{
	return (void *)(uintptr_t)(index + 1);
}

static uint64_t nodes_key(size_t from, size_t to)
{
	return (uint64_t)from << 32 | to;
}

static void lookup__init(struct lookup *l, const struct picture *p, struct graph *g)
{
	*l = (struct lookup){ .p = p, .g = g };
	l->next = xalloc((p->links.cnt + 1) * sizeof(*l->next));
	for (size_t i = 0; i < p->nodes.cnt; i++) {
		const struct node *n = &p->nodes.v[i];

		if (n->kind == NODE_CHANNEL)
			map__set(&l->channels, (uintptr_t)n->channel, 0, number(i));
		else
			map__set(&l->nodes, side_key(n->proc, n->kind == NODE_KERNEL ? "" : NULL), 0,
				 number(i));
	}
	for (size_t i = p->links.cnt; i--;) {
		const struct link *k = &p->links.v[i];

		if (k->kind == LINK_FLOW || k->kind == LINK_END)
			l->next[i] = (uint32_t)(uintptr_t)map__set(&l->links, nodes_key(k->from, k->to),
								   (uintptr_t)k->channel, number(i));
	}
}

static void lookup__free(struct lookup *l)
{
	map__free(&l->nodes);
	map__free(&l->links);
	map__free(&l->channels);
	free(l->next);
}

/* The picture's channel: a filtered graph has its own, under the same name. */
static const struct channel *channel_of(struct lookup *l, const struct slice_row *row)
{
	const struct channel *ch = channel__resolve(row->channel);
	const char *name = strtab__intern(&l->g->names, ch->name, strlen(ch->name));

	ch = map__get(&l->g->channel_by_name, (uintptr_t)name, ch->mech);
	return ch && l->p->sorted.fold.done ? fold__channel(&l->p->sorted.fold, ch) : ch;
}

static size_t node_of(const struct lookup *l, const struct proc *proc, const char *origin)
{
	if (proc && l->p->sorted.fold.done)
		proc = l->p->sorted.fold.pool[proc->id];
	return (size_t)(uintptr_t)map__get(&l->nodes, side_key(proc, origin), 0);
}

static void add_to(struct sum *sums, const struct lookup *l, size_t from, size_t to, const struct channel *ch,
		   const struct slice_row *row, const struct slice_part *part)
{
	size_t at = from && to ? (size_t)(uintptr_t)map__get(&l->links, nodes_key(from - 1, to - 1),
							     (uintptr_t)ch)
			       : 0;

	for (; at; at = l->next[at - 1]) {
		const struct link *k = &l->p->links.v[at - 1];

		if (k->origin && row->origin && strcmp(k->origin, row->origin))
			continue;
		sums[at - 1].messages += part->messages;
		sums[at - 1].bytes += part->bytes;
		return;
	}
}

static void add_row(struct sum *sums, struct lookup *l, const struct slice_row *row, uint32_t from_fine,
		    uint32_t to_fine)
{
	const struct channel *ch = channel_of(l, row);
	size_t src = node_of(l, row->src, row->origin), dst = node_of(l, row->dst, NULL);
	size_t between = ch ? (size_t)(uintptr_t)map__get(&l->channels, (uintptr_t)ch, 0) : 0;

	for (size_t i = 0; ch && i < row->parts.cnt; i++) {
		const struct slice_part *part = &row->parts.v[i];

		if (part->fine < from_fine || part->fine >= to_fine)
			continue;
		add_to(sums, l, src, dst, ch, row, part);
		add_to(sums, l, src, between, ch, row, part);
		add_to(sums, l, between, dst, ch, row, part);
	}
}

static void put_slice(struct json *j, const struct lookup *l, const struct sum *sums, uint64_t from_ns,
		      uint64_t to_ns)
{
	char key[24];

	json__open(j, NULL, '{');
	json__u64(j, "from_ns", from_ns);
	json__u64(j, "to_ns", to_ns);
	json__open(j, "links", '{');
	for (size_t i = 0; i < l->p->links.cnt; i++) {
		if (!sums[i].messages && !sums[i].bytes)
			continue;
		snprintf(key, sizeof(key), "%zu", i);
		json__open(j, key, '[');
		json__u64(j, NULL, sums[i].messages);
		json__u64(j, NULL, sums[i].bytes);
		json__close(j, ']');
	}
	json__close(j, '}');
	json__close(j, '}');
}

void page_slices__put(struct json *j, const struct picture *p, struct graph *g, const struct graph_opts *opts)
{
	const struct slices *s = opts ? opts->slices : NULL;
	struct lookup l;
	struct sum *sums;
	uint32_t cnt, fine;
	uint64_t begin_ns;

	if (!s || !opts->slice_cnt || !s->fine_cnt)
		return;
	lookup__init(&l, p, g);
	sums = xalloc((p->links.cnt + 1) * sizeof(*sums));
	cnt = slices__divide(s, opts->slice_cnt, &fine);
	begin_ns = s->begin_ns > g->start_ns ? s->begin_ns - g->start_ns : 0;
	json__open(j, "slices", '[');
	for (uint32_t i = 0; i < cnt; i++) {
		memset(sums, 0, p->links.cnt * sizeof(*sums));
		for (size_t r = 0; r < s->rows.cnt; r++)
			add_row(sums, &l, s->rows.v[r], i * fine, (i + 1) * fine);
		put_slice(j, &l, sums, begin_ns + (uint64_t)i * fine * s->fine_ns,
			  begin_ns + (uint64_t)(i + 1) * fine * s->fine_ns);
	}
	json__close(j, ']');
	free(sums);
	lookup__free(&l);
}
