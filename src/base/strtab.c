/* SPDX-License-Identifier: GPL-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"

/* Strings of equal hash and length, seldom more than one. */
struct node {
	struct node *next;
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

const char *strtab__intern(struct strtab *t, const char *s, size_t len)
{
	uint64_t h = hash_bytes(s, len);
	struct node *head = map__get(&t->by_hash, h, len);
	struct node *n;

	for (n = head; n; n = n->next)
		if (!memcmp(n->bytes, s, len))
			return n->bytes;
	n = xalloc(sizeof(*n) + len + 1);
	memcpy(n->bytes, s, len);
	n->next = head;
	map__set(&t->by_hash, h, len, n);
	return n->bytes;
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
