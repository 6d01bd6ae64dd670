/* SPDX-License-Identifier: GPL-2.0 */
/* Processes below the nearest ancestor that has a row, too. */
#include <stdlib.h>

#include "base/log.h"
#include "tui/tui_impl.h"

#define DEPTH_MAX 32
#define NONE SIZE_MAX

struct node {
	const void *row;
	const struct proc *proc;
	size_t child, last_child, next; /* NONE: none */
};

static size_t parent_of(const struct map *by_proc, const struct proc *p)
{
	for (p = p ? p->parent : NULL; p; p = p->parent) {
		uintptr_t nr = (uintptr_t)map__get(by_proc, (uint64_t)p->id + 1, 0);

		if (nr)
			return nr - 1;
	}
	return NONE;
}

static void adopt(struct node *nodes, struct node *parent, size_t child)
{
	if (parent->last_child == NONE)
		parent->child = child;
	else
		nodes[parent->last_child].next = child;
	parent->last_child = child;
}

static void put(struct list *list, const struct node *nodes, size_t first, uint8_t depth)
{
	for (size_t i = first; i != NONE; i = nodes[i].next) {
		list->rows.v[list->depth.cnt] = nodes[i].row;
		vec__push(&list->depth, depth);
		put(list, nodes, nodes[i].child, depth < DEPTH_MAX ? depth + 1 : depth);
	}
}

void tree__arrange(struct list *list)
{
	struct node root = { .child = NONE, .last_child = NONE, .next = NONE };
	struct node *nodes = xalloc((list->rows.cnt + 1) * sizeof(*nodes));
	struct map by_proc = { 0 };

	for (size_t i = 0; i < list->rows.cnt; i++) {
		const struct line *l = list->rows.v[i];

		nodes[i] = root;
		nodes[i].row = l;
		nodes[i].proc = l->src.proc;
		if (l->src.proc)
			map__set(&by_proc, (uint64_t)l->src.proc->id + 1, 0, (void *)(i + 1));
	}
	for (size_t i = 0; i < list->rows.cnt; i++) {
		size_t parent = parent_of(&by_proc, nodes[i].proc);

		adopt(nodes, parent == NONE ? &root : &nodes[parent], i);
	}
	put(list, nodes, root.child, 0);
	map__free(&by_proc);
	free(nodes);
}
