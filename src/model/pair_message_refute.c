/* SPDX-License-Identifier: GPL-2.0 */
/* What a part said of itself turns out wrong: the identity is another's, or it ought to have been received by now. */
#include <stdlib.h>

#include "base/vec.h"
#include "model/pair_message_impl.h"

void message__make_stale(struct pairing *p, struct part *part)
{
	if (!part->stale)
		model__stats_mut(p->m)->resyncs++;
	part->stale = true;
}

/*
 * Another sent the chunk. While an earlier one is open that could be part's own, the identity may have been used
 * again for part's.
 */
void part__refute(struct part *part, const struct life *life)
{
	if (!part->has_id || !life->has_id || part->id != life->id)
		return;
	if (part__is_timely(part, life) || !life__earlier_open(life, part))
		part__deny_id(part);
	else
		part->suspect = true;
}

/*
 * A receiver met the chunk, and with it who sent it: others who name it saw it slip in behind their own. If such a
 * claim ended after this receive began it may also be for the next chunk of that identity.
 */
void message__refute_claims(struct pairing *p, struct life *life)
{
	VEC(struct sock *) senders = { 0 };
	size_t i;

	if (!life->to->incoming_id_cnt)
		return;
	list__for_each(&life->to->incoming, cur) {
		struct part *part = list__entry(cur, struct part, of_receiver);

		if (!part->has_id || part->id != life->id || part->from == life->from)
			continue;
		if (part->ts_ns <= life->enter_ns)
			part__deny_id(part);
		else
			part->suspect = true;
		vec__push(&senders, part->from);
	}
	for (i = 0; i < senders.cnt; i++)
		message__match_sender(p, senders.v[i]);
	vec__free(&senders);
}

/*
 * The receiver found its queue empty when it ended. The look and the time stamp are two moments: what ended in
 * between may have been queued in between, so without identity it is only set back, with identity it stays.
 */
void message__apply_drained(struct pairing *p, struct sock *to)
{
	if (!to->drained_ns || to->open_cnt)
		return;
	list__for_each(&to->incoming, cur) {
		struct part *part = list__entry(cur, struct part, of_receiver);

		if (part->ts_ns < (part->has_id ? to->drained_enter_ns : to->drained_ns))
			message__make_stale(p, part);
	}
	if (to->drained_ns > to->certain_ns)
		to->certain_ns = to->drained_ns;
	to->drained_ns = 0;
}
