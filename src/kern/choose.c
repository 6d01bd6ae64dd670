/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/choose.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "kern/probe.h"

static bool has_row(const struct hook *h, enum rung rung)
{
	for (size_t i = 0; i < hook__rung_cnt(h); i++)
		if (h->rungs[i].rung == rung)
			return true;
	return false;
}

/* What --attach asks for, or what there is instead where a hook has nothing of that kind: tracepoints. */
static bool allowed(const struct hook *h, enum attach_mode attach, enum rung rung)
{
	static const enum rung forced[] = {
		[ATTACH_FENTRY] = RUNG_FENTRY,
		[ATTACH_KPROBE] = RUNG_KPROBE,
		[ATTACH_TRACEPOINT] = RUNG_TRACEPOINT,
	};

	if (attach == ATTACH_AUTO)
		return true;
	return rung == (has_row(h, forced[attach]) ? forced[attach] : RUNG_TRACEPOINT);
}

static void choose(struct hook_choice *c, enum attach_mode attach)
{
	c->chosen = -1;
	for (size_t i = 0; i < hook__rung_cnt(c->hook); i++) {
		const struct rung_row *row = &c->hook->rungs[i];

		if (!allowed(c->hook, attach, row->rung)) {
			snprintf(c->why[i], sizeof(c->why[i]), "not tried: --attach");
			continue;
		}
		if (probe__rung(row, c->why[i], sizeof(c->why[i])) && c->chosen < 0)
			c->chosen = i;
	}
}

const char *hook_choice__rung(const struct hook_choice *c)
{
	const struct rung_row *row = hook_choice__row(c);

	return row ? rung__name(row->rung) : NULL;
}

struct hook_choice *choose__hooks(enum attach_mode attach, uint32_t mechs, size_t *cnt)
{
	size_t hook_cnt;
	const struct hook *const *hooks = mech__hooks(&hook_cnt);
	struct hook_choice *choices = xalloc((hook_cnt + 1) * sizeof(*choices));

	*cnt = 0;
	for (size_t i = 0; i < hook_cnt; i++) {
		if (hooks[i]->mechs && !(hooks[i]->mechs & mechs))
			continue;
		choices[*cnt].hook = hooks[i];
		choose(&choices[(*cnt)++], attach);
	}
	return choices;
}

uint8_t choose__missing(const struct hook_choice *choices, size_t cnt, uint32_t mechs,
			const struct hook_choice **hook)
{
	for (size_t i = 0; i < cnt; i++) {
		if (choices[i].chosen >= 0 || hook__is_optional(choices[i].hook))
			continue;
		*hook = &choices[i];
		for (uint8_t m = 1; m < IPCT_MECH_CNT; m++) {
			if (choices[i].hook->mechs & mechs & IPCT_MECH_BIT(m))
				return m;
		}
	}
	return IPCT_MECH_NONE;
}
