/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulator of sockets for tests of the model: threads of several processes share sending sockets, one reader takes it
 * all. Each step moves one random thread on, so every order of queueing, looking, taking and reporting comes up:
 * identities reused at once, receives reported before their sends, claims of another's chunk, chunks gone before the look.
 */
#ifndef TESTS_SOCK_SIM_H
#define TESTS_SOCK_SIM_H

#include "model_kit.h"
#include "suite.h"

#define MECH 10
#define SENDERS 4
#define SOCKS 2 /* when shared */
#define CHUNKS_MAX 64 /* in a queue */
#define PARTS_MAX 3
#define CALLS_MAX 4000
#define READER_PID 900
#define READERS 3

struct config {
	uint64_t seed;
	bool packet, ids, prints, same_length;
	bool owners; /* each call knows which chunks it made */
	uint32_t readers; /* threads that take from the one socket; 0: one */
	int procs; /* that the sending threads belong to */
	int parts; /* per call, at most */
	int peeks;
	bool own_socks; /* one per thread; else two threads share each */
	bool unknown_peer;
	int lose_one_in; /* records */
	uint64_t
		settle_ns; /* default 200 ms: all of it happens within ten, but no step takes a hundredth of it */
};

struct chunk {
	uint64_t id, made_ns;
	uint32_t len, off;
	uint32_t sender; /* thread */
	uint64_t sock;
	uint16_t print;
	bool last;
};

enum step { IDLE, ENTERED, QUEUED, LOOKED, TAKEN };

struct thread {
	enum step step;
	uint64_t enter_ns;
	uint64_t sock;
	int part, parts;
	int64_t total, reported;
	uint16_t print;
	uint64_t made_id, made_ns; /* of the chunk queued last */
	uint32_t made_len;
	bool has_pending;
	struct op pending; /* reported when the next part begins, or the call ends */
};

struct call_truth {
	uint64_t ts_ns;
	uint64_t bytes[SENDERS]; /* by process */
	uint64_t exact[SENDERS], maybe[SENDERS], inferred[SENDERS];
	uint64_t unknown, total;
};

struct sim {
	const struct config *c;
	struct kit *k;
	uint64_t rng, now_ns;
	struct chunk queue[CHUNKS_MAX];
	size_t queued;
	uint64_t free_ids[CHUNKS_MAX * 2];
	size_t free_cnt;
	struct thread sender[SENDERS], reader[READERS];
	bool was_empty[READERS];
	struct call_truth *calls;
	size_t call_cnt;
	struct call_truth cur[READERS];
	uint64_t taken, exact_bytes, inferred_bytes, candidate_bytes, unknown_bytes, finished, messages;
	uint64_t wrong_bytes; /* called exact, and are not */
	uint64_t
		missed_bytes; /* called neither exact nor inferred nor unknown, and their sender is no candidate */
};

static inline uint64_t dice(struct sim *s, uint64_t sides)
{
	return kit__random(&s->rng) % sides;
}

static inline uint32_t proc_of(const struct sim *s, uint32_t thread)
{
	return thread % (uint32_t)s->c->procs;
}

static inline void tick(struct sim *s)
{
	s->now_ns += 1 + dice(s, dice(s, 40) ? 700 : 90000);
}

static inline void feed(struct sim *s, struct op *op)
{
	tick(s);
	op->ts_ns = s->now_ns;
	if (s->c->lose_one_in && !dice(s, (uint64_t)s->c->lose_one_in)) {
		model__lost(s->k->m, s->now_ns, MECH, 1);
		return;
	}
	model__op(s->k->m, op);
}

static inline void queue_chunk(struct sim *s, uint32_t i)
{
	struct thread *t = &s->sender[i];
	struct chunk *c = &s->queue[s->queued++];
	/* The kernel splits long calls only. */
	uint32_t len = s->c->same_length ? 10 : 1 + (uint32_t)dice(s, 40) + (t->parts > 1 ? 2000 : 0);

	t->part++;
	t->print = (uint16_t)(1 + dice(s, 5));
	t->total += len;
	t->made_id = s->free_ids[--s->free_cnt];
	t->made_ns = s->now_ns;
	t->made_len = len;
	if (s->c->owners)
		tick(s);
	*c = (struct chunk){ .id = t->made_id,
			     .made_ns = t->made_ns,
			     .len = len,
			     .sender = i,
			     .sock = t->sock,
			     .print = t->print,
			     .last = t->part == t->parts };
}

static inline struct op send_op(struct sim *s, uint32_t i)
{
	struct thread *t = &s->sender[i];
	struct op op = { .enter_ns = t->enter_ns,
			 .pid = 100 + proc_of(s, i),
			 .tid = 200 + i,
			 .kind = OP_SEND,
			 .mech = MECH,
			 .rule = PAIR_MESSAGE,
			 .obj = kit__key(t->sock),
			 .peer = kit__key(50),
			 .flags = s->c->packet ? OP_F_PACKET : 0,
			 .fd = -1 };

	return op;
}

/* The tail of the queue, as a kernel program sees it: own, newer, or nothing. */
static inline void look(struct sim *s, uint32_t i)
{
	struct thread *t = &s->sender[i];
	const struct chunk *tail = s->queued ? &s->queue[s->queued - 1] : NULL;
	struct op op = send_op(s, i);

	if (t->has_pending) {
		t->pending.flags |= OP_F_MORE;
		t->reported += (int64_t)t->pending.bytes;
		feed(s, &t->pending);
	}
	if (s->c->owners) {
		bool there = tail && tail->made_ns == t->made_ns;

		op.flags |= OP_F_OWN_ID | (there ? 0 : OP_F_NO_LEN);
		op.msg.id = t->made_id;
		op.msg.made_ns = t->made_ns;
		op.bytes = there ? t->made_len : 0;
	} else if (s->c->ids && tail && tail->sock == t->sock) {
		op.msg.id = tail->id;
		op.msg.total = tail->len;
		op.bytes = tail->len;
	} else {
		op.flags |= OP_F_NO_ID;
		op.bytes = 0;
	}
	t->pending = op;
	t->has_pending = true;
}

static inline void end_send(struct sim *s, uint32_t i)
{
	struct thread *t = &s->sender[i];

	t->pending.ret = t->total;
	if (t->pending.flags & OP_F_NO_ID || (t->parts == 1 && t->pending.flags & OP_F_NO_LEN)) {
		t->pending.flags &= ~(uint32_t)OP_F_NO_LEN;
		t->pending.bytes = (uint64_t)(t->total - t->reported);
	}
	if (s->c->unknown_peer && (t->pending.flags & OP_F_NO_ID))
		t->pending.peer = kit__key(0);
	if (s->c->prints && t->parts == 1)
		t->pending.fp[0] = t->print;
	feed(s, &t->pending);
	t->has_pending = false;
	t->step = IDLE;
}

static inline void step_sender(struct sim *s, uint32_t i)
{
	struct thread *t = &s->sender[i];

	tick(s);
	switch (t->step) {
	case IDLE:
		t->enter_ns = s->now_ns;
		t->sock = 1 + (s->c->own_socks ? i : i % SOCKS);
		t->part = 0;
		t->parts = s->c->packet ? 1 : 1 + (int)dice(s, (uint64_t)s->c->parts);
		t->total = t->reported = 0;
		t->step = ENTERED;
		break;
	case ENTERED:
		if (s->queued + 1 >= CHUNKS_MAX || !s->free_cnt)
			return; /* the queue is full: blocked */
		queue_chunk(s, i);
		t->step = QUEUED;
		break;
	case QUEUED:
		if (s->c->ids || s->c->owners || t->part == t->parts)
			look(s, i);
		t->step = t->part == t->parts ? LOOKED : ENTERED;
		break;
	default:
		end_send(s, i);
		break;
	}
}

static inline struct op recv_op(struct sim *s, uint32_t r)
{
	struct op op = { .enter_ns = s->reader[r].enter_ns,
			 .pid = READER_PID + r,
			 .tid = READER_PID + r,
			 .kind = OP_RECV,
			 .mech = MECH,
			 .rule = PAIR_MESSAGE,
			 .obj = kit__key(50),
			 .fd = -1 };

	if (s->was_empty[r])
		op.flags |= OP_F_WAITED;
	if (s->c->packet)
		op.flags |= OP_F_PACKET;
	return op;
}

static inline void take(struct sim *s, uint32_t r, bool peek)
{
	struct thread *t = &s->reader[r];
	struct chunk *c = &s->queue[0];
	uint32_t want = s->c->packet ? c->len : 1 + (uint32_t)dice(s, c->len - c->off);
	struct op op = recv_op(s, r);

	if (t->has_pending) {
		t->pending.flags |= OP_F_MORE;
		feed(s, &t->pending);
	}
	op.msg.made_ns = s->c->owners ? c->made_ns : 0;
	op.msg.id = c->id;
	op.msg.off = c->off;
	op.msg.total = c->len;
	op.bytes = want;
	op.peer = kit__key(c->sock);
	if (s->c->prints && !c->off)
		op.fp[0] = c->print;
	if (peek)
		op.flags |= OP_F_PEEK;
	t->pending = op;
	t->has_pending = true;
	t->total += want;
	if (peek)
		return;
	s->cur[r].bytes[proc_of(s, c->sender)] += want;
	s->cur[r].total += want;
	c->off += want;
	if (c->off < c->len)
		return;
	s->finished += c->last;
	s->free_ids[s->free_cnt++] = c->id;
	memmove(&s->queue[0], &s->queue[1], --s->queued * sizeof(s->queue[0]));
}

static inline void end_recv(struct sim *s, uint32_t r, bool peeked)
{
	struct thread *t = &s->reader[r];

	t->pending.ret = t->total;
	if (!peeked && !s->queued)
		t->pending.flags |= OP_F_DRAINED;
	feed(s, &t->pending);
	t->has_pending = false;
	t->step = IDLE;
	if (peeked)
		return;
	s->cur[r].ts_ns = s->now_ns;
	s->taken += s->cur[r].total;
	s->calls[s->call_cnt++] = s->cur[r];
}

static inline void step_reader(struct sim *s, uint32_t r)
{
	struct thread *t = &s->reader[r];
	bool peek = s->c->peeks && !dice(s, (uint64_t)s->c->peeks);

	tick(s);
	switch (t->step) {
	case IDLE:
		t->enter_ns = s->now_ns;
		t->total = 0;
		memset(&s->cur[r], 0, sizeof(s->cur[r]));
		s->was_empty[r] = !s->queued;
		t->step = ENTERED;
		break;
	case ENTERED:
		if (!s->queued)
			return;
		take(s, r, peek);
		if (peek)
			end_recv(s, r, true);
		else
			t->step = TAKEN;
		break;
	default:
		if (s->queued && !s->c->packet && !s->queue[0].off && !dice(s, 3))
			take(s, r, false);
		else
			end_recv(s, r, false);
		break;
	}
}

static inline struct call_truth *truth_of(struct sim *s, uint64_t ts_ns)
{
	size_t low = 0, high = s->call_cnt;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->calls[mid].ts_ns < ts_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->call_cnt && s->calls[low].ts_ns == ts_ns ? &s->calls[low] : NULL;
}

static inline void note(struct sim *s, const struct message *m)
{
	struct call_truth *t = truth_of(s, m->ts_ns);
	uint32_t src = m->src.proc ? m->src.proc->pid - 100 : 0;

	if (!t) { /* the call's last record was lost */
		EXPECT(s->c->lose_one_in);
		return;
	}
	s->messages += m->messages;
	if (m->attr == ATTR_EXACT) {
		t->exact[src] += m->bytes;
		s->exact_bytes += m->bytes;
	} else if (m->attr == ATTR_INFERRED) {
		t->inferred[src] += m->bytes;
		s->inferred_bytes += m->bytes;
	} else if (m->attr == ATTR_CANDIDATES) {
		EXPECT(m->candidate_cnt > 1);
		for (size_t i = 0; i < m->candidate_cnt; i++)
			t->maybe[m->candidates[i]->pid - 100] += m->bytes;
		s->candidate_bytes += m->bytes;
	} else {
		EXPECT(!m->src.proc);
		t->unknown += m->bytes;
		s->unknown_bytes += m->bytes;
	}
}

static inline void judge(struct sim *s)
{
	for (size_t i = 0; i < s->call_cnt; i++) {
		const struct call_truth *t = &s->calls[i];
		uint64_t inferred = 0;

		for (size_t p = 0; p < SENDERS; p++)
			inferred += t->inferred[p];
		for (size_t p = 0; p < SENDERS; p++) {
			uint64_t covered = t->exact[p] + t->maybe[p] + inferred + t->unknown;

			if (t->exact[p] > t->bytes[p])
				s->wrong_bytes += t->exact[p] - t->bytes[p];
			if (t->bytes[p] > covered)
				s->missed_bytes += t->bytes[p] - covered;
		}
	}
}

static inline uint32_t reader_cnt(const struct sim *s)
{
	return s->c->readers ? s->c->readers : 1;
}

static inline void drain(struct sim *s)
{
	for (uint32_t r = 0; r < reader_cnt(s); r++) {
		while (s->reader[r].step == TAKEN || (!r && s->queued))
			step_reader(s, r);
	}
}

static inline void simulate(struct sim *s, const struct config *c)
{
	size_t i;

	memset(s, 0, sizeof(*s));
	s->c = c;
	s->k = kit__new_settling(c->settle_ns ? c->settle_ns : 200 * MS);
	s->rng = c->seed * 7919 + 1;
	s->now_ns = 1000000;
	s->calls = calloc(CALLS_MAX, sizeof(*s->calls));
	for (i = 0; i < CHUNKS_MAX; i++)
		s->free_ids[s->free_cnt++] = 0xffff0000 + i * 0x100;
	for (i = 0; i < 6000 && s->k->cnt < KIT_MESSAGES_MAX - 64 && s->call_cnt < CALLS_MAX; i++) {
		uint64_t who = dice(s, SENDERS + 3);

		if (who < SENDERS)
			step_sender(s, (uint32_t)who);
		else
			step_reader(s, reader_cnt(s) > 1 ? (uint32_t)dice(s, reader_cnt(s)) : 0);
		if (!dice(s, 50))
			model__advance(s->k->m, s->now_ns);
	}
	/* Let all calls end, and the reader take everything. */
	drain(s);
	for (i = 0; i < SENDERS; i++)
		while (s->sender[i].step != IDLE && s->queued < CHUNKS_MAX - 2)
			step_sender(s, (uint32_t)i);
	drain(s);
	model__finish(s->k->m, s->now_ns);
	for (i = 0; i < s->k->cnt; i++)
		note(s, &s->k->got[i].m);
	judge(s);
}

#endif
