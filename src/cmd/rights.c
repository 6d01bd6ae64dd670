/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/rights.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/log.h"

static bool has_command(const struct options *o)
{
	return o->command;
}

static bool looks_at_processes(const struct options *o)
{
	return o->looks_at_processes;
}

static bool names_code(const struct options *o)
{
	return o->stacks;
}

/* What goes on after the start and touches what is other users'. */
static const struct need {
	bool (*needed)(const struct options *o);
	uint8_t cap;
} needs[] = {
	{ has_command, CAP_KILL }, /* to pass signals on to it, whoever it has become */
	{ looks_at_processes, CAP_SYS_PTRACE }, /* top's waits: /proc/PID/fd, syscall and stack of others */
	{ looks_at_processes, CAP_DAC_READ_SEARCH },
	{ looks_at_processes, CAP_KILL }, /* top's key for signals */
	{ names_code, CAP_SYS_PTRACE }, /* programs in other mount namespaces: /proc/PID/root */
	{ names_code, CAP_DAC_READ_SEARCH },
};

/* A whole file is put into place by rename(2): into a directory that is another's, under sudo the caller's. */
static bool needs_override(const char *later)
{
	char path[4096];

	if (!later || strlen(later) >= sizeof(path))
		return false;
	strcpy(path, later);
	return faccessat(AT_FDCWD, dirname(path), W_OK | X_OK, AT_EACCESS) != 0;
}

void rights__drop(const struct options *o, struct kern *kern, const char *later)
{
	uint64_t keep = 0;
	int ret = kern__lower_rights();

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].needed(o))
			keep |= 1ull << needs[i].cap;
	if (!ret && !kern__reads_losses(kern))
		keep |= 1ull << CAP_BPF;
	if (!ret && needs_override(later))
		keep |= 1ull << CAP_DAC_OVERRIDE;
	if (!ret)
		ret = kern__drop_rights(keep);
	if (ret)
		log__info("cannot give up the rights that are not needed any more: %s", strerror(-ret));
}
