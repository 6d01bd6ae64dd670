/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user can say to the commands that view traffic: one struct, one
 * table. Each row says which commands take it; --help, the manual's test and
 * shell completion read the same rows.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/opts.h"
#include "kern/kern.h"
#include "model/select.h"
#include "view/view.h"

enum command_bit {
	CMD_LIVE = 1 << 0,
	CMD_GRAPH = 1 << 1,
	CMD_DOCTOR = 1 << 2,
	CMD_RECORD = 1 << 3,
	CMD_REPLAY = 1 << 4,
	CMD_EXPORT = 1 << 5,
	CMD_REPORT = 1 << 6,
	CMD_DIFF = 1 << 7,
	CMD_TOP = 1 << 8,
	CMD_SERVE = 1 << 9,
};
#define CMD_LINES (CMD_LIVE | CMD_REPLAY) /* a line per message */
#define CMD_LINES_TRACED (CMD_LIVE | CMD_RECORD) /* what captures, or shows, single messages */
#define CMD_CAPTURING (CMD_WATCHING | CMD_RECORD | CMD_REPLAY | CMD_REPORT) /* what knows of call stacks */
#define CMD_WATCHING (CMD_LIVE | CMD_GRAPH | CMD_TOP) /* show the running kernel, or a recording with -i */
#define CMD_VIEWING (CMD_WATCHING | CMD_READING)
#define CMD_TRACING (CMD_WATCHING | CMD_RECORD | CMD_SERVE)
#define CMD_CHOOSING (CMD_VIEWING | CMD_RECORD | CMD_SERVE) /* which traffic */
#define CMD_READING (CMD_REPLAY | CMD_EXPORT | CMD_REPORT | CMD_DIFF) /* recordings only */
#define CMD_SHOWING (CMD_VIEWING | CMD_DOCTOR)
#define CMD_EVERY (CMD_CHOOSING | CMD_DOCTOR)
#define CMD_DRAWING (CMD_GRAPH | CMD_SERVE)

#define TYPED_PIDS_MAX (SELECT_PIDS_MAX - 1) /* the command behind "--" is one more */

struct pid_list {
	uint32_t v[TYPED_PIDS_MAX];
	size_t cnt;
};

#define PAYLOAD_DEFAULT 256 /* bytes */
#define PAYLOAD_MAX (32u << 10)
#define OPTION_NOT_GIVEN UINT64_MAX
#define OPTION_SLICES_NOT_GIVEN UINT32_MAX
#define RECORDING_DEFAULT "ipctrace.data" /* where record writes, and replay reads */

struct options {
	/* as typed; strings point into argv */
	bool help, version, verbose, no_color;
	struct pid_list pids;
	const char *src, *dst;
	bool follow;
	const char *mech_list, *cgroup_path, *user;
	uint64_t duration_ns, count; /* or OPTION_NOT_GIVEN */
	uint64_t min_latency_ns, min_bytes; /* 0: any */
	const char *output, *format;
	const char *input; /* -i, or what replay reads; NULL: the running kernel */
	const char *second; /* diff's NEW */
	double factor; /* diff; 0: default */
	bool latency; /* diff */
	uint64_t payload_bytes; /* captured of each message; 0: none */
	bool redact;
	bool stacks, kernel_stacks; /* captured; report: stacks are shown */
	const char *record; /* file to record to; NULL: none */
	uint64_t file_bytes, keep_ns; /* record; 0: not given */
	uint32_t files; /* record; 0: not given */
	const char *trigger; /* record; NULL: not given */
	bool json, ops, strict, user_sems, summary;
	enum attach_mode attach;
	struct graph_opts graph;
	const char *projection, *group; /* as typed; in graph when parsed */
	bool bipartite;
	uint64_t watch_ns; /* 0: write once, at the end */
	const char *listen, *token_file;
	uint32_t slices; /* or OPTION_SLICES_NOT_GIVEN */
	uint64_t history, history_ns; /* as in struct model_opts, and set by commands; or OPTION_NOT_GIVEN */
	int ready_fd; /* -1: none */
	uint64_t ring_bytes; /* 0: default */
	struct {
		bool batch, idle;
		uint64_t interval_ns; /* 0: default */
		uint64_t intervals; /* or OPTION_NOT_GIVEN */
		uint64_t rows; /* or OPTION_NOT_GIVEN */
		const char *tables, *sort, *columns, *group;
		double speed; /* 0: not given */
	} top;
	char **argv; /* all words, NULL-terminated */
	char **command; /* behind "--", NULL-terminated; NULL: none */
	bool looks_at_processes; /* set by top: shows who waits, sends signals */
	/* made of it by options__parse() */
	uint32_t mechs;
	bool have_uid, have_cgroup;
	uint32_t uid;
	uint64_t cgroup;
	enum kern_ledger ledger;
	uint64_t ledger_period_ns; /* 0: default */
};

extern const struct opt options_table[];
extern const size_t options_cnt;

/*
 * Parses argv[1..] for the command and fills o. Says what is wrong with it, or prints the help that was asked for.
 * Returns -1 when the command should run, else the exit status.
 */
int options__parse(struct options *o, enum command_bit command, const char *command_name, int argc,
		   char **argv);
/*
 * The filter that words, as typed behind a command, ask for: -p, -s, -d, -f, -m, --cgroup, --uid, --min-latency and
 * --min-bytes. out's strings point into words, which is changed. 0, or an exit status with one sentence in err.
 */
int options__filter(char *words, bool recording, struct select_opts *out, struct buf *err);
/* The exact filter that the options ask for; returns false when everything is selected. */
bool options__select(const struct options *o, struct select_opts *out);
/* Fills in o->ledger, for options__parse(): 0, or EXIT_USAGE with one sentence in err. options_ledger.c */
int options__choose_ledger(struct options *o, enum command_bit command, struct buf *err);
/* Says a usage error, with a pointer to the command's --help; returns EXIT_USAGE. */
int options__usage_error(const char *command_name, struct buf *err);

#endif
