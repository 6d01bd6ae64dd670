/* SPDX-License-Identifier: GPL-2.0 */
/* What `ipctrace who` and `ipctrace why` take: one word, and few options. */
#ifndef CMD_NOW_OPTIONS_H
#define CMD_NOW_OPTIONS_H

#include "base/out.h"
#include "kern/open_ends.h"

struct now_options {
	bool help, json;
	const char *output; /* NULL: standard output */
	const char *word; /* what is asked about */
};

/* -1: go on; else the exit status, and said why. about: for --help. */
int now_options__parse(struct now_options *o, const char *command, const char *word_name, const char *about,
		       int argc, char **argv);
/* "123" is a pid that exists: 0 and *pid; no number: 0 and *pid 0; else the exit status, and said why. */
int now_options__pid(const char *word, uint32_t *pid);
/* Where the answer goes. 0, or -errno, and said why. */
int now__open(struct out *out, const struct now_options *o);
/* The exit status: status, or that of a failed write, and said why. */
int now__finish(struct out *out, int status);
/* What cannot be seen without root, said once on standard error. */
void now__warn_rights(void);

/* The name of a process now; "" when it is gone. */
void now__comm(uint32_t pid, char comm[16]);
uint64_t now__start_ns(uint32_t pid); /* 0: it is gone */

#endif
