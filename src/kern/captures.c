/* SPDX-License-Identifier: GPL-2.0 */
/* What is captured beside each operation, when it is asked for: contents and call stacks. */
#include <bpf/libbpf.h>

#include "kern/kern_impl.h"
#include "kern/skel.h"

static bool wants_stacks(const struct kern *k)
{
	return k->opts.user_stacks || k->opts.kernel_stacks;
}

bool captures__any(const struct kern *k)
{
	return k->opts.payload_bytes || wants_stacks(k);
}

/* A map with a value for each CPU, or none. */
static void size_map(const struct kern *k, struct bpf_map *map, bool wanted)
{
	if (wanted)
		bpf_map__set_max_entries(map, k->ring_cnt);
	else
		bpf_map__set_autocreate(map, false);
}

void captures__configure(struct kern *k, struct ipct_config *cfg)
{
	cfg->payload_bytes = k->opts.payload_bytes;
	cfg->user_stacks = k->opts.user_stacks;
	cfg->kernel_stacks = k->opts.kernel_stacks;
	size_map(k, k->skel->maps.payloads, k->opts.payload_bytes);
	size_map(k, k->skel->maps.stack_scratch, wants_stacks(k));
	if (!wants_stacks(k))
		bpf_map__set_autocreate(k->skel->maps.stacks_seen, false);
}

void captures__select(struct kern *k)
{
	bool signals = k->opts.mechs & IPCT_MECH_BIT(IPCT_MECH_SIGNAL);

	bpf_program__set_autoload(k->skel->progs.payload__tracepoint, k->opts.payload_bytes);
	bpf_program__set_autoload(k->skel->progs.stack_call__tracepoint, k->opts.user_stacks);
	bpf_program__set_autoload(k->skel->progs.stack_sleep__tracepoint, k->opts.kernel_stacks);
	bpf_program__set_autoload(k->skel->progs.stack_signal__tracepoint, wants_stacks(k) && signals);
}
