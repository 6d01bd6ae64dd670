/* SPDX-License-Identifier: GPL-2.0 */
/* Who let whom have a lock: each rule by itself, then random locking against a lock table that knows. */
#include <stdint.h>

#include "model_kit.h"
#include "suite.h"

#define MECH_FLOCK 18
#define FILE_ID 7

struct at { /* one record */
	uint64_t ts, enter;
	uint32_t pid;
	uint64_t owner;
	uint8_t kind, type;
	uint64_t start, end;
};

static struct op lock_op(const struct at *a, enum op_kind what)
{
	struct op op = { .ts_ns = a->ts,
			 .enter_ns = a->enter,
			 .pid = a->pid,
			 .tid = a->pid,
			 .kind = what,
			 .mech = MECH_FLOCK,
			 .rule = PAIR_LOCK,
			 .obj = kit__key(FILE_ID),
			 .fd = -1,
			 .fd2 = -1 };

	op.lock.owner = a->owner;
	op.lock.kind = a->kind;
	op.lock.type = a->type;
	op.lock.start = a->start;
	op.lock.end = a->end;
	return op;
}

static struct at whole(uint64_t ts, uint64_t enter, uint32_t pid, uint8_t type)
{
	return (struct at){ .ts = ts,
			    .enter = enter,
			    .pid = pid,
			    .owner = pid,
			    .kind = LOCK_KIND_FLOCK,
			    .type = type,
			    .end = INT64_MAX };
}

static void feed(struct kit *k, enum op_kind what, struct at a)
{
	struct op op = lock_op(&a, what);

	model__op(k->m, &op);
}

static void lock(struct kit *k, uint64_t ts, uint32_t pid, uint64_t enter)
{
	feed(k, OP_LOCK, whole(ts, enter, pid, LOCK_TYPE_WRITE));
}

static void wait_for(struct kit *k, uint64_t ts, uint32_t pid, uint64_t enter)
{
	feed(k, OP_WAIT, whole(ts, enter, pid, LOCK_TYPE_WRITE));
}

static void unlock(struct kit *k, uint64_t ts, uint32_t pid)
{
	feed(k, OP_UNLOCK, whole(ts, ts, pid, LOCK_TYPE_NONE));
}

START_TEST(a_release_lets_the_waiter_have_it)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	wait_for(k, 20, 2, 15);
	unlock(k, 30, 1);
	lock(k, 35, 2, 15);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.src.proc->pid, 1);
	ck_assert_uint_eq(k->got[0].m.dst.proc->pid, 2);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 5);
	ck_assert_uint_eq(k->got[0].m.wait_ns, 20);
	ck_assert_int_eq(k->got[0].m.attr, ATTR_EXACT);
	ck_assert_uint_eq(kit__end(k, 2, "wait")->messages, 1);
	ck_assert_uint_eq(kit__end(k, 2, "lock")->messages, 1);
	kit__free(k);
}
END_TEST

START_TEST(the_release_may_be_reported_late)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	wait_for(k, 20, 2, 15);
	lock(k, 30, 2, 15);
	unlock(k, 31, 1);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.src.proc->pid, 1);
	kit__free(k);
}
END_TEST

START_TEST(a_late_release_is_not_given_to_the_next_but_one)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	wait_for(k, 20, 2, 15);
	wait_for(k, 21, 3, 16);
	lock(k, 30, 2, 15);
	unlock(k, 31, 2);
	lock(k, 32, 3, 16);
	unlock(k, 33, 1);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_ptr_nonnull(kit__flow(k, 1, 2));
	ck_assert_ptr_nonnull(kit__flow(k, 2, 3));
	kit__free(k);
}
END_TEST

START_TEST(the_wait_may_be_reported_after_the_release)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	unlock(k, 20, 1);
	wait_for(k, 21, 2, 15);
	lock(k, 25, 2, 15);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_ptr_nonnull(kit__flow(k, 1, 2));
	kit__free(k);
}
END_TEST

START_TEST(an_uncontended_lock_is_no_message)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	unlock(k, 20, 1);
	lock(k, 30, 2, 29);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 0);
	kit__free(k);
}
END_TEST

START_TEST(an_interrupted_wait_is_forgotten)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	wait_for(k, 20, 2, 15); /* then a signal, and later another call */
	unlock(k, 30, 1);
	lock(k, 40, 2, 39);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 0);
	kit__free(k);
}
END_TEST

START_TEST(all_readers_that_one_writer_kept_waiting)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	for (uint32_t pid = 2; pid < 5; pid++)
		feed(k, OP_WAIT, whole(20, 15, pid, LOCK_TYPE_READ));
	unlock(k, 30, 1);
	for (uint32_t pid = 2; pid < 5; pid++)
		feed(k, OP_LOCK, whole(40, 15, pid, LOCK_TYPE_READ));
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 3);
	for (uint32_t pid = 2; pid < 5; pid++)
		ck_assert_uint_eq(kit__flow(k, 1, pid)->messages, 1);
	kit__free(k);
}
END_TEST

START_TEST(the_last_of_several_readers_lets_the_writer_have_it)
{
	struct kit *k = kit__new();

	feed(k, OP_LOCK, whole(10, 9, 1, LOCK_TYPE_READ));
	feed(k, OP_LOCK, whole(11, 9, 2, LOCK_TYPE_READ));
	wait_for(k, 20, 3, 15);
	unlock(k, 30, 2);
	unlock(k, 31, 1);
	lock(k, 40, 3, 15);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_ptr_nonnull(kit__flow(k, 1, 3));
	kit__free(k);
}
END_TEST

START_TEST(making_it_a_read_lock_releases_it_for_readers)
{
	struct kit *k = kit__new();

	lock(k, 10, 1, 9);
	feed(k, OP_WAIT, whole(20, 15, 2, LOCK_TYPE_READ));
	feed(k, OP_LOCK, whole(30, 29, 1, LOCK_TYPE_READ));
	feed(k, OP_LOCK, whole(35, 15, 2, LOCK_TYPE_READ));
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_ptr_nonnull(kit__flow(k, 1, 2));
	kit__free(k);
}
END_TEST

START_TEST(only_the_range_counts)
{
	struct kit *k = kit__new();
	struct at a = whole(10, 9, 1, LOCK_TYPE_WRITE), b = whole(20, 15, 2, LOCK_TYPE_WRITE);

	a.kind = b.kind = LOCK_KIND_POSIX;
	a.end = 99;
	feed(k, OP_LOCK, a);
	b.start = 50;
	b.end = 59;
	feed(k, OP_WAIT, b);
	a.type = LOCK_TYPE_NONE;
	a.ts = 30;
	a.end = 9;
	feed(k, OP_UNLOCK, a); /* not that part */
	a.ts = 31;
	a.start = 40;
	a.end = 69;
	feed(k, OP_UNLOCK, a);
	b.ts = 40;
	feed(k, OP_LOCK, b);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.latency_ns, 9);
	kit__free(k);
}
END_TEST

START_TEST(flock_and_fcntl_do_not_meet)
{
	struct kit *k = kit__new();
	struct at b = whole(20, 15, 2, LOCK_TYPE_WRITE);

	lock(k, 10, 1, 9);
	b.kind = LOCK_KIND_POSIX;
	feed(k, OP_WAIT, b);
	unlock(k, 30, 1);
	b.ts = 40;
	feed(k, OP_LOCK, b);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_ptr_null(k->got[0].m.src.proc); /* it waited for somebody, who was not seen */
	ck_assert_int_eq(k->got[0].m.attr, ATTR_UNKNOWN);
	kit__free(k);
}
END_TEST

START_TEST(who_dies_lets_go_afterwards)
{
	struct kit *k = kit__new();

	kit__fork(k, 1, 1, 0, "holder");
	lock(k, 10, 1, 9);
	wait_for(k, 20, 2, 15);
	kit__exit(k, 30, 1, 9);
	unlock(k, 31, 1);
	lock(k, 40, 2, 15);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.src.proc->pid, 1);
	kit__free(k);
}
END_TEST

START_TEST(a_child_may_release_what_its_parent_locked)
{
	struct kit *k = kit__new();
	struct at a = whole(30, 30, 5, LOCK_TYPE_NONE);

	lock(k, 10, 1, 9);
	wait_for(k, 20, 2, 15);
	a.owner = 1; /* the same open file */
	feed(k, OP_UNLOCK, a);
	lock(k, 40, 2, 15);
	model__finish(k->m, 100);
	ck_assert_ptr_nonnull(kit__flow(k, 5, 2));
	kit__free(k);
}
END_TEST

START_TEST(locks_from_before_the_trace)
{
	struct kit *k = kit__new();
	struct at a = whole(5, 0, 1, LOCK_TYPE_WRITE), b = whole(6, 0, 2, LOCK_TYPE_WRITE);
	struct op held = lock_op(&a, OP_LOCK), wanted = lock_op(&b, OP_WAIT);

	held.lock.owner = wanted.lock.owner = 0;
	held.lock.scanned = wanted.lock.scanned = true;
	model__op(k->m, &held);
	model__op(k->m, &wanted);
	unlock(k, 30, 1);
	lock(k, 40, 2, 0);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_ptr_nonnull(kit__flow(k, 1, 2));
	ck_assert_uint_eq(k->got[0].m.wait_ns, 0);
	kit__free(k);
}
END_TEST

START_TEST(state_at_the_end)
{
	struct kit *k = kit__new();
	struct channel *ch;

	lock(k, 10, 1, 9);
	wait_for(k, 20, 2, 15);
	model__finish(k->m, 100);
	ch = kit__channel(k, "obj:[7]");
	ck_assert_uint_eq(ch->holders.cnt, 1);
	ck_assert_uint_eq(ch->holders.v[0]->pid, 1);
	ck_assert_uint_eq(ch->waiters.cnt, 1);
	ck_assert_uint_eq(ch->waiters.v[0]->pid, 2);
	kit__free(k);
}
END_TEST

/* ---- random ---- */

#define OWNERS 5

struct table {
	uint8_t held[OWNERS]; /* 0 no, 1 read, 2 write */
	uint8_t wants[OWNERS];
	uint64_t enter[OWNERS];
	uint32_t last[OWNERS]; /* by whom the last conflicting release was, while this one waited */
	uint32_t truth[OWNERS][OWNERS];
};

static bool free_for(const struct table *t, int who, uint8_t want)
{
	for (int i = 0; i < OWNERS; i++)
		if (i != who && t->held[i] && (t->held[i] == 2 || want == 2))
			return false;
	return true;
}

/* Waiters try again in some order; each that fits has it. The release is reported after that when late. */
static void retry(struct kit *k, struct table *t, uint64_t *ts, uint64_t *state)
{
	int first = (int)(kit__random(state) % OWNERS);

	for (int n = 0; n < OWNERS; n++) {
		int i = (first + n) % OWNERS;

		if (!t->wants[i])
			continue;
		*ts += 2;
		if (!free_for(t, i, t->wants[i])) {
			if (kit__random(state) & 1)
				feed(k, OP_WAIT,
				     whole(*ts, t->enter[i], 10 + (uint32_t)i,
					   t->wants[i] == 2 ? LOCK_TYPE_WRITE : LOCK_TYPE_READ));
			continue;
		}
		t->held[i] = t->wants[i];
		t->wants[i] = 0;
		t->truth[t->last[i]][i]++;
		feed(k, OP_LOCK,
		     whole(*ts, t->enter[i], 10 + (uint32_t)i,
			   t->held[i] == 2 ? LOCK_TYPE_WRITE : LOCK_TYPE_READ));
	}
}

static void release(struct kit *k, struct table *t, int who, uint64_t *ts, uint64_t *state)
{
	uint8_t had = t->held[who];
	bool late = kit__random(state) % 4 == 0;

	t->held[who] = 0;
	for (int i = 0; i < OWNERS; i++)
		if (t->wants[i] && (had == 2 || t->wants[i] == 2))
			t->last[i] = (uint32_t)who;
	if (!late)
		unlock(k, ++*ts, 10 + (uint32_t)who);
	retry(k, t, ts, state);
	if (late)
		unlock(k, ++*ts, 10 + (uint32_t)who);
}

static void one_table(uint64_t seed)
{
	uint64_t state = 88172645463325252ull + seed * 1009, ts = 10;
	struct kit *k = kit__new();
	struct table t = { 0 };

	for (int n = 0; n < 400; n++) {
		int i = (int)(kit__random(&state) % OWNERS);
		uint8_t want = 1 + (uint8_t)(kit__random(&state) & 1);
		struct at a;

		ts += 10;
		if (t.wants[i])
			continue;
		if (t.held[i]) {
			release(k, &t, i, &ts, &state);
			continue;
		}
		t.enter[i] = ts - 5;
		a = whole(ts, t.enter[i], 10 + (uint32_t)i, want == 2 ? LOCK_TYPE_WRITE : LOCK_TYPE_READ);
		if (free_for(&t, i, want)) {
			t.held[i] = want;
			feed(k, OP_LOCK, a);
		} else {
			t.wants[i] = want;
			feed(k, OP_WAIT, a);
		}
	}
	model__finish(k->m, ts + 1);
	for (uint32_t a = 0; a < OWNERS; a++)
		for (uint32_t b = 0; b < OWNERS; b++) {
			struct flow *f = kit__flow(k, 10 + a, 10 + b);

			EXPECT((f ? f->messages : 0) == t.truth[a][b]);
			EXPECT(!f || f->attr == ATTR_EXACT);
		}
	kit__free(k);
}

START_TEST(random_locking)
{
	for (uint64_t seed = 0; seed < 50; seed++)
		one_table(seed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_release_lets_the_waiter_have_it,
		the_release_may_be_reported_late,
		a_late_release_is_not_given_to_the_next_but_one,
		the_wait_may_be_reported_after_the_release,
		an_uncontended_lock_is_no_message,
		an_interrupted_wait_is_forgotten,
		all_readers_that_one_writer_kept_waiting,
		the_last_of_several_readers_lets_the_writer_have_it,
		making_it_a_read_lock_releases_it_for_readers,
		only_the_range_counts,
		flock_and_fcntl_do_not_meet,
		who_dies_lets_go_afterwards,
		a_child_may_release_what_its_parent_locked,
		locks_from_before_the_trace,
		state_at_the_end,
		random_locking,
	};

	return SUITE_RUN("pair_lock", tests);
}
