// SPDX-License-Identifier: GPL-2.0
/* Conditions on messages: what they mean, and what is said about those that mean nothing. */
#include <string.h>

#include "model/expr.h"
#include "model/graph.h"
#include "model/proc.h"
#include "suite.h"

static const char *mech_name(uint8_t mech)
{
	static const char *const names[] = { NULL, "pipe", "signal", "posix-mq" };

	return mech < 4 ? names[mech] : NULL;
}

static struct proc sh = { .pid = 10, .uid = 1000, .comm = "sh", .exe = (char *)"/bin/dash" };
static struct proc postgres = { .pid = 11, .comm = "postgres", .exe = (char *)"/usr/bin/postgres" };
static struct channel channel = { .name = "pipe:[5]" };
static const struct op kill_op = { .rule = PAIR_SIGNAL, .sig = { .sig = 9 } };
static const struct op queue_op = { .rule = PAIR_QUEUE, .queue = { .type = 7, .by_priority = true } };

static const struct message by_pipe = {
	.mech = 1,
	.attr = ATTR_EXACT,
	.channel = &channel,
	.src = { .proc = &sh, .tid = 10, .comm = "sh" },
	.dst = { .proc = &postgres, .tid = 12, .comm = "postgres" },
	.bytes = 4096,
	.messages = 2,
	.sent_ns = 1,
	.latency_ns = 20000000,
};
static const struct message by_kill = {
	.mech = 2,
	.attr = ATTR_EXACT,
	.src = { .proc = &sh, .tid = 10, .comm = "sh" },
	.dst = { .proc = &postgres, .tid = 11, .comm = "postgres" },
	.op = &kill_op,
};
static const struct message by_queue = {
	.mech = 3, .attr = ATTR_UNKNOWN, .op = &queue_op, .origin = "timer"
};

static const struct {
	const char *text;
	bool pipe, kill, queue;
} meanings[] = {
	{ "signal == SIGKILL && dst == postgres", false, true, false },
	{ "signal==9", false, true, false },
	{ "signal==KILL", false, true, false },
	{ "signal == \"SIG*\"", false, true, false },
	{ "signal != SIGKILL", true, false, true },
	{ "signal", false, true, false },
	{ "mech == pipe", true, false, false },
	{ "mech != pipe && mech != signal", false, false, true },
	{ "mech == \"posix-*\"", false, false, true },
	{ "bytes >= 4k", true, false, false },
	{ "bytes > 4k", false, false, false },
	{ "bytes < 4096", false, true, true },
	{ "latency > 10ms", true, false, false },
	{ "latency_ns == 20000000", true, false, false },
	{ "latency < 1s", true, false, false }, /* of others nobody knows */
	{ "src == sh", true, true, false },
	{ "src == 10 || dst.pid == 99", true, true, false },
	{ "dst.tid == 12", true, false, false },
	{ "src.uid >= 1000 && dst.exe == '/usr/*'", true, true, false },
	{ "src.comm != sh", false, false, true },
	{ "object == 'pipe:[[]5]'", true, false, false },
	{ "attr == exact && !signal", true, false, false },
	{ "!(src == sh)", false, false, true },
	{ "priority == 7", false, false, true },
	{ "mtype == 7", false, false, false },
	{ "origin == timer", false, false, true },
	{ "messages == 2 || signal && src == sh", true, true, false },
	{ "(messages == 2 || signal) && src == 11", false, false, false },
	{ "!!fds", false, false, false },
};

START_TEST(meaning)
{
	struct buf err = { 0 };
	struct expr *e = expr__parse(meanings[_i].text, mech_name, &err);

	ck_assert_msg(e != NULL, "%s: %s", meanings[_i].text, buf__cstr(&err));
	ck_assert_msg(expr__holds(e, &by_pipe) == meanings[_i].pipe, "%s: pipe", meanings[_i].text);
	ck_assert_msg(expr__holds(e, &by_kill) == meanings[_i].kill, "%s: kill", meanings[_i].text);
	ck_assert_msg(expr__holds(e, &by_queue) == meanings[_i].queue, "%s: queue", meanings[_i].text);
	expr__free(e);
	buf__free(&err);
}
END_TEST

static const struct {
	const char *text, *says;
} mistakes[] = {
	{ "", "missing at the end" },
	{ "bytes >", "missing behind 'bytes'" },
	{ "bytes > &&", "missing behind 'bytes'" },
	{ "bytes > many", "no number" },
	{ "size > 3", "not 'size'" },
	{ "signal == SIGKIL", "no signal 'SIGKIL'" },
	{ "mech == pip", "no mech 'pip'" },
	{ "attr == sure", "no attr 'sure'" },
	{ "src > sh", "only numbers" },
	{ "bytes = 3", "write ==" },
	{ "bytes == 3 src == 1", "missing before 'src'" },
	{ "bytes == 3 & src == 1", "missing before '&'" },
	{ "(bytes == 3", "bracket" },
	{ "bytes == 3)", "missing before ')'" },
	{ "src == \"a", "quote" },
	{ "!", "missing at the end" },
	{ "|| bytes", "not '||'" },
};

START_TEST(mistake)
{
	struct buf err = { 0 };

	ck_assert_ptr_null(expr__parse(mistakes[_i].text, mech_name, &err));
	ck_assert_msg(strstr(buf__cstr(&err), mistakes[_i].says) != NULL, "%s: %s", mistakes[_i].text,
		      buf__cstr(&err));
	buf__free(&err);
}
END_TEST

START_TEST(deep)
{
	static char text[200001];
	struct buf err = { 0 };

	for (char c = '('; c; c = c == '(' ? '!' : 0) {
		memset(text, c, sizeof(text) - 1);
		ck_assert_ptr_null(expr__parse(text, mech_name, &err));
	}
	buf__free(&err);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("model/expr");
	TCase *t = tcase_create("model/expr");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, meaning, 0, sizeof(meanings) / sizeof(meanings[0]));
	tcase_add_loop_test(t, mistake, 0, sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(t, deep);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
