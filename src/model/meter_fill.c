/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How full each object is, followed from what was seen of it at first: bytes by counting what goes in and out,
 * slots of pipes by the addresses that the kernel's ring gives them.
 */
#include <stdlib.h>

#include "base/log.h"
#include "model/graph.h"
#include "model/meter_impl.h"

#define SLOT_SHIFT 32 /* of stream addresses: struct ipct_pipe_io */
#define UNUSED_MAX 16384 /* with more objects, those that were only told of are forgotten */
#define SLOT_BYTES 4096 /* a pipe's capacity is told in bytes, one page per slot */

struct fill_object {
	struct obj_key key;
	struct channel *channel; /* of the first operation on it; may be merged */
	bool bytes_known, is_stream, has_addr;
	int64_t bytes, messages;
	uint32_t rd_slot, wr_slot;
	uint64_t capacity_bytes;
	uint8_t mech;
	struct fill_object *next; /* of the same channel: fill_table__sum() */
};

static struct fill_object *object_of(struct fill_table *t, struct obj_key key, bool create)
{
	struct fill_object *o = map__get(&t->by_key, key.id, key.space);

	if (o || !create || (!key.id && !key.space))
		return o;
	o = xalloc(sizeof(*o));
	o->key = key;
	map__set(&t->by_key, key.id, key.space, o);
	vec__push(&t->all, o);
	return o;
}

void fill_table__object(struct fill_table *t, const struct object_info *info)
{
	struct fill_object *o = object_of(t, info->key, true);

	if (!o || info->base)
		return;
	o->mech = info->mech;
	if (info->capacity_bytes)
		o->capacity_bytes = info->capacity_bytes;
	if (info->rd_addr || info->wr_addr) {
		o->is_stream = true;
		o->has_addr = true;
		o->rd_slot = (uint32_t)(info->rd_addr >> SLOT_SHIFT);
		o->wr_slot = (uint32_t)(info->wr_addr >> SLOT_SHIFT);
	}
	o->bytes_known = info->fill_bytes != UINT64_MAX;
	if (o->bytes_known)
		o->bytes = (int64_t)info->fill_bytes;
	o->messages = info->fill_msgs;
}

static void fill_stream(struct fill_object *o, const struct op *op)
{
	uint32_t slot = (uint32_t)(op->stream.addr_e >> SLOT_SHIFT);
	uint32_t *side = op->kind == OP_SEND ? &o->wr_slot : &o->rd_slot;

	o->is_stream = true;
	/* Operations that overlapped are told in any order: the later address counts. */
	if (!(op->flags & OP_F_BLOCKED) && (!o->has_addr || (int32_t)(slot - *side) > 0))
		*side = slot;
	if (op->kind == OP_SEND)
		o->bytes += (int64_t)op->bytes;
	else
		o->bytes -= (int64_t)op->bytes;
	if (op->kind == OP_RECV && op->flags & OP_F_DRAINED) {
		o->bytes = 0;
		o->bytes_known = true;
		if (!o->has_addr)
			o->wr_slot = o->rd_slot - 1;
		o->has_addr = true;
	}
}

/* What is sent lies with the receiver's end. */
static void fill_socket(struct fill_table *t, struct fill_object *self, const struct op *op,
			struct channel *ch)
{
	struct fill_object *o = op->kind == OP_SEND ? object_of(t, op->peer, true) : self;

	if (!o)
		return;
	if (!o->channel)
		o->channel = ch;
	o->mech = op->mech;
	if (op->kind == OP_SEND) {
		o->bytes += (int64_t)op->bytes;
		o->messages++;
	} else if (op->bytes || !(op->flags & OP_F_MORE)) {
		o->bytes -= (int64_t)op->bytes;
		o->messages--;
	}
}

void fill_table__op(struct fill_table *t, const struct op *op, struct channel *ch)
{
	bool socket = op->rule == PAIR_MESSAGE || op->rule == PAIR_SEQ;
	struct fill_object *o;

	if ((op->rule != PAIR_STREAM && !socket) || (op->kind != OP_SEND && op->kind != OP_RECV) ||
	    op->ret < 0 || op->flags & OP_F_PEEK)
		return;
	o = object_of(t, op->obj, true);
	if (!o)
		return;
	o->channel = ch;
	o->mech = op->mech;
	if (socket)
		fill_socket(t, o, op, ch);
	else
		fill_stream(o, op);
}

/* Something went in or out unseen: a number is known again at the next certain point. */
void fill_table__lost(struct fill_table *t, uint8_t mech)
{
	for (size_t i = 0; i < t->all.cnt; i++)
		if (t->all.v[i]->mech == mech)
			t->all.v[i]->bytes_known = false;
}

/* Who filled what a pipe's reader left free can be told of before that reader is. */
static uint64_t held(int64_t cnt, uint64_t capacity)
{
	if (cnt <= 0)
		return 0;
	return capacity && (uint64_t)cnt > capacity ? capacity : (uint64_t)cnt;
}

static void add_object(struct fill *sum, const struct fill_object *o)
{
	int64_t slots = (int32_t)(o->wr_slot + 1 - o->rd_slot);

	sum->capacity_bytes += o->capacity_bytes;
	if (o->is_stream)
		sum->capacity_slots += o->capacity_bytes / SLOT_BYTES;
	if (o->bytes_known) {
		sum->bytes_known = true;
		sum->bytes += held(o->bytes, o->is_stream ? o->capacity_bytes : 0);
	}
	if (o->is_stream ? o->has_addr : o->bytes_known) {
		sum->slots_known = true;
		sum->slots +=
			o->is_stream ? held(slots, o->capacity_bytes / SLOT_BYTES) : held(o->messages, 0);
	}
}

void fill_table__index(struct fill_table *t)
{
	map__free(&t->by_channel);
	for (size_t i = 0; i < t->all.cnt; i++) {
		struct fill_object *o = t->all.v[i];

		o->channel = channel__resolve(o->channel);
		if (o->channel)
			o->next = map__set(&t->by_channel, (uintptr_t)o->channel, 0, o);
	}
}

void fill_table__follow(struct fill_table *t)
{
	bool too_many = t->all.cnt > UNUSED_MAX;
	size_t kept = 0;

	map__free(&t->by_channel);
	for (size_t i = 0; i < t->all.cnt; i++) {
		struct fill_object *o = t->all.v[i];

		o->channel = channel__resolve(o->channel);
		if (o->channel ? o->channel->folded_cnt : too_many) {
			map__del(&t->by_key, o->key.id, o->key.space);
			free(o);
			continue;
		}
		t->all.v[kept++] = o;
	}
	t->all.cnt = kept;
	fill_table__index(t);
}

bool fill_table__sum(const struct fill_table *t, const struct channel *ch, struct fill *sum)
{
	*sum = (struct fill){ 0 };
	if (ch->depth_messages_max || ch->capacity_messages) {
		sum->bytes_known = sum->slots_known = true;
		sum->bytes = ch->depth_bytes;
		sum->slots = ch->depth_messages;
		sum->capacity_bytes = ch->capacity_bytes;
		sum->capacity_slots = ch->capacity_messages;
		return true;
	}
	for (const struct fill_object *o = map__get(&t->by_channel, (uintptr_t)ch, 0); o; o = o->next)
		add_object(sum, o);
	return sum->bytes_known || sum->slots_known;
}

void fill_table__free(struct fill_table *t)
{
	for (size_t i = 0; i < t->all.cnt; i++)
		free(t->all.v[i]);
	vec__free(&t->all);
	map__free(&t->by_key);
	map__free(&t->by_channel);
}
