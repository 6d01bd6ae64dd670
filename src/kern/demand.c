/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks of which only few calls have any use, at tracepoints where much else comes by: attached when the kernel half has
 * seen the first of these calls (bpf/demand.bpf.h). What is under way meanwhile is paired by other rules, or counted as lost.
 */
#include <bpf/libbpf.h>

#include "base/log.h"

#include "kern/kern_impl.h"
#include "kern/skel.h"

/* 0: from the beginning, as one of the hooks that it serves has to. */
static uint8_t demand_of(const struct kern *k, const struct bpf_program *prog)
{
	uint8_t bits = 0;

	for (size_t i = 0; k->opts.on_demand && i < k->choice_cnt; i++) {
		const struct rung_row *row = hook_choice__row(&k->choices[i]);

		if (!rung_row__has(row, bpf_program__name(prog)))
			continue;
		if (!row->demand)
			return 0;
		bits |= row->demand;
	}
	return bits;
}

uint8_t demand__bits(const struct kern *k)
{
	uint8_t bits = 0;

	for (size_t i = 0; k->opts.on_demand && i < k->choice_cnt; i++) {
		const struct rung_row *row = hook_choice__row(&k->choices[i]);

		bits |= row ? row->demand : 0;
	}
	return bits;
}

bool demand__holds_back(const struct kern *k, const struct bpf_program *prog)
{
	return demand_of(k, prog) != 0;
}

static int attach_for(struct kern *k, uint8_t bit, struct buf *err)
{
	struct bpf_program *prog;
	int rc = 0;

	bpf_object__for_each_program(prog, k->skel->obj)
	{
		if (!rc && bpf_program__autoload(prog) && demand_of(k, prog) & bit)
			rc = kern__attach_one(k, prog, err);
	}
	return rc;
}

void demand__serve(struct kern *k)
{
	struct buf err = { 0 };

	for (int i = 0; i < IPCT_DEMAND_CNT; i++) {
		if (k->demand_tried >> i & 1 || !k->skel->bss->demanded[i])
			continue;
		k->demand_tried |= 1u << i;
		if (attach_for(k, 1u << i, &err))
			log__error("%s",
				   buf__cstr(&err)); /* what it would have shown goes on counting as lost */
		else
			k->skel->bss->served[i] = true;
		buf__reset(&err);
	}
	buf__free(&err);
}
