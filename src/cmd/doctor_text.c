/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/doctor.h"

static void text_user_sems(struct buf *out, const struct findings *f)
{
	if (!(f->mechs & IPCT_MECH_BIT(IPCT_MECH_POSIX_SEM)))
		return;
	buf__printf(out, "%-22s%-12sposix-sem\n", "(--user-sems)", f->uprobes ? "uprobe" : "none");
	if (f->uprobes)
		buf__printf(out,
			    "    note: %zu functions of the C libraries in use; about 2 us per operation\n",
			    f->user_sem_cnt);
	else
		buf__puts(out, "    note: this kernel has no CONFIG_UPROBE_EVENTS\n");
}

static void text_rights(struct buf *out, const struct findings *f)
{
	struct right rights[RIGHT_CNT];

	doctor__rights(f, rights);
	buf__printf(out,
		    "Kernel %s on %s, type information (BTF): %s, lockdown: %s\nRights:", f->host.release,
		    f->host.machine, f->rights.btf ? "yes" : "no", f->rights.lockdown);
	for (size_t i = 0; i < RIGHT_CNT; i++)
		buf__printf(out, "%s %s %s", i ? "," : "", rights[i].name, rights[i].held ? "yes" : "no");
	buf__putc(out, '\n');
	for (size_t i = 1; i < RIGHT_CNT; i++)
		if (!rights[i].held)
			buf__printf(out, "  without %s: %s\n", rights[i].name, rights[i].without);
}

static void text_mechs(struct buf *out, const struct hook *h)
{
	const char *sep = "";
	size_t cnt;
	const struct mech_desc *const *all = mech__all(&cnt);

	if (doctor__serves_all(h))
		buf__puts(out, "all");
	for (size_t i = 0; i < cnt; i++) {
		if (h->mechs & IPCT_MECH_BIT(all[i]->mech)) {
			buf__printf(out, "%s%s", sep, all[i]->name);
			sep = ", ";
		}
	}
	buf__putc(out, '\n');
}

static void text_hook(struct buf *out, const struct hook_choice *c)
{
	const char *attach = hook_choice__rung(c);
	size_t start = out->len, cnt = hook__rung_cnt(c->hook);

	buf__printf(out, "%s ", c->hook->name);
	buf__pad(out, start, 22);
	buf__printf(out, "%s ",
		    attach			 ? attach
		    : hook__is_optional(c->hook) ? "not seen (optional)"
						 : "CANNOT BE TRACED");
	buf__pad(out, start, 34);
	text_mechs(out, c->hook);
	/* Those behind the chosen one were not needed. */
	for (size_t i = 0; i < cnt && (c->chosen < 0 || i <= (size_t)c->chosen); i++) {
		const struct rung_row *r = &c->hook->rungs[i];

		if ((int)i != c->chosen)
			buf__printf(out, "    %s (%s): %s\n", rung__name(r->rung), r->target, c->why[i]);
		else if (r->note)
			buf__printf(out, "    note: %s\n", r->note);
	}
}

/* Families of mechanisms share their sentences: each is said once, with all their names. */
static bool said_before(const struct mech_desc *const *all, size_t at, uint32_t mechs)
{
	for (size_t i = 0; i < at; i++)
		if ((mechs & IPCT_MECH_BIT(all[i]->mech)) && all[i]->blind == all[at]->blind)
			return true;
	return false;
}

static void text_blind(struct buf *out, const struct findings *f)
{
	size_t cnt;
	const struct mech_desc *const *all = mech__all(&cnt);

	buf__puts(out, "\nWhat cannot be seen:\n");
	for (size_t i = 0; i < cnt; i++) {
		if (!all[i]->blind || !(f->mechs & IPCT_MECH_BIT(all[i]->mech)) ||
		    said_before(all, i, f->mechs))
			continue;
		buf__printf(out, "  %s", all[i]->name);
		for (size_t k = i + 1; k < cnt; k++)
			if (all[k]->blind == all[i]->blind && (f->mechs & IPCT_MECH_BIT(all[k]->mech)))
				buf__printf(out, ", %s", all[k]->name);
		buf__puts(out, ":\n");
		for (const char *const *b = all[i]->blind; *b; b++)
			buf__printf(out, "    %s\n", *b);
	}
}

void doctor__put_text(struct buf *out, const struct findings *f, bool ok)
{
	text_rights(out, f);
	buf__printf(out, "\n%-22s%-12s%s\n", "HOOK", "BY", "MECHANISMS");
	for (size_t i = 0; i < f->cnt; i++)
		text_hook(out, &f->choices[i]);
	text_user_sems(out, f);
	text_blind(out, f);
	buf__puts(out, ok ? "\nEverything asked for can be traced.\n"
			  : "\nNot everything asked for can be traced.\n");
}
