/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Conditions on messages, as users write them: "signal == SIGKILL && dst == postgres", "latency > 10ms || attr != exact".
 * Names are those of the JSON lines.
 */
#ifndef MODEL_EXPR_H
#define MODEL_EXPR_H

#include "base/buf.h"
#include "model/message.h"

struct expr;

/* mech_name: of a mechanism's number. NULL: it makes no sense; one sentence in err. text must outlive it. */
struct expr *expr__parse(const char *text, const char *(*mech_name)(uint8_t mech), struct buf *err);
bool expr__holds(const struct expr *e, const struct message *m);
void expr__free(struct expr *e);

#endif
