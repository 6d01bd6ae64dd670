/* SPDX-License-Identifier: GPL-2.0 */
/* A call stack in words. What they hold is hostile bytes: callers escape. */
#ifndef VIEW_STACK_TEXT_H
#define VIEW_STACK_TEXT_H

#include "base/buf.h"
#include "base/json.h"
#include "model/stack.h"

enum stack_text_form {
	STACK_TEXT_SHORT, /* "function (source.c:12)", "function [libc.so.6]" */
	STACK_TEXT_WHOLE, /* the same with the source's directory */
	STACK_TEXT_BARE, /* "function" */
};

/* Without a function "libc.so.6+0x1234", "BUILD-ID+0x1234" or "0x55aa", whatever is known. f may be NULL. */
void stack_text__frame(struct buf *out, const struct stack_frame *f, enum stack_text_form form);
/* "write [libc.so.6] < send_it (t.c:12) < main (t.c:30)", escaped for a terminal. */
void stack_text__line(struct buf *out, const struct stack *st);
/* A member with an array of strings, innermost first; nothing where st is NULL. */
void stack_text__json(struct json *j, const char *key, const struct stack *st);

#endif
