/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/names.h"

#include <pwd.h>
#include <sys/utsname.h>

#include "cmd/cgroups.h"

static struct utsname host;
static const struct hook_choice *choices; /* view_names.attach has no context */
static size_t choice_cnt;

/* The hook that is most this mechanism's own says how it is traced: others (processes) serve all. */
static const char *attach_of(uint8_t mech)
{
	const struct hook_choice *best = NULL;

	for (size_t i = 0; i < choice_cnt; i++) {
		const struct hook_choice *c = &choices[i];

		if (c->chosen < 0 || !(c->hook->mechs & IPCT_MECH_BIT(mech)))
			continue;
		if (!best || __builtin_popcount(c->hook->mechs) < __builtin_popcount(best->hook->mechs))
			best = c;
	}
	return best ? rung__name(best->hook->rungs[best->chosen].rung) : NULL;
}

static const char *user_name(uint32_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw ? pw->pw_name : NULL;
}

void names__init(struct view_names *names, uint32_t traced, const struct kern *k)
{
	uname(&host);
	*names = (struct view_names){
		.mech = mech__name,
		.host = host.nodename,
		.kernel = host.release,
		.traced = traced,
		.cgroup = cgroups__path,
		.user = user_name,
	};
	if (k) {
		choices = kern__choices(k, &choice_cnt);
		names->attach = attach_of;
	}
}

void names__forget_kernel(void)
{
	choices = NULL;
	choice_cnt = 0;
}
