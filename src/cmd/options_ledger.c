/* SPDX-License-Identifier: GPL-2.0 */
/* --summary, and which commands change over to sums by themselves. */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/options.h"

#define PERIODS_PER_INTERVAL 4 /* of top: what is shown is at most two of them old */

/* What wants to see single messages; NULL: nothing does. */
static const char *wants_messages(const struct options *o, enum command_bit command)
{
	if (o->ops)
		return "--ops";
	if (o->payload_bytes)
		return "--payload";
	if (o->stacks || o->kernel_stacks)
		return o->stacks ? "--stacks" : "--kernel-stacks";
	if (o->min_latency_ns)
		return "--min-latency";
	if (o->min_bytes)
		return "--min-bytes";
	if (o->count != OPTION_NOT_GIVEN && command & CMD_GRAPH)
		return "--count";
	return NULL;
}

int options__choose_ledger(struct options *o, enum command_bit command, struct buf *err)
{
	const char *wants = wants_messages(o, command);

	if (o->top.interval_ns)
		o->ledger_period_ns = o->top.interval_ns / PERIODS_PER_INTERVAL;
	if (o->summary && o->input)
		buf__puts(err, "--summary is for tracing; a recording holds what it holds");
	else if (o->summary && wants)
		buf__printf(err, "--summary counts and looks at no single message: leave out %s", wants);
	if (err->len)
		return EXIT_USAGE;
	if (o->summary)
		o->ledger = KERN_LEDGER_SUMMARY;
	else if (command & CMD_GRAPH && !wants)
		o->ledger = KERN_LEDGER_BESIDE;
	else if (command & CMD_TOP && !wants)
		o->ledger = KERN_LEDGER_STANDBY;
	return 0;
}
