/* SPDX-License-Identifier: GPL-2.0 */
/* Shared memory, as the processes see it: which object lies at which addresses. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/share_impl.h"

struct space *space__of(struct pairing *p, uint32_t pid)
{
	struct space *s = map__get(&p->spaces, pid, 0);

	if (s)
		return s;
	s = xalloc(sizeof(*s));
	s->proc = model__party(p->m, pid, pid).proc;
	map__set(&p->spaces, pid, 0, s);
	return s;
}

void space__free(struct space *s)
{
	vec__free(&s->segs);
	free(s);
}

static void insert(struct space *s, size_t at, struct segment seg)
{
	vec__push(&s->segs, seg);
	memmove(&s->segs.v[at + 1], &s->segs.v[at], (s->segs.cnt - 1 - at) * sizeof(seg));
	s->segs.v[at] = seg;
}

static void erase(struct space *s, size_t at)
{
	s->segs.cnt--;
	memmove(&s->segs.v[at], &s->segs.v[at + 1], (s->segs.cnt - at) * sizeof(s->segs.v[0]));
}

/* Segments begin and end at addr afterwards, none lies across it. */
static void split(struct space *s, uint64_t addr)
{
	for (size_t i = 0; i < s->segs.cnt && s->segs.v[i].addr < addr; i++) {
		struct segment upper = s->segs.v[i];

		if (upper.end <= addr)
			continue;
		s->segs.v[i].end = addr;
		upper.addr = addr;
		shared__add_part(upper.object, s->proc);
		insert(s, i + 1, upper);
		return;
	}
}

void space__unmap(struct pairing *p, struct space *s, uint64_t addr, uint64_t end, const struct shared *only,
		  uint64_t ts_ns)
{
	size_t i = 0;

	split(s, addr);
	split(s, end);
	while (i < s->segs.cnt) {
		struct segment seg = s->segs.v[i];

		if (seg.addr < addr || seg.addr >= end || (only && seg.object != only)) {
			i++;
			continue;
		}
		erase(s, i);
		shared__drop(p, seg.object, s->proc, ts_ns);
	}
}

void space__map(struct pairing *p, struct space *s, struct segment seg, bool scanned, uint64_t ts_ns)
{
	size_t at = 0;

	/* First the new one: an object whose only mapping is replaced by itself is not left in between. */
	shared__add(p, seg.object, s->proc, seg.writable, scanned, ts_ns);
	space__unmap(p, s, seg.addr, seg.end, NULL, ts_ns);
	while (at < s->segs.cnt && s->segs.v[at].addr < seg.addr)
		at++;
	insert(s, at, seg);
}

void space__drop(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	struct space *s = map__get(&p->spaces, pid, 0);

	if (!s)
		return;
	space__unmap(p, s, 0, UINT64_MAX, NULL, ts_ns);
	map__del(&p->spaces, pid, 0);
	space__free(s);
}

void space__set_writable(struct pairing *p, struct space *s, uint64_t addr, uint64_t end, uint64_t ts_ns)
{
	split(s, addr);
	split(s, end);
	for (size_t i = 0; i < s->segs.cnt; i++) {
		struct segment *seg = &s->segs.v[i];

		if (seg->addr < addr || seg->addr >= end)
			continue;
		seg->writable = true;
		shared__set_writable(p, seg->object, s->proc, ts_ns);
	}
}

void space__copy(struct pairing *p, struct space *to, const struct space *from, uint64_t ts_ns)
{
	for (size_t i = 0; i < from->segs.cnt; i++) {
		struct segment seg = from->segs.v[i];

		vec__push(&to->segs, seg);
		shared__add(p, seg.object, to->proc, seg.writable, false, ts_ns);
	}
}
