/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locks on files. A message is a release that let a waiting process have the lock, from who released to who has it now.
 *
 * Whoever waited has the lock as soon as nothing that conflicts is held, so the last conflicting release before let
 * it have it. Releases and grants of flock(2) are reported after the kernel has let go of its own lock, so a grant may come
 * before the release that made it possible: then a conflicting holder is still on record, and the grant waits for
 * its release. BSD locks (flock) do not conflict with those of fcntl(2); POSIX and open file locks do with each other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/keep.h"

#define RELEASES_MAX 16 /* kept per file: for grants whose wait began before the release was reported */

struct claim { /* a lock that is held, or wanted */
	uint64_t owner;
	uint64_t start, end;
	uint8_t type; /* enum lock_type */
	uint8_t kind; /* enum lock_kind */
	uint32_t pid, tid;
	uint64_t enter_ns;
	uint64_t ts_ns;
	bool scanned; /* from before the trace: owner and tid are not known */
};

struct release {
	struct claim of;
	struct sender by;
};

struct grant { /* to one who waited, before the release was reported */
	struct claim to;
	struct receipt *receipt;
};

struct lockfile {
	struct obj_key key;
	uint8_t mech;
	VEC(struct claim) held, wanted;
	VEC(struct release) releases; /* oldest first */
	VEC(struct grant) grants;
};

struct pairing {
	struct model *m;
	struct map files; /* key -> struct lockfile * */
	size_t grant_cnt; /* of all files */
	uint64_t next_sweep_ns;
};

static struct pairing *lock__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	return p;
}

static struct lockfile *file_of(struct pairing *p, const struct op *op)
{
	struct lockfile *f = map__get(&p->files, op->obj.id, op->obj.space);

	if (f)
		return f;
	f = xalloc(sizeof(*f));
	f->key = op->obj;
	f->mech = op->mech;
	map__set(&p->files, f->key.id, f->key.space, f);
	return f;
}

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

static struct claim claim_of(const struct op *op)
{
	return (struct claim){ .owner = op->lock.owner,
			       .start = op->lock.start,
			       .end = op->lock.end,
			       .type = op->lock.type,
			       .kind = op->lock.kind,
			       .pid = op->pid,
			       .tid = op->tid,
			       .enter_ns = op->enter_ns,
			       .ts_ns = op->ts_ns,
			       .scanned = op->lock.scanned };
}

static bool conflicts_with_held(const struct lockfile *f, const struct claim *c)
{
	for (size_t i = 0; i < f->held.cnt; i++)
		if (f->held.v[i].ts_ns <= c->ts_ns && conflict(&f->held.v[i], c))
			return true;
	return false;
}

/* ---- ends ---- */

static struct end *end_of(struct pairing *p, const struct op *op, const char *role, bool to_channel)
{
	struct end *end = graph__end(model__graph(p->m), model__party(p->m, op->pid, op->tid).proc,
				     model__channel(p->m, op->mech, op->obj), role, to_channel);

	if (!end->first_ns)
		end->first_ns = op->ts_ns;
	end->last_ns = op->ts_ns;
	return end;
}

static void account_grant(struct pairing *p, const struct op *op, bool waited)
{
	struct end *end;

	if (op->lock.scanned)
		return;
	end_of(p, op, "lock", true)->messages++;
	if (!waited)
		return;
	end = end_of(p, op, "wait", false);
	end->messages++;
	if (op->enter_ns && op->ts_ns > op->enter_ns)
		end->wait_ns += op->ts_ns - op->enter_ns;
}

/* ---- releases ---- */

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

/* c's owner has nothing in c's range any more; what it had there and is not as strong as before counts as released. */
static void give_up(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op)
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

/* ---- grants ---- */

static bool forget_wait(struct lockfile *f, const struct op *op, bool *waited)
{
	*waited = false;
	for (size_t i = 0; i < f->wanted.cnt; i++) {
		const struct claim *w = &f->wanted.v[i];
		bool same = w->scanned ? w->pid == op->pid && !op->enter_ns : w->tid == op->tid;

		if (!same)
			continue;
		/* Another call of the same thread: that wait had ended by a signal. */
		*waited = w->scanned || w->enter_ns == op->enter_ns;
		f->wanted.v[i] = f->wanted.v[--f->wanted.cnt];
		return true;
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

static void granted_after_wait(struct pairing *p, struct lockfile *f, const struct claim *to,
			       const struct op *op)
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

static void granted(struct pairing *p, struct lockfile *f, const struct op *op)
{
	struct claim c = claim_of(op);
	bool waited;

	forget_wait(f, op, &waited);
	account_grant(p, op, waited);
	if (!c.scanned)
		give_up(p, f, &c, op);
	if (waited)
		granted_after_wait(p, f, &c, op);
	vec__push(&f->held, c);
}

/* Turning a BSD lock into one of another type gives the old one up first (flock_lock_inode() in fs/locks.c). */
static void convert(struct pairing *p, struct lockfile *f, const struct op *op)
{
	struct claim c = claim_of(op);

	if (c.kind != LOCK_KIND_FLOCK || c.scanned)
		return;
	for (size_t i = 0; i < f->held.cnt; i++) {
		if (overlap(&f->held.v[i], &c) && owns(f, &f->held.v[i], &c) && f->held.v[i].type != c.type) {
			give_up(p, f, &c, op);
			return;
		}
	}
}

static void must_wait(struct pairing *p, struct lockfile *f, const struct op *op)
{
	bool waited;

	convert(p, f, op);
	forget_wait(f, op, &waited);
	vec__push(&f->wanted, claim_of(op));
	if (!op->lock.scanned)
		end_of(p, op, "wait", false);
}

static void refused(struct pairing *p, struct lockfile *f, const struct op *op)
{
	bool waited;

	convert(p, f, op);
	forget_wait(f, op, &waited);
	end_of(p, op, "lock", true)->errors++;
}

/* A release may be reported before the wait that it ended: so nothing is forgotten at once. */
static bool is_idle(const struct lockfile *f, uint64_t until_ns)
{
	if (f->held.cnt || f->wanted.cnt || f->grants.cnt)
		return false;
	return !f->releases.cnt || f->releases.v[f->releases.cnt - 1].of.ts_ns < until_ns;
}

static void forget(struct pairing *p, struct lockfile *f)
{
	map__del(&p->files, f->key.id, f->key.space);
	vec__free(&f->held);
	vec__free(&f->wanted);
	vec__free(&f->releases);
	vec__free(&f->grants);
	free(f);
}

static void lock__op(struct pairing *p, const struct op *op)
{
	struct lockfile *f = file_of(p, op);
	struct claim c = claim_of(op);

	if (op->kind == OP_UNLOCK)
		give_up(p, f, &c, op);
	else if (op->ret < 0)
		refused(p, f, op);
	else if (op->kind == OP_WAIT)
		must_wait(p, f, op);
	else
		granted(p, f, op);
	if (is_idle(f, 0))
		forget(p, f);
}

static void sweep(struct pairing *p, uint64_t until_ns)
{
	VEC(struct lockfile *) idle = { 0 };

	map__for_each(&p->files, slot)
		if (is_idle(slot->val, until_ns))
			vec__push(&idle, (struct lockfile *)slot->val);
	for (size_t i = 0; i < idle.cnt; i++)
		forget(p, idle.v[i]);
	vec__free(&idle);
}

static void lock__task_exit(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	/* What it held is unlocked after this, by records of its own; what it waited for it waits for no more. */
	map__for_each(&p->files, slot) {
		struct lockfile *f = slot->val;

		for (size_t i = 0; i < f->wanted.cnt;) {
			if (f->wanted.v[i].pid == pid)
				f->wanted.v[i] = f->wanted.v[--f->wanted.cnt];
			else
				i++;
		}
	}
}

/* A grant whose release never came: the records were lost. Who held it is the only one that can have let go. */
static void settle(struct pairing *p, struct lockfile *f, uint64_t until_ns)
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

static void settle_all(struct pairing *p, uint64_t until_ns)
{
	if (!p->grant_cnt)
		return;
	map__for_each(&p->files, slot)
		settle(p, slot->val, until_ns);
}

static void lock__advance(struct pairing *p, uint64_t now_ns)
{
	uint64_t settle_ns = model__opts(p->m)->settle_ns;

	if (now_ns <= settle_ns)
		return;
	settle_all(p, now_ns - settle_ns);
	if (now_ns < p->next_sweep_ns)
		return;
	sweep(p, now_ns - settle_ns);
	p->next_sweep_ns = now_ns + settle_ns;
}

static void add_once(struct pairing *p, struct channel *ch, const struct claim *c, bool holds)
{
	struct proc *proc = model__party(p->m, c->pid, c->tid).proc;
	struct proc **v = holds ? ch->holders.v : ch->waiters.v;
	size_t cnt = holds ? ch->holders.cnt : ch->waiters.cnt;

	for (size_t i = 0; i < cnt; i++)
		if (v[i] == proc)
			return;
	if (!proc || proc->exited)
		return;
	if (holds)
		vec__push(&ch->holders, proc);
	else
		vec__push(&ch->waiters, proc);
}

static void tell_state(struct pairing *p, const struct lockfile *f)
{
	struct channel *ch = model__channel(p->m, f->mech, f->key);

	for (size_t i = 0; i < f->held.cnt; i++)
		add_once(p, ch, &f->held.v[i], true);
	for (size_t i = 0; i < f->wanted.cnt; i++)
		add_once(p, ch, &f->wanted.v[i], false);
}

static void lock__finish(struct pairing *p, uint64_t now_ns)
{
	settle_all(p, UINT64_MAX);
	map__for_each(&p->files, slot)
		tell_state(p, slot->val);
}

static void lock__free(struct pairing *p)
{
	map__for_each(&p->files, slot) {
		struct lockfile *f = slot->val;

		vec__free(&f->held);
		vec__free(&f->wanted);
		vec__free(&f->releases);
		vec__free(&f->grants);
		free(f);
	}
	map__free(&p->files);
	free(p);
}

static void keep_file(struct model *m, const struct lockfile *f)
{
	keep__object(m, f->key);
	for (size_t i = 0; i < f->held.cnt; i++)
		keep__pid(m, f->held.v[i].pid);
	for (size_t i = 0; i < f->wanted.cnt; i++)
		keep__pid(m, f->wanted.v[i].pid);
	for (size_t i = 0; i < f->releases.cnt; i++)
		keep__sender(&f->releases.v[i].by);
}

static void lock__keep(struct pairing *p)
{
	map__for_each(&p->files, slot)
		keep_file(p->m, slot->val);
}

const struct pair_ops pair_lock = {
	.name = "lock",
	.new = lock__new,
	.free = lock__free,
	.op = lock__op,
	.task_exit = lock__task_exit,
	.advance = lock__advance,
	.finish = lock__finish,
	.keep = lock__keep,
};
