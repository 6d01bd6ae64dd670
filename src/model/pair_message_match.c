/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which part is this life? Lives of one pair of sockets are looked at in the order of the receiver's queue.
 *
 * 1. By identity. A sender reads the identity off the tail of the receiver's queue, so it may name a chunk that another
 *    sender queued just after its own, never an earlier one. As its own chunk then comes earlier in the queue, a claim is
 *    proof once no earlier life is open that could be that chunk.
 * 2. Without claim: by order. The part is one that has no identity or a doubtful one, and that no other such part
 *    definitely precedes. A send that queued the chunk may not have been reported yet: wait for grace_ns first.
 * 3. Several are left: length and fingerprints have been used already, so they are candidates, and the best guess is the
 *    one that ended first. Those of one process are no doubt about the process.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/pair_message_impl.h"

#define SET_MAX 32

struct set {
	struct part *v[SET_MAX];
	size_t cnt;
};

static bool doubtful_since_loss(const struct pairing *p, const struct life *life)
{
	return p->lost_ns[life->mech] > life->to->certain_ns;
}

static void add(struct set *set, struct part *part)
{
	if (set->cnt < SET_MAX)
		set->v[set->cnt++] = part;
}

static void remove_at(struct set *set, size_t i)
{
	set->v[i] = set->v[--set->cnt];
}

/* Keeps those that no other one precedes; with `latest`, those that precede no other. */
static void keep_first(struct set *set, bool latest)
{
	size_t i, j;

	for (i = 0; i < set->cnt;) {
		for (j = 0; j < set->cnt; j++) {
			const struct part *a = set->v[latest ? i : j], *b = set->v[latest ? j : i];

			if (i != j && part__precedes(a, b))
				break;
		}
		if (j < set->cnt)
			remove_at(set, i);
		else
			i++;
	}
}

static struct part *earliest_end(const struct set *set)
{
	struct part *best = set->v[0];
	size_t i;

	for (i = 1; i < set->cnt; i++)
		if (set->v[i]->ts_ns < best->ts_ns ||
		    (set->v[i]->ts_ns == best->ts_ns && set->v[i]->idx < best->idx))
			best = set->v[i];
	return best;
}

static uint16_t add_proc(struct proc **to, uint16_t cnt, struct proc *proc)
{
	uint16_t i;

	for (i = 0; i < cnt; i++)
		if (to[i] == proc)
			return cnt;
	if (proc && cnt < MESSAGE_CANDIDATES_MAX)
		to[cnt++] = proc;
	return cnt;
}

static void union_procs(struct life *life, const struct set *set)
{
	uint16_t d;
	size_t i;

	for (i = 0; i < set->cnt; i++)
		life->cand_cnt = add_proc(life->cand, life->cand_cnt, set->v[i]->call->sender.party.proc);
	for (i = 0; i < set->cnt; i++)
		for (d = 0; d < set->v[i]->doubt_cnt; d++)
			life->cand_cnt = add_proc(life->cand, life->cand_cnt, set->v[i]->doubt[d]);
}

/* Those not chosen keep the doubt: what they match later could have been the chosen one's. So does what is left of that one. */
static void spread_doubt(const struct life *life, const struct set *set, const struct part *chosen)
{
	uint16_t d;
	size_t i;

	for (i = 0; i < set->cnt; i++) {
		struct part *part = set->v[i];

		for (d = 0; (part != chosen || part->left) && d < life->cand_cnt; d++)
			part->doubt_cnt = add_proc(part->doubt, part->doubt_cnt, life->cand[d]);
	}
}

/* The chunk is gone now. Whoever else named it at the time named another's; whoever named it before has missed its receipt. */
static void clear_claims(struct pairing *p, const struct life *life, const struct part *chosen)
{
	list__for_each(&life->from->sent, cur) {
		struct part *part = list__entry(cur, struct part, of_sender);

		if (part__is_beyond(part, chosen->ts_ns))
			break;
		if (part == chosen || part->to != life->to || part__precedes(chosen, part))
			continue;
		if (!part__precedes(part, chosen))
			part__refute(part, life);
		else if (!life->oob && !life__earlier_open(life, part))
			message__make_stale(p, part);
	}
}

static void settle_life(struct pairing *p, struct life *life, enum life_state state)
{
	life->state = state;
	own__wait_no_more(p, life);
	list__unlink(&life->of_sender);
	list__unlink(&life->waiting);
	life->from->life_cnt--;
	life->to->open_cnt--;
	message__resolved(p, life);
}

/* How sure: attr is at least this bad already. */
static uint8_t grade(const struct pairing *p, const struct life *life, const struct part *part,
		     bool by_identity)
{
	bool lost = doubtful_since_loss(p, life) && (!by_identity || part->ts_ns <= p->lost_ns[life->mech]);

	return part->inferred || lost || part__too_old(part, life) ? ATTR_INFERRED : ATTR_EXACT;
}

static uint64_t used_of(const struct part *part, const struct life *life)
{
	bool whole = part->one_chunk && life->has_id;

	return whole || life->total > part->left ? part->left : life->total;
}

static void take(struct pairing *p, struct life *life, struct set *set, bool by_identity)
{
	struct part *part = earliest_end(set);

	union_procs(life, set);
	life->attr = life->cand_cnt > 1 ? ATTR_CANDIDATES : grade(p, life, part, by_identity);
	clear_claims(p, life, part);
	life->call = part->call;
	life->call->ref_cnt++;
	part->left -= used_of(part, life);
	if (life->cand_cnt > 1)
		spread_doubt(life, set, part);
	life->finishes = part->last && !part->left;
	if (!part->left)
		message__drop_part(part);
	settle_life(p, life, LIFE_KNOWN);
}

/*
 * Reused identities: where a later claim had ended before this receive began, the chunk of an earlier claim
 * was gone by then. Claims from before the queue was found empty go only if there are others.
 */
static void drop_dead_claims(struct pairing *p, struct set *set, const struct life *life)
{
	size_t i, j;

	for (i = 0; i < set->cnt && set->cnt > 1;) {
		bool dead = part__too_old(set->v[i], life);

		for (j = 0; j < set->cnt && !dead; j++)
			dead = part__precedes(set->v[i], set->v[j]) && set->v[j]->ts_ns <= life->enter_ns;
		if (!dead || life__earlier_open(life, set->v[i])) {
			i++;
			continue;
		}
		message__make_stale(p, set->v[i]);
		remove_at(set, i);
	}
}

enum outcome { NOT_FOUND, WAITS, MATCHED };

/* A claim may not be taken yet while an earlier chunk could be it, or another thread may still report that it sent this one. */
static bool is_safe(const struct life *life, const struct part *part)
{
	if (life__earlier_open(life, part))
		return false;
	return life->past_grace || part__is_timely(part, life) ||
	       !(life->from->shared || part__too_old(part, life));
}

static bool contains(const struct set *set, const struct part *part)
{
	size_t i;

	for (i = 0; i < set->cnt; i++)
		if (set->v[i] == part)
			return true;
	return false;
}

/*
 * Chunks that do not know their identity and could be this one. The first that fits must be received before all that
 * it precedes, whatever it claims itself. Those that ought to be gone already go to `old`, if given.
 */
static void add_by_order(const struct life *life, struct set *fresh, struct set *old)
{
	const struct part *front = NULL;

	list__for_each(&life->from->sent, cur) {
		struct part *part = list__entry(cur, struct part, of_sender);
		bool too_old = part__too_old(part, life);

		if (part__is_beyond(part, front ? front->ts_ns : life->ts_ns))
			break;
		if (!part__fits(part, life))
			continue;
		if (!front && !too_old && part->to)
			front = part;
		if ((front && part__precedes(front, part)) || !part__is_doubtful(part))
			continue;
		if (!too_old && !contains(fresh, part))
			add(fresh, part);
		else if (too_old && old)
			add(old, part);
	}
}

/* Rivals, where the claims may be for the next chunk of that identity. */
static void add_rivals(struct set *set, const struct life *life)
{
	size_t i, claim_cnt = set->cnt;

	for (i = 0; i < claim_cnt && part__is_timely(set->v[i], life);)
		i++;
	if (i == claim_cnt)
		return;
	add_by_order(life, set, NULL);
}

static enum outcome match_by_identity(struct pairing *p, struct life *life, bool force)
{
	struct set set = { .cnt = 0 };
	size_t i;

	if (!life->from->id_cnt)
		return NOT_FOUND;
	list__for_each(&life->from->sent, cur) {
		struct part *part = list__entry(cur, struct part, of_sender);

		if (part__claims(part, life))
			add(&set, part);
		else if (part->has_id && part->id == life->id && part__time_fits(part, life))
			part->suspect |=
				!part->loose; /* it is not its own: another length, or other contents */
	}
	if (!set.cnt)
		return NOT_FOUND;
	drop_dead_claims(p, &set, life);
	keep_first(&set, doubtful_since_loss(p, life));
	add_rivals(&set, life);
	for (i = 0; i < set.cnt; i++)
		if (!force && !is_safe(life, set.v[i]))
			return WAITS;
	keep_first(&set, false);
	take(p, life, &set, true);
	return MATCHED;
}

/* A part without identity was taken for this life; one that overlaps it and could be it as well is only inferred from now on. */
static void infer_rivals(const struct life *life, struct set *set)
{
	const struct part *chosen = set->v[0];

	list__for_each(&life->from->sent, cur) {
		struct part *part = list__entry(cur, struct part, of_sender);

		if (part__is_beyond(part, chosen->ts_ns))
			break;
		if (part == chosen || part__is_doubtful(part) || !part__fits(part, life) ||
		    part__too_old(part, life))
			continue;
		if (part__precedes(part, chosen) || part__precedes(chosen, part) ||
		    part->call->sender.party.proc == chosen->call->sender.party.proc)
			continue;
		part->inferred = true;
		set->v[0]->inferred = true;
	}
}

static enum outcome match_by_order(struct pairing *p, struct life *life)
{
	struct set fresh = { .cnt = 0 }, old = { .cnt = 0 };
	struct set *set = &fresh;

	add_by_order(life, &fresh, &old);
	if (!fresh.cnt)
		set = &old;
	if (!set->cnt)
		return NOT_FOUND;
	keep_first(set, false);
	if (set->cnt == 1)
		infer_rivals(life, set);
	take(p, life, set, false);
	return MATCHED;
}

/* The part does not reach: what is over is a life of its own behind this one. */
static struct life *split_run(struct life *life, uint64_t first_bytes)
{
	struct life *rest = xalloc(sizeof(*rest));
	struct take *take = &life->takes.v[0];

	*rest = *life;
	rest->takes.v = NULL;
	rest->takes.cnt = rest->takes.cap = 0;
	rest->total = life->total - first_bytes;
	vec__push(&rest->takes, ((struct take){ .call = take->call, .bytes = rest->total, .end = true }));
	take->call->pending++;
	take->bytes = life->total = first_bytes;
	list__insert(life->of_sender.next, &rest->of_sender);
	list__insert(life->waiting.next, &rest->waiting);
	life->from->life_cnt++;
	life->to->open_cnt++;
	return rest;
}

/* Bytes taken by a call that shows no chunks (splice): as many parts in order as they fill. Gives what is left of it. */
static struct life *match_run(struct pairing *p, struct life *life)
{
	struct set set = { .cnt = 0 };
	struct life *rest = NULL;
	struct part *part;

	list__for_each(&life->from->sent, cur) {
		part = list__entry(cur, struct part, of_sender);
		if (part__time_fits(part, life) && !part__too_old(part, life))
			add(&set, part);
	}
	if (!set.cnt)
		return life;
	keep_first(&set, false);
	part = earliest_end(&set);
	part->inferred = true;
	if (part->left < life->total)
		rest = split_run(life, part->left);
	take(p, life, &set, false);
	return rest;
}

static struct life *match_runs(struct pairing *p, struct life *life)
{
	struct life *rest = match_run(p, life);

	while (rest && rest != life) {
		life = rest;
		rest = match_run(p, life);
	}
	return rest;
}

void message__match_life(struct pairing *p, struct life *life)
{
	if (!life->has_id) {
		if (life->past_grace && !life__earlier_open(life, NULL))
			match_runs(p, life);
		return;
	}
	if (match_by_identity(p, life, false) == NOT_FOUND && life->past_grace)
		match_by_order(p, life);
}

void message__match_sender(struct pairing *p, struct sock *from)
{
	list__for_each(&from->lives, cur)
		message__match_life(p, list__entry(cur, struct life, of_sender));
}

void message__match_new(struct pairing *p, struct sock *from, const struct op *op)
{
	size_t open_cnt = from->life_cnt;

	list__for_each(&from->lives, cur) {
		struct life *life = list__entry(cur, struct life, of_sender);
		bool named = life->has_id && life->id == op->msg.id && !(op->flags & OP_F_NO_ID);

		/* What waits for its grace can only be claimed; what waited for an earlier one comes once that is settled. */
		if (!life->past_grace && !from->id_cnt)
			break;
		if (life->ts_ns < op->enter_ns)
			continue; /* received before it was sent */
		if (life->past_grace || named || from->life_cnt != open_cnt)
			message__match_life(p, life);
	}
}

/*
 * No send is left that need be this one. Those that could be it and say otherwise are candidates, but stay for what they
 * say they are, which is not beyond doubt any more. Without any, its sender was not seen.
 */
static void give_up(struct pairing *p, struct life *life)
{
	struct set set = { .cnt = 0 };
	size_t i;

	list__for_each(&life->from->sent, cur) {
		struct part *part = list__entry(cur, struct part, of_sender);

		/* Guesses before may have left it with a wrong length. */
		if (part__time_fits(part, life) && !part__too_old(part, life) &&
		    (part->doubt_cnt || part__fits(part, life)))
			add(&set, part);
	}
	if (!set.cnt) {
		settle_life(p, life, LIFE_UNKNOWN);
		return;
	}
	for (i = 0; i < set.cnt; i++)
		set.v[i]->inferred = true;
	union_procs(life, &set);
	life->attr = life->cand_cnt > 1 ? ATTR_CANDIDATES : ATTR_INFERRED;
	life->call = earliest_end(&set)->call;
	life->call->ref_cnt++;
	settle_life(p, life, LIFE_KNOWN);
}

void message__settle_unknown(struct pairing *p, struct life *life)
{
	settle_life(p, life, LIFE_UNKNOWN);
}

void message__settle_own(struct pairing *p, struct life *life, struct send_call *call, bool last)
{
	life->attr = ATTR_EXACT;
	life->call = call;
	life->call->ref_cnt++;
	life->finishes = last;
	life->ended = true; /* what else is taken of it finds its maker at once */
	if (life->to->current == life)
		life->to->current = NULL;
	settle_life(p, life, LIFE_KNOWN);
}

void message__settle(struct pairing *p, struct life *life)
{
	if (!life->has_id) {
		life = match_runs(p, life);
		if (life)
			settle_life(p, life, LIFE_UNKNOWN);
		return;
	}
	if (match_by_identity(p, life, true) == NOT_FOUND && match_by_order(p, life) == NOT_FOUND)
		give_up(p, life);
}
