/* SPDX-License-Identifier: GPL-2.0 */
/* Intrusive doubly linked lists; a head is a link that points to itself when empty. */
#ifndef MODEL_LIST_H
#define MODEL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
	struct link *next, *prev;
};

#define list__entry(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
/* The body may unlink (and free) the current entry, no other. */
#define list__for_each(head, cur)                                                     \
	for (struct link *cur = (head)->next, *cur##_next = cur->next; cur != (head); \
	     cur = cur##_next, cur##_next = cur->next)

static inline void list__init(struct link *head)
{
	head->next = head->prev = head;
}

static inline bool list__empty(const struct link *head)
{
	return head->next == head;
}

/* Puts l in front of `before`; in front of the head is the end of the list. */
static inline void list__insert(struct link *before, struct link *l)
{
	l->next = before;
	l->prev = before->prev;
	before->prev->next = l;
	before->prev = l;
}

static inline void list__append(struct link *head, struct link *l)
{
	list__insert(head, l);
}

/* Harmless when it is in no list any more. */
static inline void list__unlink(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list__init(l);
}

/* What is done with, for reuse: the last first, as it is in the caches still; as many as do not matter. */
#define SPARES_MAX 512

struct spares {
	struct link list;
	unsigned cnt;
};

static inline void spares__init(struct spares *s)
{
	list__init(&s->list);
	s->cnt = 0;
}

/* NULL: there is none. */
static inline struct link *spares__take(struct spares *s)
{
	struct link *l = s->list.next;

	if (list__empty(&s->list))
		return NULL;
	list__unlink(l);
	s->cnt--;
	return l;
}

/* False: there are enough, so it is to be freed. */
static inline bool spares__give(struct spares *s, struct link *l)
{
	if (s->cnt == SPARES_MAX)
		return false;
	list__insert(s->list.next, l);
	s->cnt++;
	return true;
}

#endif
