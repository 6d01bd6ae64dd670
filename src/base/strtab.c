/* SPDX-License-Identifier: GPL-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"

/* Strings of equal hash and length, seldom more than one. */
struct node {
	struct node *next;
	bool kept; /* strtab__keep() */
	char bytes[];
};

/* FNV-1a: the map's own seeded hash follows, and a chain is compared byte by byte. */
static uint64_t hash_bytes(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h;
}

static struct node *find(struct node *n, const char *s, size_t len)
{
	while (n && memcmp(n->bytes, s, len) != 0)
		n = n->next;
	return n;
}

const char *strtab__find(const struct strtab *t, const char *s, size_t len)
{
	struct node *n = find(map__get(&t->by_hash, hash_bytes(s, len), len), s, len);

	return n ? n->bytes : NULL;
}

const char *strtab__intern(struct strtab *t, const char *s, size_t len)
{
	uint64_t h = hash_bytes(s, len);
	struct node *head = map__get(&t->by_hash, h, len);
	struct node *n = find(head, s, len);

	if (n)
		return n->bytes;
	n = xalloc(sizeof(*n) + len + 1);
	memcpy(n->bytes, s, len);
	n->next = head;
	map__set(&t->by_hash, h, len, n);
	return n->bytes;
}

void strtab__keep(const char *interned)
{
	if (interned)
		((struct node *)(interned - offsetof(struct node, bytes)))->kept = true;
}

/* What stays of a chain; the rest is freed. */
static struct node *kept_of(struct node *n)
{
	struct node *kept = NULL;

	while (n) {
		struct node *next = n->next;

		if (n->kept) {
			n->kept = false;
			n->next = kept;
			kept = n;
		} else {
			free(n);
		}
		n = next;
	}
	return kept;
}

void strtab__sweep(struct strtab *t)
{
	struct map all = t->by_hash;

	t->by_hash = (struct map){ 0 };
	map__for_each(&all, slot) {
		struct node *n = kept_of(slot->val);

		if (n)
			map__set(&t->by_hash, slot->lo, slot->hi, n);
	}
	map__free(&all);
}

void strtab__free(struct strtab *t)
{
	map__for_each(&t->by_hash, slot) {
		struct node *n = slot->val;

		while (n) {
			struct node *next = n->next;

			free(n);
			n = next;
		}
	}
	map__free(&t->by_hash);
}
