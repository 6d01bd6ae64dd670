/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Open-addressing hash map from a 128-bit key (two words; use hi = 0 where one
 * is enough) to a pointer. Hashed with a per-run seed: keys come from traced
 * programs. Deletion does not leave tombstones (backward shift).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t lo, hi;
	void *val; /* NULL: empty */
};

struct map {
	struct map_slot *slots;
	size_t cnt;
	size_t cap; /* power of two, or 0 */
	struct map_slot *last; /* that map__get() found: events come in runs of one process, one channel */
};

void *map__get(const struct map *m, uint64_t lo, uint64_t hi);
/* Sets; returns the value that was there before, or NULL. val must not be NULL. */
void *map__set(struct map *m, uint64_t lo, uint64_t hi, void *val);
void *map__del(struct map *m, uint64_t lo, uint64_t hi); /* returns what was there, or NULL */
void map__free(struct map *m); /* not the values */
/* Iteration in slot order (not deterministic: sort what is shown). No set/del meanwhile. */
#define map__for_each(m, slot)                                                                 \
	for (struct map_slot *slot = (m)->slots; slot && slot < (m)->slots + (m)->cap; slot++) \
		if (slot->val)

/* Interned strings: equal bytes give the same pointer, valid until strtab__free(). */
struct strtab {
	struct map by_hash;
};
const char *strtab__intern(struct strtab *t, const char *s, size_t len); /* the result is NUL-terminated */
/* Equal bytes that are in t already; NULL: they are not. */
const char *strtab__find(const struct strtab *t, const char *s, size_t len);
/* All strings that strtab__keep() was not called for since the last time are forgotten. */
void strtab__keep(const char *interned); /* NULL: nothing */
void strtab__sweep(struct strtab *t);
void strtab__free(struct strtab *t);

#endif
