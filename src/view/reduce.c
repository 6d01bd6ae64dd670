/* SPDX-License-Identifier: GPL-2.0 */
#include "view/reduce.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "view/sorted.h"

struct preset {
	const char *name, *about;
	const char *const *comms, *const *objects; /* patterns, NULL-terminated */
};

/* A command name has 15 bytes at most. */
static const struct preset presets[] = {
	{ "loggers", "system loggers and their sockets",
	  (const char *const[]){ "systemd-journal", "rsyslogd", "rs:main*", "in:imuxsock", "syslog-ng",
				 "syslogd", "klogd", "auditd", "audisp*", NULL },
	  (const char *const[]){ "unix:/dev/log", "unix:/run/systemd/journal/*", "unix:/run/rsyslog/*",
				 NULL } },
	{ "names", "name services: users, groups, hosts",
	  (const char *const[]){ "nscd", "nslcd", "sssd*", "systemd-resolve", "systemd-userdbd",
				 "systemd-userwor", "dnsmasq", "avahi-daemon", NULL },
	  (const char *const[]){ "unix:/run/nscd/*", "unix:/var/run/nscd/*", "unix:/run/nslcd/*",
				 "unix:/var/lib/sss/*", "unix:/run/systemd/userdb/*",
				 "unix:/run/systemd/resolve/*", "udp:*:53<->*", "udp:*:53", NULL } },
	{ "dbus", "the D-Bus daemons and their sockets",
	  (const char *const[]){ "dbus-daemon", "dbus-broker*", NULL },
	  (const char *const[]){ "unix:/run/dbus/*", "unix:/var/run/dbus/*", "unix:/run/user/*/bus",
				 "unix:@/tmp/dbus-*", "unix:/tmp/dbus-*", NULL } },
	{ "signals", "signals", (const char *const[]){ NULL }, (const char *const[]){ "sig:*", NULL } },
	{ "terminals", "pseudoterminals", (const char *const[]){ NULL },
	  (const char *const[]){ "pty:*", NULL } },
	{ "memory", "shared memory", (const char *const[]){ NULL },
	  (const char *const[]){ "shm:*", "pshm:*", "memfd:*", "map:*", NULL } },
};

static const struct preset *preset_of(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strlen(presets[i].name) == len && !memcmp(presets[i].name, name, len))
			return &presets[i];
	return NULL;
}

/* ---- what the words mean ---- */

static bool any_matches(const char *const *patterns, const char *s)
{
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, s, 0))
			return true;
	return false;
}

/* One word of the list against one name; object: a channel's, else a command's. */
static bool word_matches(const char *word, size_t len, const char *name, bool object)
{
	const struct preset *p = preset_of(word, len);
	char *pattern;
	bool matches;

	if (p)
		return any_matches(object ? p->objects : p->comms, name);
	pattern = xstrndup(word, len);
	matches = !fnmatch(pattern, name, 0);
	free(pattern);
	return matches;
}

static bool list_matches(const char *list, const char *name, bool object)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (len && word_matches(list, len, name, object))
			return true;
		if (!list[len])
			return false;
		list += len + 1;
	}
}

int hide__check(const char *list, struct buf *err)
{
	for (const char *word = list;; word++) {
		size_t len = strcspn(word, ",");

		if (!len) {
			buf__puts(err, "--hide wants names between the commas, not '");
			escape__terminal(err, list, strlen(list));
			buf__putc(err, '\'');
			return -EINVAL;
		}
		if (!word[len])
			return 0;
		word += len;
	}
}

void hide__put_presets(struct buf *out)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		buf__printf(out, "  %-12s  %s\n", presets[i].name, presets[i].about);
}

/* ---- taking away ---- */

/* keep(element) decides; what stays keeps its order. */
#define filter(vec, element, keep)                               \
	do {                                                     \
		size_t kept = 0;                                 \
		for (size_t at = 0; at < (vec)->cnt; at++) {     \
			element = (vec)->v[at];                  \
			if (keep)                                \
				(vec)->v[kept++] = (vec)->v[at]; \
		}                                                \
		(vec)->cnt = kept;                               \
	} while (0)

static bool is_hidden(const bool *hidden, const struct proc *p)
{
	return p && hidden[p->id];
}

void reduce__hide(struct sorted *s, const char *list)
{
	bool *procs = xalloc(s->proc_cnt + 1), *channels = xalloc(s->channel_cnt + 1);

	for (size_t i = 0; i < s->procs.cnt; i++) {
		const struct proc *p = s->procs.v[i];
		char comm[sizeof(p->comm) + 1] = "";

		memcpy(comm, p->comm, sizeof(p->comm));
		procs[p->id] = list_matches(list, comm, false);
	}
	for (size_t i = 0; i < s->channels.cnt; i++)
		channels[s->channels.v[i]->id] = list_matches(list, s->channels.v[i]->name, true);
	filter(&s->flows, const struct flow *f,
	       !channels[f->channel->id] && !is_hidden(procs, f->src) && !is_hidden(procs, f->dst));
	filter(&s->ends, const struct end *e, !channels[e->channel->id] && !procs[e->proc->id]);
	filter(&s->shares, const struct share *sh,
	       !channels[sh->channel->id] && !procs[sh->a->id] && !procs[sh->b->id]);
	filter(&s->channels, const struct channel *ch, !channels[ch->id]);
	free(procs);
	free(channels);
}

static int by_size(const void *x, const void *y)
{
	const struct flow *a = *(struct flow *const *)x, *b = *(struct flow *const *)y;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	if (a->messages != b->messages)
		return a->messages > b->messages ? -1 : 1;
	return sorted__compare_flows(a, b);
}

/* Which processes are at which channels in what is kept. */
static void keep_side(struct map *sides, bool *channels, const struct channel *ch, const struct proc *p)
{
	channels[ch->id] = true;
	if (p)
		map__set(sides, p->id, ch->id, sides);
}

void reduce__top(struct sorted *s, uint64_t cnt)
{
	bool *channels = xalloc(s->channel_cnt + 1);
	struct map sides = { 0 };

	if (s->flows.cnt)
		qsort(s->flows.v, s->flows.cnt, sizeof(*s->flows.v), by_size);
	if (s->flows.cnt > cnt)
		s->flows.cnt = cnt;
	if (s->shares.cnt > cnt - s->flows.cnt)
		s->shares.cnt = cnt - s->flows.cnt;
	for (size_t i = 0; i < s->flows.cnt; i++) {
		keep_side(&sides, channels, s->flows.v[i]->channel, s->flows.v[i]->src);
		keep_side(&sides, channels, s->flows.v[i]->channel, s->flows.v[i]->dst);
	}
	for (size_t i = 0; i < s->shares.cnt; i++) {
		keep_side(&sides, channels, s->shares.v[i]->channel, s->shares.v[i]->a);
		keep_side(&sides, channels, s->shares.v[i]->channel, s->shares.v[i]->b);
	}
	filter(&s->ends, const struct end *e, map__get(&sides, e->proc->id, e->channel->id));
	filter(&s->channels, const struct channel *ch, channels[ch->id]);
	map__free(&sides);
	free(channels);
}
