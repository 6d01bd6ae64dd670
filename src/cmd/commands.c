/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/cmd.h"

#include <string.h>

/* clang-format off */
const struct command commands[] = {
	{ "live", "[OPTIONS] [-- COMMAND [ARG...]]", "one line per message, until Ctrl-C", cmd_live },
	{ "top", "top [OPTIONS] [-- COMMAND [ARG...]]", "the live table: rates, latencies, who waits; -b for scripts", cmd_top },
	{ "graph", "graph [OPTIONS] [-- COMMAND [ARG...]]", "who talks to whom: text, html, svg, json, ...", cmd_graph },
	{ "record", "record [OPTIONS] [-- COMMAND [ARG...]]", "everything into one file, to be looked at later", cmd_record },
	{ "replay", "replay [OPTIONS] [FILE]", "the live lines again, from a recording", cmd_replay },
	{ "serve", "serve [OPTIONS] [-- COMMAND [ARG...]]", "the graph live in a browser, and metrics for Prometheus", cmd_serve },
	{ "report", "report [OPTIONS] [FILE]", "a recording in a few tables", cmd_report },
	{ "diff", "diff [OPTIONS] OLD NEW", "what changed between two recordings", cmd_diff },
	{ "export", "export --format F [OPTIONS] [FILE]", "a recording in another tool's format", cmd_export },
	{ "who", "who [OPTIONS] OBJECT|PID", "both ends of an object, now", cmd_who },
	{ "why", "why [OPTIONS] PID", "what a process waits for, and who could end the wait", cmd_why },
	{ "workload", "workload [MECHANISM] [OPTIONS]", "generate traffic whose truth is known", cmd_workload },
	{ "bench", "bench [MECHANISM...] [OPTIONS]", "latency, throughput and properties of the mechanisms", cmd_bench },
	{ "doctor", "doctor [OPTIONS]", "what can be traced on this kernel, by which hook, and why not", cmd_doctor },
	{ "help", "help [COMMAND]", "explain a command", cmd_help },
	{ 0 },
};
/* clang-format on */

const struct command *command__by_name(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}
