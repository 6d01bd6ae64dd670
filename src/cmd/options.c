/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/options.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/resolve.h"
#include "view/group.h"
#include "view/reduce.h"

#define RING_BYTES_MAX (1ull << 30)

int options__usage_error(const char *command_name, struct buf *err)
{
	const char *sentence = buf__cstr(err);

	if (strstr(sentence, "--help"))
		log__error("%s", sentence);
	else
		log__error("%s (see ipctrace %s --help)", sentence, command_name);
	return EXIT_USAGE;
}

/* Words behind the options: only "--" begins a command. */
static int take_command(struct options *o, enum command_bit command, int at, int argc, char **argv,
			struct buf *err)
{
	bool dashes = strcmp(argv[at - 1], "--") == 0;

	if (at == argc && !dashes)
		return 0;
	if (!(command & CMD_TRACING)) {
		buf__printf(err, "unexpected argument '%s'", at < argc ? argv[at] : "--");
		return EXIT_USAGE;
	}
	if (!dashes) {
		buf__printf(err, "unexpected argument '%s': a command to trace comes after --", argv[at]);
		return EXIT_USAGE;
	}
	if (at == argc) {
		buf__puts(err, "-- wants a command to run");
		return EXIT_USAGE;
	}
	o->command = argv + at;
	return 0;
}

static int check_numbers(struct options *o, struct buf *err)
{
	uint64_t rounded = 4096;

	if (o->count == 0) {
		buf__puts(err, "--count wants at least 1");
		return EXIT_USAGE;
	}
	if (o->ready_fd >= 0 && fcntl(o->ready_fd, F_GETFD) < 0) {
		buf__printf(err, "--ready-fd %d: no such descriptor is open", o->ready_fd);
		return EXIT_USAGE;
	}
	if (o->payload_bytes > PAYLOAD_MAX) {
		buf__puts(err, "--payload wants at most 32k");
		return EXIT_USAGE;
	}
	if (o->redact && !o->payload_bytes) {
		buf__puts(err, "--redact wants --payload: nothing else has contents");
		return EXIT_USAGE;
	}
	if (o->ring_bytes > RING_BYTES_MAX) {
		buf__puts(err, "--ring-size wants at most 1G per CPU");
		return EXIT_USAGE;
	}
	while (rounded < o->ring_bytes)
		rounded *= 2;
	if (o->ring_bytes)
		o->ring_bytes = rounded;
	return 0;
}

/* Both look at a call when its system call tracepoint runs; the functions' programs have forgotten it by then. */
static int check_captures(const struct options *o, struct buf *err)
{
	if (o->attach != ATTACH_FENTRY && o->attach != ATTACH_KPROBE)
		return 0;
	if (!o->payload_bytes && !o->stacks)
		return 0;
	buf__printf(err, "%s wants --attach tracepoint (or auto): the other hooks do not see it",
		    o->payload_bytes ? "--payload" : "--stacks");
	return EXIT_USAGE;
}

static int check_drawing(struct options *o, enum command_bit command, struct buf *err)
{
	if (o->projection && strcmp(o->projection, "process") != 0) {
		buf__printf(err, "--projection knows only 'process', not '%s'", o->projection);
		return EXIT_USAGE;
	}
	if (o->projection && o->bipartite) {
		buf__puts(err, "--bipartite and --projection process contradict each other");
		return EXIT_USAGE;
	}
	if (o->group && group__by_name(o->group, &o->graph.group)) {
		buf__printf(err, "--group knows cgroup, container, user, exe and comm, not '%s'", o->group);
		return EXIT_USAGE;
	}
	if (!o->history && command & CMD_DRAWING) {
		buf__puts(err, "--history wants at least 1");
		return EXIT_USAGE;
	}
	if (o->graph.top == OPTION_NOT_GIVEN) {
		o->graph.top = 0;
	} else if (!o->graph.top) {
		buf__puts(err, "--top wants at least 1");
		return EXIT_USAGE;
	}
	if (o->graph.hide && hide__check(o->graph.hide, err))
		return EXIT_USAGE;
	if (o->bipartite || o->projection)
		o->graph.shape = o->bipartite ? SHAPE_BIPARTITE : SHAPE_PROCESSES;
	return 0;
}

#define FILE_BYTES_MIN (256u << 10) /* a frame of any size fits, and what goes before it */

static int check_limits(struct options *o, struct buf *err)
{
	bool limited = o->file_bytes || o->keep_ns;

	if (o->file_bytes && o->file_bytes < FILE_BYTES_MIN)
		buf__puts(err, "--max-size wants at least 256k");
	else if (o->files && !limited)
		buf__puts(err, "--max-files wants --max-size or --keep: without them there is one file");
	else if (o->trigger && !o->keep_ns)
		buf__puts(err, "--trigger wants --keep SECONDS: how much is to be written");
	else if (limited && o->record && !strcmp(o->record, "-"))
		buf__puts(err, "--max-size and --keep write files: give --output one");
	return err->len ? EXIT_USAGE : 0;
}

/* What makes no sense when a recording is read. */
static int check_input(struct options *o, enum command_bit command, struct buf *err)
{
	if (command & CMD_DIFF && !o->second) {
		buf__puts(err, "diff wants two recordings: OLD NEW");
		return EXIT_USAGE;
	}
	if (command & CMD_READING && !o->input)
		o->input = RECORDING_DEFAULT;
	if (command & CMD_RECORD)
		o->record = o->output ? o->output : RECORDING_DEFAULT;
	if (!o->input)
		return 0;
	if (o->command)
		buf__puts(
			err,
			"--input reads a recording, and nothing is run: leave out -- and what is behind it");
	else if (o->record)
		buf__puts(err,
			  "--input reads a recording, and --record would make another of it: leave out one");
	return err->len ? EXIT_USAGE : 0;
}

/* -s and -d take pids or patterns; only a whole number is a pid. */
static int check_side(const char *side, struct buf *err)
{
	unsigned long pid;

	if (side && !*side) {
		buf__puts(err, "--src and --dst want a pid or a pattern over the command name, not ''");
		return EXIT_USAGE;
	}
	if (!side || strspn(side, "0123456789") != strlen(side))
		return 0;
	pid = strtoul(side, NULL, 10);
	if (pid == 0 || pid > INT32_MAX) {
		buf__printf(err, "'%s' is no pid", side);
		return EXIT_USAGE;
	}
	return resolve__pid((uint32_t)pid, err);
}

static int resolve_pids(const struct options *o, struct buf *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < o->pids.cnt; i++)
		ret = resolve__pid(o->pids.v[i], err);
	if (!ret)
		ret = check_side(o->src, err);
	if (!ret)
		ret = check_side(o->dst, err);
	return ret;
}

/* Everything that names something on this machine; a recording's processes are gone. */
static int resolve_names(struct options *o, struct buf *err)
{
	int ret = 0;

	o->mechs = mech__built_mask();
	if (o->mech_list && mech__parse_list(o->mech_list, &o->mechs, err))
		return EXIT_USAGE;
	if (!o->input)
		ret = resolve_pids(o, err);
	if (!ret && o->user) {
		ret = resolve__user(o->user, &o->uid, err);
		o->have_uid = true;
	}
	if (!ret && o->cgroup_path) {
		ret = resolve__cgroup(o->cgroup_path, &o->cgroup, err);
		o->have_cgroup = true;
	}
	return ret;
}

/* Commands that read recordings take their names as words, too, before or behind the options. */
static int parse_words(struct options *o, enum command_bit command, int argc, char **argv, struct buf *err)
{
	const char **words[] = { &o->input, command & CMD_DIFF ? &o->second : NULL };
	int from = 0, at = 0;

	for (size_t i = 0;; i++) {
		at = opts__parse(options_table, options_cnt, command, argc - from, argv + from, o, err);
		if (at < 0)
			return at;
		at += from;
		if (at == argc || !(command & CMD_READING) || i == 2 || !words[i] || *words[i] ||
		    strcmp(argv[at - 1], "--") == 0)
			return at;
		*words[i] = argv[at];
		from = at;
	}
}

int options__parse(struct options *o, enum command_bit command, const char *command_name, int argc,
		   char **argv)
{
	struct buf err = { 0 };
	int at, ret = -1;

	*o = (struct options){
		.duration_ns = OPTION_NOT_GIVEN,
		.count = OPTION_NOT_GIVEN,
		.graph.top = OPTION_NOT_GIVEN,
		.history = command & (CMD_EXPORT | CMD_REPORT | CMD_DIFF) ? 0 : OPTION_NOT_GIVEN,
		.slices = OPTION_SLICES_NOT_GIVEN,
		.ready_fd = -1,
		.argv = argv,
	};
	o->top.intervals = o->top.rows = OPTION_NOT_GIVEN;
	at = parse_words(o, command, argc, argv, &err);
	if (at < 0) {
		ret = options__usage_error(command_name, &err);
		goto out;
	}
	log__set_verbose(o->verbose);
	if (o->help || o->version) {
		ret = o->help ? help__print(command_name) : help__print_version();
		goto out;
	}
	ret = take_command(o, command, at, argc, argv, &err);
	if (!ret)
		ret = check_input(o, command, &err);
	if (!ret)
		ret = check_numbers(o, &err);
	if (!ret)
		ret = check_captures(o, &err);
	if (!ret)
		ret = check_limits(o, &err);
	if (!ret)
		ret = check_drawing(o, command, &err);
	if (!ret)
		ret = options__choose_ledger(o, command, &err);
	if (!ret)
		ret = resolve_names(o, &err);
	if (ret == EXIT_USAGE)
		options__usage_error(command_name, &err);
	else if (ret)
		log__error("%s", buf__cstr(&err));
	else
		ret = -1;
out:
	buf__free(&err);
	return ret;
}

static bool is_filter(const char *name)
{
	static const char *const names[] = { "pid",    "src", "dst",	     "follow",	 "mech",
					     "cgroup", "uid", "min-latency", "min-bytes" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

#define FILTER_WORDS_MAX 64

int options__filter(char *words, bool recording, struct select_opts *out, struct buf *err)
{
	struct opt *table = xalloc(options_cnt * sizeof(*table));
	char *argv[FILTER_WORDS_MAX + 2] = { "filter" };
	struct options o = { .duration_ns = OPTION_NOT_GIVEN, .input = recording ? "" : NULL };
	size_t cnt = 0;
	int argc = 1, at, ret;

	for (size_t i = 0; i < options_cnt; i++)
		if (options_table[i].commands & CMD_TOP && is_filter(options_table[i].name))
			table[cnt++] = options_table[i];
	for (char *save, *word = strtok_r(words, " ", &save); word && argc <= FILTER_WORDS_MAX;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	at = opts__parse(table, cnt, CMD_TOP, argc, argv, &o, err);
	ret = at < 0 ? EXIT_USAGE : 0;
	if (!ret && at < argc) {
		buf__printf(err, "'%s' is no filter: say -p PID, -s X, -d X, -m LIST, --uid USER, ...",
			    argv[at]);
		ret = EXIT_USAGE;
	}
	if (!ret)
		ret = resolve_names(&o, err);
	if (!ret)
		options__select(&o, out);
	free(table);
	return ret;
}

bool options__select(const struct options *o, struct select_opts *out)
{
	*out = (struct select_opts){
		.pid_cnt = o->pids.cnt,
		.follow = o->follow,
		.src = o->src,
		.dst = o->dst,
		.have_uid = o->have_uid,
		.have_cgroup = o->have_cgroup,
		.uid = o->uid,
		.cgroup = o->cgroup,
		.min_latency_ns = o->min_latency_ns,
		.min_bytes = o->min_bytes,
		.mechs = o->mechs,
	};
	memcpy(out->pids, o->pids.v, o->pids.cnt * sizeof(out->pids[0]));
	return o->pids.cnt || o->src || o->dst || o->have_uid || o->have_cgroup || o->min_latency_ns ||
	       o->min_bytes || o->mech_list || o->command;
}
