/* SPDX-License-Identifier: GPL-2.0 */
#include "model/payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"

#define TABLE_BYTES_MAX (64u << 20)

struct call {
	struct call *newer;
	uint64_t enter_ns, total;
	uint64_t given; /* bytes that messages had already */
	uint32_t tid;
	struct payload payload; /* data: behind the struct */
};

struct payload_table {
	struct map by_call; /* tid, enter_ns */
	struct call *oldest, *newest;
	size_t bytes;
};

struct payload_table *payload_table__new(void)
{
	return xalloc(sizeof(struct payload_table));
}

static void forget_oldest(struct payload_table *t)
{
	struct call *c = t->oldest;

	t->oldest = c->newer;
	if (!t->oldest)
		t->newest = NULL;
	t->bytes -= sizeof(*c) + c->payload.len;
	if (map__get(&t->by_call, c->tid, c->enter_ns) == c)
		map__del(&t->by_call, c->tid, c->enter_ns);
	free(c);
}

void payload_table__add(struct payload_table *t, uint32_t tid, uint64_t enter_ns, uint64_t total,
			const struct payload *p)
{
	struct call *c = xalloc(sizeof(*c) + p->len);

	c->tid = tid;
	c->enter_ns = enter_ns;
	c->total = total;
	c->payload = *p;
	c->payload.data = memcpy(c + 1, p->data, p->len);
	if (t->newest)
		t->newest->newer = c;
	else
		t->oldest = c;
	t->newest = c;
	t->bytes += sizeof(*c) + p->len;
	map__set(&t->by_call, tid, enter_ns, c);
	while (t->bytes > TABLE_BYTES_MAX && t->oldest != t->newest)
		forget_oldest(t);
}

bool payload_table__of_call(struct payload_table *t, uint32_t tid, uint64_t enter_ns, struct payload *out)
{
	struct call *c = map__get(&t->by_call, tid, enter_ns);

	if (c)
		*out = c->payload;
	return c != NULL;
}

bool payload_table__next(struct payload_table *t, uint32_t tid, uint64_t enter_ns, uint64_t bytes,
			 struct payload *out)
{
	struct call *c = map__get(&t->by_call, tid, enter_ns);
	uint64_t from;

	if (!c)
		return false;
	from = c->given;
	c->given += bytes;
	*out = c->payload;
	if (c->payload.hashed || bytes >= c->total)
		return true;
	if (from >= c->payload.len)
		return false;
	out->data += from;
	out->len -= from;
	out->truncated = bytes > out->len;
	if (!out->truncated)
		out->len = bytes;
	return true;
}

void payload_table__free(struct payload_table *t)
{
	if (!t)
		return;
	while (t->oldest)
		forget_oldest(t);
	map__free(&t->by_call);
	free(t);
}
