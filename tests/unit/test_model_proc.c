/* SPDX-License-Identifier: GPL-2.0 */
#include "model/proc.h"
#include "model_kit.h"
#include "suite.h"

static void feed(struct proc_table *t, struct task_info info, const char *comm)
{
	strncpy(info.comm, comm, sizeof(info.comm) - 1);
	proc_table__feed(t, &info);
}

START_TEST(a_pid_used_again_is_another_process)
{
	struct proc_table t = { 0 };
	struct proc *first, *second;

	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 5, .tid = 5, .start_ns = 100, .ts_ns = 100 },
	     "a");
	first = proc_table__get(&t, 5);
	feed(&t,
	     (struct task_info){ .what = TASK_EXIT,
				 .pid = 5,
				 .tid = 5,
				 .start_ns = 100,
				 .ts_ns = 200,
				 .group_dead = true,
				 .exit_code = 9 },
	     "a");
	ck_assert(first->exited);
	ck_assert_uint_eq(first->exit_ns, 200);
	ck_assert_int_eq(first->exit_code, 9);
	ck_assert_ptr_eq(proc_table__get(&t, 5), first); /* what it does while it exits is its own */
	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 5, .tid = 5, .start_ns = 300, .ts_ns = 300 },
	     "b");
	second = proc_table__get(&t, 5);
	ck_assert_ptr_ne(first, second);
	ck_assert_str_eq(first->comm, "a");
	ck_assert_str_eq(second->comm, "b");
	ck_assert(!second->exited);
	ck_assert_uint_eq(t.all.cnt, 2);
	ck_assert_uint_eq(second->id, 1);
	proc_table__free(&t);
}
END_TEST

START_TEST(a_lost_exit_does_not_merge_two_processes)
{
	struct proc_table t = { 0 };
	struct proc *first;

	feed(&t, (struct task_info){ .what = TASK_SCAN, .pid = 5, .tid = 5, .start_ns = 100, .ts_ns = 150 },
	     "a");
	feed(&t, (struct task_info){ .what = TASK_SCAN, .pid = 5, .tid = 6, .start_ns = 100, .ts_ns = 150 },
	     "thread");
	first = proc_table__get(&t, 5);
	feed(&t, (struct task_info){ .what = TASK_RENAME, .pid = 5, .tid = 5, .start_ns = 300, .ts_ns = 310 },
	     "b");
	ck_assert_ptr_ne(proc_table__get(&t, 5), first);
	ck_assert(first->exited);
	ck_assert_str_eq(proc_table__comm(&t, 5, 6), "b");
	proc_table__free(&t);
}
END_TEST

START_TEST(a_process_known_by_pid_only_is_filled_in)
{
	struct proc_table t = { 0 };
	struct proc *p = proc_table__get(&t, 7);

	ck_assert(!p->known);
	ck_assert_str_eq(p->exe, "");
	feed(&t,
	     (struct task_info){ .what = TASK_SCAN,
				 .pid = 7,
				 .tid = 7,
				 .start_ns = 3,
				 .exe = "/bin/x",
				 .exe_len = 6,
				 .args = "x\0-y",
				 .args_len = 5,
				 .uid = 12 },
	     "x");
	ck_assert_ptr_eq(proc_table__get(&t, 7), p);
	ck_assert(p->known);
	ck_assert_uint_eq(p->start_ns, 3);
	ck_assert_uint_eq(p->uid, 12);
	ck_assert_str_eq(p->exe, "/bin/x");
	ck_assert_uint_eq(p->args_len, 5);
	ck_assert_ptr_null(proc_table__get(&t, 0));
	ck_assert_ptr_null(proc_table__find(&t, 8));
	proc_table__free(&t);
}
END_TEST

START_TEST(a_thread_has_its_own_name)
{
	struct proc_table t = { 0 };

	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 5, .tid = 5, .start_ns = 1 }, "main");
	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 5, .tid = 6, .start_ns = 1 }, "main");
	feed(&t, (struct task_info){ .what = TASK_RENAME, .pid = 5, .tid = 6, .start_ns = 1 }, "worker");
	ck_assert_str_eq(proc_table__comm(&t, 5, 5), "main");
	ck_assert_str_eq(proc_table__comm(&t, 5, 6), "worker");
	ck_assert_str_eq(proc_table__comm(&t, 5, 99), "main");
	feed(&t, (struct task_info){ .what = TASK_EXIT, .pid = 5, .tid = 6, .start_ns = 1 }, "worker");
	ck_assert_str_eq(proc_table__comm(&t, 5, 6), "main");
	ck_assert(!proc_table__get(&t, 5)->exited);
	ck_assert_uint_eq(t.tasks.cnt, 0);
	ck_assert_str_eq(proc_table__comm(&t, 44, 44), "");
	proc_table__free(&t);
}
END_TEST

START_TEST(exec_by_another_thread_than_the_leader)
{
	struct proc_table t = { 0 };
	struct proc *p;

	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 5, .tid = 5, .start_ns = 1 }, "main");
	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 5, .tid = 6, .start_ns = 1 }, "worker");
	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 5, .tid = 7, .start_ns = 1 }, "other");
	p = proc_table__get(&t, 5);
	/* The leader goes first, then the thread comes back under its tid. */
	feed(&t, (struct task_info){ .what = TASK_EXIT, .pid = 5, .tid = 5, .start_ns = 1 }, "main");
	ck_assert(!p->exited);
	feed(&t,
	     (struct task_info){ .what = TASK_EXEC,
				 .pid = 5,
				 .tid = 5,
				 .old_tid = 6,
				 .start_ns = 1,
				 .exe = "/bin/new",
				 .exe_len = 8 },
	     "new");
	ck_assert_ptr_eq(proc_table__get(&t, 5), p);
	ck_assert_str_eq(p->exe, "/bin/new");
	ck_assert_str_eq(proc_table__comm(&t, 5, 5), "new");
	ck_assert_str_eq(proc_table__comm(&t, 5, 6), "new");
	ck_assert_uint_eq(t.tasks.cnt, 0);
	proc_table__free(&t);
}
END_TEST

START_TEST(parents_are_found_in_either_order)
{
	struct proc_table t = { 0 };

	feed(&t, (struct task_info){ .what = TASK_SCAN, .pid = 5, .tid = 5, .ppid = 9, .start_ns = 1 },
	     "child");
	ck_assert_ptr_null(proc_table__get(&t, 5)->parent);
	feed(&t,
	     (struct task_info){
		     .what = TASK_SCAN, .pid = 9, .tid = 9, .start_ns = 1, .exe = "/p", .exe_len = 2 },
	     "parent");
	ck_assert_ptr_eq(proc_table__get(&t, 5)->parent, proc_table__get(&t, 9));
	feed(&t, (struct task_info){ .what = TASK_FORK, .pid = 10, .tid = 10, .ppid = 9, .start_ns = 5 },
	     "parent");
	ck_assert_ptr_eq(proc_table__get(&t, 10)->parent, proc_table__get(&t, 9));
	ck_assert_str_eq(proc_table__get(&t, 10)->exe, "/p");
	proc_table__free(&t);
}
END_TEST

START_TEST(children_outlive_others_until_their_parent_is_found)
{
	struct proc_table t = { 0 };

	for (uint32_t pid = 5; pid < 8; pid++)
		feed(&t,
		     (struct task_info){
			     .what = TASK_SCAN, .pid = pid, .tid = pid, .ppid = 9, .start_ns = 1 },
		     "child");
	for (uint32_t pid = 5; pid < 7; pid++)
		feed(&t,
		     (struct task_info){ .what = TASK_EXIT,
					 .pid = pid,
					 .tid = pid,
					 .start_ns = 1,
					 .ts_ns = 2,
					 .group_dead = true },
		     "child");
	proc_table__fold(&t, proc_table__get(&t, 6));
	proc_table__drop_merged(&t);
	feed(&t, (struct task_info){ .what = TASK_SCAN, .pid = 9, .tid = 9, .start_ns = 1 }, "parent");
	ck_assert_ptr_eq(proc_table__get(&t, 7)->parent, proc_table__get(&t, 9));
	ck_assert_ptr_null(proc_table__get(&t, 5)->parent); /* ended before: that 9 was another one, maybe */
	proc_table__free(&t);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_pid_used_again_is_another_process,
		a_lost_exit_does_not_merge_two_processes,
		a_process_known_by_pid_only_is_filled_in,
		a_thread_has_its_own_name,
		exec_by_another_thread_than_the_leader,
		parents_are_found_in_either_order,
		children_outlive_others_until_their_parent_is_found,
	};

	return SUITE_RUN("model_proc", tests);
}
