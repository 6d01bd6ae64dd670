/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cmd/subgraph.h"
#include "event/check.h"
#include "event/order.h"
#include "mech/mech.h"
#include "model/payload.h"
#include "model/stack.h"

/* The caller looks at the time and at signals after so many events: the views may write them to a slow reader. */
#define BATCH_EVENTS 2048

struct pipeline {
	struct event_source *source;
	struct pipeline_opts opts;
	struct order *order;
	struct model *model;
	struct select *select; /* NULL: everything */
	struct select *second; /* of what that one selects; NULL: all of it */
	struct payload_table *payloads; /* NULL: none came yet */
	struct stack_table *stacks; /* NULL: none came yet */
	struct subgraph *subgraph; /* NULL: the model's graph is the one */
	struct subgraph *so_far; /* of pipeline__graph_now(); NULL: not asked for */
	uint64_t messages; /* selected */
	uint64_t now_ns; /* how far time has come */
	uint64_t watermark_ns; /* of the latest events */
	bool behind; /* not all up to there has been looked at */
	struct decoded decoded; /* large, so not on the stack */
	_Alignas(8) char scratch[EVENT_SCRATCH_BYTES];
};

static void on_message(void *ctx, const struct message *m)
{
	struct pipeline *p = ctx;
	struct message with;
	struct payload payload;

	if (p->payloads && m->op && m->bytes &&
	    payload_table__next(p->payloads, m->op->tid, m->op->enter_ns, m->bytes, &payload)) {
		with = *m;
		with.payload = &payload;
		m = &with;
	}
	if (pipeline__full(p) || (p->select && !select__message(p->select, m)))
		return;
	p->messages++;
	if (p->subgraph)
		subgraph__message(p->subgraph, m);
	if (p->opts.sink.message && (!p->second || select__message(p->second, m)))
		p->opts.sink.message(p->opts.sink.ctx, m);
}

static void on_op(void *ctx, const struct op *op, struct channel *ch, const struct party *task)
{
	struct pipeline *p = ctx;
	struct payload payload;
	struct op with;

	if (p->payloads && op->bytes &&
	    payload_table__of_call(p->payloads, op->tid, op->enter_ns, &payload)) {
		with = *op;
		with.payload = &payload;
		op = &with;
	}
	if ((!p->select || select__op(p->select, op, task)) &&
	    (!p->second || select__op(p->second, op, task)))
		p->opts.sink.op(p->opts.sink.ctx, op, ch, task);
}

static void on_sum(void *ctx, const struct sum_info *info, struct channel *ch, struct proc *proc)
{
	struct pipeline *p = ctx;

	if (!proc || pipeline__selects(p, info->mech, proc, proc->pid))
		p->opts.sink.sum(p->opts.sink.ctx, info, ch, proc);
}

static void on_keep(void *ctx)
{
	struct pipeline *p = ctx;

	if (p->opts.sink.keep)
		p->opts.sink.keep(p->opts.sink.ctx);
}

static void on_moved(void *ctx)
{
	struct pipeline *p = ctx;

	subgraph__free(p->so_far);
	p->so_far = NULL;
	if (p->subgraph)
		subgraph__follow(p->subgraph);
	if (p->opts.sink.moved)
		p->opts.sink.moved(p->opts.sink.ctx);
}

bool pipeline__full(const struct pipeline *p)
{
	return p->opts.messages_max && p->messages >= p->opts.messages_max;
}

static bool by_process_only(const struct select_opts *s)
{
	return !s->src && !s->dst && !s->min_latency_ns && !s->min_bytes &&
	       (!s->within || by_process_only(s->within));
}

struct pipeline *pipeline__new(struct event_source *source, const struct pipeline_opts *opts)
{
	const struct model_opts model_opts = {
		.object_name = mech__object_name,
		.history = opts->history,
		.history_ns = opts->history_ns,
		.channels_only = !opts->graph,
	};
	struct pipeline *p = xalloc(sizeof(*p));
	const struct model_sink sink = {
		.ctx = p,
		.message = on_message,
		.op = opts->sink.op ? on_op : NULL,
		.sum = opts->sink.sum ? on_sum : NULL,
		.keep = on_keep,
		.moved = on_moved,
	};

	p->source = source;
	p->opts = *opts;
	p->order = order__new();
	p->model = model__new(&model_opts, &sink);
	if (opts->select) {
		p->select = select__new(opts->select);
		p->subgraph = opts->graph
				      ? subgraph__new(!opts->messages_max && by_process_only(opts->select))
				      : NULL;
	}
	return p;
}

static bool wanted(const struct pipeline *p, uint8_t mech)
{
	return mech < IPCT_MECH_CNT && (p->opts.mechs & IPCT_MECH_BIT(mech));
}

static void feed_task(struct pipeline *p, const struct task_info *info)
{
	model__task(p->model, info);
	if (p->select)
		select__task(p->select, model__procs(p->model), info);
	if (p->second)
		select__task(p->second, model__procs(p->model), info);
}

static void feed_lost(struct pipeline *p, uint64_t ts_ns, uint8_t mech, uint64_t cnt, uint16_t cpu)
{
	model__lost(p->model, ts_ns, mech, cnt);
	if (p->opts.sink.lost && cnt)
		p->opts.sink.lost(p->opts.sink.ctx, mech, cnt, cpu == IPCT_CPU_NONE ? -1 : cpu);
}

static void feed_object(struct pipeline *p, const struct object_info *info)
{
	model__object(p->model, info);
	if (p->opts.sink.object)
		p->opts.sink.object(p->opts.sink.ctx, info);
}

static void come_to(struct pipeline *p, uint64_t now_ns)
{
	if (now_ns <= p->now_ns || now_ns == UINT64_MAX) /* the end of a file */
		return;
	p->now_ns = now_ns;
	if (p->opts.sink.clock)
		p->opts.sink.clock(p->opts.sink.ctx, now_ns);
}

static void feed_payload(struct pipeline *p, const struct ipct_hdr *ev)
{
	const struct ipct_payload *wire = (const struct ipct_payload *)ev;
	const struct payload payload = {
		.data = (const uint8_t *)(wire + 1),
		.len = wire->len,
		.truncated = wire->flags & IPCT_PAYLOAD_TRUNC,
		.hashed = wire->flags & IPCT_PAYLOAD_HASH,
	};

	if (!p->payloads)
		p->payloads = payload_table__new();
	payload_table__add(p->payloads, ev->tid, wire->enter_ns, wire->total, &payload);
}

static struct stack_table *stacks(struct pipeline *p)
{
	if (!p->stacks)
		p->stacks = stack_table__new();
	return p->stacks;
}

static void feed_frame(struct pipeline *p, const struct ipct_hdr *ev)
{
	const struct ipct_frame *wire = (const struct ipct_frame *)ev;
	const char *text = (const char *)(wire + 1);
	const uint16_t lens[3] = { wire->function_len, wire->binary_len, wire->source_len };
	struct stack_frame f = {
		.function = text,
		.binary = text + lens[0],
		.source = text + lens[0] + lens[1],
		.offset = wire->offset,
		.line = wire->line,
	};

	_Static_assert(sizeof(f.build_id) == sizeof(wire->build_id), "the wire's and the model's");
	if (wire->build_id_len <= sizeof(f.build_id))
		f.build_id_len = wire->build_id_len;
	memcpy(f.build_id, wire->build_id, sizeof(f.build_id));
	stack_table__frame(stacks(p), wire->number, &f, lens);
}

static void feed_stack(struct pipeline *p, const struct ipct_hdr *ev)
{
	static const enum stack_place places[2][2] = { { STACK_OF_CALL, STACK_OF_SLEEP },
						       { STACK_OF_SIGNAL, STACK_OF_SIGNAL_KERNEL } };
	const struct ipct_stack *wire = (const struct ipct_stack *)ev;
	uint32_t numbers[IPCT_STACK_FRAMES_MAX];
	struct stack_seen seen = {
		.tid = ev->tid,
		.place = places[!wire->enter_ns][wire->what == IPCT_STACK_KERNEL],
		.enter_ns = wire->enter_ns,
		.id = wire->id,
		.cut = wire->flags & IPCT_STACK_CUT,
	};

	if (wire->len && wire->flags & IPCT_STACK_NAMED) {
		seen.cnt = wire->len / sizeof(numbers[0]);
		if (seen.cnt > IPCT_STACK_FRAMES_MAX)
			seen.cnt = IPCT_STACK_FRAMES_MAX;
		memcpy(numbers, wire + 1, seen.cnt * sizeof(numbers[0]));
		seen.numbers = numbers;
	}
	stack_table__seen(stacks(p), &seen);
}

static void add_stacks(struct pipeline *p, struct op *op)
{
	bool signal = op->rule == PAIR_SIGNAL;
	uint64_t enter_ns = signal ? 0 : op->enter_ns;

	if (!p->stacks || (signal && op->kind != OP_POST))
		return;
	if (op->rule == PAIR_DGRAM && op->kind == OP_SEND) { /* its enter_ns is when the datagram left */
		op->stack = stack_table__at(p->stacks, op->tid, STACK_OF_CALL, op->enter_ns);
		return;
	}
	op->kernel_stack = stack_table__of(p->stacks, op->tid,
					   signal ? STACK_OF_SIGNAL_KERNEL : STACK_OF_SLEEP, enter_ns);
	/* What runs when the kernel sends a signal by itself has nothing to do with it. */
	if (!signal || !op->sig.from_kernel)
		op->stack = stack_table__of(p->stacks, op->tid, signal ? STACK_OF_SIGNAL : STACK_OF_CALL,
					    enter_ns);
}

/* In order of time from here on. */
static void on_ordered(void *ctx, const struct ipct_hdr *ev)
{
	struct pipeline *p = ctx;
	struct decoded *d = &p->decoded;

	come_to(p, ev->ts_ns);
	if (ev->kind == IPCT_KIND_PAYLOAD)
		feed_payload(p, event__widen(ev, p->scratch));
	else if (ev->kind == IPCT_KIND_FRAME)
		feed_frame(p, event__widen(ev, p->scratch));
	else if (ev->kind == IPCT_KIND_STACK)
		feed_stack(p, event__widen(ev, p->scratch));
	mech__decode(event__widen(ev, p->scratch), d);
	switch (d->what) {
	case DECODED_TASK:
		feed_task(p, &d->task);
		break;
	case DECODED_OBJECT:
		if (wanted(p, d->object.mech))
			feed_object(p, &d->object);
		break;
	case DECODED_OP:
		add_stacks(p, &d->op);
		if (wanted(p, d->op.mech))
			model__op(p->model, &d->op);
		break;
	case DECODED_PASS:
		if (wanted(p, d->pass.mech))
			model__pass(p->model, &d->pass);
		break;
	case DECODED_LOST:
		feed_lost(p, ev->ts_ns, ev->mech, d->lost, ev->cpu);
		if (d->skipped)
			model__skipped(p->model, d->lost);
		if (d->full)
			model__table_full(p->model, d->lost);
		break;
	case DECODED_SUM:
		if (!d->sum.mech || wanted(p, d->sum.mech))
			model__sum(p->model, &d->sum);
		break;
	case DECODED_NOTHING:
		break;
	}
}

static void on_event(void *ctx, const struct ipct_hdr *ev)
{
	struct pipeline *p = ctx;

	order__push(p->order, ev);
}

int pipeline__poll(struct pipeline *p, int timeout_ms)
{
	size_t cnt;
	int ret = 0;

	if (!p->behind) {
		p->watermark_ns = 0;
		ret = p->source->poll(p->source, timeout_ms, on_event, p, &p->watermark_ns);
	}
	if (ret < 0)
		return ret;
	cnt = order__release(p->order, p->watermark_ns, BATCH_EVENTS, on_ordered, p);
	p->behind = cnt == BATCH_EVENTS;
	if (p->behind)
		return (int)cnt;
	model__advance(p->model, p->watermark_ns);
	come_to(p, p->watermark_ns);
	return ret > 0 ? ret : (int)cnt;
}

void pipeline__refine(struct pipeline *p, const struct select_opts *opts)
{
	select__free(p->second);
	p->second = opts ? select__new_second(opts) : NULL;
}

bool pipeline__selects(struct pipeline *p, uint8_t mech, struct proc *proc, uint32_t tid)
{
	struct op op = { .mech = mech, .pid = proc->pid, .tid = tid, .kind = OP_RECV };
	struct party party = { .proc = proc, .tid = tid };

	memcpy(party.comm, proc->comm, sizeof(party.comm));
	return (!p->select || select__op(p->select, &op, &party)) &&
	       (!p->second || select__op(p->second, &op, &party));
}

struct channel *pipeline__channel(struct pipeline *p, uint8_t mech, const char *name)
{
	struct graph *g = model__graph(p->model);
	const char *interned = strtab__find(&g->names, name, strlen(name));

	return interned ? map__get(&g->channel_by_name, (uintptr_t)interned, mech) : NULL;
}

void pipeline__finish(struct pipeline *p)
{
	order__release(p->order, UINT64_MAX, SIZE_MAX, on_ordered, p);
	model__finish(p->model, p->now_ns);
	if (p->opts.graph)
		model__fold_rest(p->model);
	if (p->subgraph)
		subgraph__finish(p->subgraph, model__graph(p->model), p->select);
}

struct graph *pipeline__graph(struct pipeline *p)
{
	return p->subgraph ? subgraph__graph(p->subgraph) : model__graph(p->model);
}

struct graph *pipeline__graph_now(struct pipeline *p)
{
	struct graph *g = model__graph(p->model);

	if (p->now_ns > g->end_ns)
		g->end_ns = p->now_ns;
	if (!p->subgraph)
		return g;
	subgraph__free(p->so_far);
	p->so_far = subgraph__copy(p->subgraph);
	subgraph__finish(p->so_far, g, p->select);
	return subgraph__graph(p->so_far);
}

uint64_t pipeline__messages(const struct pipeline *p)
{
	return p->messages;
}

struct proc_table *pipeline__procs(struct pipeline *p)
{
	return model__procs(p->model);
}

const struct model_stats *pipeline__stats(struct pipeline *p)
{
	return model__stats(p->model);
}

void pipeline__free(struct pipeline *p)
{
	if (!p)
		return;
	payload_table__free(p->payloads);
	stack_table__free(p->stacks);
	subgraph__free(p->subgraph);
	subgraph__free(p->so_far);
	select__free(p->select);
	select__free(p->second);
	model__free(p->model);
	order__free(p->order);
	free(p);
}
