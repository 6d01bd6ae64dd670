/* SPDX-License-Identifier: GPL-2.0 */
/* A recording in the place of the running kernel: -i FILE. */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include "cmd/options.h"
#include "store/reader.h"

struct input;

/* NULL: cannot be read; one sentence in err. o must outlive it. */
struct input *input__open(const struct options *o, struct buf *err);
struct event_source *input__source(struct input *in); /* owned by it */
const struct store_info *input__info(const struct input *in);
/* Mechanisms that it has and the options want. */
uint32_t input__mechs(const struct input *in);
/* What was chosen when it was recorded; false: everything. Strings are the recording's. */
bool input__scope(const struct input *in, struct select_opts *out);
uint64_t input__end_ns(const struct input *in); /* as far as it has been read */
/* Says on standard error what is missing of it, if anything; false: nothing is. */
bool input__tell(const struct input *in);
void input__close(struct input *in);

#endif
