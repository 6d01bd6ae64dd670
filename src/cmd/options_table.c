/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* dst: struct pid_list; further lists are added to it. */
static int parse_pids(const char *arg, void *dst)
{
	struct pid_list *list = dst;
	uint32_t pid;

	while (arg) {
		const char *comma = strchr(arg, ',');
		char word[16] = "";
		size_t len = comma ? (size_t)(comma - arg) : strlen(arg);

		if (len >= sizeof(word))
			return -EINVAL;
		memcpy(word, arg, len);
		if (opt_parse__u32(word, &pid) || pid == 0 || pid > INT32_MAX || list->cnt == TYPED_PIDS_MAX)
			return -EINVAL;
		list->v[list->cnt++] = pid;
		arg = comma ? comma + 1 : NULL;
	}
	return 0;
}

/* dst: enum attach_mode */
static int parse_attach(const char *arg, void *dst)
{
	static const char *const names[] = {
		[ATTACH_AUTO] = "auto",
		[ATTACH_FENTRY] = "fentry",
		[ATTACH_KPROBE] = "kprobe",
		[ATTACH_TRACEPOINT] = "tracepoint",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(arg, names[i]) == 0) {
			*(enum attach_mode *)dst = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* dst: int */
static int parse_fd(const char *arg, void *dst)
{
	uint32_t fd;
	int ret = opt_parse__u32(arg, &fd);

	if (ret || fd > INT32_MAX)
		return -EINVAL;
	*(int *)dst = (int)fd;
	return 0;
}

/* dst: uint64_t; arg may be NULL */
static int parse_payload(const char *arg, void *dst)
{
	*(uint64_t *)dst = PAYLOAD_DEFAULT;
	return arg ? opt_parse__bytes(arg, dst) : 0;
}

/* dst: double */
static int parse_speed(const char *arg, void *dst)
{
	char *end;
	double v = strtod(arg, &end);

	if (*end || end == arg || !(v >= 1.0 / 64) || v > 1024)
		return -EINVAL;
	*(double *)dst = v;
	return 0;
}

/* dst: double */
static int parse_factor(const char *arg, void *dst)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= 1) || v > 1e9)
		return -EINVAL;
	*(double *)dst = v;
	return 0;
}

#define AT(member) offsetof(struct options, member)

/* clang-format off */
const struct opt options_table[] = {
	{ 'p', "pid", "PID[,PID...]", "messages with one of these processes on either side",
	  parse_pids, AT(pids), CMD_CHOOSING },
	{ 's', "src", "X", "the sender is X: a pid, or a pattern over the command name ('python*')",
	  opt_parse__str, AT(src), CMD_CHOOSING },
	{ 'd', "dst", "X", "the receiver is X; with --src, both must hold",
	  opt_parse__str, AT(dst), CMD_CHOOSING },
	{ 'f', "follow", NULL, "also children of the chosen processes (always on for -- COMMAND)",
	  opt_parse__flag, AT(follow), CMD_CHOOSING },
	{ 'm', "mech", "LIST", "only these mechanisms, comma-separated; ^NAME leaves one out ('unix,^unix-dgram')",
	  opt_parse__str, AT(mech_list), CMD_EVERY },
	{ 0, "cgroup", "PATH", "either side in that cgroup (v2; below its mount point, or absolute)",
	  opt_parse__str, AT(cgroup_path), CMD_CHOOSING },
	{ 0, "uid", "USER", "either side of that user (a number or a name)",
	  opt_parse__str, AT(user), CMD_CHOOSING },
	{ 0, "min-latency", "TIME", "only messages at least that long under way (10ms, 3us)",
	  opt_parse__duration, AT(min_latency_ns), CMD_CHOOSING },
	{ 0, "min-bytes", "SIZE", "only messages at least that large (512, 4k)",
	  opt_parse__bytes, AT(min_bytes), CMD_CHOOSING },
	{ 'D', "duration", "SECONDS", "stop after that long (5, 0.5, 100ms)",
	  opt_parse__duration, AT(duration_ns), CMD_CHOOSING },
	{ 'c', "count", "N", "stop after exactly N lines (graph: N messages)",
	  opt_parse__u64, AT(count), CMD_LINES | CMD_GRAPH },
	{ 0, "ops", NULL, "raw operations (one line per send, receive, open, ...) instead of matched messages",
	  opt_parse__flag, AT(ops), CMD_LINES },
	{ 0, "summary", NULL, "only sums, kept in the kernel: exact at any rate, and cheap (live: a line per flow and moment)",
	  opt_parse__flag, AT(summary), CMD_TRACING },
	{ 'b', "batch", NULL, "write the tables, once per interval, instead of showing them on the terminal",
	  opt_parse__flag, AT(top.batch), CMD_TOP },
	{ 'n', "iterations", "N", "end after N intervals",
	  opt_parse__u64, AT(top.intervals), CMD_TOP },
	{ 0, "interval", "TIME", "how long an interval is (2, 0.5, 100ms; default 1 second)",
	  opt_parse__duration, AT(top.interval_ns), CMD_TOP },
	{ 0, "table", "LIST", "which tables: flows, processes, channels, mechanisms, waits, events, all (default flows)",
	  opt_parse__str, AT(top.tables), CMD_TOP },
	{ 0, "sort", "COLUMN", "largest first by this column; ^COLUMN: smallest first; a wrong name lists those there are",
	  opt_parse__str, AT(top.sort), CMD_TOP },
	{ 0, "columns", "LIST", "show these columns",
	  opt_parse__str, AT(top.columns), CMD_TOP },
	{ 0, "group", "BY", "put processes together by command, user, cgroup or container",
	  opt_parse__str, AT(top.group), CMD_TOP },
	{ 0, "rows", "N", "at most N rows per table",
	  opt_parse__u64, AT(top.rows), CMD_TOP },
	{ 0, "speed", "FACTOR", "with --input, on a terminal: how many times as fast as it happened (1)",
	  parse_speed, AT(top.speed), CMD_TOP },
	{ 0, "idle", NULL, "also rows without traffic in the interval",
	  opt_parse__flag, AT(top.idle), CMD_TOP },
	{ 0, "bipartite", NULL, "every channel is a node of its own",
	  opt_parse__flag, AT(bipartite), CMD_DRAWING },
	{ 0, "projection", "process", "only processes are nodes, whatever they talk through",
	  opt_parse__str, AT(projection), CMD_DRAWING },
	{ 0, "group", "cgroup|container|user|exe|comm", "show together what has this in common",
	  opt_parse__str, AT(group), CMD_DRAWING },
	{ 0, "fold", NULL, "workers of one parent, program and user are one node",
	  opt_parse__flag, AT(graph.fold), CMD_DRAWING },
	{ 0, "top", "N", "only the N flows that moved most",
	  opt_parse__u64, AT(graph.top), CMD_DRAWING },
	{ 0, "hide", "X[,X...]", "leave out what is only noise: presets (below), patterns over commands and objects",
	  opt_parse__str, AT(graph.hide), CMD_DRAWING },
	{ 0, "watch", "SECONDS", "write the file anew that often, while tracing (2, 0.5, 500ms)",
	  opt_parse__duration, AT(watch_ns), CMD_GRAPH },
	{ 0, "slices", "N", "html: a slider over N slices of time (default 30 for recordings, else none)",
	  opt_parse__u32, AT(slices), CMD_GRAPH },
	{ 0, "history", "N", "the last N processes that ended, and 2 N channels, are shown each; older ones as one (6000)",
	  opt_parse__u64, AT(history), CMD_DRAWING },
	{ 0, "listen", "ADDRESS:PORT", "where to serve (or only PORT; default 127.0.0.1:9435; anything but loopback wants a token)",
	  opt_parse__str, AT(listen), CMD_SERVE },
	{ 0, "token-file", "FILE", "who asks must know the first line of FILE (default for other addresses: a new one, shown)",
	  opt_parse__str, AT(token_file), CMD_SERVE },
	{ 'i', "input", "FILE", "read this recording instead of the running kernel; needs no root (-: standard input)",
	  opt_parse__str, AT(input), CMD_VIEWING & ~CMD_DIFF },
	{ 0, "factor", "X", "more than X times, or less than one Xth, is a change (default 2)",
	  parse_factor, AT(factor), CMD_DIFF },
	{ 0, "latency", NULL, "a flow whose median latency changed so much has changed, too",
	  opt_parse__flag, AT(latency), CMD_DIFF },
	{ 0, "record", "FILE", "record, too: replay shows the same from FILE again",
	  opt_parse__str, AT(record), CMD_WATCHING },
	{ 0, "max-size", "SIZE", "begin another file when one has that size (100M); with --keep: of the memory (64M)",
	  opt_parse__bytes, AT(file_bytes), CMD_RECORD },
	{ 0, "max-files", "N", "keep the last N such files; with --keep: end after writing N",
	  opt_parse__u32, AT(files), CMD_RECORD },
	{ 0, "keep", "SECONDS", "keep the last seconds in memory; write them on SIGUSR1, at a --trigger, or else at the end",
	  opt_parse__duration, AT(keep_ns), CMD_RECORD },
	{ 0, "trigger", "CONDITION", "with --keep: write when a message meets it ('signal==SIGKILL && dst==postgres')",
	  opt_parse__str, AT(trigger), CMD_RECORD },
	{ 'o', "output", "FILE", "write there (-: standard output)",
	  opt_parse__str, AT(output), CMD_EVERY & ~CMD_SERVE },
	{ 'F', "format", "NAME", "format of the output; a wrong name lists those there are",
	  opt_parse__str, AT(format), CMD_SHOWING },
	{ 0, "json", NULL, "JSON; one object per line where the output is a stream",
	  opt_parse__flag, AT(json), CMD_SHOWING },
	{ 0, "attach", "auto|fentry|kprobe|tracepoint", "which kind of hook to use (default auto: the best that works)",
	  parse_attach, AT(attach), CMD_TRACING | CMD_DOCTOR },
	{ 0, "strict", NULL, "exit 3 if any event was lost",
	  opt_parse__flag, AT(strict), CMD_CHOOSING },
	{ 0, "payload", "[=N]", "also capture up to N bytes of what each call moves (256; at most 32k); off by default",
	  parse_payload, AT(payload_bytes), CMD_LINES_TRACED },
	{ 0, "redact", NULL, "of payloads only sizes and hashes: the contents are thrown away at once",
	  opt_parse__flag, AT(redact), CMD_LINES_TRACED },
	{ 0, "stacks", NULL, "also the call stack of the program at each operation (report: which code sends what)",
	  opt_parse__flag, AT(stacks), CMD_CAPTURING },
	{ 0, "kernel-stacks", NULL, "also where in the kernel an operation slept, or a signal was generated",
	  opt_parse__flag, AT(kernel_stacks), CMD_CAPTURING & ~CMD_REPORT },
	{ 0, "ready-fd", "N", "write one line to descriptor N once every probe is active and the first scan is done",
	  parse_fd, AT(ready_fd), CMD_TRACING },
	{ 0, "user-sems", NULL, "also POSIX semaphore operations that need no kernel, by probes in libc (about 2 us each)",
	  opt_parse__flag, AT(user_sems), CMD_TRACING },
	{ 0, "ring-size", "SIZE", "event buffer per CPU; larger loses less (8M; rounded up to a power of two)",
	  opt_parse__bytes, AT(ring_bytes), CMD_TRACING },
	{ 'v', "verbose", NULL, "say more on standard error",
	  opt_parse__flag, AT(verbose), CMD_EVERY },
	{ 0, "no-color", NULL, "no colour (as when NO_COLOR is set, or the output is no terminal)",
	  opt_parse__flag, AT(no_color), CMD_SHOWING },
	{ 'h', "help", NULL, "show this help",
	  opt_parse__flag, AT(help), CMD_EVERY },
	{ 0, "version", NULL, "show the version",
	  opt_parse__flag, AT(version), CMD_EVERY },
};
/* clang-format on */

const size_t options_cnt = sizeof(options_table) / sizeof(options_table[0]);
