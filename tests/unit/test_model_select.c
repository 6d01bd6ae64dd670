/* SPDX-License-Identifier: GPL-2.0 */
#include "model/select.h"
#include "model_kit.h"
#include "suite.h"

struct world {
	struct proc_table procs;
	struct select *s;
};

static void feed(struct world *w, uint8_t what, uint32_t pid, uint32_t ppid, uint64_t start_ns,
		 const char *comm)
{
	struct task_info info = { .what = what,
				  .pid = pid,
				  .tid = pid,
				  .ppid = ppid,
				  .start_ns = start_ns,
				  .uid = pid,
				  .cgroup = pid * 2,
				  .group_dead = what == TASK_EXIT };

	strncpy(info.comm, comm, sizeof(info.comm) - 1);
	proc_table__feed(&w->procs, &info);
	select__task(w->s, &w->procs, &info);
}

static struct world world(const struct select_opts *opts)
{
	struct world w = { .s = select__new(opts) };

	feed(&w, TASK_SCAN, 10, 1, 1, "nginx");
	feed(&w, TASK_SCAN, 11, 10, 1, "nginx-worker");
	feed(&w, TASK_SCAN, 20, 1, 1, "redis");
	return w;
}

static void end(struct world *w)
{
	select__free(w->s);
	proc_table__free(&w->procs);
}

static struct party party(struct world *w, uint32_t pid)
{
	struct party p = { .proc = proc_table__get(&w->procs, pid), .tid = pid };

	memcpy(p.comm, proc_table__comm(&w->procs, pid, pid), 16);
	return p;
}

static bool passes(struct world *w, uint32_t src, uint32_t dst)
{
	struct message m = {
		.mech = 3, .bytes = 100, .latency_ns = 100, .src = party(w, src), .dst = party(w, dst)
	};

	return select__message(w->s, &m);
}

START_TEST(nothing_asked_takes_all)
{
	struct world w = world(&(struct select_opts){ 0 });

	ck_assert(passes(&w, 10, 20));
	ck_assert(passes(&w, 0, 20));
	end(&w);
}
END_TEST

START_TEST(a_pid_on_either_side)
{
	struct world w = world(&(struct select_opts){ .pids = { 10, 77 }, .pid_cnt = 2 });

	ck_assert(passes(&w, 10, 20));
	ck_assert(passes(&w, 20, 10));
	ck_assert(!passes(&w, 11, 20));
	ck_assert(!passes(&w, 0, 20));
	feed(&w, TASK_FORK, 12, 10, 5, "nginx");
	ck_assert(!passes(&w, 12, 20)); /* not followed */
	end(&w);
}
END_TEST

START_TEST(followed_are_children_from_the_fork_on)
{
	struct world w = world(&(struct select_opts){ .pids = { 10 }, .pid_cnt = 1, .follow = true });

	ck_assert(!passes(&w, 11, 20)); /* was there before */
	feed(&w, TASK_FORK, 12, 10, 5, "nginx");
	feed(&w, TASK_FORK, 13, 12, 6, "nginx");
	ck_assert(passes(&w, 12, 20));
	ck_assert(passes(&w, 20, 13));
	end(&w);
}
END_TEST

START_TEST(another_process_under_the_pid_is_not_meant)
{
	struct world w = world(&(struct select_opts){ .pids = { 10 }, .pid_cnt = 1 });

	feed(&w, TASK_EXIT, 10, 1, 1, "nginx");
	ck_assert(passes(&w, 10, 20)); /* what it did last */
	feed(&w, TASK_FORK, 10, 1, 9, "other");
	ck_assert(!passes(&w, 10, 20));
	end(&w);
}
END_TEST

START_TEST(sides_by_glob_or_pid)
{
	struct world w = world(&(struct select_opts){ .src = "nginx*", .dst = "20" });

	ck_assert(passes(&w, 10, 20));
	ck_assert(passes(&w, 11, 20));
	ck_assert(!passes(&w, 20, 10));
	ck_assert(!passes(&w, 10, 11));
	ck_assert(!passes(&w, 0, 20));
	end(&w);
	w = world(&(struct select_opts){ .dst = "2*" }); /* no number, so a name */
	ck_assert(!passes(&w, 10, 20));
	end(&w);
}
END_TEST

START_TEST(owners_and_sizes)
{
	struct world w = world(&(struct select_opts){ .have_uid = true, .uid = 20 });

	ck_assert(passes(&w, 10, 20));
	ck_assert(!passes(&w, 10, 11));
	end(&w);
	w = world(&(struct select_opts){ .have_cgroup = true, .cgroup = 22 });
	ck_assert(passes(&w, 11, 20));
	ck_assert(!passes(&w, 10, 20));
	end(&w);
	w = world(&(struct select_opts){ .min_bytes = 101 });
	ck_assert(!passes(&w, 10, 20));
	end(&w);
	w = world(&(struct select_opts){ .min_latency_ns = 100, .min_bytes = 100, .mechs = 1 << 3 });
	ck_assert(passes(&w, 10, 20));
	end(&w);
	w = world(&(struct select_opts){ .mechs = 1 << 4 });
	ck_assert(!passes(&w, 10, 20));
	end(&w);
}
END_TEST

START_TEST(operations_have_one_side)
{
	struct world w = world(&(struct select_opts){ .src = "nginx", .dst = "redis" });
	struct op op = { .mech = 3 };
	struct party p = party(&w, 10);

	ck_assert(select__op(w.s, &op, &p));
	p = party(&w, 20);
	ck_assert(select__op(w.s, &op, &p));
	p = party(&w, 11);
	ck_assert(!select__op(w.s, &op, &p));
	end(&w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_asked_takes_all,
		a_pid_on_either_side,
		followed_are_children_from_the_fork_on,
		another_process_under_the_pid_is_not_meant,
		sides_by_glob_or_pid,
		owners_and_sizes,
		operations_have_one_side,
	};

	return SUITE_RUN("model_select", tests);
}
