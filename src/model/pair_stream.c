/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Byte streams with addresses: pipes and FIFOs.
 *
 * Each operation brings where its side of the stream was before and after it, sampled without the pipe's lock. So
 * an operation lies in between; alone in between, it fills that range. Of those that overlap, all orders that
 * are possible are found (stream_plan.c, stream_match.c): what is the same in all of them is certain.
 */
#include <stdlib.h>

#include "base/log.h"
#include "model/keep.h"
#include "model/stream_impl.h"

#define FAR_BACK \
	(SLOTS_MAX * SLOT_BYTES) /* no operation is reported so late: addresses this low are a new pipe's */
#define ADDR_UNUSED 0xffffffff00000000ull /* write address of a pipe that nobody wrote to */
#define IO_MAX (1ull << 31) /* no call moves more */
#define LATE_NS (10ull * 1000 * 1000 * 1000) /* no read is reported so late, whatever else runs */
#define SOON_NS (4 * GRACE_NS) /* hardly any is */
#define SWEEPS 4 /* per settle_ns */
#define RETRY_MAX 16 /* with so many waiting, time tells more than the next operation */

/*
 * Nobody says when a pipe with something in it has lost its ends: with UNREAD_MAX of them that is assumed of those that
 * nobody used for UNREAD_NS, with four times as many for UNREAD_SHORT_NS. With more than UNREAD_SEGS_MAX segments in all
 * pipes it is assumed of those that have more than their share.
 */
#define UNREAD_MAX 1024
#define UNREAD_SEGS_MAX 32768
#define UNREAD_SHARE (UNREAD_SEGS_MAX / UNREAD_MAX)
#define UNREAD_NS (60ull * 1000 * 1000 * 1000)
#define UNREAD_SHORT_NS (10ull * 1000 * 1000 * 1000)

_Static_assert(sizeof(struct pipe) <= PAIR_STATE_BYTES, "all of it is fetched early");

static struct pairing *stream__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	list__init(&p->active);
	list__init(&p->pending);
	spares__init(&p->spare_segs);
	spares__init(&p->spare_writes);
	spares__init(&p->spare_reads);
	spares__init(&p->spare_parts);
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
	list__init(&pi->active);
	list__init(&pi->pending);
	list__init(&pi->segs);
	list__init(&pi->parts);
	list__init(&pi->reads);
	list__init(&pi->sleepers);
	map__set(&p->pipes, key.id, key.space, pi);
	return pi;
}

static void activate(struct pipe *pi)
{
	if (pi->is_active)
		return;
	pi->is_active = true;
	list__append(&pi->p->active, &pi->active);
}

void crowd__meet(struct crowd *c, const struct op *op)
{
	if (c->tid && c->tid != op->tid)
		c->until_ns = op->ts_ns + CROWD_NS;
	c->tid = op->tid;
}

static uint64_t slot_of(struct pipe *pi, uint64_t addr)
{
	int32_t dist = (int32_t)((uint32_t)(addr >> 32) - (uint32_t)pi->near_slot);

	pi->near_slot += (uint64_t)(int64_t)dist;
	return pi->near_slot + pi->bias;
}

uint64_t pipe__pos(struct pipe *pi, uint64_t addr)
{
	uint32_t offset = (uint32_t)addr;

	/* Behind slot -1 that never was comes slot 0: the same as the start of it. */
	if (addr == ADDR_UNUSED)
		addr = offset = 0;
	return slot_of(pi, addr) * SLOT_BYTES + (offset < SLOT_BYTES ? offset : SLOT_BYTES);
}

static void resolve(struct pipe *pi)
{
	bool some = true;

	while (some) {
		some = pi->part_cnt && pipe__place_writes(pi, false);
		some |= pi->read_cnt && pipe__match_reads(pi, false);
	}
	if (!pi->part_cnt && !pi->read_cnt)
		pi->is_lossy = false;
}

/* As if all that is missing will never come. */
static void force_all(struct pipe *pi)
{
	pi->now_ns += GRACE_NS;
	resolve(pi);
	while (pi->part_cnt) {
		pipe__place_writes(pi, true);
		resolve(pi);
	}
	while (pi->read_cnt) {
		pipe__match_reads(pi, true);
		resolve(pi);
	}
	pi->now_ns -= GRACE_NS;
}

static void drop_sleeper(struct pipe *pi, struct wr *w)
{
	w->dead = true;
	list__unlink(&w->link);
	wr__put(pi->p, w);
}

static void restart(struct pipe *pi)
{
	force_all(pi);
	line__drop_unread(pi);
	list__for_each(&pi->sleepers, cur)
		drop_sleeper(pi, list__entry(cur, struct wr, link));
	pi->near_slot = SLOT_FIRST;
	pi->bias = 0;
	pi->is_located = pi->sealed = pi->is_lossy = false;
	pi->lone_from = pi->lone_to = pi->slots_max = 0;
	pi->w_end = pi->past_end = pi->r_end = pi->shaky_to = pi->tried_w = pi->tried_r = 0;
}

static void start_new(struct pipe *pi)
{
	pi->is_located = true;
	pi->w_end = pi->r_end = SLOT_FIRST * SLOT_BYTES;
}

static void bound_pending(struct pipe *pi)
{
	size_t max = model__opts(pi->p->m)->pending_max;

	if (pi->part_cnt + pi->read_cnt <= max / 2)
		return;
	pi->now_ns += GRACE_NS;
	resolve(pi);
	pi->now_ns -= GRACE_NS;
	while (pi->part_cnt > max) {
		pipe__place_writes(pi, true);
		resolve(pi);
	}
	while (pi->read_cnt > max) {
		pipe__match_reads(pi, true);
		resolve(pi);
	}
}

/* Addresses as low as these belong to a new pipe with the number of an old one. */
static void locate(struct pipe *pi, const struct op *op)
{
	uint64_t end = pipe__pos(pi, op->stream.addr_e);

	if (end + FAR_BACK >= (op->kind == OP_SEND ? pi->w_end : pi->r_end))
		return;
	restart(pi);
	model__stats_mut(pi->p->m)->resyncs++;
}

/* What was taken by reads that were lost, or that nobody sees, is not kept until the pipe is read again. */
static void drop_taken(struct pipe *pi)
{
	bool is_full = pi->p->seg_cnt > UNREAD_SEGS_MAX && pi->seg_cnt > UNREAD_SHARE;
	uint64_t wait_ns = is_full ? SOON_NS : LATE_NS;

	if (pi->now_ns < pi->past_ns + wait_ns)
		return;
	line__drop_taken(pi, pi->past_end < pi->w_end ? pi->past_end : pi->w_end);
	pi->past_end = pi->w_end;
	pi->past_ns = pi->now_ns;
}

static bool is_pending(const struct pipe *pi)
{
	return pi->part_cnt || pi->read_cnt || !list__empty(&pi->sleepers);
}

static void stream__op(struct pairing *p, const struct op *op)
{
	struct pipe *pi;
	size_t waiting;

	if (op->flags & OP_F_PEEK || op->bytes > IO_MAX || (op->kind != OP_SEND && op->kind != OP_RECV))
		return;
	if (!op->bytes && !(op->flags & OP_F_BLOCKED)) {
		pi = map__get(&p->pipes, op->obj.id, op->obj.space);
		if (pi && op->kind == OP_SEND)
			pipe__end_empty(pi, op);
		return;
	}
	pi = pipe_of(p, op->obj, op->mech);
	model__note_state(p->m, pi, p->pipes.last);
	pi->last_ns = op->ts_ns;
	if (op->ts_ns > pi->now_ns)
		pi->now_ns = op->ts_ns;
	locate(pi, op);
	if (op->kind == OP_SEND) {
		pipe__add_write(pi, op);
		drop_taken(pi);
	} else {
		pipe__add_read(pi, op);
	}
	activate(pi);
	if (is_pending(pi) && list__empty(&pi->pending))
		list__append(&p->pending, &pi->pending);
	waiting = pi->part_cnt + pi->read_cnt;
	if (!waiting)
		return;
	if (waiting <= RETRY_MAX && (pi->now_ns >= pi->writers.until_ns || !pi->part_cnt))
		resolve(pi);
	else
		bound_pending(pi);
}

/* F_SETPIPE_SZ copies what is unread to the first slots of a new ring (pipe_resize_ring()). */
static void rebase(struct pipe *pi, const struct object_info *info)
{
	uint64_t slot;

	if (!pi->is_located)
		return;
	force_all(pi);
	/* The last used slot has the new number of the write address. */
	slot = (pi->w_end - 1) / SLOT_BYTES;
	pi->near_slot = SLOT_FIRST + (uint64_t)(int64_t)(int32_t)(info->wr_addr >> 32);
	pi->bias = slot - pi->near_slot;
}

static void learn_scanned(struct pipe *pi, const struct object_info *info)
{
	uint64_t wr = pipe__pos(pi, info->wr_addr), rd = pipe__pos(pi, info->rd_addr);

	pi->is_located = true;
	pi->w_end = wr;
	pi->r_end = rd;
	if (rd < wr)
		line__add_unknown(pi, rd, wr);
}

static void stream__object(struct pairing *p, const struct object_info *info)
{
	struct pipe *pi = map__get(&p->pipes, info->key.id, info->key.space);

	if (pi && info->capacity_bytes)
		pi->slots_max = info->capacity_bytes / SLOT_BYTES;
	if (info->rebased) {
		if (pi)
			rebase(pi, info);
		return;
	}
	if (!pi && !info->scanned && info->wr_addr != ADDR_UNUSED)
		return; /* the first operation tells where it is */
	if (!pi)
		pi = pipe_of(p, info->key, info->mech);
	else if (info->scanned || info->wr_addr != ADDR_UNUSED)
		return;
	else
		restart(pi);
	pi->slots_max = info->capacity_bytes / SLOT_BYTES;
	pi->last_ns = info->ts_ns;
	activate(pi);
	if (info->scanned)
		learn_scanned(pi, info);
	else
		start_new(pi);
}

static void free_pipe(struct pairing *p, struct pipe *pi)
{
	list__unlink(&pi->active);
	list__unlink(&pi->pending);
	map__del(&p->pipes, pi->key.id, pi->key.space);
	free(pi);
}

static void settle_pending(struct pairing *p, uint64_t now_ns)
{
	list__for_each(&p->pending, cur) {
		struct pipe *pi = list__entry(cur, struct pipe, pending);

		if (now_ns > pi->now_ns)
			pi->now_ns = now_ns;
		if (pi->part_cnt || pi->read_cnt)
			resolve(pi);
		if (!is_pending(pi))
			list__unlink(&pi->pending);
	}
}

/* Of pipes that nobody uses and that hold nothing, nothing is kept. */
static void sweep(struct pairing *p, uint64_t before_ns)
{
	list__for_each(&p->active, cur) {
		struct pipe *pi = list__entry(cur, struct pipe, active);

		if (is_pending(pi) || before_ns < pi->last_ns)
			continue;
		if (list__empty(&pi->segs)) {
			free_pipe(p, pi);
			continue;
		}
		list__unlink(&pi->active);
		pi->is_active = false;
	}
}

static void drop_abandoned(struct pairing *p)
{
	uint64_t idle_ns = p->pipes.cnt > UNREAD_MAX * 4 ? UNREAD_SHORT_NS : UNREAD_NS;
	size_t segs_min = p->pipes.cnt > UNREAD_MAX ? 0 : UNREAD_SHARE;
	VEC(struct pipe *) old = { 0 };

	map__for_each(&p->pipes, slot) {
		struct pipe *pi = slot->val;

		if (!pi->is_active && pi->seg_cnt > segs_min && pi->last_ns + idle_ns < p->now_ns)
			vec__push(&old, pi);
	}
	for (size_t i = 0; i < old.cnt; i++) {
		line__drop_unread(old.v[i]);
		free_pipe(p, old.v[i]);
	}
	vec__free(&old);
}

static void stream__advance(struct pairing *p, uint64_t now_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;

	p->now_ns = now_ns;
	settle_pending(p, now_ns);
	if (now_ns < p->next_sweep_ns)
		return;
	p->next_sweep_ns = now_ns + settle_ns / SWEEPS;
	if (now_ns >= settle_ns)
		sweep(p, now_ns - settle_ns);
	if (now_ns < p->next_drop_ns)
		return;
	p->next_drop_ns = now_ns + settle_ns;
	if (p->pipes.cnt > UNREAD_MAX || p->seg_cnt > UNREAD_SEGS_MAX)
		drop_abandoned(p);
}

static void stream__finish(struct pairing *p, uint64_t now_ns)
{
	map__for_each(&p->pipes, slot) {
		force_all(slot->val);
		line__drop_unread(slot->val);
	}
}

static void keep_write(const struct wr *w)
{
	if (!w)
		return;
	keep__sender(&w->sender);
	keep__procs(w->cand, w->cand_cnt);
}

static void keep_segment(const struct seg *sg)
{
	keep_write(sg->c.w);
	for (unsigned i = 0; sg->g && i < sg->g->w_cnt; i++)
		keep_write(sg->g->w[i]);
}

static void keep_pipe(struct model *m, const struct pipe *pi)
{
	keep__object(m, pi->key);
	list__for_each(&pi->segs, cur)
		keep_segment(list__entry(cur, struct seg, link));
	list__for_each(&pi->parts, cur)
		keep_write(list__entry(cur, struct part, link)->w);
	list__for_each(&pi->sleepers, cur)
		keep_write(list__entry(cur, struct wr, link));
	list__for_each(&pi->reads, cur) {
		const struct rd *r = list__entry(cur, struct rd, link);

		keep__procs(r->cand, r->cand_cnt);
	}
}

static void stream__keep(struct pairing *p)
{
	map__for_each(&p->pipes, slot)
		keep_pipe(p->m, slot->val);
}

/* A writer that died in its sleep reports no end. */
static void stream__task_exit(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	list__for_each(&p->pending, cur) {
		struct pipe *pi = list__entry(cur, struct pipe, pending);

		list__for_each(&pi->sleepers, l) {
			struct wr *w = list__entry(l, struct wr, link);

			if (w->pid == pid)
				drop_sleeper(pi, w);
		}
	}
}

/* What waits now may wait for what is lost: no longer than it must. */
static void stream__lost(struct pairing *p, uint64_t ts_ns, uint8_t mech)
{
	list__for_each(&p->pending, cur) {
		struct pipe *pi = list__entry(cur, struct pipe, pending);

		pi->is_lossy |= pi->mech == mech && (pi->part_cnt || pi->read_cnt);
	}
}

#define free_all(head, type)      \
	list__for_each(head, cur) \
	free(list__entry(cur, type, link))

static void stream__free(struct pairing *p)
{
	map__for_each(&p->pipes, slot) {
		struct pipe *pi = slot->val;

		list__for_each(&pi->segs, cur)
			line__remove(pi, list__entry(cur, struct seg, link));
		list__for_each(&pi->parts, cur)
			part__drop(pi, list__entry(cur, struct part, link));
		list__for_each(&pi->sleepers, cur)
			drop_sleeper(pi, list__entry(cur, struct wr, link));
		free_all(&pi->reads, struct rd);
		free(pi);
	}
	free_all(&p->spare_segs.list, struct seg);
	free_all(&p->spare_writes.list, struct wr);
	free_all(&p->spare_reads.list, struct rd);
	free_all(&p->spare_parts.list, struct part);
	map__free(&p->pipes);
	vec__free(&p->flat);
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
	.lost = stream__lost,
	.advance = stream__advance,
	.finish = stream__finish,
	.keep = stream__keep,
};
