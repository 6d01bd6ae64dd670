/* SPDX-License-Identifier: GPL-2.0 */
/* The commands: one row each in cmd/commands.c, one file each. A command that is not in the table does not exist. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stddef.h>

/* Exit statuses of the contract; a traced command's own status is passed through. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_LOST = 3, /* under --strict */
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

struct command {
	const char *name;
	const char *synopsis; /* behind "ipctrace " */
	const char *summary; /* one line */
	/* argv[0] is the command's word; getopt-like parsing starts at argv[1]. Returns the exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct command
	commands[]; /* ended by a row without a name; the first is what runs without a word */
const struct command *command__by_name(const char *name); /* NULL: none */

int cmd_live(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_graph(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_who(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_workload(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_help(int argc, char **argv);

#define IPCTRACE_VERSION "0.1.0"

#endif
