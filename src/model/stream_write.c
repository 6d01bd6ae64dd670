/* SPDX-License-Identifier: GPL-2.0 */
/* Where in the stream each write lies. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/stream_impl.h"

static struct wr *new_wr(struct pipe *pi, const struct op *op)
{
	struct pairing *p = pi->p;
	struct link *l = p->spare_writes.next;
	struct wr *w;

	if (l == &p->spare_writes) {
		w = xalloc(sizeof(*w));
	} else {
		list__unlink(l);
		w = list__entry(l, struct wr, link);
	}
	list__init(&w->link);
	w->sender = model__sender(p->m, op);
	w->e = pipe__pos(pi, op->stream.addr_e);
	w->s = op->flags & OP_F_NOENTRY ? w->e - op->bytes : pipe__pos(pi, op->stream.addr_s);
	if (w->s > w->e)
		w->s = w->e > op->bytes ? w->e - op->bytes : 0;
	w->bytes = op->bytes;
	w->enter_ns = op->enter_ns;
	w->ts_ns = op->ts_ns;
	w->pid = op->pid;
	w->tid = op->tid;
	w->flags = op->flags;
	w->seg_cnt = 0;
	memcpy(w->fp, op->fp, sizeof(w->fp));
	w->blocked = op->flags & OP_F_BLOCKED;
	w->inferred = false;
	w->cand_cnt = 0;
	w->parts.cnt = 0;
	return w;
}

static bool fits(const struct pipe *pi, const struct layout *lay)
{
	for (unsigned i = 0; i < lay->cnt; i++)
		if (!line__is_free(pi, lay->at[i], lay->at[i] + lay->len[i]))
			return false;
	return true;
}

/* A write that was alone between its samples fills the range from the one to the other. */
static bool place_alone(struct pipe *pi, struct wr *w)
{
	uint64_t e = w->flags & OP_F_PAGES ? slot_up(w->e) : w->e;
	struct layout lay;

	for (int merge = 1; merge >= 0; merge--) {
		if (!wr__layout(w, w->s, merge, &lay) || lay.end != e)
			continue;
		if (pi->w_end > w->s && !fits(pi, &lay))
			continue;
		wr__place(pi, w, &lay);
		return true;
	}
	return false;
}

static struct wr *blocked_of(struct pipe *pi, const struct op *op)
{
	list__for_each(&pi->writes, cur) {
		struct wr *w = list__entry(cur, struct wr, link);

		if (w->blocked && w->pid == op->pid && w->tid == op->tid && w->enter_ns == op->enter_ns)
			return w;
	}
	return NULL;
}

static void unpend(struct pipe *pi, struct wr *w)
{
	list__unlink(&w->link);
	pi->write_cnt--;
}

static void pend(struct pipe *pi, struct wr *w)
{
	list__append(&pi->writes, &w->link);
	pi->write_cnt++;
	pipe__activate(pi);
}

void pipe__add_write(struct pipe *pi, const struct op *op)
{
	struct wr *w = pi->write_cnt ? blocked_of(pi, op) : NULL;
	bool goes_on = op->flags & OP_F_BLOCKED;

	if (w) {
		w->e = pipe__pos(pi, op->stream.addr_e);
		vec__push(&w->parts, pipe__pos(pi, op->stream.addr_s));
		w->flags = op->flags;
		w->bytes = op->bytes;
		w->ts_ns = op->ts_ns;
		memcpy(w->fp, op->fp, sizeof(w->fp));
		w->blocked = goes_on;
		if (goes_on)
			return;
		w->sender = model__sender(pi->p->m, op);
		unpend(pi, w);
	} else {
		w = new_wr(pi, op);
	}
	if (!w->blocked && !w->bytes)
		wr__free(pi->p, w);
	else if (w->blocked || !place_alone(pi, w))
		pend(pi, w);
}

bool pipe__place_writes(struct pipe *pi)
{
	return false;
}

/* The first room between its samples. */
void pipe__force_write(struct pipe *pi, struct wr *w)
{
	struct layout lay;
	uint64_t at = w->s;

	unpend(pi, w);
	if (!w->bytes) {
		wr__free(pi->p, w);
		return;
	}
	w->inferred = true;
	list__for_each(&pi->segs, cur) {
		struct seg *sg = list__entry(cur, struct seg, link);

		if (sg->to <= at)
			continue;
		if (sg->from >= at + w->bytes)
			break;
		at = sg->to;
	}
	for (int merge = 1; merge >= 0; merge--) {
		if (!wr__layout(w, at, merge, &lay) || !fits(pi, &lay))
			continue;
		wr__place(pi, w, &lay);
		return;
	}
	wr__free(pi->p, w);
}
