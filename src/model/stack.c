/* SPDX-License-Identifier: GPL-2.0 */
#include "model/stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"

/* What a recording may make its reader keep. */
#define TABLE_BYTES_MAX (64u << 20)
#define THREADS_MAX 65536

struct thread {
	uint64_t enter_ns[STACK_PLACE_CNT];
	const struct stack *stack[STACK_PLACE_CNT];
};

struct stack_table {
	struct map frames; /* by number */
	struct map by_id; /* the last stack that had it */
	struct map by_content; /* hash of frames, count: the last stack */
	struct map threads; /* by tid: the call that each is in */
	struct strtab names;
	VEC(void *) all; /* every frame and stack there was: messages may still point to it */
	size_t bytes;
};

struct stack_table *stack_table__new(void)
{
	return xalloc(sizeof(struct stack_table));
}

/* NULL: the table is full. */
static void *keep(struct stack_table *t, size_t bytes)
{
	void *p;

	if (t->bytes + bytes > TABLE_BYTES_MAX)
		return NULL;
	t->bytes += bytes;
	p = xalloc(bytes);
	vec__push(&t->all, p);
	return p;
}

static const char *name(struct stack_table *t, const char *s, size_t len)
{
	t->bytes += len; /* too much where it was known: a bound, not an account */
	return strtab__intern(&t->names, s, strnlen(s, len));
}

void stack_table__frame(struct stack_table *t, uint32_t number, const struct stack_frame *f,
			const uint16_t lens[3])
{
	struct stack_frame *mine = keep(t, sizeof(*mine));

	if (!mine)
		return;
	*mine = *f;
	mine->function = name(t, f->function, lens[0]);
	mine->binary = name(t, f->binary, lens[1]);
	mine->source = name(t, f->source, lens[2]);
	map__set(&t->frames, number, 0, mine);
}

static bool same(const struct stack_table *t, const struct stack *st, const struct stack_seen *seen)
{
	if (!st || st->cnt != seen->cnt || st->cut != seen->cut)
		return false;
	for (size_t i = 0; i < st->cnt; i++)
		if (st->frames[i] != map__get(&t->frames, seen->numbers[i], 0))
			return false;
	return true;
}

static uint64_t hash(const struct stack_seen *seen)
{
	uint64_t h = seen->cut;

	for (size_t i = 0; i < seen->cnt; i++)
		h = (h ^ seen->numbers[i]) * 0x100000001b3ull;
	return h;
}

static struct stack *add(struct stack_table *t, const struct stack_seen *seen)
{
	struct stack *st = keep(t, sizeof(*st) + seen->cnt * sizeof(st->frames[0]));

	if (!st)
		return NULL;
	st->cnt = seen->cnt;
	st->cut = seen->cut;
	for (size_t i = 0; i < st->cnt; i++)
		st->frames[i] = map__get(&t->frames, seen->numbers[i], 0);
	map__set(&t->by_content, hash(seen), seen->cnt, st);
	return st;
}

/* Processes of one program have many ids for one stack. */
static const struct stack *stack_of(struct stack_table *t, const struct stack_seen *seen)
{
	struct stack *st;

	if (!seen->numbers)
		return map__get(&t->by_id, seen->id, 0);
	st = map__get(&t->by_content, hash(seen), seen->cnt);
	if (!same(t, st, seen))
		st = add(t, seen);
	if (st && (t->bytes += sizeof(struct map_slot)) <= TABLE_BYTES_MAX)
		map__set(&t->by_id, seen->id, 0, st);
	return st;
}

static void forget_threads(struct stack_table *t)
{
	map__for_each(&t->threads, slot)
		free(slot->val);
	map__free(&t->threads);
	t->threads = (struct map){ 0 };
}

void stack_table__seen(struct stack_table *t, const struct stack_seen *seen)
{
	struct thread *th = map__get(&t->threads, seen->tid, 0);

	if (!th) {
		if (t->threads.cnt >= THREADS_MAX)
			forget_threads(t);
		th = xalloc(sizeof(*th));
		map__set(&t->threads, seen->tid, 0, th);
	}
	th->enter_ns[seen->place] = seen->enter_ns;
	th->stack[seen->place] = stack_of(t, seen);
}

const struct stack *stack_table__of(const struct stack_table *t, uint32_t tid, enum stack_place place,
				    uint64_t enter_ns)
{
	const struct thread *th = map__get(&t->threads, tid, 0);

	return th && th->enter_ns[place] == enter_ns ? th->stack[place] : NULL;
}

const struct stack *stack_table__at(const struct stack_table *t, uint32_t tid, enum stack_place place,
				    uint64_t at_ns)
{
	const struct thread *th = map__get(&t->threads, tid, 0);

	return th && th->enter_ns[place] <= at_ns ? th->stack[place] : NULL;
}

void stack_table__free(struct stack_table *t)
{
	if (!t)
		return;
	forget_threads(t);
	for (size_t i = 0; i < t->all.cnt; i++)
		free(t->all.v[i]);
	vec__free(&t->all);
	map__free(&t->frames);
	map__free(&t->by_id);
	map__free(&t->by_content);
	strtab__free(&t->names);
	free(t);
}
