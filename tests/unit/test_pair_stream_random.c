/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random runs of a small imitation of the kernel's pipe, traced as the kernel half does it, against the truth.
 *
 * A task is preempted anywhere between its samples and its work under the lock, also in the middle of that, as often as
 * a run's dice say; records are reported when their operation ends.
 * STREAM_RUNS=n: how many runs; STREAM_SEED=n: only that one, STREAM_SHOW=1: with all its records.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "model/pair.h"

#define PAGE 4096u
#define TASKS_MAX 8
#define PIDS_MAX (2 * TASKS_MAX + 2)
#define OLD 0 /* writer of what lay there before the trace */

enum contents { DISTINCT, IDENTICAL, ABSENT, CONTENTS_CNT };
enum phase { IDLE, ENTER, WORK, SLEEP, EXIT, DEAD };

struct extent { /* bytes of one write in a slot */
	uint32_t op, from, len;
};

struct slot {
	uint32_t off, len;
	bool packet;
	VEC(struct extent) extents;
	uint32_t eaten;
};

struct truth { /* of one operation */
	uint32_t pid, tid;
	uint64_t ts_ns;
	uint32_t bytes, done; /* moved in all */
	uint32_t from[PIDS_MAX]; /* read: bytes by writer */
	uint32_t msgs[PIDS_MAX];
	uint32_t got[PIDS_MAX]; /* what the model said */
	uint32_t got_msgs[PIDS_MAX];
	uint32_t exact[PIDS_MAX]; /* of it, said to be certain */
	bool doubted, is_read;
};

struct task {
	enum phase phase;
	uint32_t pid, tid;
	bool writes, packet;
	uint32_t ops_left, op, want, left;
	uint64_t enter_ns, addr_s;
	uint32_t flags;
	bool tried_merge, half, asleep, waits, took;
};

struct sim {
	uint64_t rng;
	uint64_t now_ns, step_ns;
	uint32_t head, tail, ring;
	struct slot slots[32];
	struct task tasks[TASKS_MAX];
	unsigned task_cnt, writer_cnt;
	int owner; /* of the lock; -1: nobody */
	enum contents contents;
	uint32_t max_write, max_read;
	unsigned stick; /* of 1000: the same task runs on */
	bool is_traced;
	bool resamples; /* at wake and at the contended lock; older kernels' tracers do not */
	struct model *m;
	VEC(struct truth) truth;
	uint64_t reads, exact_wrong, doubtful, msgs_wrong, read_bytes, said_bytes;
	bool show;
};

static uint32_t dice(struct sim *s, uint32_t n)
{
	s->rng ^= s->rng << 13;
	s->rng ^= s->rng >> 7;
	s->rng ^= s->rng << 17;
	return n ? (uint32_t)((s->rng * 0x2545f4914f6cdd1dull) >> 33) % n : 0;
}

static uint8_t byte_of(const struct sim *s, uint32_t op, uint32_t k)
{
	uint64_t h = ((uint64_t)op << 32 | k) * 0x9e3779b97f4a7c15ull;

	return s->contents == IDENTICAL ? 'x' : (uint8_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9ull >> 56);
}

static uint64_t write_addr(const struct sim *s)
{
	uint32_t last = s->head - 1;
	const struct slot *sl = &s->slots[last % s->ring];

	return (uint64_t)last << 32 | (sl->off + sl->len);
}

static uint64_t read_addr(const struct sim *s)
{
	return (uint64_t)s->tail << 32 | (s->head == s->tail ? 0 : s->slots[s->tail % s->ring].off);
}

/* ---- what the tracer would say ---- */

struct prefix {
	uint8_t byte[16];
	unsigned cnt;
};

static void hashes(const struct sim *s, const struct prefix *pre, uint16_t fp[4])
{
	static const unsigned level[4] = { 1, 4, 8, 16 };

	for (unsigned i = 0; i < 4; i++) {
		uint32_t h = 2166136261u;

		for (unsigned k = 0; k < level[i]; k++)
			h = (h ^ pre->byte[k]) * 16777619u;
		fp[i] = s->contents == ABSENT || pre->cnt < level[i] ? 0 : (uint16_t)(h ^ h >> 16) | 1;
	}
}

static struct prefix prefixes[1 << 16]; /* by operation: what it moved first */

static void report(struct sim *s, struct task *t, uint32_t more)
{
	struct op op = { 0 };
	const struct truth *tr = &s->truth.v[t->op];

	op.ts_ns = s->now_ns;
	op.enter_ns = t->enter_ns;
	op.pid = t->pid;
	op.tid = t->tid;
	op.kind = t->writes ? OP_SEND : OP_RECV;
	op.mech = 1;
	op.rule = PAIR_STREAM;
	op.flags = t->flags | more;
	op.obj = (struct obj_key){ 77, 1ull << 56 };
	op.fd = -1;
	op.fd2 = -1;
	op.bytes = more ? 0 : tr->done;
	op.ret = (int64_t)op.bytes;
	op.stream.addr_s = t->addr_s;
	op.stream.addr_e = t->writes ? write_addr(s) : read_addr(s);
	hashes(s, &prefixes[t->op], op.fp);
	if (s->is_traced && s->show)
		printf("%6" PRIu64 " %c%u n=%-6" PRIu64 " %u:%u..%u:%u enter %" PRIu64 " flags %x\n",
		       op.ts_ns / 1000, t->writes ? 'W' : 'R', op.tid, op.bytes,
		       (uint32_t)(op.stream.addr_s >> 32), (uint32_t)op.stream.addr_s,
		       (uint32_t)(op.stream.addr_e >> 32), (uint32_t)op.stream.addr_e, op.enter_ns / 1000,
		       op.flags);
	t->addr_s = op.stream.addr_e;
	s->truth.v[t->op].ts_ns = s->now_ns;
	if (s->is_traced)
		model__op(s->m, &op);
}

/* ---- the pipe ---- */

static void note_prefix(const struct sim *s, uint32_t op, uint32_t src, uint32_t k)
{
	struct prefix *pre = &prefixes[op];

	if (pre->cnt < sizeof(pre->byte))
		pre->byte[pre->cnt++] = byte_of(s, src, k);
}

static void put(struct sim *s, struct task *t, struct slot *sl, uint32_t n)
{
	struct truth *tr = &s->truth.v[t->op];

	for (uint32_t i = 0; i < n && i < 16; i++)
		note_prefix(s, t->op, t->op, tr->done + i);
	vec__push(&sl->extents, ((struct extent){ t->op, tr->done, n }));
	sl->len += n;
	tr->done += n;
	t->left -= n;
}

/* One visible step of pipe_write() under the lock; true: done, or nothing more to do now. */
static bool write_step(struct sim *s, struct task *t)
{
	struct slot *last = &s->slots[(s->head - 1) % s->ring];
	uint32_t chars = t->left % PAGE;
	struct slot *sl;
	uint32_t n;

	if (!t->tried_merge) {
		t->tried_merge = true;
		if (chars && s->head != s->tail && !last->packet && !t->packet &&
		    last->off + last->len + chars <= PAGE) {
			put(s, t, last, chars);
			return !t->left;
		}
	}
	if (!t->half) {
		if (s->head - s->tail >= s->ring)
			return true;
		sl = &s->slots[s->head % s->ring];
		sl->off = sl->len = sl->eaten = 0;
		sl->extents.cnt = 0;
		sl->packet = t->packet;
		s->head++;
		t->half = true;
		if (dice(s, 2))
			return false;
	}
	t->half = false;
	n = t->left < PAGE ? t->left : PAGE;
	put(s, t, &s->slots[(s->head - 1) % s->ring], n);
	return !t->left;
}

static void eat(struct sim *s, struct task *t, struct slot *sl, uint32_t n, bool counts)
{
	struct truth *tr = &s->truth.v[t->op];

	sl->off += counts ? n : 0; /* the rest of a packet is forgotten, not stepped over */
	sl->len -= n;
	while (n) {
		struct extent *x = &sl->extents.v[sl->eaten];
		uint32_t take = n < x->len ? n : x->len;
		struct truth *w = &s->truth.v[x->op];

		for (uint32_t i = 0; counts && i < take && i < 16; i++)
			note_prefix(s, t->op, x->op, x->from + i);
		if (counts)
			tr->from[w->pid] += take;
		x->from += take;
		x->len -= take;
		if (x->from == w->bytes)
			tr->msgs[w->pid]++;
		n -= take;
		sl->eaten += !x->len;
	}
}

/* One visible step of pipe_read(); true: done. */
static bool read_step(struct sim *s, struct task *t)
{
	struct slot *sl = &s->slots[s->tail % s->ring];
	bool packet = sl->packet;
	uint32_t n;

	if (s->head == s->tail)
		return t->took;
	n = t->left < sl->len ? t->left : sl->len;
	eat(s, t, sl, n, true);
	s->truth.v[t->op].done += n;
	t->left -= n;
	t->took = true;
	if (packet && sl->len)
		eat(s, t, sl, sl->len, false);
	if (!sl->len)
		s->tail++;
	return !t->left || packet;
}

/* ---- tasks ---- */

static void begin(struct sim *s, struct task *t)
{
	uint32_t max = t->writes ? s->max_write : s->max_read;

	t->ops_left--;
	t->op = (uint32_t)s->truth.cnt;
	t->want = t->left = 1 + dice(s, dice(s, 3) ? max : max / 8 + 1);
	vec__push(&s->truth, ((struct truth){ .pid = s->is_traced || !t->writes ? t->pid : OLD,
					      .tid = t->tid,
					      .is_read = !t->writes,
					      .bytes = t->want }));
	prefixes[t->op].cnt = 0;
	t->tried_merge = t->half = t->asleep = t->waits = t->took = false;
	t->flags = t->packet ? OP_F_PACKET : 0;
	t->enter_ns = s->now_ns;
	t->addr_s = t->writes ? write_addr(s) : read_addr(s);
	if (t->writes ? s->head - s->tail >= s->ring : s->head == s->tail)
		t->flags |= OP_F_WAITED;
	t->phase = WORK;
}

static bool can_go(const struct sim *s, const struct task *t, int i)
{
	if (t->phase == DEAD)
		return false;
	if (t->phase == IDLE)
		return t->ops_left;
	if (t->phase != WORK || s->owner == i)
		return true;
	if (t->asleep)
		return t->writes ? s->head - s->tail < s->ring : s->head != s->tail;
	return s->owner < 0 || !t->waits;
}

/* What the kernel half does when a task that slept runs again, or gets a lock that it waited for. */
static void sample_again(struct sim *s, struct task *t)
{
	if (s->resamples)
		t->addr_s = t->writes ? write_addr(s) : read_addr(s);
}

static void work(struct sim *s, struct task *t, int i)
{
	if (t->asleep) {
		t->asleep = false;
		sample_again(s, t);
		return;
	}
	if (s->owner >= 0 && s->owner != i) {
		t->waits = true;
		return;
	}
	s->owner = i;
	if (t->waits)
		sample_again(s, t);
	t->waits = false;
	if (!(t->writes ? write_step(s, t) : read_step(s, t)) && (t->writes || s->head != s->tail || t->took))
		return;
	s->owner = -1;
	if (t->writes)
		t->phase = t->left ? SLEEP : EXIT;
	else if (t->took)
		t->phase = EXIT;
	else
		t->asleep = true;
}

static void run(struct sim *s, int i)
{
	struct task *t = &s->tasks[i];

	s->now_ns += s->step_ns;
	switch (t->phase) {
	case IDLE:
		begin(s, t);
		break;
	case WORK:
		work(s, t, i);
		break;
	case SLEEP:
		if (t->want > PAGE)
			report(s, t, OP_F_BLOCKED);
		t->asleep = true;
		t->phase = WORK;
		break;
	case EXIT:
		report(s, t, 0);
		t->phase = IDLE;
		break;
	default:
		break;
	}
}

static int choose(struct sim *s, int last)
{
	unsigned start;

	if (last >= 0 && dice(s, 1000) < s->stick && can_go(s, &s->tasks[last], last))
		return last;
	start = dice(s, s->task_cnt);
	for (unsigned k = 0; k < s->task_cnt; k++) {
		unsigned i = (start + k) % s->task_cnt;

		if (can_go(s, &s->tasks[i], (int)i))
			return (int)i;
	}
	return -1;
}

static void on_message(void *ctx, const struct message *msg)
{
	struct sim *s = ctx;
	struct truth *tr = NULL;
	uint32_t src = msg->src.proc ? msg->src.proc->pid : OLD;

	for (size_t i = s->truth.cnt; i-- > 0 && !tr;)
		if (s->truth.v[i].tid == msg->dst.tid && s->truth.v[i].ts_ns == msg->ts_ns)
			tr = &s->truth.v[i];
	ck_assert_ptr_nonnull(tr);
	s->said_bytes += msg->bytes;
	tr->got[src] += (uint32_t)msg->bytes;
	if (msg->attr == ATTR_EXACT)
		tr->exact[src] += (uint32_t)msg->bytes;
	tr->got_msgs[src] += (uint32_t)msg->messages;
	tr->doubted |= msg->attr != ATTR_EXACT && (src != OLD || !tr->from[OLD]);
}

static void setup(struct sim *s, uint64_t seed)
{
	static const unsigned sticks[] = { 0, 500, 900, 990 };
	static const uint32_t sizes[] = { 16, 300, 4096, 5000, 20000 };
	bool packet, shared;

	memset(s, 0, sizeof(*s));
	s->rng = seed * 0x9e3779b97f4a7c15ull + 1;
	for (int i = 0; i < 8; i++)
		dice(s, 1);
	s->ring = 2u << dice(s, 4);
	s->owner = -1;
	s->now_ns = 1000000;
	s->contents = dice(s, CONTENTS_CNT);
	s->stick = sticks[dice(s, 4)];
	s->max_write = sizes[dice(s, 5)];
	s->max_read = sizes[dice(s, 5)];
	s->writer_cnt = 1 + dice(s, 4);
	s->task_cnt = s->writer_cnt + 1 + dice(s, 4);
	packet = !dice(s, 8);
	shared = !dice(s, 4);
	s->step_ns = dice(s, 2)	       ? 1000
		     : s->stick <= 500 ? 20000
				       : 2000; /* nobody stays away longer than the model waits */
	s->resamples = dice(s, 4);
	for (unsigned i = 0; i < s->task_cnt; i++) {
		struct task *t = &s->tasks[i];

		t->writes = i < s->writer_cnt;
		t->tid = i + 1;
		t->pid = shared ? (t->writes ? 1 + i / 2 : 10 + i / 2) : i + 1;
		t->packet = t->writes && packet;
		t->ops_left = 1 + dice(s, 40);
	}
}

static void tell_object(struct sim *s, bool scanned)
{
	struct object_info info = { .ts_ns = s->now_ns,
				    .key = { 77, 1ull << 56 },
				    .mech = 1,
				    .scanned = scanned,
				    .name = "pipe:[77]",
				    .name_len = 9 };

	info.rd_addr = read_addr(s);
	info.wr_addr = write_addr(s);
	info.fill_bytes = UINT64_MAX;
	model__object(s->m, &info);
}

/*
 * Wrong is what is said to be certain and is not: more bytes from one process to another than there were. Which of
 * its reads took them does not matter where one process made several that overlap.
 */
static void judge(struct sim *s, size_t from)
{
	static uint64_t truly[PIDS_MAX][PIDS_MAX], exactly[PIDS_MAX][PIDS_MAX];

	memset(truly, 0, sizeof(truly));
	memset(exactly, 0, sizeof(exactly));
	for (size_t i = from; i < s->truth.cnt; i++) {
		struct truth *tr = &s->truth.v[i];
		bool wrong = false, msgs_wrong = false;

		for (unsigned p = 0; p < PIDS_MAX; p++) {
			wrong |= tr->got[p] != tr->from[p];
			msgs_wrong |= p != OLD && tr->got_msgs[p] != tr->msgs[p];
			s->read_bytes += tr->from[p];
			truly[p][tr->pid] += tr->from[p];
			exactly[p][tr->pid] += tr->exact[p];
		}
		s->reads += tr->is_read;
		s->doubtful += tr->doubted;
		s->msgs_wrong += msgs_wrong && !tr->doubted && !wrong;
		if (s->show && (wrong || tr->doubted || msgs_wrong))
			printf("tid %u at %" PRIu64 "%s%s%s: truth %u/%u/%u/%u/%u, said %u/%u/%u/%u/%u\n",
			       tr->tid, tr->ts_ns / 1000, wrong ? " wrong" : "",
			       tr->doubted ? " doubted" : "", msgs_wrong ? " messages" : "", tr->from[0],
			       tr->from[1], tr->from[2], tr->from[3], tr->from[4], tr->got[0], tr->got[1],
			       tr->got[2], tr->got[3], tr->got[4]);
	}
	for (unsigned w = 0; w < PIDS_MAX; w++)
		for (unsigned r = 0; r < PIDS_MAX; r++)
			s->exact_wrong += exactly[w][r] > truly[w][r];
}

/* Readers go on until no write sleeps; true: one has to. */
static bool feed_sleepers(struct sim *s)
{
	bool sleeps = false;

	for (unsigned i = 0; i < s->writer_cnt; i++)
		sleeps |= s->tasks[i].phase != IDLE;
	if (sleeps)
		s->tasks[s->writer_cnt].ops_left++, s->max_read = 1 << 18;
	return sleeps;
}

static void simulate(struct sim *s, uint64_t seed, bool show)
{
	struct model_sink sink = { .ctx = s, .message = on_message };
	size_t from = 0;
	int last = -1;

	setup(s, seed);
	s->show = show;
	s->m = model__new(NULL, &sink);
	s->is_traced = dice(s, 5);
	if (s->is_traced)
		tell_object(s, false);
	for (unsigned steps = 0;; steps++) {
		bool quiet = true;

		for (unsigned i = 0; i < s->task_cnt; i++)
			quiet &= s->tasks[i].phase == IDLE;
		if (!s->is_traced && steps > 100 && quiet) {
			from = s->truth.cnt;
			s->is_traced = true;
			tell_object(s, true);
		}
		last = choose(s, last);
		if (last < 0 && !feed_sleepers(s))
			break;
		if (last < 0)
			continue;
		run(s, last);
	}
	if (!s->is_traced)
		from = s->truth.cnt;
	model__finish(s->m, s->now_ns + 1000);
	judge(s, from);
}

static void cleanup(struct sim *s)
{
	model__free(s->m);
	for (unsigned i = 0; i < 32; i++)
		vec__free(&s->slots[i].extents);
	vec__free(&s->truth);
}

static uint64_t env(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v ? strtoull(v, NULL, 10) : otherwise;
}

START_TEST(test_random_runs)
{
	uint64_t runs = env("STREAM_RUNS", 4000), only = env("STREAM_SEED", 0);
	uint64_t by_stick[1000][2] = { 0 };
	uint64_t total[CONTENTS_CNT] = { 0 }, right[CONTENTS_CNT] = { 0 }, wrong[CONTENTS_CNT] = { 0 };
	uint64_t doubted[CONTENTS_CNT] = { 0 }, msgs[CONTENTS_CNT] = { 0 };
	uint64_t all_reads = 0, all_doubted = 0;
	static const char *const names[] = { "distinct", "identical", "no hashes" };
	static struct sim s;

	for (uint64_t seed = only ? only : 1; seed <= (only ? only : runs); seed++) {
		simulate(&s, seed, env("STREAM_SHOW", 0));
		if (s.read_bytes != s.said_bytes)
			ck_abort_msg("seed %" PRIu64 ": %" PRIu64 " bytes read, %" PRIu64 " in messages",
				     seed, s.read_bytes, s.said_bytes);
		if (s.exact_wrong)
			ck_abort_msg("seed %" PRIu64 ": said to be certain and is wrong", seed);
		if (s.task_cnt == 2 && (s.exact_wrong || s.doubtful || s.msgs_wrong))
			ck_abort_msg("seed %" PRIu64 ": one writer, one reader, and not right", seed);
		total[s.contents]++;
		right[s.contents] += !s.exact_wrong && !s.doubtful && !s.msgs_wrong;
		by_stick[s.stick][0]++;
		by_stick[s.stick][1] += !s.exact_wrong && !s.doubtful && !s.msgs_wrong;
		wrong[s.contents] += s.exact_wrong != 0;
		doubted[s.contents] += s.doubtful != 0;
		msgs[s.contents] += s.msgs_wrong != 0;
		all_reads += s.reads;
		all_doubted += s.doubtful;
		cleanup(&s);
	}
	for (int i = 0; i < 1000; i++)
		if (by_stick[i][0])
			printf("task runs on in %d of 1000 steps: %" PRIu64 " runs, %" PRIu64
			       " fully right\n",
			       i, by_stick[i][0], by_stick[i][1]);
	printf("%" PRIu64 " reads, %" PRIu64 " doubted\n", all_reads, all_doubted);
	for (int c = 0; c < CONTENTS_CNT; c++)
		printf("%s: %" PRIu64 " runs, %" PRIu64 " fully right, %" PRIu64 " with wrong, %" PRIu64
		       " with doubtful, %" PRIu64 " with miscounted messages\n",
		       names[c], total[c], right[c], wrong[c], doubted[c], msgs[c]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pair_stream_random");
	TCase *tc = tcase_create("runs");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, test_random_runs);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr) || !srunner_ntests_run(sr);
	srunner_free(sr);
	return failed;
}
