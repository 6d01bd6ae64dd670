/* SPDX-License-Identifier: GPL-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/opts.h"
#include "suite.h"

enum { CMD_LIVE = 1, CMD_TOP = 2, CMD_BOTH = 3 };

struct options {
	bool follow, batch;
	uint32_t uid;
	uint64_t count, bytes, latency_ns;
	const char *mech;
	const char *payload;
};

static const struct opt table_rows[] = {
	{ 'f', "follow", NULL, "also children", opt_parse__flag, offsetof(struct options, follow), CMD_BOTH },
	{ 'b', "batch", NULL, "no screen", opt_parse__flag, offsetof(struct options, batch), CMD_TOP },
	{ 0, "uid", "UID", "of that user", opt_parse__u32, offsetof(struct options, uid), CMD_BOTH },
	{ 'c', "count", "N", "stop after N lines", opt_parse__u64, offsetof(struct options, count),
	  CMD_BOTH },
	{ 0, "min-bytes", "N", "at least so large", opt_parse__bytes, offsetof(struct options, bytes),
	  CMD_BOTH },
	{ 0, "min-latency", "T", "at least so slow", opt_parse__duration,
	  offsetof(struct options, latency_ns), CMD_BOTH },
	{ 'm', "mech", "LIST", "only these", opt_parse__str, offsetof(struct options, mech), CMD_BOTH },
	{ 0, "mech-all", NULL,
	  "every one, which is a help text that is longer than what fits into one line of a "
	  "terminal of the usual width",
	  opt_parse__flag, offsetof(struct options, batch), CMD_BOTH },
	{ 'P', "payload", "[=N]", "capture", opt_parse__str, offsetof(struct options, payload), CMD_BOTH },
};

#define TABLE table_rows, sizeof(table_rows) / sizeof(table_rows[0])
#define ARGV_MAX 8

static struct options o;
static struct buf err;

/* Words after the program's name; NULL ends them. */
static int parse(uint32_t command, const char *const *words)
{
	char *argv[ARGV_MAX + 1] = { "ipctrace" };
	int argc = 1;

	memset(&o, 0, sizeof(o));
	buf__reset(&err);
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	return opts__parse(TABLE, command, argc, argv, &o, &err);
}

#define PARSE(command, ...) parse(command, (const char *const[]){ __VA_ARGS__, NULL })

static void refuse(int rc, const char *sentence)
{
	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_str_eq(buf__cstr(&err), sentence);
}

START_TEST(nothing)
{
	const char *const none[] = { NULL };

	ck_assert_int_eq(parse(CMD_LIVE, none), 1);
	ck_assert_uint_eq(err.len, 0);
}
END_TEST

START_TEST(every_form)
{
	ck_assert_int_eq(PARSE(CMD_TOP, "-fbc", "5", "--uid=7", "--mech", "pipe,^fifo", "x"), 6 + 0);
	ck_assert(o.follow && o.batch);
	ck_assert_uint_eq(o.count, 5);
	ck_assert_uint_eq(o.uid, 7);
	ck_assert_str_eq(o.mech, "pipe,^fifo");
	ck_assert_int_eq(PARSE(CMD_TOP, "-c5", "-mx", "-f"), 4);
	ck_assert_uint_eq(o.count, 5);
	ck_assert_str_eq(o.mech, "x");
	ck_assert(o.follow);
	ck_assert_int_eq(PARSE(CMD_TOP, "--mech="), 2);
	ck_assert_str_eq(o.mech, "");
	/* an argument may look like an option */
	ck_assert_int_eq(PARSE(CMD_TOP, "--mech", "--", "-f"), 4);
	ck_assert_str_eq(o.mech, "--");
	ck_assert(o.follow);
}
END_TEST

START_TEST(stops_at_the_command)
{
	ck_assert_int_eq(PARSE(CMD_LIVE, "-f", "ls", "-c", "5"), 2);
	ck_assert_uint_eq(o.count, 0);
	ck_assert_int_eq(PARSE(CMD_LIVE, "-f", "--", "-c", "5"), 3);
	ck_assert_uint_eq(o.count, 0);
	ck_assert_int_eq(PARSE(CMD_LIVE, "-", "-c"), 1);
	ck_assert_int_eq(PARSE(CMD_LIVE, "--"), 2);
}
END_TEST

START_TEST(abbreviations)
{
	ck_assert_int_eq(PARSE(CMD_LIVE, "--fol", "--min-b=4k", "--min-l", "1ms", "--co=3"), 6);
	ck_assert(o.follow);
	ck_assert_uint_eq(o.bytes, 4096);
	ck_assert_uint_eq(o.latency_ns, 1000000);
	ck_assert_uint_eq(o.count, 3);
	/* a whole name wins over a longer one that begins with it */
	ck_assert_int_eq(PARSE(CMD_LIVE, "--mech", "x"), 3);
	ck_assert_str_eq(o.mech, "x");
	refuse(PARSE(CMD_LIVE, "--min", "4"), "--min could be --min-bytes or --min-latency");
	refuse(PARSE(CMD_LIVE, "--mec", "4"), "--mec could be --mech or --mech-all");
	/* what another command takes does not make it ambiguous, nor known */
	refuse(PARSE(CMD_LIVE, "--ba"), "unknown option --ba; --help lists those there are");
}
END_TEST

START_TEST(optional_arguments)
{
	ck_assert_int_eq(PARSE(CMD_LIVE, "--payload", "64"), 2);
	ck_assert_str_eq(o.payload, "");
	ck_assert_int_eq(PARSE(CMD_LIVE, "--payload=64"), 2);
	ck_assert_str_eq(o.payload, "64");
	ck_assert_int_eq(PARSE(CMD_LIVE, "-P64"), 2);
	ck_assert_str_eq(o.payload, "64");
	ck_assert_int_eq(PARSE(CMD_LIVE, "-P", "64"), 2);
	ck_assert_str_eq(o.payload, "");
}
END_TEST

START_TEST(refusals)
{
	refuse(PARSE(CMD_LIVE, "--count", "x"), "--count wants a whole number, not 'x'");
	refuse(PARSE(CMD_LIVE, "-cx"), "-c wants a whole number, not 'x'");
	refuse(PARSE(CMD_LIVE, "--count=-1"), "--count wants a whole number, not '-1'");
	refuse(PARSE(CMD_LIVE, "--count="), "--count wants a whole number, not ''");
	refuse(PARSE(CMD_LIVE, "--count"), "--count wants an argument: --count N");
	refuse(PARSE(CMD_LIVE, "-fc"), "-c wants an argument: -c N");
	refuse(PARSE(CMD_LIVE, "--uid", "4294967296"), "--uid: '4294967296' is too large");
	refuse(PARSE(CMD_LIVE, "--min-bytes=4x"), "--min-bytes wants a size such as 64, 4k or 1M, not '4x'");
	refuse(PARSE(CMD_LIVE, "--min-latency=fast"),
	       "--min-latency wants a time such as 5, 1.5, 10ms or 3us, not 'fast'");
	refuse(PARSE(CMD_LIVE, "--follow=yes"), "--follow takes no argument, but was given 'yes'");
	refuse(PARSE(CMD_LIVE, "--nope"), "unknown option --nope; --help lists those there are");
	refuse(PARSE(CMD_LIVE, "-fx"), "unknown option -x; --help lists those there are");
	refuse(PARSE(CMD_LIVE, "--batch"),
	       "this command takes no option --batch; --help lists those there are");
	refuse(PARSE(CMD_LIVE, "-b"), "this command takes no option -b; --help lists those there are");
	refuse(PARSE(CMD_LIVE, "--=x"), "unknown option --; --help lists those there are");
	/* what the user typed is shown harmlessly */
	refuse(PARSE(CMD_LIVE, "--\x1b[2J"), "unknown option --\\x1b[2J; --help lists those there are");
	refuse(PARSE(CMD_LIVE, "-\xff"), "unknown option -\\xff; --help lists those there are");
}
END_TEST

struct number {
	const char *text;
	int rc;
	uint64_t v;
};

static void ck_numbers(int (*parse_number)(const char *arg, void *dst), const struct number *rows, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		uint64_t v = 4711;

		ck_assert_msg(parse_number(rows[i].text, &v) == rows[i].rc, "'%s'", rows[i].text);
		ck_assert_msg(v == (rows[i].rc ? 4711 : rows[i].v), "'%s'", rows[i].text);
	}
}

START_TEST(numbers)
{
	static const struct number whole[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "184467440737095516150000000000000000000000000000000000000", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ NULL, -EINVAL, 0 },
	};
	static const struct number bytes[] = {
		{ "64", 0, 64 },
		{ "4k", 0, 4096 },
		{ "4K", 0, 4096 },
		{ "1M", 0, 1 << 20 },
		{ "2G", 0, 2ull << 30 },
		{ "0.5k", 0, 512 },
		{ "1.", -EINVAL, 0 },
		{ ".5k", -EINVAL, 0 },
		{ "16777216T", -ERANGE, 0 },
		{ "16777215T", 0, 16777215ull << 40 },
		{ "4kk", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
	};
	static const struct number durations[] = {
		{ "5", 0, 5000000000 },
		{ "1.5", 0, 1500000000 },
		{ "0.000000001", 0, 1 },
		{ "0.0000000000000000000000000001", 0, 0 },
		{ "1.99999999999999999999999999999", 0, 1999999999 },
		{ "100ns", 0, 100 },
		{ "3us", 0, 3000 },
		{ "10ms", 0, 10000000 },
		{ "2.5ms", 0, 2500000 },
		{ "2m", 0, 120000000000 },
		{ "1h", 0, 3600000000000 },
		{ "-1", -EINVAL, 0 },
		{ "1.5.5", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "18446744074", -ERANGE, 0 },
		{ "99999999999999999999999999999999999999999h", -ERANGE, 0 },
	};

	ck_numbers(opt_parse__u64, whole, sizeof(whole) / sizeof(whole[0]));
	ck_numbers(opt_parse__bytes, bytes, sizeof(bytes) / sizeof(bytes[0]));
	ck_numbers(opt_parse__duration, durations, sizeof(durations) / sizeof(durations[0]));
}
END_TEST

START_TEST(help)
{
	struct buf out = { 0 };

	opts__help(TABLE, CMD_LIVE, &out);
	ck_assert_str_eq(buf__cstr(&out),
			 "  -f, --follow                also children\n"
			 "      --uid UID               of that user\n"
			 "  -c, --count N               stop after N lines\n"
			 "      --min-bytes N           at least so large\n"
			 "      --min-latency T         at least so slow\n"
			 "  -m, --mech LIST             only these\n"
			 "      --mech-all              every one, which is a help text that is longer than "
			 "what fits into one\n"
			 "                              line of a terminal of the usual width\n"
			 "  -P, --payload[=N]           capture\n");
	buf__free(&out);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing, every_form, stops_at_the_command, abbreviations, optional_arguments, refusals,
		numbers, help,
	};
	int rc = SUITE_RUN("base/opts", tests);

	buf__free(&err);
	return rc;
}
