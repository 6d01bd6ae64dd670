/* SPDX-License-Identifier: GPL-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "suite.h"

typedef void (*escape_fn)(struct buf *out, const char *s, size_t len);

static const escape_fn all[] = { escape__terminal, escape__json, escape__dot, escape__xml };

struct row {
	const char *in;
	size_t len;
	const char *terminal, *json, *dot, *xml;
};

#define IN(s) s, sizeof(s) - 1

static const struct row rows[] = {
	{ IN(""), "", "", "", "" },
	{ IN("python3"), "python3", "python3", "python3", "python3" },
	{ IN("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
	  "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
	  "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
	/* terminal controls */
	{ IN("a\x1b[2Jb"), "a\\x1b[2Jb", "a\\u001b[2Jb", "a\\\\x1b[2Jb", "a\\x1b[2Jb" },
	{ IN("a\nb\tc\rd"), "a\\x0ab\\x09c\\x0dd", "a\\u000ab\\u0009c\\u000dd", "a\\\\x0ab\\\\x09c\\\\x0dd",
	  "a\\x0ab\\x09c\\x0dd" },
	{ IN("a\0b\x7f"), "a\\x00b\\x7f", "a\\u0000b\\u007f", "a\\\\x00b\\\\x7f", "a\\x00b\\x7f" },
	{ IN("\xc2\x9b"
	     "31m"),
	  "\\xc2\\x9b31m", "\\u009b31m", "\\\\xc2\\\\x9b31m", "\\xc2\\x9b31m" },
	/* what the syntaxes mean something by */
	{ IN("\"\\"), "\"\\\\", "\\\"\\\\", "\\\"\\\\", "&quot;\\" },
	{ IN("</script>&amp;'"), "</script>&amp;'", "\\u003c/script>&amp;'", "</script>&amp;amp;'",
	  "&lt;/script&gt;&amp;amp;&#39;" },
	{ IN("\\N\\"), "\\\\N\\\\", "\\\\N\\\\", "\\\\N\\\\", "\\N\\" },
	/* bytes that are no UTF-8: alone, cut off, overlong, a surrogate, above the last plane */
	{ IN("\xff"), "\\xff", "\\u00ff", "\\\\xff", "\\xff" },
	{ IN("x\x80y"), "x\\x80y", "x\\u0080y", "x\\\\x80y", "x\\x80y" },
	{ IN("\xe2\x82"), "\\xe2\\x82", "\\u00e2\\u0082", "\\\\xe2\\\\x82", "\\xe2\\x82" },
	{ IN("\xc0\xaf"), "\\xc0\\xaf", "\\u00c0\\u00af", "\\\\xc0\\\\xaf", "\\xc0\\xaf" },
	{ IN("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\\u00ed\\u00a0\\u0080", "\\\\xed\\\\xa0\\\\x80",
	  "\\xed\\xa0\\x80" },
	{ IN("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", "\\u00f4\\u0090\\u0080\\u0080",
	  "\\\\xf4\\\\x90\\\\x80\\\\x80", "\\xf4\\x90\\x80\\x80" },
	/* right-to-left override, zero-width space, byte order mark, a tag character */
	{ IN("a\xe2\x80\xae"
	     "b"),
	  "a\\xe2\\x80\\xaeb", "a\\u202eb", "a\\\\xe2\\\\x80\\\\xaeb", "a\\xe2\\x80\\xaeb" },
	{ IN("\xe2\x80\x8b"), "\\xe2\\x80\\x8b", "\\u200b", "\\\\xe2\\\\x80\\\\x8b", "\\xe2\\x80\\x8b" },
	{ IN("\xe2\x81\xa6"), "\\xe2\\x81\\xa6", "\\u2066", "\\\\xe2\\\\x81\\\\xa6", "\\xe2\\x81\\xa6" },
	{ IN("\xef\xbb\xbf"), "\\xef\\xbb\\xbf", "\\ufeff", "\\\\xef\\\\xbb\\\\xbf", "\\xef\\xbb\\xbf" },
	{ IN("\xef\xbf\xbf"), "\\xef\\xbf\\xbf", "\\uffff", "\\\\xef\\\\xbf\\\\xbf", "\\xef\\xbf\\xbf" },
	{ IN("\xf3\xa0\x80\xa0"), "\\xf3\\xa0\\x80\\xa0", "\\udb40\\udc20", "\\\\xf3\\\\xa0\\\\x80\\\\xa0",
	  "\\xf3\\xa0\\x80\\xa0" },
};

static void expect(escape_fn escape, const struct row *row, const char *want)
{
	struct buf out = { 0 };

	buf__putc(&out, '<'); /* it appends */
	escape(&out, row->in, row->len);
	ck_assert_str_eq(buf__cstr(&out) + 1, want);
	buf__free(&out);
}

START_TEST(table)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect(escape__terminal, &rows[i], rows[i].terminal);
		expect(escape__json, &rows[i], rows[i].json);
		expect(escape__dot, &rows[i], rows[i].dot);
		expect(escape__xml, &rows[i], rows[i].xml);
	}
}
END_TEST

/* Independent of escape.c: well-formed UTF-8 and no C0 or C1 control. */
static bool harmless(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t more = p[i] >= 0xf0 ? 3 : p[i] >= 0xe0 ? 2 : p[i] >= 0xc2 ? 1 : 0;

		if (p[i] < 0x20 || p[i] == 0x7f || (p[i] >= 0x80 && !more) || i + more >= len)
			return false;
		if (p[i] == 0xc2 && p[i + 1] < 0xa0)
			return false;
		while (more--)
			if ((p[++i] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

/* No byte that the syntax means something by; in JSON and DOT a backslash takes the next one with it. */
static bool fits(size_t which, const char *s, size_t len)
{
	bool backslashes = all[which] == escape__json || all[which] == escape__dot;
	const char *forbidden = all[which] == escape__json  ? "<\""
				: all[which] == escape__dot ? "\""
				: all[which] == escape__xml ? "<>\"'"
							    : "";

	for (size_t i = 0; i < len; i++) {
		if (strchr(forbidden, s[i]))
			return false;
		if (backslashes && s[i] == '\\' && ++i == len)
			return false;
	}
	return true;
}

START_TEST(any_bytes_become_harmless)
{
	static const char pool[] = "a\"\\<>&'\n\x1b\x80\xbf\xc2\xe2\x80\xae\xf0\x9f\x98\xed\xff\x9b";
	uint32_t random = 12345;
	struct buf out = { 0 };

	for (int round = 0; round < 20000; round++) {
		char in[12];
		size_t len = (random >> 8) % sizeof(in);

		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			in[i] = round % 2 ? (char)(random >> 24) : pool[(random >> 16) % sizeof(pool)];
		}
		random = random * 1664525 + 1013904223;
		for (size_t which = 0; which < 4; which++) {
			buf__reset(&out);
			all[which](&out, in, len);
			EXPECT(harmless((const unsigned char *)out.data, out.len));
			EXPECT(fits(which, out.data, out.len));
		}
	}
	buf__free(&out);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { table, any_bytes_become_harmless };

	return SUITE_RUN("base/escape", tests);
}
