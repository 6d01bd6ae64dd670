/* SPDX-License-Identifier: GPL-2.0 */
/* A test program's main() in one line: a table of tests, run with Check; no test run is a failure. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#define SUITE_TIMEOUT_S 60 /* sanitizers on a busy machine; no test is slow by itself */

/* ck_assert() tells the parent of each success, which is too slow for loops of thousands. */
#define EXPECT(condition)                         \
	do {                                      \
		if (!(condition))                 \
			ck_abort_msg(#condition); \
	} while (0)

#define SUITE_RUN(name, tests) suite_run(name, tests, sizeof(tests) / sizeof((tests)[0]))

static inline int suite_run(const char *name, const TTest *const *tests, size_t cnt)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	SRunner *r = srunner_create(s);
	int run, failed;

	tcase_set_timeout(t, SUITE_TIMEOUT_S);
	suite_add_tcase(s, t);
	for (size_t i = 0; i < cnt; i++)
		tcase_add_test(t, tests[i]);
	srunner_run_all(r, CK_NORMAL);
	run = srunner_ntests_run(r);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
