/* SPDX-License-Identifier: GPL-2.0 */
#include "view/stack_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void put_build_id(struct buf *out, const struct stack_frame *f)
{
	for (uint8_t i = 0; i < f->build_id_len; i++)
		buf__printf(out, "%02x", f->build_id[i]);
}

static void put_where(struct buf *out, const struct stack_frame *f, bool whole)
{
	if (f->source[0] && f->line)
		buf__printf(out, " (%s:%" PRIu32 ")", whole ? f->source : base_name(f->source), f->line);
	else if (f->binary[0] == '[')
		buf__printf(out, " %s", f->binary);
	else if (f->binary[0])
		buf__printf(out, " [%s]", base_name(f->binary));
}

void stack_text__frame(struct buf *out, const struct stack_frame *f, enum stack_text_form form)
{
	if (!f) {
		buf__putc(out, '?');
	} else if (f->function[0]) {
		buf__puts(out, f->function);
		if (form != STACK_TEXT_BARE)
			put_where(out, f, form == STACK_TEXT_WHOLE);
	} else if (f->binary[0]) {
		buf__printf(out, "%s+0x%" PRIx64, base_name(f->binary), f->offset);
	} else if (f->build_id_len) {
		put_build_id(out, f);
		buf__printf(out, "+0x%" PRIx64, f->offset);
	} else {
		buf__printf(out, "0x%" PRIx64, f->offset);
	}
}

void stack_text__line(struct buf *out, const struct stack *st)
{
	struct buf frame = { 0 };

	for (size_t i = 0; i < st->cnt; i++) {
		buf__reset(&frame);
		stack_text__frame(&frame, st->frames[i], STACK_TEXT_SHORT);
		if (i)
			buf__puts(out, " < ");
		escape__terminal(out, frame.data, frame.len);
	}
	if (st->cut)
		buf__puts(out, " < ...");
	buf__free(&frame);
}

void stack_text__json(struct json *j, const char *key, const struct stack *st)
{
	struct buf frame = { 0 };

	if (!st)
		return;
	json__open(j, key, '[');
	for (size_t i = 0; i < st->cnt; i++) {
		buf__reset(&frame);
		stack_text__frame(&frame, st->frames[i], STACK_TEXT_WHOLE);
		json__strn(j, NULL, frame.data, frame.len);
	}
	json__close(j, ']');
	buf__free(&frame);
}
