/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Message queues: each case of the rule by itself, then against a simulator of both kinds of queue in which every thread moves
 * one step at a time, so that every order of queueing, taking and reporting comes up. With identities everything must
 * be true and exact; without them what is called exact must be true, candidates must contain the truth, sums must agree.
 */
#include "model_kit.h"
#include "suite.h"

#define MECH_SYSV 4
#define MECH_MQ 7
#define Q 1

struct call {
	uint64_t enter_ns, ts_ns;
	uint32_t pid;
	uint32_t bytes;
	int64_t type;
};

static struct op op_of(enum op_kind kind, const struct call *c)
{
	struct op op = { .kind = kind,
			 .rule = PAIR_QUEUE,
			 .mech = MECH_SYSV,
			 .enter_ns = c->enter_ns,
			 .ts_ns = c->ts_ns,
			 .pid = c->pid,
			 .tid = c->pid,
			 .bytes = c->bytes,
			 .obj = { Q, (uint64_t)MECH_SYSV << 56 },
			 .fd = -1 };

	op.queue.type = c->type;
	op.ret = kind == OP_RECV ? c->bytes : 0;
	return op;
}

static void send_one(struct kit *k, const struct call *c, uint32_t flags)
{
	struct op op = op_of(OP_SEND, c);

	op.flags = flags;
	model__op(k->m, &op);
}

/* from NULL: the kernel half did not see who sent it */
static void recv_one(struct kit *k, const struct call *c, const struct call *from, uint32_t flags)
{
	struct op op = op_of(OP_RECV, c);

	op.flags = flags;
	if (from) {
		op.queue.sent_enter_ns = from->enter_ns;
		op.queue.sent_pid = op.queue.sent_tid = from->pid;
		op.queue.total = from->bytes;
	}
	model__op(k->m, &op);
}

static struct channel *channel(struct kit *k)
{
	return kit__channel(k, "obj:[1]");
}

START_TEST(identity_decides_whatever_the_order)
{
	const struct call a = { 10, 100, 1, 5, 1 }, b = { 20, 30, 2, 5, 1 }, r = { 40, 50, 3, 5, 1 };
	struct kit *k = kit__new();

	send_one(k, &b, 0);
	recv_one(k, &r, &a, 0); /* its send returns later */
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.src.proc->pid, 1);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_EXACT);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 40);
	send_one(k, &a, 0);
	recv_one(k, &(struct call){ 110, 130, 3, 5, 1 }, &b, 0);
	ck_assert_uint_eq(k->got[1].m.src.proc->pid, 2);
	ck_assert_uint_eq(k->got[1].m.latency_ns, 100);
	model__finish(k->m, 200);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 0);
	ck_assert_uint_eq(channel(k)->unread_bytes, 0);
	kit__free(k);
}
END_TEST

START_TEST(what_nobody_sent_is_unknown_at_once)
{
	const struct call r = { 40, 50, 3, 5, 1 };
	struct kit *k = kit__new();

	recv_one(k, &r, NULL, 0);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_ptr_null(k->got[0].m.src.proc);
	ck_assert_uint_eq(channel(k)->unattributed_bytes, 5);
	kit__free(k);
}
END_TEST

START_TEST(copies_and_failures_consume_nothing)
{
	const struct call a = { 10, 20, 1, 5, 1 }, r = { 40, 50, 3, 5, 1 };
	struct op failed = op_of(OP_RECV, &r);
	struct kit *k = kit__new();

	failed.ret = -7; /* E2BIG */
	failed.bytes = 0;
	send_one(k, &a, 0);
	recv_one(k, &r, NULL, OP_F_PEEK);
	model__op(k->m, &failed);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 0);
	ck_assert_uint_eq(channel(k)->unread_bytes, 5);
	ck_assert_uint_eq(model__stats(k->m)->unmatched_sends, 1);
	ck_assert_uint_eq(kit__end(k, 3, "read")->errors, 1);
	ck_assert_uint_eq(kit__end(k, 3, "read")->messages, 0);
	kit__free(k);
}
END_TEST

START_TEST(truncation_discards_the_rest)
{
	const struct call a = { 10, 20, 1, 50, 1 }, r = { 40, 50, 3, 8, 1 };
	struct kit *k = kit__new();

	send_one(k, &a, 0);
	recv_one(k, &r, &a, OP_F_TRUNC);
	ck_assert_uint_eq(kit__flow(k, 1, 3)->bytes, 8);
	ck_assert_uint_eq(channel(k)->discarded_bytes, 42);
	kit__free(k);
}
END_TEST

START_TEST(empty_messages_count)
{
	const struct call a = { 10, 20, 1, 0, 1 }, r = { 40, 50, 3, 0, 1 };
	struct kit *k = kit__new();

	send_one(k, &a, 0);
	recv_one(k, &r, &a, 0);
	ck_assert_uint_eq(kit__flow(k, 1, 3)->messages, 1);
	ck_assert_uint_eq(kit__end(k, 1, "write")->messages, 1);
	ck_assert_uint_eq(kit__end(k, 3, "read")->messages, 1);
	kit__free(k);
}
END_TEST

START_TEST(removal_discards_what_was_in_it)
{
	const struct call a = { 10, 20, 1, 7, 1 }, b = { 30, 40, 1, 9, 1 }, r = { 35, 60, 3, 7, 1 };
	struct op removal = op_of(OP_UNLINK, &(struct call){ 45, 50, 4, 0, 0 });
	struct kit *k = kit__new();

	send_one(k, &a, 0);
	send_one(k, &b, 0);
	model__op(k->m, &removal);
	recv_one(k, &r, &a, 0); /* took it before, returned after */
	model__finish(k->m, 100);
	ck_assert_uint_eq(kit__flow(k, 1, 3)->messages, 1);
	ck_assert_uint_eq(channel(k)->discarded_bytes, 9);
	ck_assert_uint_eq(channel(k)->unread_bytes, 0);
	kit__free(k);
}
END_TEST

START_TEST(an_id_is_used_again)
{
	const struct call a = { 10, 20, 1, 7, 1 }, b = { 60, 70, 2, 9, 1 },
			  r = { 3000 * MS, 3000 * MS + 9, 3, 9, 1 };
	struct op removal = op_of(OP_UNLINK, &(struct call){ 45, 50, 4, 0, 0 });
	struct kit *k = kit__new();

	send_one(k, &a, 0);
	model__op(k->m, &removal);
	send_one(k, &b, 0);
	model__advance(k->m, 2999 * MS);
	recv_one(k, &r, &b, 0);
	model__finish(k->m, 4000 * MS);
	ck_assert_uint_eq(kit__flow(k, 2, 3)->messages, 1);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 3000 * MS + 9 - 70);
	ck_assert_uint_eq(channel(k)->discarded_bytes, 7);
	kit__free(k);
}
END_TEST

START_TEST(the_rule_takes_the_oldest_of_its_type)
{
	struct kit *k = kit__new();

	send_one(k, &(struct call){ 10, 20, 1, 5, 1 }, OP_F_NO_ID);
	send_one(k, &(struct call){ 30, 40, 2, 5, 2 }, OP_F_NO_ID);
	send_one(k, &(struct call){ 50, 60, 4, 5, 1 }, OP_F_NO_ID);
	recv_one(k, &(struct call){ 70, 80, 3, 5, 2 }, NULL, OP_F_NO_ID);
	recv_one(k, &(struct call){ 90, 95, 3, 5, 1 }, NULL, OP_F_NO_ID);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(k->got[0].m.src.proc->pid, 2);
	ck_assert_uint_eq(k->got[1].m.src.proc->pid, 1);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_EXACT);
	ck_assert_int_eq(k->got[1].m.attr, ATTR_EXACT);
	kit__free(k);
}
END_TEST

START_TEST(what_could_not_be_followed_yet_goes_to_who_names_none)
{
	const struct call followed = { 10, 20, 1, 5, 1 }, early = { 25, 30, 2, 5, 1 };
	const struct call r = { 40, 50, 3, 5, 1 }, later = { 60 * MS, 70 * MS, 3, 5, 1 };
	struct kit *k = kit__new();

	send_one(k, &followed, 0);
	send_one(k, &early, OP_F_NO_ID);
	recv_one(k, &r, NULL, OP_F_NO_ID);
	model__advance(k->m, 50 * MS);
	recv_one(k, &later, &followed, 0);
	model__finish(k->m, 80 * MS);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(kit__flow(k, 2, 3)->bytes, 5);
	ck_assert_uint_eq(kit__flow(k, 1, 3)->bytes, 5);
	ck_assert_uint_eq(channel(k)->unattributed_bytes, 0);
	kit__free(k);
}
END_TEST

START_TEST(overlapping_senders_are_candidates)
{
	struct kit *k = kit__new();

	send_one(k, &(struct call){ 10, 40, 1, 5, 1 }, OP_F_NO_ID);
	send_one(k, &(struct call){ 20, 50, 2, 5, 1 }, OP_F_NO_ID);
	recv_one(k, &(struct call){ 70, 80, 3, 5, 1 }, NULL, OP_F_NO_ID);
	recv_one(k, &(struct call){ 81, 90, 3, 5, 1 }, NULL, OP_F_NO_ID);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_CANDIDATES);
	ck_assert_uint_eq(k->got[0].m.candidate_cnt, 2);
	ck_assert_int_eq(k->got[1].m.attr, ATTR_CANDIDATES);
	ck_assert_uint_eq(k->got[1].m.candidate_cnt, 2);
	kit__free(k);
}
END_TEST

START_TEST(a_late_send_is_waited_for)
{
	struct kit *k = kit__new();

	recv_one(k, &(struct call){ 10, 20, 3, 5, 1 }, NULL, OP_F_NO_ID);
	ck_assert_uint_eq(k->cnt, 0);
	send_one(k, &(struct call){ 5, 30, 1, 5, 1 }, OP_F_NO_ID);
	model__advance(k->m, 1000 * MS);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.src.proc->pid, 1);
	kit__free(k);
}
END_TEST

START_TEST(depth_and_limits)
{
	struct op op = op_of(OP_SEND, &(struct call){ 10, 20, 1, 5, 1 });
	struct kit *k = kit__new();

	op.queue.msgs_before = 9;
	op.queue.msgs = 3;
	op.queue.bytes = 300;
	op.queue.msgs_max = 10;
	op.queue.bytes_max = 1000;
	model__op(k->m, &op);
	ck_assert_uint_eq(channel(k)->depth_messages, 3);
	ck_assert_uint_eq(channel(k)->depth_bytes, 300);
	ck_assert_uint_eq(channel(k)->depth_messages_max, 9);
	ck_assert_uint_eq(channel(k)->capacity_messages, 10);
	ck_assert_uint_eq(channel(k)->capacity_bytes, 1000);
	kit__free(k);
}
END_TEST

/* ---- against a simulator ---- */

#define THREADS 7
#define READERS 3 /* the first of them */
#define LEN_MAX 512

struct config {
	uint64_t seed;
	bool ids, prints, priorities;
	int types, lengths;
	uint32_t procs; /* of the senders */
};

struct item {
	uint64_t enter_ns;
	uint32_t thread, bytes;
	int64_t type;
	uint16_t print;
};

struct thread {
	int step; /* 0 idle, 1 entered, 2 done with the queue */
	struct item own;
	int64_t want; /* readers */
};

struct sim {
	const struct config *c;
	struct kit *k;
	uint64_t rng, now_ns;
	struct item queue[LEN_MAX];
	size_t queued;
	struct thread thread[THREADS];
	uint32_t truth[KIT_MESSAGES_MAX]; /* process, by message in order of report */
	size_t taken;
	uint64_t sent;
};

static uint64_t dice(struct sim *s, uint64_t sides)
{
	return kit__random(&s->rng) % sides;
}

static uint32_t pid_of(const struct sim *s, uint32_t thread)
{
	return 100 + (thread < READERS ? thread : 50 + thread % s->c->procs);
}

static struct op thread_op(struct sim *s, uint32_t i)
{
	struct thread *t = &s->thread[i];
	struct op op = { .rule = PAIR_QUEUE,
			 .mech = s->c->priorities ? MECH_MQ : MECH_SYSV,
			 .enter_ns = t->own.enter_ns,
			 .ts_ns = s->now_ns,
			 .pid = pid_of(s, i),
			 .tid = 200 + i,
			 .bytes = t->own.bytes,
			 .fd = -1,
			 .flags = s->c->ids ? 0 : OP_F_NO_ID,
			 .kind = i < READERS ? OP_RECV : OP_SEND };

	op.obj = (struct obj_key){ Q, (uint64_t)op.mech << 56 };
	op.queue.type = t->own.type;
	op.queue.want = t->want;
	op.queue.by_priority = s->c->priorities;
	op.ret = op.kind == OP_RECV ? (int64_t)op.bytes : 0;
	op.fp[0] = t->own.print;
	return op;
}

static void step_sender(struct sim *s, uint32_t i)
{
	struct thread *t = &s->thread[i];
	struct op op;

	switch (t->step) {
	case 0:
		t->own = (struct item){ .enter_ns = s->now_ns,
					.thread = i,
					.bytes = 10 + (uint32_t)dice(s, (uint64_t)s->c->lengths),
					.type = 1 + (int64_t)dice(s, (uint64_t)s->c->types),
					.print = s->c->prints ? (uint16_t)(1 + pid_of(s, i)) : 0 };
		t->step = 1;
		break;
	case 1:
		if (s->queued == 20)
			break;
		s->queue[s->queued++] = t->own;
		s->sent++;
		t->step = 2;
		break;
	default:
		op = thread_op(s, i);
		model__op(s->k->m, &op);
		t->step = 0;
	}
}

static size_t pick(const struct sim *s, const struct thread *t)
{
	size_t best = s->queued;

	for (size_t i = 0; i < s->queued; i++) {
		const struct item *it = &s->queue[i];

		if (s->c->priorities) {
			if (best == s->queued || it->type > s->queue[best].type)
				best = i;
		} else if (t->want < 0) {
			if (it->type <= -t->want && (best == s->queued || it->type < s->queue[best].type))
				best = i;
		} else if (best == s->queued && (!t->want || it->type == t->want)) {
			best = i;
		}
	}
	return best;
}

static void step_reader(struct sim *s, uint32_t i)
{
	struct thread *t = &s->thread[i];
	uint64_t enter_ns = t->own.enter_ns;
	struct op op;
	size_t at;

	switch (t->step) {
	case 0:
		t->own = (struct item){ .enter_ns = s->now_ns };
		t->want = s->c->priorities
				  ? 0
				  : (int64_t)dice(s, (uint64_t)s->c->types + 1) - (int64_t)dice(s, 3);
		t->step = 1;
		break;
	case 1:
		at = pick(s, t);
		if (at == s->queued) {
			t->step = dice(s, 8) ? 1 : 0; /* gives up */
			break;
		}
		t->own = s->queue[at];
		memmove(&s->queue[at], &s->queue[at + 1], (--s->queued - at) * sizeof(s->queue[0]));
		t->step = 2;
		/* its own entry is kept in the thread's slot of the truth until it reports */
		t->want = (int64_t)enter_ns;
		break;
	default:
		op = thread_op(s, i);
		op.enter_ns = (uint64_t)t->want;
		op.queue.want = 0;
		if (s->c->ids) {
			op.queue.sent_enter_ns = t->own.enter_ns;
			op.queue.sent_pid = pid_of(s, t->own.thread);
			op.queue.sent_tid = 200 + t->own.thread;
			op.queue.total = t->own.bytes;
		}
		s->truth[s->taken++] = pid_of(s, t->own.thread);
		model__op(s->k->m, &op);
		t->step = 0;
	}
}

static bool is_candidate(const struct message *m, uint32_t pid)
{
	for (size_t i = 0; i < m->candidate_cnt; i++)
		if (m->candidates[i]->pid == pid)
			return true;
	return false;
}

static size_t check(const struct sim *s)
{
	size_t wrong = 0;

	EXPECT(s->k->cnt == s->taken);
	for (size_t i = 0; i < s->taken; i++) {
		const struct message *m = &s->k->got[i].m;
		bool right = m->src.proc && m->src.proc->pid == s->truth[i];

		if (m->attr == ATTR_EXACT)
			EXPECT(right);
		if (s->c->ids)
			EXPECT(right && m->attr == ATTR_EXACT);
		if (m->attr == ATTR_CANDIDATES && !is_candidate(m, s->truth[i]))
			wrong++;
		if (m->attr == ATTR_UNKNOWN)
			wrong++;
	}
	return wrong;
}

static void simulate(const struct config *c, size_t *taken, size_t *wrong)
{
	struct sim s = { .c = c, .k = kit__new(), .rng = c->seed * 2654435761u + 1, .now_ns = 1000 };

	while (s.taken < 1000) {
		uint32_t i = (uint32_t)dice(&s, THREADS);

		s.now_ns += 1 + dice(&s, 500);
		if (i < READERS)
			step_reader(&s, i);
		else
			step_sender(&s, i);
	}
	model__finish(s.k->m, s.now_ns);
	*taken += s.taken;
	*wrong += check(&s);
	kit__free(s.k);
}

START_TEST(simulated_with_identity)
{
	size_t taken = 0, wrong = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct config c = {
			seed, true, false, seed & 1, 1 + (int)(seed % 5), 1 + (int)(seed % 3), 1 + seed % 4
		};

		simulate(&c, &taken, &wrong);
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(taken, 40000);
}
END_TEST

/* First bytes that name the sender, and distinct lengths, leave nearly nothing to doubt. */
START_TEST(simulated_with_first_bytes)
{
	size_t taken = 0, wrong = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct config c = { seed, false, true, seed & 1, 1 + (int)(seed % 5), 50, 1 + seed % 4 };

		simulate(&c, &taken, &wrong);
	}
	ck_assert_uint_le(wrong, taken / 100);
}
END_TEST

/* Nothing but the order: little is certain, and that must be true. */
START_TEST(simulated_without_evidence)
{
	size_t taken = 0, wrong = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct config c = { seed, false, false, seed & 1, 1 + (int)(seed % 3), 1, 1 + seed % 4 };

		simulate(&c, &taken, &wrong);
	}
	ck_assert_uint_le(wrong, taken / 10);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		simulated_without_evidence,
		identity_decides_whatever_the_order,
		what_nobody_sent_is_unknown_at_once,
		copies_and_failures_consume_nothing,
		truncation_discards_the_rest,
		empty_messages_count,
		removal_discards_what_was_in_it,
		an_id_is_used_again,
		the_rule_takes_the_oldest_of_its_type,
		what_could_not_be_followed_yet_goes_to_who_names_none,
		overlapping_senders_are_candidates,
		a_late_send_is_waited_for,
		depth_and_limits,
		simulated_with_identity,
		simulated_with_first_bytes,
	};

	return SUITE_RUN("pair_queue", tests);
}
