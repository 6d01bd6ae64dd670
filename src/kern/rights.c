/* SPDX-License-Identifier: GPL-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <linux/capability.h>

#include "kern/kern_impl.h"
#include "kern/skel.h"

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

int kern__lower_rights(void)
{
	if (capng_get_caps_process())
		return -EPERM;
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, cap);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/* Before 5.19 (c8644cd0efe7 "bpf: refine kernel.unprivileged_bpf_disabled behaviour") a descriptor alone is not enough. */
bool kern__reads_losses(const struct kern *k)
{
	uint64_t values[k->ring_cnt];
	uint32_t first = 0;

	return !bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.lost), &first, values);
}

int kern__drop_rights(uint64_t keep)
{
	capng_select_t sets = CAPNG_SELECT_CAPS;
	uint64_t held = 0;

	if (capng_get_caps_process())
		return -EPERM;
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (capng_have_capability(CAPNG_PERMITTED, cap))
			held |= 1ull << cap;
	/* What root executes gets all that is in the bounding set, which may be emptied with this one in effect. */
	if (held >> CAP_SETPCAP & 1) {
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, CAP_SETPCAP);
		if (capng_apply(CAPNG_SELECT_CAPS))
			return -EPERM;
		sets = CAPNG_SELECT_BOTH;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (held & keep & 1ull << cap)
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
	return capng_apply(sets) ? -EPERM : 0;
}
