/* SPDX-License-Identifier: GPL-2.0 */
/* Which code does what on which channel: operations counted by call stack. */
#ifndef VIEW_REPORT_STACKS_H
#define VIEW_REPORT_STACKS_H

#include "base/json.h"
#include "view/view.h"

struct report_stacks;

struct report_stacks *report_stacks__new(void);
/* One without a stack is only counted. Channel and stack must live as long as this. */
void report_stacks__add(struct report_stacks *s, const struct op *op, const struct channel *ch,
			const struct party *task);
void report_stacks__text(struct report_stacks *s, struct buf *out, const struct view_names *names);
/* All rows, as members of the object that is open. */
void report_stacks__json(struct report_stacks *s, struct json *j, const struct view_names *names);
/* Lines "comm;outermost;...;innermost;mechanism operation COUNT", as programs that draw flame graphs read them. The last call but free. */
void report_stacks__folded(struct report_stacks *s, struct buf *out, const struct view_names *names);
void report_stacks__free(struct report_stacks *s);

#endif
