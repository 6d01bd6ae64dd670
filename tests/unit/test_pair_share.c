/* SPDX-License-Identifier: GPL-2.0 */
/* Who shares memory with whom: each rule by itself, then random mappings against a page-by-page model. */
#include "model_kit.h"
#include "suite.h"

#define MECH_SHM 9
#define PAGE 4096ull

static struct op map_op(uint64_t ts, uint32_t pid, enum op_kind kind, uint64_t obj, uint64_t addr,
			uint64_t len, uint32_t flags)
{
	struct op op = { .ts_ns = ts,
			 .enter_ns = ts,
			 .pid = pid,
			 .tid = pid,
			 .kind = kind,
			 .mech = MECH_SHM,
			 .rule = PAIR_SHARE,
			 .obj = kit__key(obj),
			 .fd = -1,
			 .fd2 = -1 };

	op.map.addr = addr;
	op.map.len = len;
	op.map.flags = flags;
	return op;
}

static void feed(struct kit *k, uint64_t ts, uint32_t pid, enum op_kind kind, uint64_t obj, uint64_t addr,
		 uint64_t len, uint32_t flags)
{
	struct op op = map_op(ts, pid, kind, obj, addr, len, flags);

	model__op(k->m, &op);
}

static void attach(struct kit *k, uint64_t ts, uint32_t pid, uint64_t obj, uint64_t addr, uint32_t flags)
{
	feed(k, ts, pid, OP_ATTACH, obj, addr, PAGE, flags);
}

static struct share *share(struct kit *k, uint32_t a, uint32_t b)
{
	struct graph *g = model__graph(k->m);

	for (size_t i = 0; i < g->shares.cnt; i++) {
		struct share *s = g->shares.v[i];

		if ((s->a->pid == a && s->b->pid == b) || (s->a->pid == b && s->b->pid == a))
			return s;
	}
	return NULL;
}

START_TEST(two_at_the_same_time)
{
	struct kit *k = kit__new();
	struct share *s;

	kit__fork(k, 1, 10, 1, "a");
	kit__fork(k, 2, 11, 1, "b");
	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE);
	attach(k, 20, 11, 7, 0x9000, 0);
	s = share(k, 10, 11);
	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(s->a->pid == 10 ? s->a_mode : s->b_mode, "rw");
	ck_assert_str_eq(s->a->pid == 10 ? s->b_mode : s->a_mode, "ro");
	ck_assert_uint_eq(s->from_ns, 20);
	ck_assert_uint_eq(s->until_ns, 0);
	feed(k, 30, 10, OP_DETACH, 7, 0x1000, PAGE, 0);
	ck_assert_uint_eq(s->until_ns, 30);
	ck_assert_ptr_nonnull(kit__end(k, 10, "attach-rw"));
	ck_assert_ptr_nonnull(kit__end(k, 11, "attach-ro"));
	kit__free(k);
}
END_TEST

START_TEST(who_joins_with_write_access_has_one_role)
{
	struct kit *k = kit__new();

	attach(k, 10, 10, 7, 0x1000, 0);
	attach(k, 20, 11, 7, 0x9000, MAP_F_WRITE);
	ck_assert_ptr_nonnull(kit__end(k, 11, "attach-rw"));
	ck_assert_ptr_null(kit__end(k, 11, "attach-ro"));
	kit__free(k);
}
END_TEST

START_TEST(one_after_the_other_is_no_share)
{
	struct kit *k = kit__new();

	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE);
	feed(k, 20, 10, OP_DETACH, 7, 0x1000, PAGE, 0);
	attach(k, 30, 11, 7, 0x1000, MAP_F_WRITE);
	ck_assert_ptr_null(share(k, 10, 11));
	kit__free(k);
}
END_TEST

START_TEST(a_file_counts_once_somebody_can_write)
{
	struct kit *k = kit__new();

	attach(k, 10, 10, 7, 0x1000, MAP_F_FILE);
	attach(k, 20, 11, 7, 0x1000, MAP_F_FILE);
	ck_assert_ptr_null(share(k, 10, 11));
	ck_assert_ptr_null(kit__end(k, 10, "attach-ro"));
	attach(k, 30, 12, 7, 0x1000, MAP_F_FILE | MAP_F_WRITE);
	ck_assert_ptr_nonnull(share(k, 10, 11));
	ck_assert_ptr_nonnull(share(k, 10, 12));
	ck_assert_ptr_nonnull(share(k, 11, 12));
	ck_assert_uint_eq(share(k, 10, 11)->from_ns, 30);
	kit__free(k);
}
END_TEST

START_TEST(mprotect_makes_it_writable)
{
	struct kit *k = kit__new();

	attach(k, 10, 10, 7, 0x1000, MAP_F_FILE);
	attach(k, 20, 11, 7, 0x1000, MAP_F_FILE);
	feed(k, 30, 11, OP_CONTROL, 7, 0x1000, PAGE, MAP_F_WRITE);
	ck_assert_ptr_nonnull(share(k, 10, 11));
	ck_assert_str_eq(share(k, 10, 11)->a->pid == 11 ? share(k, 10, 11)->a_mode : share(k, 10, 11)->b_mode,
			 "rw");
	kit__free(k);
}
END_TEST

START_TEST(fork_inherits_exec_and_exit_drop)
{
	struct kit *k = kit__new();
	struct task_info exec = { .ts_ns = 40, .pid = 11, .tid = 11, .what = TASK_EXEC };

	kit__fork(k, 1, 10, 1, "a");
	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE);
	kit__fork(k, 20, 11, 10, "b");
	kit__fork(k, 30, 12, 10, "c");
	ck_assert_uint_eq(share(k, 10, 11)->from_ns, 20);
	ck_assert_uint_eq(share(k, 11, 12)->from_ns, 30);
	model__task(k->m, &exec);
	ck_assert_uint_eq(share(k, 10, 11)->until_ns, 40);
	ck_assert_uint_eq(share(k, 10, 12)->until_ns, 0);
	kit__exit(k, 50, 12, 0);
	ck_assert_uint_eq(share(k, 10, 12)->until_ns, 50);
	kit__free(k);
}
END_TEST

START_TEST(vfork_shares_no_mapping)
{
	struct kit *k = kit__new();
	struct task_info info = { .ts_ns = 20,
				  .start_ns = 20,
				  .pid = 11,
				  .tid = 11,
				  .ppid = 10,
				  .ptid = 10,
				  .what = TASK_FORK,
				  .shares_mm = true };

	kit__fork(k, 1, 10, 1, "a");
	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE);
	model__task(k->m, &info);
	ck_assert_ptr_null(share(k, 10, 11));
	kit__free(k);
}
END_TEST

START_TEST(clone_parent_inherits_from_who_called)
{
	struct kit *k = kit__new();
	struct task_info info = {
		.ts_ns = 20, .start_ns = 20, .pid = 12, .tid = 12, .ppid = 10, .ptid = 11, .what = TASK_FORK
	};

	kit__fork(k, 1, 10, 1, "a");
	kit__fork(k, 2, 11, 10, "b");
	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE);
	attach(k, 11, 11, 8, 0x1000, MAP_F_WRITE);
	model__task(k->m, &info);
	ck_assert_ptr_null(share(k, 10, 12));
	ck_assert_ptr_nonnull(share(k, 11, 12));
	kit__free(k);
}
END_TEST

START_TEST(partial_unmap_keeps_the_rest)
{
	struct kit *k = kit__new();

	feed(k, 10, 10, OP_ATTACH, 7, 0x10000, 4 * PAGE, MAP_F_WRITE);
	attach(k, 11, 11, 7, 0x1000, MAP_F_WRITE);
	feed(k, 20, 10, OP_DETACH, 7, 0x10000 + PAGE, PAGE, 0);
	feed(k, 21, 10, OP_DETACH, 7, 0x10000, PAGE, 0);
	ck_assert_uint_eq(share(k, 10, 11)->until_ns, 0);
	feed(k, 22, 10, OP_DETACH, 7, 0x10000 + 2 * PAGE, 2 * PAGE, 0);
	ck_assert_uint_eq(share(k, 10, 11)->until_ns, 22);
	kit__free(k);
}
END_TEST

START_TEST(shmdt_leaves_other_objects)
{
	struct kit *k = kit__new();

	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE);
	attach(k, 10, 10, 8, 0x2000, MAP_F_WRITE);
	attach(k, 11, 11, 8, 0x1000, MAP_F_WRITE);
	feed(k, 20, 10, OP_DETACH, 7, 0x1000, 2 * PAGE, MAP_F_ONE_OBJECT);
	ck_assert_uint_eq(share(k, 10, 11)->until_ns, 0);
	feed(k, 21, 10, OP_DETACH, 99, 0x1000, 2 * PAGE, MAP_F_ONE_OBJECT);
	ck_assert_uint_eq(share(k, 10, 11)->until_ns, 0);
	kit__free(k);
}
END_TEST

START_TEST(mapping_over_replaces)
{
	struct kit *k = kit__new();

	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE);
	attach(k, 11, 11, 7, 0x1000, MAP_F_WRITE);
	attach(k, 20, 10, 8, 0x1000, MAP_F_WRITE);
	ck_assert_uint_eq(share(k, 10, 11)->until_ns, 20);
	attach(k, 30, 10, 7, 0x1000, MAP_F_WRITE);
	ck_assert_uint_eq(share(k, 10, 11)->until_ns, 0);
	ck_assert_uint_eq(share(k, 10, 11)->from_ns, 11);
	kit__free(k);
}
END_TEST

START_TEST(a_failed_shmat_attaches_nothing)
{
	struct kit *k = kit__new();
	struct op op = map_op(20, 11, OP_ATTACH, 7, 0x1000, PAGE, MAP_F_SEGMENT | MAP_F_WRITE);

	attach(k, 10, 10, 7, 0x1000, MAP_F_WRITE | MAP_F_SEGMENT);
	op.ret = -13;
	model__op(k->m, &op);
	ck_assert_ptr_null(share(k, 10, 11));
	kit__free(k);
}
END_TEST

START_TEST(a_segment_outlives_its_creator)
{
	struct kit *k = kit__new();
	struct op op = map_op(10, 10, OP_CREATE, 7, 0, 0, MAP_F_SEGMENT);
	struct channel *ch;

	kit__fork(k, 1, 10, 1, "a");
	op.map.creator = 10;
	op.map.size_bytes = 5000;
	model__op(k->m, &op);
	ck_assert_ptr_nonnull(kit__end(k, 10, "owner"));
	attach(k, 20, 10, 7, 0x1000, MAP_F_WRITE | MAP_F_SEGMENT);
	kit__exit(k, 30, 10, 0);
	model__finish(k->m, 40);
	ch = kit__channel(k, "obj:[7]");
	ck_assert(ch->memory.known && ch->memory.left_behind && ch->memory.creator_gone);
	ck_assert_uint_eq(ch->memory.attached, 0);
	ck_assert_uint_eq(ch->memory.size_bytes, 5000);
	ck_assert_uint_eq(ch->memory.creator_pid, 10);
	ck_assert_uint_eq(ch->memory.detached_ns, 30);
	kit__free(k);
}
END_TEST

START_TEST(a_removed_segment_is_not_left_behind)
{
	struct kit *k = kit__new();
	struct op op = map_op(10, 10, OP_CREATE, 7, 0, 0, MAP_F_SEGMENT);

	op.map.creator = 99;
	model__op(k->m, &op);
	feed(k, 20, 10, OP_UNLINK, 7, 0, 0, MAP_F_SEGMENT);
	model__finish(k->m, 40);
	ck_assert(!kit__channel(k, "obj:[7]")->memory.left_behind);
	kit__free(k);
}
END_TEST

/* ---- random ---- */

#define PROCS 4
#define PAGES 12
#define OBJECTS 3

struct world {
	uint8_t at[PROCS][PAGES]; /* object + 1; 0: nothing */
	bool seen[PROCS][PROCS][OBJECTS];
};

static bool has(const struct world *w, int p, int o)
{
	for (int i = 0; i < PAGES; i++)
		if (w->at[p][i] == o + 1)
			return true;
	return false;
}

static void note(struct world *w)
{
	for (int o = 0; o < OBJECTS; o++)
		for (int a = 0; a < PROCS; a++)
			for (int b = 0; b < PROCS; b++)
				w->seen[a][b][o] |= a != b && has(w, a, o) && has(w, b, o);
}

static bool open_share(struct kit *k, int a, int b, int o, bool *ever)
{
	struct graph *g = model__graph(k->m);
	char name[32];

	snprintf(name, sizeof(name), "obj:[%d]", 100 + o);
	*ever = false;
	for (size_t i = 0; i < g->shares.cnt; i++) {
		const struct share *s = g->shares.v[i];
		uint32_t x = 10 + (uint32_t)a, y = 10 + (uint32_t)b;

		if (strcmp(s->channel->name, name) ||
		    !((s->a->pid == x && s->b->pid == y) || (s->a->pid == y && s->b->pid == x)))
			continue;
		EXPECT(!*ever); /* one link per pair and object */
		*ever = true;
		if (!s->until_ns)
			return true;
	}
	return false;
}

static void compare(struct kit *k, const struct world *w)
{
	for (int o = 0; o < OBJECTS; o++)
		for (int a = 0; a < PROCS; a++)
			for (int b = a + 1; b < PROCS; b++) {
				bool ever, now = open_share(k, a, b, o, &ever);

				EXPECT(ever == w->seen[a][b][o]);
				EXPECT(now == (has(w, a, o) && has(w, b, o)));
			}
}

static void one_world(uint64_t seed)
{
	uint64_t state = 88172645463325252ull + seed * 977;
	struct kit *k = kit__new();
	struct world w = { 0 };

	for (int p = 0; p < PROCS; p++)
		kit__fork(k, 1, 10 + (uint32_t)p, 1, "p");
	for (uint64_t ts = 10; ts < 300; ts++) {
		int p = (int)(kit__random(&state) % PROCS), o = (int)(kit__random(&state) % OBJECTS);
		int from = (int)(kit__random(&state) % PAGES);
		int cnt = 1 + (int)(kit__random(&state) % (uint64_t)(PAGES - from));
		bool map = kit__random(&state) % 5 < 2;

		for (int i = from; i < from + cnt; i++)
			w.at[p][i] = map ? (uint8_t)(o + 1) : 0;
		feed(k, ts, 10 + (uint32_t)p, map ? OP_ATTACH : OP_DETACH, 100 + (uint64_t)o,
		     0x100000 + (uint64_t)from * PAGE, (uint64_t)cnt * PAGE, map ? MAP_F_WRITE : 0);
		note(&w);
		compare(k, &w);
	}
	model__finish(k->m, 1000);
	kit__free(k);
}

START_TEST(random_mappings)
{
	for (uint64_t seed = 0; seed < 20; seed++)
		one_world(seed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		two_at_the_same_time,
		who_joins_with_write_access_has_one_role,
		one_after_the_other_is_no_share,
		a_file_counts_once_somebody_can_write,
		mprotect_makes_it_writable,
		fork_inherits_exec_and_exit_drop,
		vfork_shares_no_mapping,
		clone_parent_inherits_from_who_called,
		partial_unmap_keeps_the_rest,
		shmdt_leaves_other_objects,
		mapping_over_replaces,
		a_failed_shmat_attaches_nothing,
		a_segment_outlives_its_creator,
		a_removed_segment_is_not_left_behind,
		random_mappings,
	};

	return SUITE_RUN("pair_share", tests);
}
