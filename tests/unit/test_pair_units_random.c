/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters against simulators, in which every thread moves one step at a time, so that every order of taking effect and of
 * reporting comes up. What is called exact must be true, candidates must contain the truth, and sums must agree.
 */
#include "suite.h"
#include "units_kit.h"

#define THREADS 5
#define RECORDS_MAX 512
#define ROUNDS 400
#define STEPS 300

enum state { IDLE, BEGUN, ASLEEP, WOKEN, DONE };

struct thread {
	enum state state;
	uint32_t pid;
	uint64_t enter_ns, wake_ns, waker_ns, amount;
	uint64_t woke_ns; /* when it woke another one in this call */
	size_t record; /* of a take */
};

struct record { /* what a take really got */
	uint32_t pid;
	uint64_t ts_ns;
	uint64_t from[THREADS];
	uint64_t total;
};

struct batch {
	uint32_t owner; /* thread */
	uint64_t cnt;
};

struct sim {
	struct kit *k;
	uint64_t rng, now_ns, step_ns;
	struct thread threads[THREADS];
	size_t posters; /* the first so many post, the others take */
	struct batch queue[RECORDS_MAX * 4];
	size_t head, tail;
	uint64_t held;
	size_t sleepers[THREADS], sleeper_cnt; /* oldest first */
	struct record records[RECORDS_MAX];
	size_t record_cnt;
	bool eventfd, digits;
	size_t exact, doubtful, unknown;
};

static uint64_t below(struct sim *s, uint64_t n)
{
	return kit__random(&s->rng) % n;
}

static void tick(struct sim *s)
{
	s->now_ns += 1 + below(s, s->step_ns);
}

static void take(struct sim *s, struct thread *t)
{
	struct record *r = &s->records[t->record = s->record_cnt++];
	uint64_t left = s->eventfd ? s->held : t->amount;

	*r = (struct record){ .pid = t->pid };
	t->amount = left;
	while (left) {
		struct batch *b = &s->queue[s->head];
		uint64_t cnt = b->cnt < left ? b->cnt : left;

		r->from[b->owner] += s->eventfd ? 1 : cnt; /* eventfd: messages are whole writes */
		r->total += s->eventfd ? 1 : cnt;
		left -= cnt;
		s->held -= cnt;
		b->cnt -= cnt;
		s->head += !b->cnt;
	}
}

static void wake_up(struct sim *s, size_t at, struct thread *by)
{
	struct thread *t = &s->threads[s->sleepers[at]];

	tick(s);
	t->state = s->eventfd ? BEGUN : WOKEN; /* a reader looks again */
	t->wake_ns = s->now_ns;
	t->waker_ns = by->enter_ns;
	if (!by->woke_ns)
		by->woke_ns = s->now_ns;
	if (!s->eventfd)
		units__woke(s->k, s->now_ns, by->pid, t->pid);
	memmove(s->sleepers + at, s->sleepers + at + 1, (--s->sleeper_cnt - at) * sizeof(s->sleepers[0]));
}

/* System V: the poster does the sleepers' operations; an eventfd's readers are only woken. */
static void serve(struct sim *s, struct thread *by)
{
	for (size_t i = 0; i < s->sleeper_cnt;) {
		struct thread *t = &s->threads[s->sleepers[i]];

		if (s->eventfd) {
			wake_up(s, i, by);
		} else if (t->amount <= s->held) {
			take(s, t);
			wake_up(s, i, by);
		} else {
			i++;
		}
	}
}

static uint64_t amount_of(struct sim *s, size_t i)
{
	if (s->eventfd)
		return s->digits ? 1ull << 12 * i : 1;
	return 1 + below(s, 3);
}

static void effect(struct sim *s, size_t i)
{
	struct thread *t = &s->threads[i];

	if (i < s->posters) {
		s->queue[s->tail++] = (struct batch){ .owner = (uint32_t)i, .cnt = t->amount };
		s->held += t->amount;
		t->state = DONE;
		serve(s, t);
	} else if (s->eventfd ? s->held > 0 : s->held >= t->amount) {
		take(s, t);
		t->state = DONE;
	} else {
		t->state = ASLEEP;
		s->sleepers[s->sleeper_cnt++] = i;
	}
}

static struct op report(struct sim *s, size_t i)
{
	struct thread *t = &s->threads[i];
	enum units_act act = i < s->posters ? UNITS_POST : s->eventfd ? UNITS_TAKE_ALL : UNITS_TAKE;
	struct op op = s->eventfd ? units__make_io(act, t->pid, t->enter_ns, s->now_ns, t->amount)
				  : units__make(act, t->pid, t->enter_ns, s->now_ns, t->amount);

	if (t->wake_ns && s->eventfd) {
		op.units.lo_ns = t->wake_ns;
	} else if (t->wake_ns) {
		op.units.lo_ns = t->waker_ns;
		op.units.hi_ns = t->wake_ns;
	}
	if (t->woke_ns && !s->eventfd)
		op.units.hi_ns = t->woke_ns;
	op.units.wake_ns = t->wake_ns;
	return op;
}

static void step(struct sim *s, bool begin)
{
	size_t i = below(s, THREADS);
	struct thread *t = &s->threads[i];
	struct op op;

	tick(s);
	switch (t->state) {
	case IDLE:
		if (!begin || s->record_cnt + THREADS >= RECORDS_MAX)
			return;
		*t = (struct thread){ .state = BEGUN, .pid = t->pid, .enter_ns = s->now_ns };
		t->amount = i < s->posters || !s->eventfd ? amount_of(s, i) : 0;
		return;
	case BEGUN:
		effect(s, i);
		return;
	case ASLEEP:
		return;
	case WOKEN:
	case DONE:
		op = report(s, i);
		if (i >= s->posters)
			s->records[t->record].ts_ns = s->now_ns;
		t->state = IDLE;
		model__op(s->k->m, &op);
		model__advance(s->k->m, s->now_ns);
		return;
	}
}

static const struct record *record_of(const struct sim *s, const struct kit_message *got)
{
	for (size_t i = 0; i < s->record_cnt; i++)
		if (s->records[i].ts_ns == got->op.ts_ns && s->records[i].pid == got->op.pid)
			return &s->records[i];
	return NULL;
}

static bool is_candidate(const struct message *m, uint32_t pid)
{
	for (size_t i = 0; i < m->candidate_cnt; i++)
		if (m->candidates[i]->pid == pid)
			return true;
	return false;
}

static void check_message(struct sim *s, const struct kit_message *got)
{
	const struct record *r = record_of(s, got);
	const struct message *m = &got->m;

	EXPECT(r != NULL);
	if (!m->src.proc) {
		EXPECT(m->attr == ATTR_UNKNOWN);
		s->unknown++;
		return;
	}
	if (m->attr == ATTR_EXACT) {
		s->exact++;
		EXPECT(r->from[m->src.proc->pid - 1] == m->messages);
		return;
	}
	s->doubtful++;
	EXPECT(m->attr == ATTR_CANDIDATES);
	for (uint32_t i = 0; i < s->posters; i++)
		EXPECT(!r->from[i] || is_candidate(m, i + 1));
}

static void check_sums(const struct sim *s)
{
	for (size_t i = 0; i < s->record_cnt; i++) {
		uint64_t sum = 0;
		bool unknown = false; /* then it is not known how many writes that was */

		if (!s->records[i].ts_ns)
			continue; /* never reported */
		for (size_t k = 0; k < s->k->cnt; k++)
			if (record_of(s, &s->k->got[k]) == &s->records[i]) {
				sum += s->k->got[k].m.messages;
				unknown |= !s->k->got[k].m.src.proc;
			}
		EXPECT(unknown || sum == s->records[i].total);
	}
}

static void play(struct sim *s, uint64_t seed)
{
	s->rng = seed * 0x9e3779b97f4a7c15ull + 1;
	s->now_ns = 1000;
	s->step_ns = seed % 3 ? 1000 : 300000;
	s->posters = 1 + below(s, THREADS - 1);
	s->head = s->tail = s->held = s->sleeper_cnt = s->record_cnt = 0;
	memset(s->threads, 0, sizeof(s->threads));
	for (uint32_t i = 0; i < THREADS; i++)
		s->threads[i].pid = i + 1;
	s->k = kit__new();
	for (size_t i = 0; i < STEPS; i++)
		step(s, true);
	for (size_t i = 0; i < STEPS; i++) /* what was begun ends, but for those who sleep */
		step(s, false);
	model__finish(s->k->m, s->now_ns);
	for (size_t i = 0; i < s->k->cnt; i++)
		check_message(s, &s->k->got[i]);
	check_sums(s);
	kit__free(s->k);
}

static void play_all(struct sim *s)
{
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		play(s, seed);
}

START_TEST(semaphores)
{
	static struct sim s;

	play_all(&s);
	ck_assert_uint_gt(s.exact, 1000);
	ck_assert_uint_eq(s.unknown, 0);
}
END_TEST

START_TEST(eventfd_with_telling_values)
{
	static struct sim s = { .eventfd = true, .digits = true };

	play_all(&s);
	ck_assert_uint_gt(s.exact, 1000);
	ck_assert_uint_eq(s.doubtful, 0);
	ck_assert_uint_eq(s.unknown, 0);
}
END_TEST

START_TEST(eventfd_with_equal_values)
{
	static struct sim s = { .eventfd = true };

	play_all(&s);
	ck_assert_uint_gt(s.exact, 1000);
	ck_assert_uint_lt(s.unknown, s.exact / 20);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { semaphores, eventfd_with_telling_values, eventfd_with_equal_values };

	return SUITE_RUN("pair_units_random", tests);
}
