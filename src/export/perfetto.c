/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace for ui.perfetto.dev: a track per thread, a slice per operation (its wait included), a flow arrow per message,
 * a counter per channel of the bytes that are on their way. Field numbers: protos/perfetto/trace/.
 *
 * Slices are kept until the end, because which messages they send and take is known only later.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"

#include "export/formats.h"
#include "export/proto.h"

enum { TRACE_PACKET = 1 };
enum { PACKET_TIMESTAMP = 8, PACKET_SEQUENCE = 10, PACKET_EVENT = 11, PACKET_TRACK = 60 };
enum {
	TRACK_UUID = 1,
	TRACK_NAME = 2,
	TRACK_PROCESS = 3,
	TRACK_THREAD = 4,
	TRACK_PARENT = 5,
	TRACK_COUNTER = 8
};
enum { PROCESS_PID = 1, PROCESS_CMDLINE = 2, PROCESS_NAME = 6 };
enum { THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5 };
enum { COUNTER_UNIT = 3, UNIT_BYTES = 3 };
enum {
	EVENT_NOTE = 4,
	EVENT_TYPE = 9,
	EVENT_TRACK = 11,
	EVENT_CATEGORY = 22,
	EVENT_NAME = 23,
	EVENT_COUNTER = 30,
	EVENT_FLOW = 47,
	EVENT_FLOW_END = 48
};
enum { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_INSTANT = 3, TYPE_COUNTER = 4 };
enum { NOTE_NUMBER = 4, NOTE_TEXT = 6, NOTE_NAME = 10 };

#define SEQUENCE 1 /* trusted_packet_sequence_id: there is one writer */

struct slice {
	uint64_t begin_ns, end_ns; /* equal: an instant */
	uint64_t track;
	const char *object; /* valid until the model is freed */
	int64_t ret;
	uint32_t flows; /* index + 1 of the first in export.flows; 0: none */
	uint8_t mech, kind;
};

struct flow_ref {
	uint64_t id;
	uint32_t next; /* as slice.flows */
	bool end; /* the message is taken here */
};

struct thread {
	uint64_t uuid, last_ns; /* end of its last slice: slices of a track must nest */
	struct proc *proc;
	uint32_t tid;
	char comm[16];
};

struct sample {
	uint64_t ts_ns, track, value;
};

struct counter {
	uint64_t uuid, value;
	const struct channel *channel;
};

struct export
{
	const struct export_opts *opts;
	struct out *out;
	struct map threads; /* by process's id, tid -> struct thread */
	struct map counters; /* by channel -> struct counter */
	struct map ends; /* by thread, time of a slice's end -> its index + 1 */
	VEC(struct slice) slices;
	VEC(struct flow_ref) flows;
	VEC(struct sample) samples;
	uint64_t next_uuid, next_flow;
	struct buf packet, event, part; /* in the making */
};

/* ---- while events come ---- */

static struct export *begin(const struct export_opts *opts, struct out *out, struct buf *err)
{
	struct export *e = xalloc(sizeof(*e));

	e->opts = opts;
	e->out = out;
	return e;
}

static struct thread *thread_of(struct export *e, const struct party *p)
{
	uint32_t tid = p->tid ? p->tid : p->proc->pid;
	struct thread *t = map__get(&e->threads, p->proc->id + 1, tid);

	if (!t) {
		t = xalloc(sizeof(*t));
		t->proc = p->proc;
		t->tid = tid;
		t->uuid = ++e->next_uuid;
		map__set(&e->threads, p->proc->id + 1, tid, t);
	}
	memcpy(t->comm, p->comm, sizeof(t->comm));
	return t;
}

static uint32_t add_slice(struct export *e, struct thread *t, struct slice s)
{
	if (s.begin_ns < t->last_ns)
		s.begin_ns = t->last_ns;
	if (s.end_ns < s.begin_ns)
		s.end_ns = s.begin_ns;
	s.track = t->uuid;
	t->last_ns = s.end_ns;
	vec__push(&e->slices, s);
	return (uint32_t)e->slices.cnt;
}

static void on_the_way(struct export *e, const struct op *op, const struct channel *ch)
{
	struct counter *c = map__get(&e->counters, (uintptr_t)ch, 0);

	if (!op->bytes || (op->kind != OP_SEND && op->kind != OP_RECV) || op->flags & OP_F_PEEK)
		return;
	if (!c) {
		c = xalloc(sizeof(*c));
		c->uuid = ++e->next_uuid;
		c->channel = ch;
		map__set(&e->counters, (uintptr_t)ch, 0, c);
	}
	if (op->kind == OP_SEND)
		c->value += op->bytes;
	else
		c->value -= op->bytes < c->value ? op->bytes : c->value;
	vec__push(&e->samples, ((struct sample){ op->ts_ns, c->uuid, c->value }));
}

static void op(struct export *e, const struct op *op, const struct channel *ch, const struct party *task)
{
	struct slice s = {
		.begin_ns = op->enter_ns ? op->enter_ns : op->ts_ns,
		.end_ns = op->ts_ns,
		.object = ch ? ch->name : NULL,
		.ret = op->ret,
		.mech = op->mech,
		.kind = op->kind,
	};
	struct thread *t;

	if (!task->proc)
		return;
	t = thread_of(e, task);
	map__set(&e->ends, t->uuid, op->ts_ns, (void *)(uintptr_t)add_slice(e, t, s));
	if (ch)
		on_the_way(e, op, ch);
}

/* The slice that ended then; where there is none, an instant stands for it. */
static uint32_t slice_at(struct export *e, const struct message *m, const struct party *p, uint64_t ts_ns,
			 uint8_t kind)
{
	struct thread *t = thread_of(e, p);
	uint32_t index = (uint32_t)(uintptr_t)map__get(&e->ends, t->uuid, ts_ns);
	struct slice s = { .begin_ns = ts_ns,
			   .end_ns = ts_ns,
			   .track = t->uuid,
			   .kind = kind,
			   .mech = m->mech,
			   .object = m->channel ? m->channel->name : NULL };

	if (index)
		return index;
	vec__push(&e->slices, s);
	return (uint32_t)e->slices.cnt;
}

static void add_flow(struct export *e, uint32_t slice, uint64_t id, bool end)
{
	struct slice *s = &e->slices.v[slice - 1];
	struct flow_ref ref = { id, s->flows, end };

	vec__push(&e->flows, ref);
	s->flows = (uint32_t)e->flows.cnt;
}

static void message(struct export *e, const struct message *m)
{
	uint64_t sent_ns = m->sent_ns ? m->sent_ns : m->ts_ns, taken_ns = m->ts_ns;

	if (!m->src.proc || !m->dst.proc)
		return;
	if (m->op && m->op->rule == PAIR_SIGNAL) {
		sent_ns = m->ts_ns;
		taken_ns = m->delivered_ns ? m->delivered_ns : m->ts_ns;
	}
	e->next_flow++;
	add_flow(e, slice_at(e, m, &m->src, sent_ns, OP_SEND), e->next_flow, false);
	add_flow(e, slice_at(e, m, &m->dst, taken_ns, OP_RECV), e->next_flow, true);
}

/* ---- at the end ---- */

static void put_packet(struct export *e, uint64_t ts_ns, uint32_t field, const struct buf *content)
{
	buf__reset(&e->packet);
	if (ts_ns)
		proto__uint(&e->packet, PACKET_TIMESTAMP, ts_ns);
	proto__uint(&e->packet, PACKET_SEQUENCE, SEQUENCE);
	proto__message(&e->packet, field, content);
	proto__message(&e->out->buf, TRACE_PACKET, &e->packet);
	out__commit(e->out);
}

static uint64_t process_uuid(const struct proc *p)
{
	return 1ull << 32 | p->id;
}

static void put_process(struct export *e, const struct proc *p)
{
	buf__reset(&e->part);
	proto__uint(&e->part, PROCESS_PID, p->pid);
	for (size_t at = 0; p->args && at < p->args_len; at += strnlen(p->args + at, p->args_len - at) + 1)
		proto__text(&e->part, PROCESS_CMDLINE, p->args + at, strnlen(p->args + at, p->args_len - at));
	proto__text(&e->part, PROCESS_NAME, p->comm, strnlen(p->comm, sizeof(p->comm)));
	buf__reset(&e->event);
	proto__uint(&e->event, TRACK_UUID, process_uuid(p));
	proto__message(&e->event, TRACK_PROCESS, &e->part);
	put_packet(e, 0, PACKET_TRACK, &e->event);
}

static void put_thread(struct export *e, const struct thread *t)
{
	buf__reset(&e->part);
	proto__uint(&e->part, THREAD_PID, t->proc->pid);
	proto__uint(&e->part, THREAD_TID, t->tid);
	proto__text(&e->part, THREAD_NAME, t->comm, strnlen(t->comm, sizeof(t->comm)));
	buf__reset(&e->event);
	proto__uint(&e->event, TRACK_UUID, t->uuid);
	proto__uint(&e->event, TRACK_PARENT, process_uuid(t->proc));
	proto__message(&e->event, TRACK_THREAD, &e->part);
	put_packet(e, 0, PACKET_TRACK, &e->event);
}

static void put_counter(struct export *e, const struct counter *c)
{
	const struct channel *ch = channel__resolve((struct channel *)c->channel);

	buf__reset(&e->part);
	proto__uint(&e->part, COUNTER_UNIT, UNIT_BYTES);
	buf__reset(&e->event);
	proto__uint(&e->event, TRACK_UUID, c->uuid);
	proto__text(&e->event, TRACK_NAME, ch->name, strlen(ch->name));
	proto__message(&e->event, TRACK_COUNTER, &e->part);
	put_packet(e, 0, PACKET_TRACK, &e->event);
}

static void put_tracks(struct export *e, struct proc_table *procs)
{
	for (size_t i = 0; i < procs->all.cnt; i++)
		put_process(e, procs->all.v[i]);
	map__for_each(&e->threads, slot)
		put_thread(e, slot->val);
	map__for_each(&e->counters, slot)
		put_counter(e, slot->val);
}

static void put_note(struct export *e, const char *name, const char *text, int64_t number)
{
	buf__reset(&e->part);
	proto__text(&e->part, NOTE_NAME, name, strlen(name));
	if (text)
		proto__text(&e->part, NOTE_TEXT, text, strlen(text));
	else
		proto__uint(&e->part, NOTE_NUMBER, (uint64_t)number);
	proto__message(&e->event, EVENT_NOTE, &e->part);
}

static void put_slice(struct export *e, const struct slice *s)
{
	bool instant = s->begin_ns == s->end_ns;
	const char *mech = s->mech ? e->opts->names->mech(s->mech) : "task";
	struct buf name = { 0 };

	buf__printf(&name, "%s %s", op_kind__name(s->kind), s->object ? s->object : mech);
	buf__reset(&e->event);
	proto__uint(&e->event, EVENT_TYPE, instant ? TYPE_INSTANT : TYPE_BEGIN);
	proto__uint(&e->event, EVENT_TRACK, s->track);
	proto__text(&e->event, EVENT_CATEGORY, mech, strlen(mech));
	proto__text(&e->event, EVENT_NAME, name.data, name.len);
	if (s->object)
		put_note(e, "object", s->object, 0);
	put_note(e, "ret", NULL, s->ret);
	for (uint32_t i = s->flows; i; i = e->flows.v[i - 1].next)
		proto__fixed64(&e->event, e->flows.v[i - 1].end ? EVENT_FLOW_END : EVENT_FLOW,
			       e->flows.v[i - 1].id);
	put_packet(e, s->begin_ns, PACKET_EVENT, &e->event);
	buf__free(&name);
	if (instant)
		return;
	buf__reset(&e->event);
	proto__uint(&e->event, EVENT_TYPE, TYPE_END);
	proto__uint(&e->event, EVENT_TRACK, s->track);
	put_packet(e, s->end_ns, PACKET_EVENT, &e->event);
}

static void put_sample(struct export *e, const struct sample *s)
{
	buf__reset(&e->event);
	proto__uint(&e->event, EVENT_TYPE, TYPE_COUNTER);
	proto__uint(&e->event, EVENT_TRACK, s->track);
	proto__uint(&e->event, EVENT_COUNTER, s->value);
	put_packet(e, s->ts_ns, PACKET_EVENT, &e->event);
}

static void free_export(struct export *e)
{
	map__for_each(&e->threads, slot)
		free(slot->val);
	map__for_each(&e->counters, slot)
		free(slot->val);
	map__free(&e->threads);
	map__free(&e->counters);
	map__free(&e->ends);
	vec__free(&e->slices);
	vec__free(&e->flows);
	vec__free(&e->samples);
	buf__free(&e->packet);
	buf__free(&e->event);
	buf__free(&e->part);
	free(e);
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
	put_tracks(e, procs);
	for (size_t i = 0; i < e->slices.cnt; i++)
		put_slice(e, &e->slices.v[i]);
	for (size_t i = 0; i < e->samples.cnt; i++)
		put_sample(e, &e->samples.v[i]);
	free_export(e);
	return 0;
}

const struct export_format export__perfetto = {
	.name = "perfetto",
	.summary = "for ui.perfetto.dev: threads, operations, messages as arrows",
	.binary = true,
	.begin = begin,
	.message = message,
	.op = op,
	.end = end,
};
