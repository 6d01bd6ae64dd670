/* SPDX-License-Identifier: GPL-2.0 */
/* What --help and `ipctrace help` say; all on standard output. */
#ifndef CMD_HELP_H
#define CMD_HELP_H

/* Of one command; NULL or "": the overview. Return the exit status. */
int help__print(const char *command_name);
int help__print_version(void);
/* The command that a mistyped word probably meant; NULL: no idea. */
const char *help__nearest(const char *word);

#endif
