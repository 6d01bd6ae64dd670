/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Byte streams with addresses: pipes and FIFOs.
 *
 * Each operation brings where its side of the stream was before and after it, sampled without the pipe's lock. So
 * an operation lies in between; alone in between, it fills that range. What contends is put together from
 * what remains (stream_write.c, stream_read.c), and waits for reports that are still missing.
 */
#include <stdlib.h>

#include "base/log.h"
#include "model/stream_impl.h"

#define FAR_BACK (1024 * SLOT_BYTES) /* no operation is reported so late: addresses this low are a new pipe's */
#define ADDR_UNUSED 0xffffffff00000000ull /* write address of a pipe that nobody wrote to */

static struct pairing *stream__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	list__init(&p->active);
	list__init(&p->spare_segs);
	list__init(&p->spare_writes);
	list__init(&p->spare_reads);
	return p;
}

static struct pipe *pipe_of(struct pairing *p, struct obj_key key, uint8_t mech)
{
	struct pipe *pi = map__get(&p->pipes, key.id, key.space);

	if (pi)
		return pi;
	pi = xalloc(sizeof(*pi));
	pi->p = p;
	pi->key = key;
	pi->mech = mech;
	pi->near_slot = SLOT_FIRST;
	pi->known_from = UINT64_MAX;
	list__init(&pi->active);
	list__init(&pi->segs);
	list__init(&pi->writes);
	list__init(&pi->reads);
	list__init(&pi->guesses);
	map__set(&p->pipes, key.id, key.space, pi);
	return pi;
}

void pipe__activate(struct pipe *pi)
{
	if (pi->is_active)
		return;
	pi->is_active = true;
	list__append(&pi->p->active, &pi->active);
}

static uint64_t slot_of(struct pipe *pi, uint64_t addr)
{
	int32_t dist = (int32_t)((uint32_t)(addr >> 32) - (uint32_t)pi->near_slot);

	pi->near_slot += (uint64_t)(int64_t)dist;
	return pi->near_slot + pi->bias;
}

uint64_t pipe__pos(struct pipe *pi, uint64_t addr)
{
	/* Behind slot -1 that never was comes slot 0: the same as the start of it. */
	if (addr == ADDR_UNUSED)
		addr = 0;
	return slot_of(pi, addr) * SLOT_BYTES + (uint32_t)addr;
}

static void force_all(struct pipe *pi)
{
	list__for_each(&pi->writes, cur)
		pipe__force_write(pi, list__entry(cur, struct wr, link));
	guess__settle(pi, UINT64_MAX);
	list__for_each(&pi->reads, cur)
		pipe__force_read(pi, list__entry(cur, struct rd, link));
}

static void restart(struct pipe *pi)
{
	force_all(pi);
	pipe__drop_unread(pi, UINT64_MAX, false);
	pi->near_slot = SLOT_FIRST;
	pi->bias = 0;
	pi->known_from = 0;
	pi->w_end = pi->r_end = pi->gone_pos = 0;
}

static void retry(struct pipe *pi)
{
	bool some = true;

	while (some) {
		some = pi->write_cnt && pipe__place_writes(pi);
		some |= pi->read_cnt && pipe__match_reads(pi);
		some |= pi->read_cnt && pipe__match_groups(pi);
	}
}

static void bound_pending(struct pipe *pi)
{
	size_t max = model__opts(pi->p->m)->pending_max;

	while (pi->write_cnt > max)
		pipe__force_write(pi, list__entry(pi->writes.next, struct wr, link));
	while (pi->read_cnt > max)
		pipe__force_read(pi, list__entry(pi->reads.next, struct rd, link));
}

static void locate(struct pipe *pi, const struct op *op)
{
	uint64_t end;

	if (!pi->is_used && pi->known_from == UINT64_MAX)
		pi->known_from = pipe__pos(pi, op->flags & OP_F_NOENTRY ? op->stream.addr_e : op->stream.addr_s);
	pi->is_used = true;
	end = pipe__pos(pi, op->stream.addr_e);
	if (end + FAR_BACK < (op->kind == OP_SEND ? pi->w_end : pi->r_end)) {
		restart(pi);
		model__stats_mut(pi->p->m)->resyncs++;
	}
}

static void stream__op(struct pairing *p, const struct op *op)
{
	struct pipe *pi;

	if (op->flags & OP_F_PEEK || (!op->bytes && !(op->flags & OP_F_BLOCKED)))
		return;
	if (op->kind != OP_SEND && op->kind != OP_RECV)
		return;
	pi = pipe_of(p, op->obj, op->mech);
	locate(pi, op);
	if (op->kind == OP_SEND)
		pipe__add_write(pi, op);
	else
		pipe__add_read(pi, op);
	if (!pi->is_active)
		return;
	retry(pi);
	bound_pending(pi);
}

/* F_SETPIPE_SZ copies what is unread to the first slots of a new ring (pipe_resize_ring()). */
static void rebase(struct pipe *pi, const struct object_info *info)
{
	uint64_t slot;

	if (!pi->w_end)
		return;
	/* The last used slot has the new number of the write address. */
	slot = (pi->w_end - 1) / SLOT_BYTES;
	pi->near_slot = SLOT_FIRST + (uint64_t)(int64_t)(int32_t)(info->wr_addr >> 32);
	pi->bias = slot - pi->near_slot;
}

static void stream__object(struct pairing *p, const struct object_info *info)
{
	struct pipe *pi = map__get(&p->pipes, info->key.id, info->key.space);

	if (info->rebased) {
		if (pi)
			rebase(pi, info);
		return;
	}
	if (info->scanned) {
		if (!pi)
			pi = pipe_of(p, info->key, info->mech);
		if (!pi->is_used && pi->known_from == UINT64_MAX)
			pi->known_from = pipe__pos(pi, info->wr_addr);
		return;
	}
	if (!pi)
		pi = pipe_of(p, info->key, info->mech);
	if (!pi->is_used)
		pi->known_from = 0;
	else if (info->wr_addr == ADDR_UNUSED)
		restart(pi);
}

/* The bytes may be those of a write that will tell at its end. */
static bool is_sleeping_write(const struct pipe *pi, const struct rd *r)
{
	for (struct link *l = pi->writes.next; l != &pi->writes; l = l->next) {
		const struct wr *w = list__entry(l, struct wr, link);

		if (w->blocked && (w->merged_at ? w->merged_at : w->s) < r->e)
			return true;
	}
	return false;
}

static void settle(struct pipe *pi, uint64_t until_ns)
{
	list__for_each(&pi->writes, cur) {
		struct wr *w = list__entry(cur, struct wr, link);

		if (w->ts_ns > until_ns)
			continue;
		if (w->blocked)
			pipe__place_part(pi, w);
		else
			pipe__force_write(pi, w);
	}
	retry(pi);
	list__for_each(&pi->reads, cur) {
		struct rd *r = list__entry(cur, struct rd, link);

		if (r->ts_ns > until_ns || is_sleeping_write(pi, r))
			continue;
		guess__settle(pi, r->ts_ns);
		pipe__force_read(pi, r);
	}
	retry(pi);
}

/* What lies before a read that was reported long ago was taken by reads that never will be. */
static void forget_gone(struct pipe *pi, uint64_t now_ns, uint64_t settle_ns)
{
	if (pi->gone_ns && now_ns - pi->gone_ns < settle_ns)
		return;
	if (pi->gone_ns && !pi->read_cnt && !list__empty(&pi->segs) &&
	    list__entry(pi->segs.next, struct seg, link)->to <= pi->gone_pos) {
		pipe__drop_unread(pi, pi->gone_pos, true);
		model__stats_mut(pi->p->m)->resyncs++;
	}
	pi->gone_pos = pi->r_end;
	pi->gone_ns = now_ns;
}

static bool is_idle(const struct pipe *pi)
{
	return !pi->write_cnt && !pi->read_cnt && list__empty(&pi->guesses) &&
	       (list__empty(&pi->segs) || list__entry(pi->segs.next, struct seg, link)->to > pi->r_end);
}

static void stream__advance(struct pairing *p, uint64_t now_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;

	list__for_each(&p->active, cur) {
		struct pipe *pi = list__entry(cur, struct pipe, active);

		if (now_ns > settle_ns)
			settle(pi, now_ns - settle_ns);
		forget_gone(pi, now_ns, settle_ns);
		if (!is_idle(pi))
			continue;
		list__unlink(&pi->active);
		pi->is_active = false;
		pi->gone_ns = 0;
	}
}

static void stream__finish(struct pairing *p, uint64_t now_ns)
{
	map__for_each(&p->pipes, slot) {
		struct pipe *pi = slot->val;

		retry(pi);
		force_all(pi);
		pipe__drop_unread(pi, UINT64_MAX, false);
	}
}

/* A writer that died in its sleep reports no end. */
static void stream__task_exit(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	list__for_each(&p->active, cur) {
		struct pipe *pi = list__entry(cur, struct pipe, active);

		list__for_each(&pi->writes, l) {
			struct wr *w = list__entry(l, struct wr, link);

			if (w->blocked && w->pid == pid)
				pipe__force_write(pi, w);
		}
	}
}

static void free_writes(struct link *head)
{
	list__for_each(head, cur) {
		struct wr *w = list__entry(cur, struct wr, link);

		vec__free(&w->parts);
		free(w);
	}
}

static void free_reads(struct link *head)
{
	list__for_each(head, cur)
		free(list__entry(cur, struct rd, link));
}

static void stream__free(struct pairing *p)
{
	map__for_each(&p->pipes, slot) {
		struct pipe *pi = slot->val;

		list__for_each(&pi->segs, cur)
			line__remove(pi, list__entry(cur, struct seg, link));
		guess__free_all(pi);
		free_writes(&pi->writes);
		free_reads(&pi->reads);
		free(pi);
	}
	list__for_each(&p->spare_segs, cur)
		free(list__entry(cur, struct seg, link));
	free_writes(&p->spare_writes);
	free_reads(&p->spare_reads);
	map__free(&p->pipes);
	vec__free(&p->found);
	free(p);
}

const struct pair_ops pair_stream = {
	.name = "stream",
	.new = stream__new,
	.free = stream__free,
	.op = stream__op,
	.object = stream__object,
	.task_exit = stream__task_exit,
	.advance = stream__advance,
	.finish = stream__finish,
};
