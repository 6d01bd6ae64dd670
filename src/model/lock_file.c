/* SPDX-License-Identifier: GPL-2.0 */
/* Who holds a file's locks and who waits for them, and which release let a waiting one have its own. */
#include <stdlib.h>
#include <string.h>

#include "model/lock_impl.h"

#define RELEASES_MAX 16 /* kept per file: for grants whose wait began before the release was reported */

static bool same_family(uint8_t a, uint8_t b)
{
	return (a == LOCK_KIND_FLOCK) == (b == LOCK_KIND_FLOCK);
}

static bool overlap(const struct claim *a, const struct claim *b)
{
	return same_family(a->kind, b->kind) && a->start <= b->end && b->start <= a->end;
}

static bool conflict(const struct claim *a, const struct claim *b)
{
	return overlap(a, b) && a->owner != b->owner &&
	       (a->type == LOCK_TYPE_WRITE || b->type == LOCK_TYPE_WRITE);
}

static bool conflicts_with_held(const struct lockfile *f, const struct claim *c)
{
	for (size_t i = 0; i < f->held.cnt; i++)
		if (f->held.v[i].ts_ns <= c->ts_ns && conflict(&f->held.v[i], c))
			return true;
	return false;
}

static void settle_grants(struct pairing *p, struct lockfile *f, const struct release *r)
{
	for (size_t i = 0; i < f->grants.cnt;) {
		struct grant g = f->grants.v[i];

		if (!conflict(&r->of, &g.to) || conflicts_with_held(f, &g.to)) {
			i++;
			continue;
		}
		f->grants.v[i] = f->grants.v[--f->grants.cnt];
		p->grant_cnt--;
		receipt__add(g.receipt, &r->by, 0, 1, ATTR_EXACT, NULL, 0);
		receipt__done(g.receipt);
	}
}

static void released(struct pairing *p, struct lockfile *f, const struct claim *of, const struct op *op)
{
	struct release r = { .of = *of, .by = model__sender(p->m, op) };

	r.of.ts_ns = op->ts_ns;
	if (f->releases.cnt == RELEASES_MAX)
		memmove(f->releases.v, f->releases.v + 1, --f->releases.cnt * sizeof(r));
	vec__push(&f->releases, r);
}

/* What was held from before the trace has no owner on record: it is the pid's, or the only one there is. */
static bool owns(const struct lockfile *f, const struct claim *held, const struct claim *c)
{
	size_t same = 0;

	if (!held->scanned)
		return held->owner == c->owner && same_family(held->kind, c->kind);
	if (held->kind != c->kind)
		return false;
	if (held->pid == c->pid)
		return true;
	for (size_t i = 0; i < f->held.cnt; i++)
		same += f->held.v[i].kind == c->kind && overlap(&f->held.v[i], c);
	return same == 1 && c->type == LOCK_TYPE_NONE && c->kind != LOCK_KIND_POSIX;
}

void lockfile__give_up(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op)
{
	size_t i = 0;

	while (i < f->held.cnt) {
		struct claim had = f->held.v[i], part = had;

		if (!overlap(&had, c) || !owns(f, &had, c)) {
			i++;
			continue;
		}
		f->held.v[i] = f->held.v[--f->held.cnt];
		if (had.start < c->start) {
			part.end = c->start - 1;
			vec__push(&f->held, part);
		}
		if (had.end > c->end) {
			part = had;
			part.start = c->end + 1;
			vec__push(&f->held, part);
		}
		part = had;
		part.owner = c->owner;
		part.start = had.start > c->start ? had.start : c->start;
		part.end = had.end < c->end ? had.end : c->end;
		if (had.type != c->type && (c->type != LOCK_TYPE_WRITE || c->kind == LOCK_KIND_FLOCK))
			released(p, f, &part, op);
	}
	for (i = 0; i < f->releases.cnt; i++)
		if (f->releases.v[i].of.ts_ns == op->ts_ns && f->releases.v[i].of.owner == c->owner)
			settle_grants(p, f, &f->releases.v[i]);
}

bool lockfile__end_wait(struct lockfile *f, const struct op *op)
{
	for (size_t i = 0; i < f->wanted.cnt; i++) {
		const struct claim *w = &f->wanted.v[i];
		bool same = w->scanned ? w->pid == op->pid && !op->enter_ns : w->tid == op->tid;

		if (!same)
			continue;
		/* Another call of the same thread: that wait had ended by a signal. */
		same = w->scanned || w->enter_ns == op->enter_ns;
		f->wanted.v[i] = f->wanted.v[--f->wanted.cnt];
		return same;
	}
	return false;
}

static const struct release *last_release(const struct lockfile *f, const struct claim *to)
{
	for (size_t i = f->releases.cnt; i > 0; i--) {
		const struct release *r = &f->releases.v[i - 1];

		if (r->of.ts_ns >= to->enter_ns && r->of.ts_ns <= to->ts_ns && conflict(&r->of, to))
			return r;
	}
	return NULL;
}

/* Released by one whose own grant still waits for a release to be reported: what is on record as held before it is stale. */
static bool follows_a_grant(const struct lockfile *f, const struct release *r)
{
	for (size_t i = 0; i < f->grants.cnt; i++)
		if (f->grants.v[i].to.ts_ns <= r->of.ts_ns && f->grants.v[i].to.owner == r->of.owner)
			return true;
	return false;
}

void lockfile__grant(struct pairing *p, struct lockfile *f, const struct claim *to, const struct op *op)
{
	struct op waited = *op;
	const struct release *r = last_release(f, to);
	struct receipt *receipt;

	waited.flags |= OP_F_WAITED;
	receipt = receipt__new(p->m, &waited, NULL);
	if (conflicts_with_held(f, to) && !(r && follows_a_grant(f, r))) {
		vec__push(&f->grants, ((struct grant){ .to = *to, .receipt = receipt }));
		p->grant_cnt++;
		return;
	}
	if (r)
		receipt__add(receipt, &r->by, 0, 1, ATTR_EXACT, NULL, 0);
	else
		receipt__add_unknown(receipt, 0, 1);
	receipt__done(receipt);
}

/* Turning a BSD lock into one of another type gives the old one up first (flock_lock_inode() in fs/locks.c). */
void lockfile__convert(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op)
{
	if (c->kind != LOCK_KIND_FLOCK || c->scanned)
		return;
	for (size_t i = 0; i < f->held.cnt; i++) {
		if (overlap(&f->held.v[i], c) && owns(f, &f->held.v[i], c) && f->held.v[i].type != c->type) {
			lockfile__give_up(p, f, c, op);
			return;
		}
	}
}

/* A release may be reported before the wait that it ended: so nothing is forgotten at once. */
bool lockfile__is_idle(const struct lockfile *f, uint64_t until_ns)
{
	if (f->held.cnt || f->wanted.cnt || f->grants.cnt)
		return false;
	return !f->releases.cnt || f->releases.v[f->releases.cnt - 1].of.ts_ns < until_ns;
}

/* A grant whose release never came: the records were lost. Who held it is the only one that can have let go. */
void lockfile__settle(struct pairing *p, struct lockfile *f, uint64_t until_ns)
{
	for (size_t i = 0; i < f->grants.cnt;) {
		struct grant g = f->grants.v[i];

		if (g.to.ts_ns > until_ns) {
			i++;
			continue;
		}
		f->grants.v[i] = f->grants.v[--f->grants.cnt];
		p->grant_cnt--;
		receipt__add_unknown(g.receipt, 0, 1);
		receipt__done(g.receipt);
	}
}

void lockfile__free(struct lockfile *f)
{
	vec__free(&f->held);
	vec__free(&f->wanted);
	vec__free(&f->releases);
	vec__free(&f->grants);
	free(f);
}
