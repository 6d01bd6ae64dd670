/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The operation is itself the message: one process works on another. A request of ptrace(2) goes from the tracer to the tracee,
 * process_vm_writev from the caller to its target, process_vm_readv and pidfd_getfd from the target to the caller.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "model/keep.h"

struct pairing {
	struct model *m;
	struct map tracers; /* tracee's tid -> struct tracing * */
};

struct tracing {
	uint32_t tracer, tracee; /* pids */
	struct obj_key obj;
	uint8_t mech;
};

static struct pairing *direct__new(struct model *m)
{
	struct pairing *p = xalloc(sizeof(*p));

	p->m = m;
	return p;
}

/* From whom to whom the bytes go decides the roles; the tracee's own process has a part in it, too. */
static const struct {
	uint8_t kind;
	bool to_target;
	const char *caller, *target;
} roles[] = {
	{ OP_RECV, false, "read", "memory" },
	{ OP_SEND, true, "write", "memory" },
	{ OP_PASS, false, "take", "taken" },
	{ OP_NONE, true, "tracer", "tracee" },
};

static struct end *end_of(struct pairing *p, const struct op *op, struct proc *proc, const char *role,
			  bool to_channel)
{
	struct end *end = graph__end(model__graph(p->m), proc, model__channel(p->m, op->mech, op->obj), role,
				     to_channel);

	if (!end->first_ns)
		end->first_ns = op->ts_ns;
	end->last_ns = op->ts_ns;
	return end;
}

static void account(struct pairing *p, const struct op *op, struct proc *caller, struct proc *target)
{
	struct end *a, *b;
	size_t i = 0;

	while (roles[i].kind != OP_NONE && roles[i].kind != op->kind)
		i++;
	a = end_of(p, op, caller, roles[i].caller, roles[i].to_target);
	a->errors += op->ret < 0;
	if (op->ret < 0)
		return;
	b = end_of(p, op, target, roles[i].target, !roles[i].to_target);
	a->messages++;
	b->messages++;
	a->bytes += op->bytes;
	b->bytes += op->bytes;
}

static void give(struct pairing *p, const struct op *op)
{
	struct party caller = model__party(p->m, op->pid, op->tid);
	struct party target = model__party(p->m, op->direct.pid, op->direct.tid);
	bool to_target = op->kind != OP_RECV && op->kind != OP_PASS;
	struct sender s = { .party = to_target ? caller : target };
	struct receipt *r;

	(to_target ? &s.party : &caller)->stack = op->stack;
	account(p, op, caller.proc, target.proc);
	if (op->ret < 0)
		return;
	r = receipt__new(p->m, op, NULL);
	receipt__set_target(r, to_target ? &target : &caller, 0);
	receipt__add(r, &s, op->bytes, 1, ATTR_EXACT, NULL, 0);
	receipt__done(r);
}

static void attached(struct pairing *p, const struct op *op, uint32_t tracer, uint32_t tracee, uint32_t tid)
{
	struct tracing *t = map__get(&p->tracers, tid, 0);

	if (!t) {
		t = xalloc(sizeof(*t));
		map__set(&p->tracers, tid, 0, t);
	}
	*t = (struct tracing){ .tracer = tracer, .tracee = tracee, .obj = op->obj, .mech = op->mech };
}

/* PTRACE_TRACEME: the tracee asks its parent to be its tracer. Control begins, but no request was made. */
static void traceme(struct pairing *p, const struct op *op)
{
	attached(p, op, op->direct.pid, op->pid, op->tid);
	end_of(p, op, model__party(p->m, op->direct.pid, op->direct.tid).proc, "tracer", true);
	end_of(p, op, model__party(p->m, op->pid, op->tid).proc, "tracee", false);
}

static void direct__op(struct pairing *p, const struct op *op)
{
	bool ours = op->kind == OP_ATTACH && !op->arg;

	if (!op->direct.pid)
		return;
	if (ours && op->ret >= 0)
		traceme(p, op);
	if (ours)
		return;
	give(p, op);
	if (op->ret < 0)
		return;
	if (op->kind == OP_ATTACH)
		attached(p, op, op->pid, op->direct.pid, op->direct.tid);
	else if (op->kind == OP_DETACH)
		free(map__del(&p->tracers, op->direct.tid, 0));
}

/* The kernel detaches from all that a dead tracer traced, and a dead tracee has no tracer. */
static void direct__task_exit(struct pairing *p, uint32_t pid, uint64_t ts_ns)
{
	struct map kept = { 0 };

	if (!p->tracers.cnt)
		return;
	map__for_each(&p->tracers, slot) {
		struct tracing *t = slot->val;

		if (t->tracer == pid || t->tracee == pid)
			free(t);
		else
			map__set(&kept, slot->lo, slot->hi, t);
	}
	map__free(&p->tracers);
	p->tracers = kept;
}

static void add_holder(struct channel *ch, struct proc *proc)
{
	for (size_t i = 0; i < ch->holders.cnt; i++)
		if (ch->holders.v[i] == proc)
			return;
	vec__push(&ch->holders, proc);
}

static void direct__finish(struct pairing *p, uint64_t now_ns)
{
	map__for_each(&p->tracers, slot) {
		const struct tracing *t = slot->val;

		add_holder(model__channel(p->m, t->mech, t->obj),
			   model__party(p->m, t->tracer, t->tracer).proc);
	}
}

static void direct__free(struct pairing *p)
{
	map__for_each(&p->tracers, slot)
		free(slot->val);
	map__free(&p->tracers);
	free(p);
}

static void direct__keep(struct pairing *p)
{
	map__for_each(&p->tracers, slot) {
		const struct tracing *t = slot->val;

		keep__pid(p->m, t->tracer);
		keep__pid(p->m, t->tracee);
		keep__object(p->m, t->obj);
	}
}

const struct pair_ops pair_direct = {
	.name = "direct",
	.new = direct__new,
	.free = direct__free,
	.op = direct__op,
	.task_exit = direct__task_exit,
	.finish = direct__finish,
	.keep = direct__keep,
};
