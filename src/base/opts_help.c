/* SPDX-License-Identifier: GPL-2.0 */
#include <string.h>

#include "base/opts.h"

#define HELP_COLUMN 30
#define HELP_WIDTH 100

static void put_left(const struct opt *o, struct buf *out)
{
	if (o->short_name)
		buf__printf(out, "  -%c%s", o->short_name, o->name ? ", " : "");
	else
		buf__puts(out, "      ");
	if (o->name)
		buf__printf(out, "--%s", o->name);
	if (!o->arg)
		return;
	if (o->arg[0] != '[')
		buf__putc(out, ' ');
	buf__puts(out, o->arg);
}

/* Breaks text at spaces; the first line starts where out stands, line_start being where that line began. */
static void put_wrapped(const char *text, size_t line_start, struct buf *out)
{
	while (*text) {
		size_t word = strcspn(text, " ");

		if (out->len - line_start > HELP_COLUMN && out->len - line_start + 1 + word > HELP_WIDTH) {
			buf__putc(out, '\n');
			line_start = out->len;
			buf__pad(out, line_start, HELP_COLUMN);
		} else if (out->len - line_start > HELP_COLUMN) {
			buf__putc(out, ' ');
		}
		buf__put(out, text, word);
		text += word;
		text += strspn(text, " ");
	}
	buf__putc(out, '\n');
}

void opts__help(const struct opt *table, size_t cnt, uint32_t command, struct buf *out)
{
	for (size_t i = 0; i < cnt; i++) {
		size_t start = out->len;

		if (!(table[i].commands & command))
			continue;
		put_left(&table[i], out);
		if (out->len - start > HELP_COLUMN - 2) {
			buf__putc(out, '\n');
			start = out->len;
		}
		buf__pad(out, start, HELP_COLUMN);
		put_wrapped(table[i].help, start, out);
	}
}
