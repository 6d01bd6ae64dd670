/* SPDX-License-Identifier: GPL-2.0 */
/* What is certain about a part and a life: could they be the same chunk? */
#include "model/pair_message_impl.h"

bool part__precedes(const struct part *a, const struct part *b)
{
	if (a->call == b->call)
		return a->idx < b->idx;
	return a->ts_ns < b->enter_ns;
}

bool part__is_beyond(const struct part *part, uint64_t end_ns)
{
	uint64_t span_ns = part->from->span_ns;

	return span_ns < part->ts_ns && part->ts_ns - span_ns > end_ns;
}

void part__deny_id(struct part *part)
{
	part->from->id_cnt -= part->has_id;
	if (part->to)
		part->to->incoming_id_cnt -= part->has_id;
	part->has_id = false;
}

static bool length_fits(const struct part *part, const struct life *life)
{
	if (!life->has_id || life->total == UINT64_MAX || part->bytes == UINT64_MAX || part->loose)
		return true;
	if (part->one_chunk)
		return part->bytes == life->total || (part->maybe_one && life->total == 1);
	return life->total <= part->left && part->left;
}

static bool prints_fit(const struct part *part, const struct life *life)
{
	size_t i;

	if (part->left != part->bytes)
		return true; /* its first bytes are gone already */
	for (i = 0; i < 4; i++)
		if (part->fp[i] && life->fp[i] && part->fp[i] != life->fp[i])
			return false;
	return true;
}

bool part__time_fits(const struct part *part, const struct life *life)
{
	return (!part->to || part->to == life->to) && part->enter_ns <= life->ts_ns;
}

/* Could part be this life, identity aside? */
bool part__fits(const struct part *part, const struct life *life)
{
	return part__time_fits(part, life) && length_fits(part, life) && prints_fit(part, life);
}

bool part__too_old(const struct part *part, const struct life *life)
{
	return part->stale || part->ts_ns < life->not_before_ns;
}

bool part__claims(const struct part *part, const struct life *life)
{
	return part->has_id && life->has_id && part->id == life->id && part__fits(part, life) &&
	       (!part->loose || part->bytes == life->total || life->total == UINT64_MAX);
}

static bool same_chunk_claimed(const struct part *part)
{
	list__for_each(&part->to->incoming, cur) {
		const struct part *other = list__entry(cur, struct part, of_receiver);

		if (other != part && other->has_id && other->id == part->id && !part__precedes(other, part) &&
		    !part__precedes(part, other))
			return true;
	}
	return false;
}

/* Its own chunk may have another identity than it says. */
bool part__is_doubtful(const struct part *part)
{
	return !part->has_id || part->suspect || part->doubt_cnt || (part->to && same_chunk_claimed(part));
}

bool life__earlier_open(const struct life *life, const struct part *part)
{
	list__for_each(&life->from->lives, cur) {
		const struct life *other = list__entry(cur, struct life, of_sender);

		if (other == life)
			return false;
		if (other->to == life->to &&
		    (!part || (part__fits(part, other) && !part__too_old(part, other))))
			return true;
	}
	return false;
}

/* The claim was made while the chunk was in the queue for certain: it is not for the next chunk under that identity. */
bool part__is_timely(const struct part *part, const struct life *life)
{
	return part->ts_ns <= life->there_ns && !part__too_old(part, life);
}
