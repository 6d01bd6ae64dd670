/* SPDX-License-Identifier: GPL-2.0 */
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"

#define MAP_FIRST_CAP 16

static uint64_t seed[2];

/* Keys come from traced programs: without a secret seed they could choose colliding ones. */
static __attribute__((cold, noinline)) void seed__init(void)
{
	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		seed[0] = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u;
		seed[1] = (uint64_t)(uintptr_t)&now ^ (uint64_t)now.tv_sec;
	}
	seed[0] |= 1;
	seed[1] |= 1ull << 63 | 1;
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash(uint64_t lo, uint64_t hi)
{
	if (__builtin_expect(!seed[0], 0))
		seed__init();
	return fold(lo ^ hi * 0xa0761d6478bd642fu ^ seed[0], seed[1]);
}

static inline size_t home(const struct map *m, const struct map_slot *s)
{
	return (size_t)hash(s->lo, s->hi) & (m->cap - 1);
}

/* The slot of the key, or the empty one where it would go. */
static struct map_slot *find(const struct map *m, uint64_t lo, uint64_t hi)
{
	size_t i = (size_t)hash(lo, hi) & (m->cap - 1);

	while (m->slots[i].val && (m->slots[i].lo != lo || m->slots[i].hi != hi))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->last = NULL;
	m->cap = old.cap ? old.cap * 2 : MAP_FIRST_CAP;
	if (m->cap < old.cap || m->cap > SIZE_MAX / sizeof(*m->slots))
		log__out_of_memory();
	m->slots = xalloc(m->cap * sizeof(*m->slots));
	map__for_each(&old, slot)
		*find(m, slot->lo, slot->hi) = *slot;
	free(old.slots);
}

void *map__get(const struct map *m, uint64_t lo, uint64_t hi)
{
	struct map_slot *slot = m->last;

	if (slot && slot->lo == lo && slot->hi == hi && slot->val)
		return slot->val;
	if (!m->cnt)
		return NULL;
	slot = find(m, lo, hi);
	((struct map *)m)->last = slot; /* which changes nothing that can be told from outside */
	return slot->val;
}

void *map__set(struct map *m, uint64_t lo, uint64_t hi, void *val)
{
	struct map_slot *slot;
	void *before;

	if (!m->cap || m->cnt + 1 > m->cap / 4 * 3)
		grow(m);
	slot = find(m, lo, hi);
	before = slot->val;
	*slot = (struct map_slot){ .lo = lo, .hi = hi, .val = val };
	m->cnt += !before;
	return before;
}

void *map__del(struct map *m, uint64_t lo, uint64_t hi)
{
	struct map_slot *slot = m->cnt ? find(m, lo, hi) : NULL;
	void *before = slot ? slot->val : NULL;
	size_t mask = m->cap - 1;
	size_t hole, i;

	if (!before)
		return NULL;
	hole = i = (size_t)(slot - m->slots);
	for (i = (i + 1) & mask; m->slots[i].val; i = (i + 1) & mask) {
		/* An entry may fill the hole only when that is not before its own home. */
		if (((i - home(m, &m->slots[i])) & mask) < ((i - hole) & mask))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct map_slot){ 0 };
	m->cnt--;
	return before;
}

void map__free(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}
