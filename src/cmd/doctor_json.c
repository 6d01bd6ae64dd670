/* SPDX-License-Identifier: GPL-2.0 */
#include <string.h>

#include "base/json.h"
#include "cmd/doctor.h"

/* "pipe" for a hook of pipes (and FIFOs, which come second); "all" for one that every mechanism needs. */
static const char *mech_of(const struct hook *h)
{
	size_t cnt;
	const struct mech_desc *const *all = mech__all(&cnt);

	if (doctor__serves_all(h))
		return "all";
	for (size_t i = 0; i < cnt; i++)
		if (h->mechs & IPCT_MECH_BIT(all[i]->mech))
			return all[i]->name;
	return "?";
}

/* Several rows may be of one kind (older names): the first one that works speaks for it, else the first; or -1. */
static int row_of_kind(const struct hook_choice *c, enum rung kind)
{
	int row = -1;

	for (size_t i = 0; i < hook__rung_cnt(c->hook); i++) {
		if (c->hook->rungs[i].rung != kind)
			continue;
		if (!strcmp(c->why[i], "ok"))
			return (int)i;
		if (row < 0)
			row = (int)i;
	}
	return row;
}

static void json_hook(struct json *j, const struct hook_choice *c)
{
	size_t cnt;
	const struct mech_desc *const *all = mech__all(&cnt);

	json__open(j, NULL, '{');
	json__str(j, "hook", c->hook->name);
	json__str(j, "mech", mech_of(c->hook));
	json__open(j, "mechs", '[');
	for (size_t i = 0; i < cnt; i++)
		if (doctor__serves_all(c->hook) || (c->hook->mechs & IPCT_MECH_BIT(all[i]->mech)))
			json__str(j, NULL, all[i]->name);
	json__close(j, ']');
	json__str(j, "attach", hook_choice__rung(c));
	json__open(j, "rungs", '{');
	for (enum rung kind = 0; kind < RUNG_CNT; kind++) {
		int row = row_of_kind(c, kind);

		if (row >= 0)
			json__str(j, rung__name(kind), c->why[row]);
	}
	json__close(j, '}');
	json__bool(j, "optional", hook__is_optional(c->hook));
	json__close(j, '}');
}

static void json_blind(struct json *j, const struct findings *f)
{
	size_t cnt;
	const struct mech_desc *const *all = mech__all(&cnt);
	struct buf line = { 0 };

	json__open(j, "blind", '[');
	for (size_t i = 0; i < cnt; i++) {
		for (const char *const *b = all[i]->blind;
		     b && *b && (f->mechs & IPCT_MECH_BIT(all[i]->mech)); b++) {
			buf__reset(&line);
			buf__printf(&line, "%s: %s", all[i]->name, *b);
			json__strn(j, NULL, line.data, line.len);
		}
	}
	json__close(j, ']');
	buf__free(&line);
}

void doctor__put_json(struct buf *out, const struct findings *f, bool ok)
{
	struct json j = { .out = out };
	struct right rights[RIGHT_CNT];

	json__open(&j, NULL, '{');
	json__str(&j, "kernel", f->host.release);
	json__str(&j, "arch", f->host.machine);
	json__bool(&j, "btf", f->rights.btf);
	doctor__rights(f, rights);
	json__open(&j, "rights", '{');
	for (size_t i = 0; i < RIGHT_CNT; i++)
		json__bool(&j, rights[i].name, rights[i].held);
	json__str(&j, "lockdown", f->rights.lockdown);
	json__close(&j, '}');
	json__open(&j, "hooks", '[');
	for (size_t i = 0; i < f->cnt; i++)
		json_hook(&j, &f->choices[i]);
	json__close(&j, ']');
	json__open(&j, "user_sems", '{');
	json__bool(&j, "uprobes", f->uprobes);
	json__u64(&j, "functions", f->user_sem_cnt);
	json__close(&j, '}');
	json_blind(&j, f);
	json__bool(&j, "ok", ok);
	json__close(&j, '}');
	buf__putc(out, '\n');
}
