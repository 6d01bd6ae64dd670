/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/names.h"

#include <pwd.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/time.h"
#include "cmd/cgroups.h"

#define SAME_BOOT_NS (60 * 1000000000ll) /* the wall clock may have been set meanwhile, but hardly by more */

static struct utsname host;
static const char *rungs[32]; /* by mechanism: view_names.attach has no context */

/* A mechanism's first hook says how it is traced: its system calls, or what it has instead. */
static const char *rung_of(uint8_t mech, const struct kern *k)
{
	size_t cnt;
	const struct hook_choice *choices = kern__choices(k, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		const char *rung = hook_choice__rung(&choices[i]);

		if (rung && (choices[i].hook->mechs & IPCT_MECH_BIT(mech)))
			return rung;
	}
	return NULL;
}

static const char *user_name(uint32_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw ? pw->pw_name : NULL;
}
static const char *attach_of(uint8_t mech)
{
	return mech < IPCT_MECH_CNT ? rungs[mech] : NULL;
}
_Static_assert(IPCT_MECH_CNT <= sizeof(rungs) / sizeof(rungs[0]), "one for each mechanism");

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
	for (uint8_t mech = 0; mech < IPCT_MECH_CNT; mech++)
		rungs[mech] = k ? rung_of(mech, k) : NULL;
	names->attach = k ? attach_of : NULL;
}

/* The file's word is turned into ours: it may be anything. */
static const char *known_rung(const char *word, size_t len)
{
	for (enum rung r = 0; r < RUNG_CNT; r++)
		if (strlen(rung__name(r)) == len && !memcmp(rung__name(r), word, len))
			return rung__name(r);
	return NULL;
}

static void read_attach(const char *line)
{
	memset(rungs, 0, sizeof(rungs));
	while (line && *line) {
		size_t mech_len = strcspn(line, " \n"), len = strcspn(line, "\n");
		const struct mech_desc *m = mech__by_name(line, mech_len);

		if (m && mech_len < len)
			rungs[m->mech] = known_rung(line + mech_len + 1, len - mech_len - 1);
		line += len + (line[len] == '\n');
	}
}

/* Numbers of users and cgroups mean what they do here only for what was recorded here, in this boot. */
static bool is_of_here(const struct store_info *info)
{
	int64_t since_boot_ns = info->boot_to_wall_ns - time__boot_to_wall_ns();

	uname(&host);
	return info->host && strcmp(info->host, host.nodename) == 0 && since_boot_ns > -SAME_BOOT_NS &&
	       since_boot_ns < SAME_BOOT_NS;
}

void names__init_recorded(struct view_names *names, uint32_t traced, const struct store_info *info)
{
	*names = (struct view_names){
		.mech = mech__name,
		.host = info->host,
		.kernel = info->kernel,
		.traced = traced,
		.attach = attach_of,
		.cgroup = is_of_here(info) ? cgroups__path : NULL,
		.user = is_of_here(info) ? user_name : NULL,
	};
	read_attach(info->attach);
}

void names__put_attach(struct buf *out, uint32_t traced, const struct kern *k)
{
	for (uint8_t mech = 0; mech < IPCT_MECH_CNT; mech++) {
		const char *rung = traced & IPCT_MECH_BIT(mech) ? rung_of(mech, k) : NULL;

		if (rung)
			buf__printf(out, "%s %s\n", mech__name(mech), rung);
	}
}
