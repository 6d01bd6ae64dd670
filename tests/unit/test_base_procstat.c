/* SPDX-License-Identifier: GPL-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/procstat.h"
#include "suite.h"

START_TEST(a_name_with_everything_in_it)
{
	char word[32];

	prctl(PR_SET_NAME, "a) S (1 2) 3");
	ck_assert_int_eq(procstat__field("/proc/thread-self", PROCSTAT_STATE, word, sizeof(word)), 0);
	ck_assert_str_eq(word, "R");
	ck_assert_int_eq(procstat__field("/proc/self", PROCSTAT_STATE + 1, word, sizeof(word)), 0);
	ck_assert_int_eq(atoi(word), getppid());
}
END_TEST

START_TEST(what_is_not_there)
{
	char word[4] = "x";

	ck_assert_int_eq(procstat__field("/proc/0", PROCSTAT_STATE, word, sizeof(word)), -ENOENT);
	ck_assert_str_eq(word, "");
	ck_assert_int_eq(procstat__field("/proc/self", 1000, word, sizeof(word)), -ENOENT);
	ck_assert_int_eq(procstat__field("/proc/self", PROCSTAT_START, word, 2), 0);
	ck_assert_int_eq(word[1], 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { a_name_with_everything_in_it, what_is_not_there };

	return SUITE_RUN("base/procstat", tests);
}
