/* SPDX-License-Identifier: GPL-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "kern/kern.h"

static uint64_t effective_capabilities(void)
{
	unsigned long long caps = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	}
	if (f)
		fclose(f);
	return caps;
}

/* "none [integrity] confidentiality": the one in brackets is in force. */
static void read_lockdown(char *to, size_t size)
{
	char line[128] = "", *from, *end;
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");

	snprintf(to, size, "unknown");
	if (!f)
		return;
	if (fgets(line, sizeof(line), f) && (from = strchr(line, '[')) && (end = strchr(from, ']')))
		snprintf(to, size, "%.*s", (int)(end - from - 1), from + 1);
	fclose(f);
}

void kern__rights(struct kern_rights *r)
{
	uint64_t caps = effective_capabilities();

	r->root = geteuid() == 0;
	r->cap_bpf = caps >> CAP_BPF & 1;
	r->cap_perfmon = caps >> CAP_PERFMON & 1;
	r->cap_sys_admin = caps >> CAP_SYS_ADMIN & 1;
	r->cap_sys_ptrace = caps >> CAP_SYS_PTRACE & 1;
	r->btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
	read_lockdown(r->lockdown, sizeof(r->lockdown));
}
