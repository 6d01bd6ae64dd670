/* SPDX-License-Identifier: GPL-2.0 */
#include "view/group.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define HOST_PIDNS 0xeffffffcu /* PROC_PID_INIT_INO, include/linux/proc_ns.h */
#define ID_SHOWN 12 /* characters of a container's id, as docker ps has them */

static void put_cgroup(struct buf *out, const struct proc *p, const struct view_names *names)
{
	const char *path = names->cgroup && p->cgroup ? names->cgroup(p->cgroup) : NULL;

	if (path)
		buf__puts(out, path);
	else if (p->cgroup)
		buf__printf(out, "cgroup:[%" PRIu64 "]", p->cgroup);
	else
		buf__puts(out, "no cgroup");
}

static size_t hex_digits(const char *s)
{
	size_t n = 0;

	while (isxdigit((unsigned char)s[n]))
		n++;
	return n;
}

/*
 * Container managers name a container's cgroup by its id, 64 hexadecimal digits: docker/ID, docker-ID.scope,
 * libpod-ID.scope, cri-containerd-ID.scope, kubepods/.../ID. The last one is the container itself.
 */
static const char *container_id(const char *path)
{
	const char *found = NULL;

	for (const char *at = path; *at;) {
		size_t n = hex_digits(at);

		if (n == 64)
			found = at;
		at += n ? n : 1;
	}
	return found;
}

/* lxc and systemd-nspawn use names. */
static const char *container_name(const char *path, size_t *len)
{
	static const char *const before[] = { "/lxc.payload.", "/lxc/", "/machine.slice/systemd-nspawn@",
					      "/machine.slice/machine-" };

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		const char *at = strstr(path, before[i]);

		if (!at)
			continue;
		at += strlen(before[i]);
		*len = strcspn(at, "/");
		if (*len)
			return at;
	}
	return NULL;
}

static void put_container(struct buf *out, const struct proc *p, const struct view_names *names)
{
	const char *path = names->cgroup && p->cgroup ? names->cgroup(p->cgroup) : NULL;
	const char *id = path ? container_id(path) : NULL;
	size_t len = ID_SHOWN;

	if (!id && path)
		id = container_name(path, &len);
	if (id)
		buf__put(out, id, len);
	else if (p->pidns && p->pidns != HOST_PIDNS)
		buf__printf(out, "pid:[%" PRIu32 "]", p->pidns);
	else
		buf__puts(out, "host");
}

static void put_user(struct buf *out, const struct proc *p, const struct view_names *names)
{
	const char *user = names->user && p->known ? names->user(p->uid) : NULL;

	if (user)
		buf__puts(out, user);
	else if (p->known)
		buf__printf(out, "uid %" PRIu32, p->uid);
	else
		buf__puts(out, "unknown user");
}

static void put_exe(struct buf *out, const struct proc *p, const struct view_names *names)
{
	buf__puts(out, p->exe[0] ? p->exe : "unknown program");
}

static void put_comm(struct buf *out, const struct proc *p, const struct view_names *names)
{
	size_t len = strnlen(p->comm, sizeof(p->comm));

	if (len)
		buf__put(out, p->comm, len);
	else
		buf__puts(out, "unknown");
}

static const struct {
	const char *name;
	void (*put)(struct buf *out, const struct proc *p, const struct view_names *names);
} groups[] = {
	[BY_CGROUP] = { "cgroup", put_cgroup }, [BY_CONTAINER] = { "container", put_container },
	[BY_USER] = { "user", put_user },	[BY_EXE] = { "exe", put_exe },
	[BY_COMM] = { "comm", put_comm },
};

void group__put(struct buf *out, enum graph_group group, const struct proc *p, const struct view_names *names)
{
	groups[group].put(out, p, names);
}

int group__by_name(const char *name, enum graph_group *group)
{
	for (size_t i = 1; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (!strcmp(groups[i].name, name)) {
			*group = i;
			return 0;
		}
	}
	return -EINVAL;
}
