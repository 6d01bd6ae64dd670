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

#include "base/log.h"
#include "model/keep.h"
#include "model/lock_impl.h"

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

/* ---- operations ---- */

static void granted(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op)
{
	bool waited = lockfile__end_wait(f, op);

	account_grant(p, op, waited);
	if (!c->scanned)
		lockfile__give_up(p, f, c, op);
	if (waited)
		lockfile__grant(p, f, c, op);
	vec__push(&f->held, *c);
}

static void must_wait(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op)
{
	lockfile__convert(p, f, c, op);
	lockfile__end_wait(f, op);
	vec__push(&f->wanted, *c);
	if (!op->lock.scanned)
		end_of(p, op, "wait", false);
}

static void refused(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op)
{
	lockfile__convert(p, f, c, op);
	lockfile__end_wait(f, op);
	end_of(p, op, "lock", true)->errors++;
}

static void forget(struct pairing *p, struct lockfile *f)
{
	map__del(&p->files, f->key.id, f->key.space);
	lockfile__free(f);
}

static void lock__op(struct pairing *p, const struct op *op)
{
	struct lockfile *f = file_of(p, op);
	struct claim c = claim_of(op);

	if (op->kind == OP_UNLOCK)
		lockfile__give_up(p, f, &c, op);
	else if (op->ret < 0)
		refused(p, f, &c, op);
	else if (op->kind == OP_WAIT)
		must_wait(p, f, &c, op);
	else
		granted(p, f, &c, op);
	if (lockfile__is_idle(f, 0))
		forget(p, f);
}

static void sweep(struct pairing *p, uint64_t until_ns)
{
	VEC(struct lockfile *) idle = { 0 };

	map__for_each(&p->files, slot)
		if (lockfile__is_idle(slot->val, until_ns))
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

static void settle_all(struct pairing *p, uint64_t until_ns)
{
	if (!p->grant_cnt)
		return;
	map__for_each(&p->files, slot)
		lockfile__settle(p, slot->val, until_ns);
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
	map__for_each(&p->files, slot)
		lockfile__free(slot->val);
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
