/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/help.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/out.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "export/export.h"
#include "view/diff.h"
#include "view/reduce.h"
#include "view/view.h"

/* What --help says about a command besides its options. */
struct help_text {
	const char *name;
	enum command_bit bit;
	const char *about;
	const char *examples;
};

static const struct help_text texts[] = {
	{ "live", CMD_LIVE,
	  "Shows each message that one process gave another: when, by which mechanism, through\n"
	  "which object, from whom to whom, how many bytes, how long it was under way.\n"
	  "Runs until Ctrl-C, --duration, --count, or the end of COMMAND.\n",
	  "  ipctrace                          everything on this machine\n"
	  "  ipctrace -- sh -c 'ls | wc'       one command and all its children\n"
	  "  ipctrace -p 4242 -f -m unix       UNIX socket messages of process 4242 and its children\n"
	  "  ipctrace -s 'nginx*' -d php-fpm   only from one program to another\n"
	  "  ipctrace --min-latency 10ms -D 60 slow messages of the next minute\n"
	  "  ipctrace --json -c 100 | jq .     for programs\n" },
	{ "graph", CMD_GRAPH,
	  "Records who talks to whom until Ctrl-C, --duration, or the end of COMMAND, then writes the\n"
	  "graph: the processes, the objects they share, and what flowed between them.\n",
	  "  ipctrace graph -D 10                                   the next ten seconds, as text\n"
	  "  ipctrace graph -F svg -o make.svg -- make              a picture of a command\n"
	  "  ipctrace graph -D 60 --fold --top 40 --hide loggers    the main roads of a busy machine\n"
	  "  ipctrace graph -F json -o graph.json -p 4242 -f        for networkx and other programs\n" },
	{ "top", CMD_TOP,
	  "Shows what moves between processes now: rates, latencies, who is blocked, how full channels are.\n"
	  "On a terminal it is interactive (h explains the keys); with -b, or where there is no terminal,\n"
	  "it writes tables, once per interval.\n",
	  "  ipctrace top                                      everything on this machine\n"
	  "  ipctrace top -m unix --group command              UNIX sockets, one row per program\n"
	  "  ipctrace top -b -n 1 --interval 10 --table all    what happens in ten seconds\n"
	  "  ipctrace top -b --json -n 60 -p 4242 > rates.json  for programs\n" },
	{ "record", CMD_RECORD,
	  "Writes all that the views need into one file, until Ctrl-C, --duration, or the end of COMMAND.\n"
	  "replay, graph -i and the other views then show it, as often and as filtered as you like,\n"
	  "without root and on any machine. Where the recorder is killed, what it has written is readable.\n",
	  "  ipctrace record -D 60                       the next minute, into ipctrace.data\n"
	  "  ipctrace record -o make.ipt -- make -j8     one command and all its children\n"
	  "  ipctrace graph -i make.ipt -F dot           ... and its graph\n" },
	{ "replay", CMD_REPLAY,
	  "Shows a recording as ipctrace would have shown it live: the same lines, byte for byte, with the\n"
	  "same filters. Needs no root. Without FILE it reads ipctrace.data.\n",
	  "  ipctrace replay make.ipt\n"
	  "  ipctrace replay make.ipt -m pipe --min-latency 10ms\n"
	  "  ipctrace replay -i make.ipt --json | jq .\n" },
	{ "serve", CMD_SERVE,
	  "Traces until Ctrl-C, --duration, or the end of COMMAND, and serves what it sees: the graph as a\n"
	  "page that follows (/), as JSON (/graph.json), counters in OpenMetrics form (/metrics), and\n"
	  "whether all is well (/healthz). Only this machine can ask, unless --listen says otherwise.\n",
	  "  ipctrace serve                               then open http://127.0.0.1:9435/\n"
	  "  ipctrace serve --listen 0.0.0.0:9435 --token-file /etc/ipctrace/token\n"
	  "  ipctrace serve --group container --fold --hide loggers\n" },
	{ "report", CMD_REPORT,
	  "Sums up a recording: how it was made, what moved by which mechanism, the largest and the slowest\n"
	  "flows, who waited longest. Without FILE it reads ipctrace.data.\n",
	  "  ipctrace report make.ipt\n"
	  "  ipctrace report --json make.ipt | jq .flows\n" },
	{ "diff", CMD_DIFF,
	  "Says what is new, gone or changed between two recordings. Processes are matched by what they "
	  "are,\n"
	  "not by pid; channels by their names, without what the kernel numbered.\n"
	  "Exit status 0: nothing changed, 1: something did, 2: trouble.\n",
	  "  ipctrace diff before.ipt after.ipt\n"
	  "  ipctrace diff --factor 1.5 -m unix before.ipt after.ipt\n"
	  "  ipctrace diff -F dot before.ipt after.ipt | dot -Tsvg > diff.svg\n" },
	{ "export", CMD_EXPORT,
	  "Writes a recording in another tool's format. Filters choose what of it. Needs no root.\n"
	  "Without FILE it reads ipctrace.data.\n",
	  "  ipctrace export -F perfetto -o make.perfetto make.ipt   then open it in ui.perfetto.dev\n"
	  "  ipctrace export -F sqlite -o make.db make.ipt && sqlite3 make.db 'SELECT * FROM talkers LIMIT "
	  "10'\n"
	  "  ipctrace export -F csv make.ipt > make.csv\n" },
	{ "doctor", CMD_DOCTOR,
	  "Tells what can be traced here: for each hook the way that was chosen and why the better ones\n"
	  "were not, what each mechanism cannot see, and which rights are missing.\n"
	  "Exit status 0: everything asked for can be traced; 1: something cannot.\n",
	  "  ipctrace doctor\n"
	  "  ipctrace doctor -m pipe,signal --attach fentry\n"
	  "  ipctrace doctor --json | jq '.hooks[] | select(.attach == null)'\n" },
};

static const struct help_text *text_of(const char *name)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].name, name) == 0)
			return &texts[i];
	return NULL;
}

static int print(struct out *out)
{
	struct buf err = { 0 };
	int ret = out__finish(out, &err);

	if (ret && ret != -EPIPE)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return ret && ret != -EPIPE ? EXIT_FAILED : EXIT_OK;
}

/* Those that have a member in this build. */
static void put_groups(struct buf *b)
{
	static const char *const groups[] = { "sysv", "posix", "unix", "inet", "msg", "sem", "shm", "all" };
	struct buf refused = { 0 };
	uint32_t mask;

	buf__puts(b, "  Groups:");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (mech__parse_list(groups[i], &mask, &refused) == 0)
			buf__printf(b, " %s", groups[i]);
	buf__putc(b, '\n');
	buf__free(&refused);
}

static void put_mechs(struct buf *b)
{
	size_t cnt;
	const struct mech_desc *const *all = mech__all(&cnt);

	buf__puts(b, "\nMechanisms (-m):\n");
	for (size_t i = 0; i < cnt; i++) {
		size_t start = b->len;

		buf__printf(b, "  %s", all[i]->name);
		buf__pad(b, start, 20);
		buf__printf(b, "%s\n", all[i]->summary);
	}
	put_groups(b);
}

static void put_formats(struct buf *b, enum command_bit bit)
{
	const struct graph_view *const *views = graph_view__all();

	buf__puts(b, "\nFormats (-F):\n");
	if (bit == CMD_TOP) {
		buf__puts(b, "  text          for people\n  csv           one header, one line per row\n"
			     "  json          one object per row and line\n");
		return;
	}
	if (bit == CMD_EXPORT) {
		for (const struct export_format *const *f = export_format__all(); *f; f++)
			buf__printf(b, "  %-12s  %s\n", (*f)->name, (*f)->summary);
		return;
	}
	if (bit == CMD_DIFF) {
		for (const struct diff_view *const *v = diff_view__all(); *v; v++)
			buf__printf(b, "  %-12s  %s\n", (*v)->name, (*v)->summary);
		return;
	}
	if (bit != CMD_GRAPH) {
		buf__puts(b, "  text          for people\n  json          one object per line\n");
		return;
	}
	for (; *views; views++)
		buf__printf(b, "  %-12s  %s\n", (*views)->name, (*views)->summary);
}

static void put_command(struct buf *b, const struct command *c, const struct help_text *t)
{
	buf__printf(b, "Usage: ipctrace %s\n\n%s\nOptions:\n", c->synopsis, t->about);
	opts__help(options_table, options_cnt, t->bit, b);
	put_mechs(b);
	if (t->bit & CMD_SHOWING & ~CMD_DOCTOR)
		put_formats(b, t->bit);
	if (t->bit & CMD_DRAWING) {
		buf__puts(b, "\nPresets (--hide):\n");
		hide__put_presets(b);
	}
	buf__printf(b, "\nExamples:\n%s", t->examples);
}

static void put_overview(struct buf *b)
{
	buf__puts(b, "ipctrace: which processes talk to each other, through what, and how fast\n\nUsage:\n");
	for (const struct command *c = commands; c->name; c++) {
		size_t start = b->len;

		buf__printf(b, "  ipctrace %s", c->synopsis);
		buf__pad(b, start, 50);
		buf__printf(b, "  %s\n", c->summary);
	}
	buf__puts(b,
		  "\nStart with:\n"
		  "  sudo ipctrace -- sh -c 'ls | wc'    watch the messages of one command\n"
		  "  sudo ipctrace graph -D 5            who talks to whom on this machine, over 5 seconds\n"
		  "  sudo ipctrace doctor                what this kernel lets ipctrace see\n"
		  "\n`ipctrace help COMMAND` explains a command and its options; without a command word\n"
		  "the options are those of `ipctrace help live`.\n");
}

int help__print(const char *command_name)
{
	const struct command *c = command_name && *command_name ? command__by_name(command_name) : NULL;
	const struct help_text *t = c ? text_of(c->name) : NULL;
	struct out out;

	if (c && !t) { /* it explains itself */
		char *argv[] = { (char *)c->name, "--help", NULL };

		return c->run == cmd_help ? help__print(NULL) : c->run(2, argv);
	}
	out__from_fd(&out, 1, "standard output");
	if (t)
		put_command(&out.buf, c, t);
	else
		put_overview(&out.buf);
	return print(&out);
}

int help__print_version(void)
{
	struct out out;

	out__from_fd(&out, 1, "standard output");
	buf__puts(&out.buf, "ipctrace " IPCTRACE_VERSION "\n");
	return print(&out);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

#define WORD_MAX 24

/* Levenshtein distance; words longer than any command are far from all. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t cost = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = min3(cost, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[lb];
}

const char *help__nearest(const char *word)
{
	const char *best = NULL;
	size_t best_distance = 3;

	for (const struct command *c = commands; c->name; c++) {
		size_t d = distance(word, c->name);

		if (strlen(word) >= 3 && strncmp(c->name, word, strlen(word)) == 0)
			d = 1;
		if (d < best_distance) {
			best_distance = d;
			best = c->name;
		}
	}
	return best;
}

int cmd_help(int argc, char **argv)
{
	const char *nearest;

	if (argc < 2 || argv[1][0] == '-')
		return help__print(NULL);
	if (command__by_name(argv[1]))
		return help__print(argv[1]);
	nearest = help__nearest(argv[1]);
	log__error("no command '%s'%s%s%s", argv[1],
		   nearest ? ": did you mean 'ipctrace help " : ": see ipctrace --help",
		   nearest ? nearest : "", nearest ? "'?" : "");
	return EXIT_USAGE;
}
